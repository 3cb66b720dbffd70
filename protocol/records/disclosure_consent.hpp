#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// A member's word, in its own log, that others may open its entries to somebody outside.
namespace kith {

inline constexpr std::string_view disclosure_consent_kind = "disclosure_consent";

struct DisclosureConsent {
  std::string recipient;
  std::string purpose;
  bool whole_log = false;
  std::vector<RecordId> records;  ///< Unless the whole log.

  /// Whether it allows to open these records (empty: the whole log) to this recipient for this
  /// purpose, word for word. Fewer records than it names are covered, and any of the log if it
  /// is about the whole of it.
  [[nodiscard]] bool covers(std::string_view to, std::string_view what_for,
                            const std::vector<RecordId>& wanted) const;
  friend bool operator==(const DisclosureConsent&, const DisclosureConsent&) = default;
};

/// The document that says it. Its words must be as check_disclosure_words() demands; read it back
/// before it is signed, as YAML does not take every character.
[[nodiscard]] std::string make_disclosure_consent(const DisclosureConsent& consent);
/// malformed, saying what is wrong with the document.
[[nodiscard]] Result<DisclosureConsent> read_disclosure_consent(std::string_view document);

}  // namespace kith
