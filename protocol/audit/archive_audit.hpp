#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocol/audit/log_audit.hpp"

/// A whole export, checked from its files alone: no daemon, no network, no database.
namespace kith {

/// What verifying an export came to.
struct ArchiveReport {
  Manifest manifest;
  std::vector<LogReport> logs;
  std::vector<Finding> findings;  ///< That concern no single log.
  bool has_founding = false;      ///< The entry that founds the network is in it.

  /// The worst of all findings.
  [[nodiscard]] Verdict verdict() const;
};

/// Checks an export. The caller runs the logs' checks, on as many threads as it likes.
class ArchiveAudit {
 public:
  using KeysOf = std::function<LogAudit::Keys(const LogId&)>;

  /// `files` must outlive it. Fails (usage) if there is no export, (malformed) if its list of
  /// contents cannot be read. `keys_of` gives the keys that were disclosed of a log, or none.
  [[nodiscard]] static Result<ArchiveAudit> begin(const ArchiveFiles& files, const KeysOf& keys_of);

  [[nodiscard]] const Manifest& manifest() const { return report_.manifest; }
  [[nodiscard]] std::vector<std::unique_ptr<LogAudit>>& logs() { return logs_; }
  /// Entries of all logs.
  [[nodiscard]] std::uint64_t entries() const;
  /// After every log absorbed all of its bundles.
  [[nodiscard]] ArchiveReport finish();

 private:
  explicit ArchiveAudit(const ArchiveFiles& files) : files_(&files) {}

  void read_certificates();
  void compare_names();
  void compare_keys();
  void find(Verdict verdict, std::string_view file, std::string what);

  const ArchiveFiles* files_;
  ArchiveReport report_;
  std::vector<std::unique_ptr<LogAudit>> logs_;
  WitnessCertificates witnesses_;
};

}  // namespace kith
