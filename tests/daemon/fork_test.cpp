#include "protocol/log/leaf.hpp"
#include "protocol/log/merkle.hpp"
#include "protocol/log/witness.hpp"
#include "storage/log_store.hpp"
#include "tests/daemon/support/doors.hpp"

/// A member that signs two histories of its log, as another daemon meets them.
namespace kith::daemon {
namespace {

constexpr PeerId peer_id = 1;

/// A log from its first entry on: the member's certificate, then what differs by `seed`.
struct History {
  History(const Bytes& certificate, std::uint8_t seed, std::size_t size) {
    payloads.push_back(encode_text(CertificateText{certificate}));
    while (payloads.size() < size) {
      payloads.emplace_back(72 + 64, static_cast<std::uint8_t>(seed + payloads.size()));
    }
    for (std::size_t i = 0; i < payloads.size(); ++i) {
      const auto leaf_class = i == 0 ? LeafClass::clear : LeafClass::record;
      const std::string leaf = encode_leaf(make_leaf(leaf_class, i, payloads[i]));
      append_to_bundle(leaves, view(leaf));
      range.push(leaf_hash(view(leaf)));
      peer::append_payload(list, payloads[i]);
    }
  }
  std::vector<Bytes> payloads;
  Bytes leaves;
  Bytes list;
  CompactRange range;
};

class Forked : public Doors {
 protected:
  Forked() {
    const auto basis = std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{})).basis;
    EXPECT_TRUE(published(admission(other_, basis)));
    member_ = *read_member(other_.certificate);
    log_ = log_id(me_.network, member_, commons);
    meet();
  }
  void meet() {
    replica_->peer_connected({peer_id, false, member_, std::nullopt, {}, {}});
    desk_.run();
  }
  [[nodiscard]] std::string note(const History& history) const {
    // Every key in the certificate of a candidate here is that of the steward.
    return sign_checkpoint(log_, history.range.size(), history.range.root(), steward_);
  }
  void push(const History& history) {
    say(peer_id, peer::Push{log_, note(history), 0, history.leaves, history.list});
  }
  [[nodiscard]] local::MemberRow row() {
    const auto answer = std::get<local::MembersAnswer>(ask(local::MembersRequest{}));
    return *std::ranges::find(answer.members, member_, &local::MemberRow::member);
  }
  [[nodiscard]] std::size_t cosigned() {
    const auto said = storage::log_store::cosignatures(*desk_.log().read(), log_);
    const auto ours = said.find(me_.member);
    return ours == said.end() ? 0 : ours->second.size;
  }

  peer::JoinRequest other_ = candidate(DhSecret{{7}});
  MemberId member_;
  LogId log_;
};

TEST_F(Forked, FreezesTheLogKeepsTheProofAndTakesNothingMore) {
  const History first(other_.certificate, 1, 3);
  const History second(other_.certificate, 101, 3);
  const History longer(other_.certificate, 1, 5);
  push(first);
  ASSERT_EQ(row().held_size, 3U);
  EXPECT_EQ(cosigned(), 3U) << "the only other member is its witness";
  EXPECT_FALSE(row().frozen);

  say(peer_id, peer::Announce{log_, note(second), {}, {}});
  EXPECT_TRUE(row().frozen);
  EXPECT_EQ(row().held_size, 3U) << "nothing held is taken back";
  const auto evidence = storage::log_store::evidence(*desk_.log().read(), log_);
  ASSERT_TRUE(evidence.has_value());
  EXPECT_EQ(*evidence, std::pair(note(first), note(second)));

  replica_ = std::make_unique<Replica>(me_, Replica::Options{}, desk_.marks, desk_);
  desk_.run();
  meet();
  EXPECT_TRUE(row().frozen) << "nor does a restart thaw it";
  say(peer_id, peer::Announce{log_, note(longer), {}, {}});
  push(longer);
  EXPECT_EQ(row().held_size, 3U);
  EXPECT_EQ(cosigned(), 3U);
  EXPECT_FALSE(dropped(peer_id)) << "it may be another's fault that it says so";
  EXPECT_TRUE(published(signed_texts({record("ours")}))) << "everything else goes on";
}

TEST_F(Forked, AnOlderOrTheSameCheckpointIsNoFork) {
  const History whole(other_.certificate, 1, 4);
  push(whole);
  const History earlier(other_.certificate, 1, 2);
  say(peer_id, peer::Announce{log_, note(earlier), {}, {}});
  say(peer_id, peer::Announce{log_, note(whole), {}, {}});
  EXPECT_FALSE(row().frozen);
}

TEST_F(Forked, AFalseCertificateEndsTheConnection) {
  Bytes certificate = other_.certificate;
  certificate.back() ^= 1;
  say(peer_id, peer::Announce{log_, "", certificate, {}});
  EXPECT_TRUE(dropped(peer_id));
}

}  // namespace
}  // namespace kith::daemon
