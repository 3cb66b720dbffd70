#include "protocol/keys/space_key.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/schema/samples.hpp"

namespace kith {
namespace {

const NetworkId network = samples::filled<NetworkId>(0x4E);
const SpaceId space = samples::filled<SpaceId>(0x5A);
const DecisionId basis = samples::filled<DecisionId>(0xB0);
const SpaceKeys keys{samples::filled<Key32>(0x61), samples::filled<Key32>(0x62)};

std::vector<Seed> ephemerals(std::size_t count) {
  std::vector<Seed> seeds;
  for (std::size_t i = 0; i < count; ++i) {
    seeds.push_back(samples::filled<Seed>(static_cast<std::uint8_t>(200 + i)));
  }
  return seeds;
}

KeyGrant grant_to(std::vector<std::uint8_t> numbers) {
  std::vector<GrantReceiver> receivers;
  for (const std::uint8_t n : numbers)
    receivers.push_back({samples::member(n), samples::dh_key(n)});
  return make_key_grant(network, space, basis, keys, receivers, ephemerals(numbers.size()));
}

TEST(SpaceKey, IdsAreHashesWithTheirOwnDomain) {
  const Bytes zeros(32, 0);
  const MemberId member = samples::member(1);
  EXPECT_EQ(log_id(network, member, commons).view()[0],
            blake2b({view("kith/log/v1\n"), network.view(), member.view(), zeros}).view()[0]);
  EXPECT_TRUE(
      equal(log_id(network, member, space).view(),
            blake2b({view("kith/log/v1\n"), network.view(), member.view(), space.view()}).view()));
  EXPECT_TRUE(equal(record_id(view("what was said")).view(),
                    blake2b({view("kith/record/v1\nwhat was said")}).view()));
  EXPECT_EQ(space_key_id(network, space, 'g', keys.g),
            blake2b({view("kith/space-key/v1\n"), network.view(), space.view(), view("g"),
                     keys.g.view()}));
  EXPECT_NE(space_key_id(network, space, 'g', keys.g), space_key_id(network, space, 'r', keys.g));
}

TEST(SpaceKey, EveryReceiverOpensItsGrant) {
  const KeyGrant grant = grant_to({1, 2, 3});
  for (const std::uint8_t n : std::vector<std::uint8_t>{1, 2, 3}) {
    EXPECT_EQ(*open_key_grant(grant, network, samples::dh_secret(n)), keys);
  }
  EXPECT_TRUE(decode_key_grant(encode(grant)));
}

TEST(SpaceKey, BoxesStandInOrderOfMemberId) {
  std::vector<std::uint8_t> numbers = {1, 2, 3, 4, 5};
  const KeyGrant grant = grant_to(numbers);
  std::ranges::sort(numbers, {}, [](std::uint8_t n) { return samples::member(n); });
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_TRUE(box_open(samples::dh_secret(numbers[i]), grant.boxes[i])) << i;
  }
}

TEST(SpaceKey, SomebodyElseOpensNothing) {
  const auto opened = open_key_grant(grant_to({1, 2}), network, samples::dh_secret(3));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::not_found);
}

TEST(SpaceKey, KeysThatAreNotThoseNamedAreRefused) {
  const auto refused = [](KeyGrant grant, const NetworkId& of) {
    const auto opened = open_key_grant(grant, of, samples::dh_secret(1));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::bad_proof);
  };
  KeyGrant grant = grant_to({1});
  grant.key_id_g.bytes[0] ^= 1;
  refused(grant, network);
  grant = grant_to({1});
  grant.key_id_r.bytes[31] ^= 1;
  refused(grant, network);
  grant = grant_to({1});
  grant.space = commons;
  refused(grant, network);
  refused(grant_to({1}), samples::filled<NetworkId>(0x4F));
}

}  // namespace
}  // namespace kith
