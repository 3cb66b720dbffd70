#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/sync/sync_engine.hpp"

namespace kith::sync {
namespace {

const LogId log_id = LogId::from(Bytes(32, 1));
constexpr PeerId peer_id = 1;

struct History {
  explicit History(std::uint64_t size) {
    for (std::uint64_t i = 0; i < size; ++i) {
      Bytes payload;
      append_integer(payload, i);
      payloads.push_back(payload);
      leaves.push_back(encode_leaf(make_leaf(LeafClass::record, i, payload)));
      ranges.push_back(range);
      range.push(leaf_hash(view(leaves.back())));
    }
    ranges.push_back(range);
  }
  std::vector<Bytes> payloads;
  std::vector<std::string> leaves;
  CompactRange range;
  std::vector<CompactRange> ranges;  // By size.
};

/// A note is the size of the tree.
SyncEngine engine_over(const History& history) {
  return SyncEngine([&history](const LogId&, const std::string& note) -> Result<Checkpoint> {
    const std::uint64_t size = std::stoull(note);
    return Checkpoint{"", size, history.ranges[size].root()};
  });
}

template <class One>
std::size_t count(const std::vector<Action>& actions) {
  return static_cast<std::size_t>(std::ranges::count_if(
      actions, [](const Action& action) { return std::holds_alternative<One>(action); }));
}

template <class Wanted>
bool asks(const std::vector<Action>& actions) {
  return std::ranges::any_of(actions, [](const Action& action) {
    const auto* send = std::get_if<Send>(&action);
    return send != nullptr && std::holds_alternative<Wanted>(send->message);
  });
}

TEST(HostilePeer, CannotFillTheWritersQueueByRepeatingACheckpoint) {
  const History history(10);
  SyncEngine engine = engine_over(history);
  // More is held than the newest checkpoint covers, as in the middle of a fetch.
  static_cast<void>(engine.step(LogFollowed{log_id, false, history.range, {}, 0, {}, false}));
  static_cast<void>(engine.step(PeerConnected{peer_id, MemberId{}, false, {}, {}}));
  std::size_t stores = 0;
  for (int i = 0; i < 1'000; ++i) {
    stores += count<StoreEntries>(
        engine.step(MessageReceived{peer_id, peer::Announce{log_id, "5", {}, {}}}));
  }
  EXPECT_EQ(stores, limits::bundles_in_flight_max);
}

/// A log of ten entries without the payload of the fourth, and a peer that says it has all.
struct WithAGap {
  WithAGap() {
    static_cast<void>(
        engine.step(LogFollowed{log_id, false, history.range, checkpoint, 0, {3}, false}));
    static_cast<void>(engine.step(PeerConnected{peer_id, MemberId{}, false, {}, {}}));
  }
  std::vector<Action> have() { return engine.step(MessageReceived{peer_id, said}); }
  std::vector<Action> give() {
    peer::Payloads payloads{log_id, {3}, {}};
    peer::append_payload(payloads.payloads, history.payloads[3]);
    return engine.step(MessageReceived{peer_id, payloads});
  }

  History history{10};
  SignedCheckpoint checkpoint{10, history.range.root(), "10"};
  SyncEngine engine = engine_over(history);
  peer::Have said{{{log_id, 10, history.range.root(), 0, {}, false}}};
};

TEST(HostilePeer, CannotFillTheWritersQueueByGivingOnePayloadOverAndOver) {
  WithAGap gap;
  EXPECT_TRUE(asks<peer::GetPayloads>(gap.have()));
  EXPECT_EQ(count<StorePayloads>(gap.give()), 1U);
  // Until that is durable nothing is asked, so what is given again nobody asked for.
  EXPECT_FALSE(asks<peer::GetPayloads>(gap.have()));
  EXPECT_EQ(count<DropPeer>(gap.give()), 1U);
}

TEST(HostilePeer, AFullDiskIsNotAskedForTheSameAgainAtOnce) {
  WithAGap gap;
  static_cast<void>(gap.have());
  static_cast<void>(gap.give());
  EXPECT_FALSE(asks<peer::GetPayloads>(gap.engine.step(PayloadsStored{log_id, {}, true, peer_id})));
  EXPECT_TRUE(asks<peer::GetPayloads>(gap.engine.step(Tick{limits::look_again_ms})));
}

TEST(HonestPeer, MayHaveNoCheckpointOfALogThatWeHold) {
  WithAGap gap;
  const auto actions =
      gap.engine.step(MessageReceived{peer_id, peer::Announce{log_id, "", {}, {}}});
  EXPECT_EQ(actions.size(), 0U) << "cosignatures are asked of anyone";
}

TEST(HonestPeer, IsNotBlamedForWhatMetAFullDiskBeforeIt) {
  const History history(10);
  SyncEngine engine = engine_over(history);
  static_cast<void>(engine.step(LogFollowed{log_id, false, {}, {}, 0, {}, false}));
  static_cast<void>(engine.step(PeerConnected{peer_id, MemberId{}, false, {}, {}}));
  std::vector<Action> actions;
  for (const auto& [first, size] : {std::pair<std::uint64_t, std::uint64_t>{0, 4}, {4, 10}}) {
    peer::Push push{log_id, std::to_string(size), first, {}, {}};
    for (std::uint64_t i = first; i < size; ++i) {
      append_to_bundle(push.leaves, view(history.leaves[i]));
      peer::append_payload(push.payloads, history.payloads[i]);
    }
    actions = engine.step(MessageReceived{peer_id, push});
    EXPECT_EQ(count<StoreEntries>(actions), 1U);
  }
  // The second had nothing to follow: the driver says that it failed, and it is asked for again.
  for (int i = 0; i < 2; ++i) {
    EntriesStored failed{log_id, {}, {}, EntriesStored::Outcome::failed, peer_id};
    actions = engine.step(failed);
    EXPECT_EQ(count<DropPeer>(actions), 0U);
  }
  EXPECT_TRUE(engine.idle());
  EXPECT_TRUE(asks<peer::GetCheckpoints>(engine.step(Tick{limits::look_again_ms})));
}

}  // namespace
}  // namespace kith::sync
