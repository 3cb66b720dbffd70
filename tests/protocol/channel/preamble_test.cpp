#include "protocol/channel/preamble.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/channel/pair.hpp"

namespace kith::channel {
namespace {

using namespace testing;

const auto ephemeral = filled<DhPublic>(0x77);

Bytes opening_with(const PreambleKey& key) {
  Bytes opening = to_bytes(make_preamble(key, ephemeral));
  append(opening, ephemeral.view());
  append(opening, Bytes(16, 0));
  return opening;
}

TEST(Preamble, IsMagicVersionAndHalfOfAKeyedHash) {
  const auto key = preamble_key(dh_public(responder_static), network);
  EXPECT_EQ(key.bytes, blake2b({view("kith/preamble-key/v1\n"), dh_public(responder_static).view(),
                                network.view()})
                           .bytes);
  const Bytes preamble = to_bytes(make_preamble(key, ephemeral));
  ASSERT_EQ(preamble.size(), 25U);
  EXPECT_EQ(text(BytesView(preamble).first(8)), "kith/p2p");
  EXPECT_EQ(preamble[8], 1);
  const Hash mac =
      blake2b_keyed(key.view(), {view("kith/preamble/v1\nkith/p2p\x01"), ephemeral.view()});
  EXPECT_EQ(to_bytes(BytesView(preamble).subspan(9)), to_bytes(mac.view().first(16)));
}

TEST(Preamble, MatchesOnlyTheKeyItWasMadeFor) {
  const auto key = preamble_key(dh_public(responder_static), network);
  const Bytes opening = opening_with(key);
  EXPECT_TRUE(preamble_matches(opening, key));
  EXPECT_FALSE(preamble_matches(opening, preamble_key(dh_public(initiator_static), network)));
  EXPECT_FALSE(preamble_matches(
      opening, preamble_key(dh_public(responder_static), filled<NetworkId>(0x67))));
}

TEST(Preamble, EveryBitOfItAndOfTheEphemeralCounts) {
  const auto key = preamble_key(dh_public(responder_static), network);
  const Bytes opening = opening_with(key);
  for (std::size_t bit = 0; bit < 8 * (preamble_bytes + DhPublic::size); ++bit) {
    Bytes flipped = opening;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(preamble_matches(flipped, key)) << bit;
  }
}

TEST(Preamble, AnotherLengthNeverMatches) {
  const auto key = preamble_key(dh_public(responder_static), network);
  Bytes opening = opening_with(key);
  for (std::size_t size = 0; size < opening.size(); ++size) {
    EXPECT_FALSE(preamble_matches(BytesView(opening).first(size), key)) << size;
  }
  opening.push_back(0);
  EXPECT_FALSE(preamble_matches(opening, key));
}

}  // namespace
}  // namespace kith::channel
