#include <gtest/gtest.h>

#include <deque>

#include "protocol/sync/sync_engine.hpp"
#include "tests/fuzz/true_log.hpp"

/// Leaves that are held but damaged, asked for again.
namespace kith::sync {
namespace {

using fuzz::TrueLog;

const LogId log_id{{1}};
constexpr std::uint64_t log_size = TrueLog::entries;

const TrueLog& truth() {
  static const TrueLog log;
  return log;
}

/// A member that holds all of a log, with damaged leaves in some bundles.
class Damaged {
 public:
  explicit Damaged(std::vector<std::uint64_t> wanted)
      : engine_([](const LogId&, const std::string&) -> Result<Checkpoint> {
          return fail(Errc::bad_signature, "none is expected");
        }) {
    const SignedCheckpoint newest{log_size, truth().root(log_size), "note"};
    step(LogFollowed{
        log_id, false, truth().ranges[log_size], newest, 0, {}, false, std::move(wanted)});
  }
  void connect(PeerId peer, std::uint64_t size = log_size) {
    step(PeerConnected{peer, MemberId{{static_cast<std::uint8_t>(peer)}}, false, {}, {}});
    step(MessageReceived{peer, peer::Have{{{log_id, size, truth().root(size), 0, {}, false}}}});
  }
  void step(Event event) {
    for (Action& action : engine_.step(std::move(event))) {
      if (auto* drop = std::get_if<DropPeer>(&action)) dropped.push_back(drop->peer);
      if (auto* put = std::get_if<PutLeaves>(&action)) puts.push_back(std::move(*put));
      auto* send = std::get_if<Send>(&action);
      if (send == nullptr) continue;
      if (std::holds_alternative<peer::GetEntries>(send->message)) {
        asked.emplace_back(send->peer, std::move(send->message));
      }
    }
  }
  /// The oldest question is answered, truly or with nothing.
  void answer(bool truly = true) {
    const auto [peer, message] = std::move(asked.front());
    asked.pop_front();
    const auto& get = std::get<peer::GetEntries>(message);
    EXPECT_EQ(get.payloads_from, get.last) << "payloads are kept where they are good";
    peer::Entries entries{get.log, get.first, get.last, get.payloads_from, {}, {}};
    entries.leaves = truth().bundle(get.first, get.last);
    if (!truly) entries.leaves.clear();
    step(MessageReceived{peer, std::move(entries)});
  }
  void answer_all() {
    while (!asked.empty()) answer();
  }
  void wait(std::uint64_t ms) { step(Tick{now_ms_ += ms}); }
  [[nodiscard]] bool idle() const { return engine_.idle(); }

  std::vector<PutLeaves> puts;
  std::vector<PeerId> dropped;
  std::deque<std::pair<PeerId, peer::Message>> asked;

 private:
  SyncEngine engine_;
  std::uint64_t now_ms_ = 1;
};

using Outcome = LeavesPut::Outcome;

TEST(Refetch, DamagedBundlesAreAskedForUntilTheyArePut) {
  Damaged damaged({0, 2});
  EXPECT_TRUE(damaged.asked.empty());
  damaged.connect(1);
  damaged.answer_all();
  ASSERT_EQ(damaged.puts.size(), 2U);
  EXPECT_EQ(damaged.puts[0].first, 0U);
  EXPECT_EQ(damaged.puts[1].first, 512U);
  EXPECT_EQ(damaged.puts[1].leaves.size(), log_size - 512);
  EXPECT_TRUE(equal(damaged.puts[0].leaves[7], view(truth().leaves[7])));
  EXPECT_FALSE(damaged.idle());

  damaged.step(LeavesPut{log_id, 1, 0, Outcome::put, {}});
  damaged.step(LeavesPut{log_id, 1, 512, Outcome::failed, {}});
  EXPECT_TRUE(damaged.asked.empty()) << "what met a full disk is not asked for at once";
  damaged.wait(limits::look_again_ms);
  damaged.answer_all();
  ASSERT_EQ(damaged.puts.size(), 3U);
  EXPECT_EQ(damaged.puts[2].first, 512U);
  damaged.step(LeavesPut{log_id, 1, 512, Outcome::put, {}});
  damaged.wait(limits::look_again_ms);
  EXPECT_TRUE(damaged.asked.empty());
  EXPECT_TRUE(damaged.idle());
}

TEST(Refetch, WhoGivesWrongLeavesIsNotDroppedAndAskedAgainAfterAWhile) {
  Damaged damaged({1});
  damaged.connect(1);
  damaged.answer();
  damaged.step(LeavesPut{log_id, 1, 256, Outcome::refused, {}});
  EXPECT_TRUE(damaged.asked.empty()) << "it is not asked again at once";
  damaged.connect(2);
  ASSERT_EQ(damaged.asked.size(), 1U);
  EXPECT_EQ(damaged.asked[0].first, 2U);
  damaged.answer(false);
  EXPECT_EQ(damaged.puts.size(), 1U) << "it does not hold them";
  EXPECT_TRUE(damaged.asked.empty());
  damaged.wait(limits::look_again_ms);
  damaged.answer_all();
  EXPECT_EQ(damaged.puts.size(), 2U);
  EXPECT_TRUE(damaged.dropped.empty()) << "its own store may be damaged";
}

TEST(Refetch, WhatALostPeerWasAskedIsAskedOfAnother) {
  Damaged damaged({1});
  damaged.connect(1);
  damaged.step(PeerLost{1});
  damaged.connect(2);
  ASSERT_EQ(damaged.asked.size(), 2U);
  damaged.asked.pop_front();  // Of the lost peer.
  damaged.answer_all();
  EXPECT_EQ(damaged.puts.size(), 1U);
}

TEST(Refetch, WhoHoldsOnlyTheBeginningIsAskedIfNobodyHoldsMore) {
  Damaged damaged({0, 1, 2});
  damaged.connect(1, 300);
  damaged.answer_all();
  ASSERT_EQ(damaged.puts.size(), 2U);
  EXPECT_EQ(damaged.puts[0].leaves.size(), 256U);
  EXPECT_EQ(damaged.puts[1].leaves.size(), 44U);
  damaged.step(LeavesPut{log_id, 1, 256, Outcome::refused, {}});
  damaged.connect(2);
  damaged.answer_all();
  ASSERT_EQ(damaged.puts.size(), 4U);
  EXPECT_EQ(damaged.puts[2].leaves.size(), 256U);
}

TEST(Refetch, PayloadsThatDoNotFitTheLeavesAreAskedForToo) {
  Damaged damaged({0});
  damaged.connect(1);
  damaged.answer_all();
  damaged.step(LeavesPut{log_id, 1, 0, Outcome::put, {7}});
  EXPECT_FALSE(damaged.idle()) << "payload 7 is asked for";
}

}  // namespace
}  // namespace kith::sync
