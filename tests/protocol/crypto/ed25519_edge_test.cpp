// Which signatures count is part of the protocol: libraries differ on these 926, so an upgrade that
// changes one verdict must fail here.
#include <set>

#include "protocol/crypto/crypto.hpp"
#include "tests/protocol/crypto/vectors.hpp"

namespace kith {
namespace {

using testing::hex;
using testing::read_vectors;
using Json = nlohmann::json;

std::set<std::string> flags_of(const Json& test) {
  if (test.at("flags").is_null()) return {};
  return test.at("flags").get<std::set<std::string>>();
}

TEST(Ed25519Edge, TwelveSpeccheckVerdicts) {
  KITH_NEEDS_SHARED();
  std::string verdicts;
  for (const Json& test : read_vectors("ed25519-edge/speccheck_cases.json")) {
    const bool accepted = verify(PublicKey::from(hex(test, "pub_key")), hex(test, "message"),
                                 Signature::from(hex(test, "signature")));
    verdicts.push_back(accepted ? 'V' : 'X');
  }
  EXPECT_EQ(verdicts, "XXXVXXXXXXXX");
}

TEST(Ed25519Edge, NineHundredAndFourteenCctvVerdicts) {
  KITH_NEEDS_SHARED();
  const std::set<std::string> both = {"low_order_component_A", "low_order_component_R"};
  const std::set<std::string> only_key = {"low_order_component_A"};
  int seen = 0;
  int accepted_both = 0;
  int accepted_only_key = 0;
  int accepted_unflagged = 0;
  for (const Json& test : read_vectors("ed25519-edge/cctv_ed25519vectors.json")) {
    SCOPED_TRACE(test.at("number").dump());
    const auto flags = flags_of(test);
    const bool expected = flags == both || flags == only_key || flags.empty();
    const auto message = test.at("msg").get<std::string>();
    const bool accepted =
        verify(PublicKey::from(hex(test, "key")), view(message), Signature::from(hex(test, "sig")));
    EXPECT_EQ(accepted, expected);
    ++seen;
    accepted_both += accepted && flags == both;
    accepted_only_key += accepted && flags == only_key;
    accepted_unflagged += accepted && flags.empty();
  }
  EXPECT_EQ(seen, 914);
  EXPECT_EQ(accepted_both, 35);
  EXPECT_EQ(accepted_only_key, 7);
  EXPECT_EQ(accepted_unflagged, 1);
}

// The file's keys are 14 encodings of low-order points, 7 points with a low-order part and the one
// ordinary key of the unflagged case.
TEST(Ed25519Edge, TwentyOneTorsionPointsAreNoPublicKeys) {
  KITH_NEEDS_SHARED();
  std::set<std::string> keys;
  std::set<std::string> ordinary;
  for (const Json& test : read_vectors("ed25519-edge/cctv_ed25519vectors.json")) {
    keys.insert(test.at("key").get<std::string>());
    if (flags_of(test).empty()) ordinary.insert(test.at("key").get<std::string>());
  }
  ASSERT_EQ(ordinary.size(), 1U);
  int refused = 0;
  for (const std::string& key : keys) {
    SCOPED_TRACE(key);
    const bool valid = is_valid_public_key(PublicKey::from(hex(key)));
    EXPECT_EQ(valid, ordinary.contains(key));
    refused += !valid;
  }
  EXPECT_EQ(refused, 21);
}

TEST(Ed25519Edge, SmallPointsAreNoPublicKeys) {
  const char* const points[] = {"0100000000000000000000000000000000000000000000000000000000000000",
                                "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                "0000000000000000000000000000000000000000000000000000000000000000",
                                "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
  for (const char* const point : points) {
    EXPECT_FALSE(is_valid_public_key(PublicKey::from(hex(point)))) << point;
  }
  EXPECT_TRUE(is_valid_public_key(SigningKey(Seed{}).public_key()));
}

}  // namespace
}  // namespace kith
