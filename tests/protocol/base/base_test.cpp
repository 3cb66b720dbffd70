#include <gtest/gtest.h>

#include <set>
#include <string>
#include <unordered_set>

#include "protocol/base/check.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

namespace kith {
namespace {

TEST(Result, HoldsAValueOrTheReasonForItsAbsence) {
  const Result<int> value = 7;
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, 7);
  const Result<int> nothing = fail(Errc::stale, "too old");
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error(), Error(Errc::stale, "too old"));
}

TEST(Result, PassingAFailureUpKeepsItsCodeAndSaysWhatWasAttempted) {
  const Error cause = fail(Errc::bad_proof, "the root differs");
  EXPECT_EQ(fail(cause, "checking a tile"),
            Error(Errc::bad_proof, "checking a tile: the root differs"));
}

TEST(Result, EveryCodeHasItsOwnName) {
  std::set<std::string> names;
  constexpr int last = static_cast<int>(Errc::usage);
  for (int i = 0; i <= last; ++i) names.insert(name(static_cast<Errc>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(last) + 1);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(CheckDeathTest, AFailedCheckStopsTheProcess) {
  KITH_CHECK(1 + 1 == 2);
  EXPECT_DEATH(KITH_CHECK(1 + 1 == 3), "internal error: 1 \\+ 1 == 3");
}

TEST(CheckDeathTest, ReadingTheValueOfAFailureStopsTheProcess) {
  const Result<int> nothing = fail(Errc::io, "gone");
  EXPECT_DEATH(static_cast<void>(*nothing), "internal error");
}

TEST(Integers, AreBigEndianAndRoundTrip) {
  Bytes bytes;
  append_integer(bytes, std::uint16_t{0x0102});
  append_integer(bytes, std::uint32_t{0x03040506});
  append_integer(bytes, std::uint64_t{0x0708090A0B0C0D0E});
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], i + 1);
  EXPECT_EQ(read_integer<std::uint16_t>(bytes), 0x0102);
  EXPECT_EQ(read_integer<std::uint32_t>(BytesView(bytes).subspan(2)), 0x03040506U);
  EXPECT_EQ(read_integer<std::uint64_t>(BytesView(bytes).subspan(6)), 0x0708090A0B0C0D0EU);
}

TEST(Octets, SortByBytesAndKnowZero) {
  const auto small = RecordId::from(Bytes(32, 1));
  auto large = small;
  large.bytes[31] = 2;
  EXPECT_LT(small, large);
  EXPECT_TRUE(RecordId{}.is_zero());
  EXPECT_FALSE(small.is_zero());
  EXPECT_EQ((std::unordered_set<RecordId>{small, large, small}.size()), 2U);
}

}  // namespace
}  // namespace kith
