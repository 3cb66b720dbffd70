#include <gtest/gtest.h>

#include <deque>

#include "protocol/log/leaf.hpp"
#include "protocol/log/tile.hpp"
#include "protocol/sync/sync_engine.hpp"

/// One log fetched from several peers at once, each of which answers only so many questions in a
/// round.
namespace kith::sync {
namespace {

const LogId log_id = LogId::from(Bytes(32, 1));
constexpr std::uint64_t log_size = 48 * 256 + 7;
constexpr int answers_in_a_round = 2;

/// A log whose payloads are its indices.
struct History {
  History() : ranges(1) {
    for (std::uint64_t i = 0; i < log_size; ++i) {
      append_integer(payloads.emplace_back(), i);
      leaves.push_back(encode_leaf(make_leaf(LeafClass::record, i, payloads.back())));
      hashes.push_back(leaf_hash(view(leaves.back())));
      ranges.push_back(ranges.back());
      ranges.back().push(hashes.back());
    }
  }
  [[nodiscard]] std::vector<TreeHash> level(unsigned wanted) const {
    std::vector<TreeHash> row = hashes;
    for (unsigned l = 0; l < wanted; ++l) {
      std::vector<TreeHash> above;
      for (std::size_t i = 0; i + 256 <= row.size(); i += 256) {
        above.push_back(tree_root(std::span(row).subspan(i, 256)));
      }
      row = std::move(above);
    }
    return row;
  }
  [[nodiscard]] peer::Message answer(const peer::GetTiles& asked) const {
    peer::Tiles tiles{asked.log, asked.size, {}};
    for (const auto& [number, index] : asked.tiles) {
      const std::vector<TreeHash> row = level(number);
      const std::size_t from = index * 256;
      tiles.tiles.push_back(encode_hashes(
          std::span(row).subspan(from, std::min<std::size_t>(256, row.size() - from))));
    }
    return tiles;
  }
  [[nodiscard]] peer::Message answer(const peer::GetEntries& asked) const {
    peer::Entries entries{asked.log, asked.first, asked.last, asked.payloads_from, {}, {}};
    for (std::uint64_t i = asked.first; i < asked.last; ++i) {
      append_to_bundle(entries.leaves, view(leaves[i]));
      if (i >= asked.payloads_from) peer::append_payload(entries.payloads, payloads[i]);
    }
    return entries;
  }
  [[nodiscard]] peer::Message answer(const peer::GetCheckpoints&) const {
    return peer::Announce{log_id, std::to_string(log_size), {}, {}};
  }

  std::vector<Bytes> payloads;
  std::vector<std::string> leaves;
  std::vector<TreeHash> hashes;
  std::vector<CompactRange> ranges;  // By size.
};

const History& history() {
  static const History made;
  return made;
}

/// A member that holds nothing, and peers that hold all.
class Reader {
 public:
  explicit Reader(PeerId peers)
      : peers_(peers), engine_([](const LogId&, const std::string& note) -> Result<Checkpoint> {
          const std::uint64_t size = std::stoull(note);
          return Checkpoint{"", size, history().ranges[size].root()};
        }) {
    step(LogFollowed{log_id, false, {}, {}, 0, {}, false});
    for (PeerId id = 1; id <= peers; ++id) {
      asked_[id];
      step(PeerConnected{id, MemberId{}, false, {}, {}});
      const TreeHash root = history().ranges[log_size].root();
      step(MessageReceived{id, peer::Have{{{log_id, log_size, root, 0, {}, false}}}});
    }
  }

  /// Every peer answers some of what it was asked. False once nobody is asked anything.
  bool round() {
    bool any = false;
    for (PeerId id = 1; id <= peers_; ++id) {
      for (int i = 0; i < answers_in_a_round && asked_.contains(id); ++i) {
        auto& questions = asked_.at(id);
        if (questions.empty()) break;
        any = true;
        peer::Message answer = answer_to(questions.front());
        questions.pop_front();
        if (id == liar) spoil(answer);
        step(MessageReceived{id, std::move(answer)});
      }
    }
    return any;
  }
  std::size_t rounds() {
    std::size_t count = 0;
    while (count < 10'000 && round()) ++count;
    return count;
  }
  void lose(PeerId id) {
    asked_.erase(id);
    step(PeerLost{id});
  }
  [[nodiscard]] std::uint64_t stored() const { return stored_; }
  [[nodiscard]] bool done() const { return stored_ == log_size && kept_ && engine_.idle(); }

  PeerId liar = 0;  ///< Changes the first payload of each answer.
  std::set<PeerId> dropped;
  std::map<PeerId, std::uint64_t> given;  ///< Entries by whom they came from.

 private:
  static peer::Message answer_to(const peer::Message& question) {
    if (const auto* tiles = std::get_if<peer::GetTiles>(&question)) return history().answer(*tiles);
    if (const auto* some = std::get_if<peer::GetEntries>(&question)) return history().answer(*some);
    return history().answer(std::get<peer::GetCheckpoints>(question));
  }
  static void spoil(peer::Message& answer) {
    if (auto* entries = std::get_if<peer::Entries>(&answer)) entries->payloads.back() ^= 1;
  }
  void step(Event event) {
    for (Action& action : engine_.step(std::move(event))) {
      if (auto* send = std::get_if<Send>(&action)) {
        const auto peer = asked_.find(send->peer);
        const bool question = std::holds_alternative<peer::GetTiles>(send->message) ||
                              std::holds_alternative<peer::GetEntries>(send->message) ||
                              std::holds_alternative<peer::GetCheckpoints>(send->message);
        if (question && peer != asked_.end()) peer->second.push_back(std::move(send->message));
      } else if (auto* store = std::get_if<StoreEntries>(&action)) {
        this->store(*store);
      } else if (const auto* drop = std::get_if<DropPeer>(&action)) {
        dropped.insert(drop->peer);
        lose(drop->peer);
      }
    }
  }
  void store(const StoreEntries& store) {
    EXPECT_EQ(store.first, stored_) << "in order, and nothing twice";
    stored_ = store.first + store.entries.size();
    given[store.from] += store.entries.size();
    step(EntriesStored{
        log_id, history().ranges[stored_], {}, EntriesStored::Outcome::stored, store.from});
    if (!store.checkpoint) return;
    kept_ = true;
    step(CheckpointKept{log_id, *store.checkpoint, 0});
  }

  PeerId peers_;
  SyncEngine engine_;
  std::map<PeerId, std::deque<peer::Message>> asked_;
  std::uint64_t stored_ = 0;
  bool kept_ = false;
};

TEST(SeveralPeers, ShareTheWorkOfOneFetch) {
  Reader of_one(1);
  const std::size_t alone = of_one.rounds();
  EXPECT_TRUE(of_one.done());

  Reader of_three(3);
  const std::size_t together = of_three.rounds();
  EXPECT_TRUE(of_three.done());
  EXPECT_LE(together * 2, alone) << "rounds of three peers, and of one";
  for (const auto& [peer, entries] : of_three.given) EXPECT_GT(entries, log_size / 5) << peer;
  std::printf("rounds from one peer: %zu, from three: %zu\n", alone, together);
}

TEST(SeveralPeers, WhatALostOneWasAskedIsAskedOfTheOthers) {
  Reader reader(3);
  for (int i = 0; i < 5; ++i) reader.round();
  EXPECT_LT(reader.stored(), log_size);
  reader.lose(2);
  reader.rounds();
  EXPECT_TRUE(reader.done());
  EXPECT_TRUE(reader.dropped.empty());
}

TEST(SeveralPeers, OneThatLiesIsDroppedAndTheOthersGiveAll) {
  Reader reader(3);
  reader.liar = 3;
  reader.rounds();
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.dropped, std::set<PeerId>{3});
}

}  // namespace
}  // namespace kith::sync
