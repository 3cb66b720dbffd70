#include "daemon/transport/address.hpp"

#include <gtest/gtest.h>

namespace kith::transport {
namespace {

TEST(Address, NamesAndBothKindsOfNumbersAreRead) {
  const std::pair<const char*, HostPort> cases[] = {
      {"a-1.example:5484", {"a-1.example", 5484}},
      {"192.0.2.7:1", {"192.0.2.7", 1}},
      {"[2001:db8::7]:65535", {"2001:db8::7", 65535}},
      {"[::]:0", {"::", 0}},
  };
  for (const auto& [text, expected] : cases) {
    const auto read = parse_host_port(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, expected);
    EXPECT_EQ(to_text(*read), text);
  }
}

TEST(Address, WhatIsNoneIsRefusedWithWhatWasExpected) {
  const std::string long_name(254, 'a');
  for (const std::string& text :
       {std::string(""), std::string("host"), std::string("host:"), std::string(":1"),
        std::string("host:65536"), std::string("host:-1"), std::string("host:01"),
        std::string("::1:80"), std::string("[]:1"), std::string("[::1:1"), std::string("a b:1"),
        std::string("a/b:1"), std::string("[host]:1"), std::string("a\n:1"), long_name + ":1"}) {
    const auto read = parse_host_port(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::usage);
    EXPECT_NE(read.error().detail.find("HOST:PORT"), std::string::npos);
  }
}

}  // namespace
}  // namespace kith::transport
