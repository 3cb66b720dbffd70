#include "protocol/keys/disclosure.hpp"

#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "protocol/base/named_lines.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"

namespace kith {
namespace {

template <class Value>
Value filled(std::uint8_t with) {
  Value value;
  value.bytes.fill(with);
  return value;
}

Disclosure of_log() {
  Disclosure disclosure;
  disclosure.network = filled<NetworkId>(1);
  disclosure.member = disclosure.discloser = filled<MemberId>(2);
  disclosure.recipient = "Regional \"auditor\"";
  disclosure.purpose = "audit 2026: every signature";
  disclosure.time = 1'790'000'000'000;
  disclosure.log_keys = {{filled<Key32>(3), filled<Key32>(4)},
                         {filled<Key32>(5), filled<Key32>(6)}};
  return disclosure;
}

Disclosure of_records() {
  Disclosure disclosure = of_log();
  disclosure.discloser = filled<MemberId>(7);
  disclosure.consent = filled<RecordId>(8);
  disclosure.log_keys.clear();
  disclosure.records = {{filled<RecordId>(9), 0, filled<Key32>(10)},
                        {filled<RecordId>(11), 300, filled<Key32>(12)}};
  return disclosure;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

/// What whoever forges a disclosure would write: with the check that belongs to the lines.
std::string with_check(std::vector<std::string> lines) {
  lines.pop_back();
  std::string text = text_of(lines);
  add_line(text, "check", to_base32(blake2b({view(text)}).view()));
  return text;
}

TEST(Disclosure, ComesBackAsItWas) {
  for (const Disclosure& disclosure : {of_log(), of_records()}) {
    const std::string text = encode_disclosure(disclosure);
    EXPECT_TRUE(text.starts_with("kith-disclosure v1\n"));
    const auto decoded = decode_disclosure(text);
    ASSERT_TRUE(decoded) << decoded.error().detail;
    EXPECT_EQ(*decoded, disclosure);
  }
}

TEST(Disclosure, RefusesEveryFlippedBitAndEveryEnd) {
  for (const Disclosure& disclosure : {of_log(), of_records()}) {
    const std::string whole = encode_disclosure(disclosure);
    std::string changed = whole;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        changed[i] = static_cast<char>(whole[i] ^ (1 << bit));
        ASSERT_FALSE(decode_disclosure(changed)) << "byte " << i << ", bit " << bit;
      }
      changed[i] = whole[i];
      ASSERT_FALSE(decode_disclosure(whole.substr(0, i))) << "cut off at " << i;
    }
    EXPECT_FALSE(decode_disclosure(whole + "\n"));
    EXPECT_FALSE(decode_disclosure(whole + whole));
    EXPECT_TRUE(decode_disclosure(changed)) << "unchanged again";
  }
}

TEST(Disclosure, RefusesLinesRemovedAddedAndSwapped) {
  for (const Disclosure& disclosure : {of_log(), of_records()}) {
    const auto lines = lines_of(encode_disclosure(disclosure));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      auto removed = lines;
      removed.erase(removed.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_FALSE(decode_disclosure(text_of(removed))) << lines[i];
      for (std::size_t j = 0; j <= lines.size(); ++j) {
        auto added = lines;
        added.insert(added.begin() + static_cast<std::ptrdiff_t>(j), lines[i]);
        EXPECT_FALSE(decode_disclosure(text_of(added))) << lines[i];
        if (j == lines.size() || lines[i] == lines[j]) continue;
        auto swapped = lines;
        std::swap(swapped[i], swapped[j]);
        EXPECT_FALSE(decode_disclosure(text_of(swapped))) << lines[i] << lines[j];
      }
    }
    auto with_cr = lines;
    with_cr[3].insert(with_cr[3].size() - 1, "\r");
    EXPECT_FALSE(decode_disclosure(text_of(with_cr)));
  }
}

TEST(Disclosure, RefusesWhatMakesNoSenseUnderARightCheck) {
  const auto refused = [](const Disclosure& disclosure) {
    return !decode_disclosure(encode_disclosure(disclosure));
  };
  Disclosure wrong = of_log();
  wrong.consent = filled<RecordId>(1);
  EXPECT_TRUE(refused(wrong)) << "its own log needs no consent";
  wrong = of_records();
  wrong.consent.reset();
  EXPECT_TRUE(refused(wrong)) << "another's does";
  wrong = of_log();
  wrong.log_keys.clear();
  EXPECT_TRUE(refused(wrong)) << "no key";
  wrong = of_log();
  wrong.records = of_records().records;
  EXPECT_TRUE(refused(wrong)) << "both";
  wrong = of_records();
  std::swap(wrong.records[0], wrong.records[1]);
  EXPECT_TRUE(refused(wrong)) << "not in the order of the log";
  wrong = of_records();
  wrong.records[1].index = 0;
  EXPECT_TRUE(refused(wrong)) << "the same entry twice";
  wrong = of_records();
  wrong.records.clear();
  EXPECT_TRUE(refused(wrong)) << "neither";
  for (const std::string& words : {std::string(), std::string(" x"), std::string("x "),
                                   std::string("a\nb"), std::string(2'000, 'x')}) {
    wrong = of_log();
    wrong.recipient = words;
    EXPECT_TRUE(refused(wrong)) << words;
    wrong = of_log();
    wrong.purpose = words;
    EXPECT_TRUE(refused(wrong)) << words;
  }

  // The lines themselves, one after the other, with another value.
  const auto lines = lines_of(encode_disclosure(of_log()));
  ASSERT_EQ(with_check(lines), text_of(lines)) << "the control";
  auto other_log = lines;
  other_log[4] = "log " + to_base32(filled<LogId>(1).view()) + "\n";
  EXPECT_FALSE(decode_disclosure(with_check(other_log)));
  auto other_space = lines;
  other_space[3] = "space " + to_base32(filled<SpaceId>(1).view()) + "\n";
  EXPECT_FALSE(decode_disclosure(with_check(other_space))) << "the log is not that space's";
  auto next_version = lines;
  next_version[0] = "kith-disclosure v2\n";
  EXPECT_FALSE(decode_disclosure(with_check(next_version)));
  auto padded = lines;
  padded[9] = "time 01790000000000\n";
  EXPECT_FALSE(decode_disclosure(with_check(padded)));
}

TEST(Disclosure, HoldsNoMoreThanItsLimits) {
  Disclosure most = of_log();
  most.log_keys.assign(limits::disclosed_keys_max, most.log_keys[0]);
  EXPECT_TRUE(decode_disclosure(encode_disclosure(most)));
  most.log_keys.push_back(most.log_keys[0]);
  EXPECT_FALSE(decode_disclosure(encode_disclosure(most)));

  most = of_records();
  most.records.clear();
  for (std::uint64_t i = 0; i < limits::disclosed_records_max; ++i) {
    most.records.push_back({filled<RecordId>(1), (1ULL << 60) + i, filled<Key32>(2)});
  }
  most.recipient.assign(limits::recipient_bytes_max, 'r');
  most.purpose.assign(limits::purpose_bytes_max, 'p');
  EXPECT_TRUE(decode_disclosure(encode_disclosure(most)));
  most.records.push_back({filled<RecordId>(1), 1ULL << 61, filled<Key32>(2)});
  EXPECT_FALSE(decode_disclosure(encode_disclosure(most)));
  EXPECT_EQ(decode_disclosure(std::string(disclosure_bytes_max + 1, 'x')).error().code,
            Errc::too_large);
}

}  // namespace
}  // namespace kith
