#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "protocol/base/text.hpp"
#include "tests/support/shared.hpp"

/// What the tests over outside vectors share.
namespace kith::testing {

inline nlohmann::json read_vectors(const std::string& below) {
  return nlohmann::json::parse(read_whole(*shared_path("vectors/" + below)));
}

/// The bytes of a hex string; fails the test if it is none.
inline Bytes hex(const std::string& digits) {
  auto bytes = from_hex(digits);
  EXPECT_TRUE(bytes.has_value()) << digits;
  return bytes ? *bytes : Bytes{};
}

inline Bytes hex(const nlohmann::json& object, const char* field) {
  return hex(object.at(field).get<std::string>());
}

}  // namespace kith::testing
