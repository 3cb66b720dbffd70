#pragma once

#include <string>
#include <vector>

#include "protocol/audit/archive_audit.hpp"

/// The disclosures that an auditor was given, held against an export.
namespace kith {

class DisclosedKeys {
 public:
  /// `file` is what findings call it.
  void add(std::string file, Disclosure disclosure);

  /// conflict if one of them is of another network, or of a log that is not in the export: it says
  /// which, and whose it is.
  [[nodiscard]] Result<bool> belong_to(const Manifest& manifest) const;
  /// All keys of this log.
  [[nodiscard]] LogAudit::Keys keys_of(const LogId& log) const;
  /// Adds to the report what each of them opened, and as findings what it should have opened and
  /// did not.
  void tell(ArchiveReport& report) const;

 private:
  struct Given {
    std::string file;
    Disclosure disclosure;
  };
  std::vector<Given> given_;
};

}  // namespace kith
