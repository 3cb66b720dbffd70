#include "protocol/records/disclosure_consent.hpp"

#include <algorithm>

#include "protocol/base/limits.hpp"
#include "protocol/base/named_lines.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/disclosure.hpp"
#include "protocol/records/document.hpp"

namespace kith {
namespace {

constexpr std::string_view whole_log_text = "log";

/// As a double-quoted YAML scalar.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + '"';
}

}  // namespace

bool DisclosureConsent::covers(std::string_view to, std::string_view what_for,
                               const std::vector<RecordId>& wanted) const {
  if (recipient != to || purpose != what_for) return false;
  if (whole_log) return true;
  return !wanted.empty() && std::ranges::all_of(wanted, [&](const RecordId& id) {
    return std::ranges::find(records, id) != records.end();
  });
}

std::string make_disclosure_consent(const DisclosureConsent& consent) {
  std::string document = "---\nkind: " + std::string(disclosure_consent_kind) +
                         "\nrecipient: " + quoted(consent.recipient) +
                         "\npurpose: " + quoted(consent.purpose) +
                         "\nopens: " + (consent.whole_log ? "log" : "records") + "\n";
  if (!consent.whole_log) document += "records:\n";
  for (const RecordId& id : consent.records) document += "  - " + to_base32(id.view()) + "\n";
  const std::string what = consent.whole_log ? "the whole log"
                           : consent.records.size() == 1
                               ? "1 entry"
                               : std::to_string(consent.records.size()) + " entries";
  return document + "---\n\nConsent to open " + what + " to " + consent.recipient + "\n";
}

Result<DisclosureConsent> read_disclosure_consent(std::string_view text) {
  const Parsed parsed = parse_document(text);
  if (!parsed.complaints.empty() || parsed.document.kind != disclosure_consent_kind) {
    return fail(Errc::malformed, parsed.complaints.empty()
                                     ? "this is no consent to a disclosure"
                                     : describe("the consent", parsed.complaints));
  }
  const Document& document = parsed.document;
  DisclosureConsent consent;
  consent.recipient = document.value("recipient");
  consent.purpose = document.value("purpose");
  consent.whole_log = document.value("opens") == whole_log_text;
  const auto words = check_disclosure_words(consent.recipient, consent.purpose);
  if (!words) return fail(Errc::malformed, words.error().detail);
  const Field* records = document.find("records");
  if ((records != nullptr) == consent.whole_log) {
    return fail(Errc::malformed, consent.whole_log
                                     ? "a consent to open the whole log names no records"
                                     : "a consent to open records names them under \"records\"");
  }
  if (records == nullptr) return consent;
  if (records->values.size() > limits::disclosed_records_max) {
    return fail(Errc::malformed, "a consent names at most " +
                                     std::to_string(limits::disclosed_records_max) + " records");
  }
  for (const std::string& id : records->values) {
    if (!octets_from_base32(id, consent.records.emplace_back())) {
      return fail(
          Errc::malformed,
          "under \"records\" stand whole ids of 52 characters; kith disclose --allow writes them");
    }
  }
  return consent;
}

}  // namespace kith
