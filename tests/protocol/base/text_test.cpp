#include "protocol/base/text.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace kith {
namespace {

using namespace std::string_literals;

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

Bytes counting(std::size_t size) {
  Bytes bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 7 + 3));
  return bytes;
}

TEST(Hex, RoundTripsEveryByte) {
  Bytes bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  const std::string text = to_hex(bytes);
  EXPECT_EQ(text.substr(0, 8), "00010203");
  EXPECT_EQ(text.substr(508), "feff");
  const auto back = from_hex(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, bytes);
}

TEST(Hex, RefusesOddLengthUpperCaseAndOtherCharacters) {
  for (const std::string_view bad : {"0", "abc", "AB", "0g", " 0", "0x", "é"}) {
    const auto decoded = from_hex(bad);
    ASSERT_FALSE(decoded) << bad;
    EXPECT_EQ(decoded.error().code, Errc::malformed);
  }
  EXPECT_FALSE(from_hex("0\0"s));
  EXPECT_TRUE(from_hex(""));
}

TEST(Base32, WritesTheExamplesOfTheRfc) {
  const std::pair<std::string_view, std::string_view> examples[] = {{"", ""},
                                                                    {"f", "my"},
                                                                    {"fo", "mzxq"},
                                                                    {"foo", "mzxw6"},
                                                                    {"foob", "mzxw6yq"},
                                                                    {"fooba", "mzxw6ytb"},
                                                                    {"foobar", "mzxw6ytboi"}};
  for (const auto& [plain, encoded] : examples) {
    EXPECT_EQ(to_base32(view(plain)), encoded);
    const auto back = from_base32(encoded);
    ASSERT_TRUE(back) << encoded;
    EXPECT_EQ(text(*back), plain);
  }
}

TEST(Base32, RefusesWhatItWouldNotWrite) {
  for (const std::string_view bad : {"MY", "m", "mz", "mzx", "my======", "m1", "mzxw6a", "m y"}) {
    EXPECT_FALSE(from_base32(bad)) << bad;
  }
}

TEST(Base64, IntoAKnownLengthIsAsStrict) {
  const auto agrees = [](const std::string& text, std::size_t size) {
    const auto slow = from_base64(text);
    Bytes fast(size, 0xAA);
    const bool is_right = slow && slow->size() == size;
    EXPECT_EQ(base64_into(text, fast), is_right) << text;
    EXPECT_TRUE(!is_right || fast == *slow) << text;
  };
  for (const std::size_t size : {0, 1, 2, 3, 4, 5, 6, 31, 32, 33, 64}) {
    const std::string good = to_base64(counting(size));
    for (std::size_t wrong = 0; wrong < 70; ++wrong) agrees(good, wrong);
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string changed = good;
        changed[at] = static_cast<char>(c);
        agrees(changed, size);
      }
    }
  }
}

TEST(Base64, WritesTheExamplesOfTheRfc) {
  const std::pair<std::string_view, std::string_view> examples[] = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : examples) {
    EXPECT_EQ(to_base64(view(plain)), encoded);
    const auto back = from_base64(encoded);
    ASSERT_TRUE(back) << encoded;
    EXPECT_EQ(text(*back), plain);
  }
}

TEST(Base64, RoundTripsEveryLengthUpTo99) {
  for (std::size_t size = 0; size < 100; ++size) {
    const Bytes bytes = counting(size);
    const auto back = from_base64(to_base64(bytes));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, bytes);
  }
}

TEST(Base64, IsStrict) {
  for (const std::string_view bad : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8=Zg==", "Zm9v\n",
                                     " Zm9v", "Zm9v====", "=", "====", "Z", "Zm-_", "Zg==x"}) {
    const auto decoded = from_base64(bad);
    ASSERT_FALSE(decoded) << bad;
    EXPECT_EQ(decoded.error().code, Errc::malformed);
  }
}

TEST(Decimal, AcceptsDigitsUpToTheLimit) {
  EXPECT_EQ(*parse_decimal("0", 0), 0U);
  EXPECT_EQ(*parse_decimal("10", 10), 10U);
  EXPECT_EQ(*parse_decimal("18446744073709551615", no_limit), no_limit);
}

TEST(Decimal, RefusesAllOtherForms) {
  for (const std::string_view bad : {"", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "0x1", "1e3"}) {
    const auto parsed = parse_decimal(bad, no_limit);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, Errc::malformed);
  }
}

TEST(Decimal, RefusesWhatIsAboveTheLimitOrOverflows) {
  const std::pair<std::string_view, std::uint64_t> cases[] = {
      {"1", 0},
      {"11", 10},
      {"100", 99},
      {"18446744073709551616", no_limit},
      {"99999999999999999999", no_limit},
      {"18446744073709551615", no_limit - 1}};
  for (const auto& [digits, max] : cases) {
    const auto parsed = parse_decimal(digits, max);
    ASSERT_FALSE(parsed) << digits;
    EXPECT_EQ(parsed.error().code, Errc::too_large);
  }
  EXPECT_FALSE(parse_decimal("184467440737095516150", no_limit));
}

TEST(Utf8, AcceptsTheFirstAndLastOfEachLength) {
  for (const std::string_view good :
       {"\x01", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", ""}) {
    EXPECT_TRUE(is_utf8(good)) << to_hex(view(good));
  }
}

TEST(Utf8, RefusesOverlongSurrogateCutAndStrayBytes) {
  for (const std::string_view bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE1\x80",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
    EXPECT_FALSE(is_utf8(bad)) << to_hex(view(bad));
    EXPECT_FALSE(is_utf8("a" + std::string(bad) + "b")) << to_hex(view(bad));
  }
  EXPECT_FALSE(is_utf8("a\0b"s));
}

TEST(Utf8, NamesTheLineOfTheFirstBadByte) {
  EXPECT_EQ(first_bad_utf8_line("good\nalso good\n"), std::nullopt);
  EXPECT_EQ(first_bad_utf8_line("\xFF\n"), 1U);
  EXPECT_EQ(first_bad_utf8_line("one\ntwo\nthr\xC3\n\xFF"), 3U);
}

TEST(OneLine, ReplacesControlCharactersByOneSpace) {
  EXPECT_EQ(one_line("a\tb\r\nc", 99), "a b c");
  EXPECT_EQ(one_line("\n\nstart", 99), "start");
  EXPECT_EQ(one_line("a\x7F"
                     "b\xC2\x85"
                     "c\xC2\xA0"
                     "d",
                     99),
            "a b c\xC2\xA0"
            "d");
  EXPECT_EQ(one_line("a\xFF\xFE"
                     "b",
                     99),
            "a b");
  EXPECT_EQ(one_line("a\0b"s, 99), "a b");
  EXPECT_EQ(one_line("\x1B[31mred", 99), "[31mred");
}

TEST(OneLine, ReplacesSeparatorsAndMarksOfDirection) {
  for (const std::string_view mark :
       {"\u200E", "\u200F", "\u2028", "\u2029", "\u202A", "\u202E", "\u2066", "\u2069"}) {
    EXPECT_EQ(one_line("a" + std::string(mark) + "b", 99), "a b") << to_hex(view(mark));
  }
  for (const std::string_view fine : {"\u2010", "\u2027", "\u2030", "\u2065", "\u206A", "\u20AC"}) {
    const std::string kept = "a" + std::string(fine) + "b";
    EXPECT_EQ(one_line(kept, 99), kept) << to_hex(view(fine));
  }
}

TEST(OneLine, CutsBetweenCharactersNeverInside) {
  EXPECT_EQ(one_line("abcdef", 3), "abc");
  EXPECT_EQ(one_line("ab\u20ACd", 4), "ab");
  EXPECT_EQ(one_line("ab\u20ACd", 5), "ab\u20AC");
  EXPECT_EQ(one_line("abc", 0), "");
}

TEST(MemberCode, IsOfCapitalsDigitsAndHyphensAlone) {
  for (const char* good : {"A", "ZZA", "RX1", "5FP", "ASH-2", "ABCDEFGHIJKLMNOP"}) {
    EXPECT_TRUE(is_member_code(good)) << good;
  }
  for (const char* bad : {"", "a", "Ash", "A S", "x;y,=", "-A", "A-", "A~b", "A_B", "\xC3\x84",
                          "ABCDEFGHIJKLMNOPQ", "A\n"}) {
    EXPECT_FALSE(is_member_code(bad)) << bad;
  }
}

TEST(Case, ChangesAsciiLettersAlone) {
  EXPECT_EQ(upper_case("zz9-\xC3\xA4"), "ZZ9-\xC3\xA4");
  EXPECT_EQ(lower_case("AB2~\xC3\x84"), "ab2~\xC3\x84");
}

TEST(Folded, BreaksAtBlanksAndKeepsEveryWord) {
  EXPECT_EQ(folded("one two three", 7), "one two\nthree");
  EXPECT_EQ(folded("one two three", 6), "one\ntwo\nthree");
  EXPECT_EQ(folded("incomprehensible it is", 4), "incomprehensible\nit\nis");
  EXPECT_EQ(folded("one\ntwo three", 20), "one\ntwo three");
  EXPECT_EQ(folded("\xC3\xA4\xC3\xB6 \xC3\xBC", 4), "\xC3\xA4\xC3\xB6 \xC3\xBC")
      << "characters count, not bytes";
  EXPECT_EQ(folded("", 5), "");
}

}  // namespace
}  // namespace kith
