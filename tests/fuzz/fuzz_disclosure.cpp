// A file of keys has one encoding, and what is accepted keeps its limits. A consent to a disclosure
// that reads as one is written again as the same.
#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/keys/disclosure.hpp"
#include "protocol/records/disclosure_consent.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  const std::string_view input = text(BytesView(data, size));
  if (const auto disclosure = decode_disclosure(input)) {
    KITH_CHECK(encode_disclosure(*disclosure) == input);
    KITH_CHECK(disclosure->log_keys.empty() != disclosure->records.empty());
    KITH_CHECK(disclosure->records.size() <= limits::disclosed_records_max);
    KITH_CHECK(disclosure->log_keys.size() <= limits::disclosed_keys_max);
    KITH_CHECK(check_disclosure_words(disclosure->recipient, disclosure->purpose).has_value());
  }
  if (const auto consent = read_disclosure_consent(input)) {
    KITH_CHECK(consent->covers(consent->recipient, consent->purpose, consent->records));
    KITH_CHECK(consent->whole_log == consent->records.empty());
    const auto again = read_disclosure_consent(make_disclosure_consent(*consent));
    KITH_CHECK(!again || *again == *consent);
  }
  return 0;
}
