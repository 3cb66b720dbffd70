#include "protocol/schema/peer_codec.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "protocol/base/limits.hpp"

namespace kith::peer {
namespace {

template <class Id>
Id id(std::uint8_t fill) {
  Id value;
  value.bytes.fill(fill);
  return value;
}

std::vector<Message> one_of_each() {
  const auto log = id<LogId>(1);
  const Cosignature word{log, 9, id<TreeHash>(2), id<MemberId>(3), 77, id<Signature>(4)};
  Bytes list;
  append_payload(list, view("payload"));
  append_payload(list, std::nullopt);
  return {
      Welcome{id<Hash>(5), id<DigestHalf>(6), 7, 8},
      Have{{{log, 10, id<TreeHash>(9), 8, id<Hash>(7), true}, {id<LogId>(2), 0, {}, 0, {}, false}}},
      GetCheckpoints{{log, id<LogId>(2)}},
      Announce{log, "kith/note\n", {to_bytes(view("certificate")), {1}}, {word}},
      Push{log, "note", 4, to_bytes(view("leaves")), list},
      Cosigned{word},
      GetTiles{log, 70'000, {{1, 2}, {0, 273}}},
      Tiles{log, 70'000, {Bytes(64, 1), {}}},
      GetEntries{log, 256, 300, 260},
      Entries{log, 256, 300, 260, to_bytes(view("leaves")), list},
      GetPayloads{log, {1, 5, 9}},
      Payloads{log, {1, 5}, list},
      JoinRequest{to_bytes(view("statement")), {"ZZA", "Ashdown", "trust", {"a.example:1"}}},
      JoinWaiting{"wait"},
      JoinGranted{id<DecisionId>(1), id<Key32>(2), id<Key32>(3), id<Key32>(4)},
      Ping{id<Hash>(1)},
      Pong{id<Hash>(2)},
      Evidence{"kith-evidence v1\n"},
      Agreed{log, 8, id<TreeHash>(1), {word, word}, {{}, {id<TreeHash>(2), id<TreeHash>(3)}}},
      Unasked{{id<MemberId>(1), id<MemberId>(2)}}};
}

TEST(PeerCodec, EveryMessageSurvivesTheWire) {
  const auto messages = one_of_each();
  ASSERT_EQ(messages.size(), std::variant_size_v<Message>);
  for (const Message& message : messages) {
    const auto back = decode_message(encode(message));
    ASSERT_TRUE(back) << message.index() << ": " << back.error().detail;
    EXPECT_EQ(*back, message);
  }
}

TEST(PeerCodec, NoTruncationAndNoFlippedBitEndsTheProcess) {
  std::size_t refused = 0;
  for (const Message& message : one_of_each()) {
    const Bytes bytes = encode(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      if (!decode_message(BytesView(bytes).first(size))) ++refused;
    }
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      Bytes changed = bytes;
      changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      const auto back = decode_message(changed);
      if (!back) ++refused;
      if (back) {
        EXPECT_TRUE(decode_message(encode(*back)));
      }
    }
  }
  EXPECT_GT(refused, 1'000U);
}

TEST(PeerCodec, WhatMakesNoSenseIsRefused) {
  const auto log = id<LogId>(1);
  const auto code = [](const Message& message) {
    const auto back = decode_message(encode(message));
    return back ? std::string("accepted") : std::string(name(back.error().code));
  };
  EXPECT_EQ(code(GetEntries{log, 1, 2, 1}), "malformed") << "not the start of a bundle";
  EXPECT_EQ(code(GetEntries{log, 0, 257, 0}), "malformed") << "more than a bundle";
  EXPECT_EQ(code(GetEntries{log, 0, 0, 0}), "malformed");
  EXPECT_EQ(code(GetEntries{log, 0, 10, 11}), "malformed");
  EXPECT_EQ(code(GetPayloads{log, {5, 5}}), "malformed") << "indices must ascend";
  EXPECT_EQ(code(GetPayloads{log, std::vector<std::uint64_t>(257)}), "too_large");
  EXPECT_EQ(code(Have{{{log, limits::tree_size_max + 1, {}, 0, {}, false}}}), "too_large");
  EXPECT_EQ(code(GetTiles{log, 1, {{8, 0}}}), "too_large");
  EXPECT_EQ(code(JoinWaiting{std::string(10'000, 'x')}), "too_large");
  EXPECT_FALSE(decode_message({}));
  EXPECT_FALSE(decode_message(Bytes(limits::message_bytes_max + 8)));
}

TEST(PeerCodec, APayloadListClaimsNoMoreThanItHolds) {
  Bytes list;
  append_payload(list, view("ab"));
  list.back() = 'c';
  EXPECT_TRUE(split_payloads(list, 1));
  EXPECT_FALSE(split_payloads(list, 0));
  EXPECT_FALSE(split_payloads(BytesView(list).first(5), 9));
  EXPECT_FALSE(split_payloads(BytesView(list).first(3), 9));
}

// KITH_WRITE_CORPUS=FOLDER writes one of each as the seeds of the fuzz target.
TEST(PeerCodec, SeedsOfTheFuzzTargetAreMadeHere) {
  const char* folder = std::getenv("KITH_WRITE_CORPUS");
  for (const Message& message : one_of_each()) {
    const Bytes bytes = encode(message);
    EXPECT_FALSE(bytes.empty());
    if (folder == nullptr) continue;
    std::ofstream out(std::string(folder) + "/message-" + std::to_string(message.index()),
                      std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  }
}

}  // namespace
}  // namespace kith::peer
