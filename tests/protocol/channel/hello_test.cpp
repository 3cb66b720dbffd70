#include <gtest/gtest.h>

#include "tests/protocol/channel/pair.hpp"

namespace kith::channel {
namespace {

using namespace testing;

Hello full_hello(std::size_t certificate) {
  Hello hello;
  hello.version_min = 1;
  hello.version_max = 3;
  hello.certificate_number = 0x0102030405060708;
  hello.digest = filled<Hash>(0xAA);
  hello.last_common = decltype(hello.last_common)::from(Bytes(16, 0xBB));
  hello.certificate = Bytes(certificate, 0xCC);
  return hello;
}

TEST(Hello, ShortFormHasEveryFieldInItsPlace) {
  const Bytes bytes = encode_hello(full_hello(0));
  Bytes expected = {1, 3, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
  append(expected, Bytes(32, 0xAA));
  append(expected, Bytes(16, 0xBB));
  EXPECT_EQ(bytes, expected);
  EXPECT_EQ(bytes.size(), short_hello_bytes);
  EXPECT_EQ(*decode_hello(bytes), full_hello(0));
}

TEST(Hello, LongFormCarriesACertificateOfAnySizeThatFits) {
  for (const std::size_t size : {1U, 400U, 959U, 960U}) {
    const Bytes bytes = encode_hello(full_hello(size));
    EXPECT_EQ(bytes.size(), long_hello_bytes);
    EXPECT_EQ(read_integer<std::uint16_t>(BytesView(bytes).subspan(2)), size);
    const auto decoded = decode_hello(bytes);
    ASSERT_TRUE(decoded) << size;
    EXPECT_EQ(*decoded, full_hello(size));
  }
}

TEST(Hello, AnyOtherLengthIsRefused) {
  for (std::size_t size = 0; size <= long_hello_bytes + 1; ++size) {
    Bytes bytes = encode_hello(full_hello(0));
    bytes.resize(size, 0);
    EXPECT_EQ(decode_hello(bytes).has_value(), size == short_hello_bytes) << size;
  }
}

TEST(Hello, ACertificateLengthThatDoesNotFitTheFormIsRefused) {
  const auto with_length = [](Bytes bytes, std::uint16_t length) {
    bytes[2] = static_cast<std::uint8_t>(length >> 8);
    bytes[3] = static_cast<std::uint8_t>(length);
    return decode_hello(bytes);
  };
  const Bytes short_form = encode_hello(full_hello(0));
  const Bytes long_form = encode_hello(full_hello(960));
  EXPECT_TRUE(with_length(short_form, 0));
  EXPECT_FALSE(with_length(short_form, 1));
  EXPECT_TRUE(with_length(long_form, 960));
  for (const std::uint16_t length : std::initializer_list<std::uint16_t>{0, 959, 961, 65'535}) {
    const auto decoded = with_length(long_form, length);
    ASSERT_FALSE(decoded) << length;
    EXPECT_EQ(decoded.error().code, Errc::malformed);
  }
}

TEST(Hello, SpareBytesMustBeZero) {
  const Bytes bytes = encode_hello(full_hello(10));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i >= 4 && (i < 8 || i >= short_hello_bytes + 10)) {
      Bytes changed = bytes;
      changed[i] = 1;
      EXPECT_FALSE(decode_hello(changed)) << i;
    }
  }
}

TEST(Hello, VersionsMustMakeSense) {
  const auto with_versions = [](std::uint8_t min, std::uint8_t max) {
    Bytes bytes = encode_hello(Hello{});
    bytes[0] = min;
    bytes[1] = max;
    return decode_hello(bytes).has_value();
  };
  EXPECT_TRUE(with_versions(1, 1));
  EXPECT_TRUE(with_versions(2, 255));
  EXPECT_FALSE(with_versions(0, 1));
  EXPECT_FALSE(with_versions(2, 1));
}

TEST(HelloDeathTest, ACertificateThatDoesNotFitIsABug) {
  EXPECT_DEATH(static_cast<void>(encode_hello(full_hello(961))), "internal error");
}

}  // namespace
}  // namespace kith::channel
