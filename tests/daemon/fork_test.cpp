#include "tests/daemon/support/forked.hpp"

/// A member that signs two histories of its log, as another daemon meets them.
namespace kith::daemon {
namespace {

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
  const auto proven = proof();
  ASSERT_TRUE(proven) << proven.error().detail;
  EXPECT_EQ(proven->liar, Liar::log_key);
  EXPECT_EQ(proven->member, member_);
  EXPECT_EQ(proven->log, log_);
  EXPECT_EQ(proven->said[0].size, 3U);
  EXPECT_EQ(proven->said[1].size, 3U);

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

TEST_F(Forked, LocalClientsAreGivenTheProofAndWhetherItStillCounts) {
  const auto held = [&] {
    return std::get<local::EvidenceAnswer>(ask(local::EvidenceRequest{})).pieces;
  };
  push(History(other_.certificate, 1, 3));
  EXPECT_TRUE(held().empty());
  say(peer_id, peer::Announce{log_, note(History(other_.certificate, 101, 3)), {}, {}});
  ASSERT_EQ(held().size(), 1U);
  EXPECT_EQ(held()[0].file, storage::log_store::evidence(*desk_.log().read()).begin()->second);
  EXPECT_EQ(held()[0].code, "ZZB");
  EXPECT_EQ(held()[0].owner, "ZZB");
  EXPECT_TRUE(held()[0].counts);
}

TEST_F(Forked, ALargerTreeThatDoesNotBeginWithWhatIsHeldIsProvenByItsTiles) {
  const History first(other_.certificate, 1, 3);
  const History second(other_.certificate, 101, 600);
  push(first);
  say(peer_id, peer::Announce{log_, note(second), {}, {}});
  answer_fetch(second);
  const auto proven = proof();
  ASSERT_TRUE(proven) << proven.error().detail;
  EXPECT_EQ(proven->said[0].size, 3U);
  EXPECT_EQ(proven->said[1].size, 600U);
  EXPECT_TRUE(row().frozen);
  EXPECT_EQ(row().held_size, 3U);
  EXPECT_FALSE(dropped(peer_id));
}

TEST_F(Forked, ASmallerTreeThatIsNotTheBeginningIsProvenByOurOwn) {
  const History first(other_.certificate, 1, 5);
  const History second(other_.certificate, 101, 3);
  push(first);
  say(peer_id, peer::Announce{log_, note(second), {}, {}});
  const auto proven = proof();
  ASSERT_TRUE(proven) << proven.error().detail;
  EXPECT_EQ(proven->said[0].size, 3U);
  EXPECT_EQ(proven->said[1].size, 5U);
}

TEST_F(Forked, AContradictionWithinAFetchWaitsForTheSignatureThatProvesIt) {
  // More is held than the newest checkpoint covers: what does not fit it contradicts no signature
  // that is kept.
  const History first(other_.certificate, 1, 700);
  const History second(other_.certificate, 101, 100);
  say(peer_id, peer::Announce{log_, note(first), {}, {}});
  answer_fetch(first, 1);
  ASSERT_EQ(row().held_size, 256U);
  say(peer_id, peer::Announce{log_, note(second), {}, {}});
  EXPECT_FALSE(row().frozen);
  answer_fetch(first);
  ASSERT_EQ(row().held_size, 700U);
  EXPECT_TRUE(row().frozen);
  EXPECT_EQ(proof()->said[0].size, 100U);
}

TEST_F(Forked, EveryoneIsToldAtOnceAndWhoComesLaterToo) {
  constexpr PeerId second_peer = 2;
  replica_->peer_connected({second_peer, false, MemberId{{9}}, std::nullopt, {}, {}});
  desk_.run();
  push(History(other_.certificate, 1, 3));
  say(peer_id, peer::Announce{log_, note(History(other_.certificate, 101, 3)), {}, {}});
  const auto told = said_to<peer::Evidence>(second_peer);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(decode_evidence(told[0].text));
  // Its only witness had cosigned three entries, which makes that size agreed.
  ASSERT_EQ(said_to<peer::Agreed>(second_peer).size(), 1U);
  EXPECT_EQ(said_to<peer::Agreed>(second_peer)[0].size, 3U);

  constexpr PeerId later = 3;
  replica_->peer_connected({later, false, MemberId{{10}}, std::nullopt, {}, {}});
  desk_.run();
  EXPECT_EQ(said_to<peer::Evidence>(later).size(), 1U);
  EXPECT_EQ(said_to<peer::Agreed>(later).size(), 1U);
}

TEST_F(Forked, WhoHearsOfItFreezesWithoutHavingSeenIt) {
  const History first(other_.certificate, 1, 3);
  const History second(other_.certificate, 101, 4);
  push(first);
  const Bytes certificate = other_.certificate;
  const Evidence evidence = make_evidence(
      commons, {3, first.range.root(), note(first), certificate},
      {4, second.range.root(), note(second), certificate}, second.root(3), second.path(3, 4));
  say(peer_id, peer::Evidence{encode_evidence(evidence)});
  EXPECT_TRUE(row().frozen);
  EXPECT_FALSE(dropped(peer_id));
  say(peer_id, peer::Evidence{encode_evidence(evidence)});
  EXPECT_EQ(storage::log_store::evidence(*desk_.log().read()).size(), 1U);

  Evidence false_one = evidence;
  false_one.path.clear();
  say(peer_id, peer::Evidence{encode_evidence(false_one)});
  EXPECT_TRUE(dropped(peer_id)) << "what proves nothing is no mistake";
}

TEST_F(Forked, OnlyWhatItsWitnessesSignedIsAgreedElsewhere) {
  const History first(other_.certificate, 1, 3);
  const History second(other_.certificate, 101, 4);
  const Bytes certificate = other_.certificate;
  const Evidence evidence = make_evidence(
      commons, {3, first.range.root(), note(first), certificate},
      {4, second.range.root(), note(second), certificate}, second.root(3), second.path(3, 4));
  say(peer_id, peer::Evidence{encode_evidence(evidence)});
  ASSERT_TRUE(row().frozen);
  const TreeHash root = first.range.root();
  say(peer_id, peer::Have{{{log_, 3, root, 3, {}, true}}});
  desk_.sent[peer_id].clear();

  // Its only witness is this member, which lost what it had confirmed.
  const auto agreed = [&](const SigningKey& key, const TreeHash& of, const MemberId& by) {
    return peer::Agreed{log_, 3, of, {cosign(log_, 3, root, by, 7, key)}, {{}}};
  };
  const SigningKey ours(me_.witness_key);
  say(peer_id, agreed(steward_, root, me_.member));
  say(peer_id, agreed(ours, TreeHash{{1}}, me_.member));
  say(peer_id, agreed(steward_, root, member_));
  say(peer_id, peer::Agreed{log_, 3, root, {}, {}});
  EXPECT_TRUE(said_to<peer::GetTiles>(peer_id).empty()) << "none of these proves it";

  say(peer_id, agreed(ours, root, me_.member));
  EXPECT_EQ(said_to<peer::GetTiles>(peer_id).size(), 1U) << "the control";
  answer_fetch(first);
  EXPECT_EQ(row().held_size, 3U);
  EXPECT_EQ(row().agreed_size, 3U);
  EXPECT_TRUE(row().frozen);
}

TEST_F(Forked, AFalseWordOfAWitnessFreezesNoLog) {
  // Our own log has one witness: the other member.
  const LogId ours = log_id(me_.network, me_.member, commons);
  const std::uint64_t size = log_size();
  const TreeHash root = storage::log_store::root_at(*desk_.log().read(), ours, size);
  const auto word = [&](const TreeHash& of, std::uint64_t time_s) {
    return peer::Cosigned{cosign(ours, size, of, member_, time_s, steward_)};
  };
  say(peer_id, word(TreeHash{{1}}, 7));
  EXPECT_FALSE(proof()) << "one word contradicts nothing that it said";
  say(peer_id, word(root, 8));
  say(peer_id, word(TreeHash{{1}}, 9));
  const auto proven = proof();
  ASSERT_TRUE(proven) << proven.error().detail;
  EXPECT_EQ(proven->liar, Liar::witness_key);
  EXPECT_EQ(proven->member, member_);
  EXPECT_FALSE(row().frozen) << "its own log says nothing false";
  EXPECT_TRUE(published(signed_texts({record("ours goes on")})));

  const std::uint64_t more = log_size();
  const TreeHash next = storage::log_store::root_at(*desk_.log().read(), ours, more);
  say(peer_id, peer::Cosigned{cosign(ours, more, next, member_, 10, steward_)});
  EXPECT_EQ(storage::log_store::cosignatures(*desk_.log().read(), ours).at(member_).size, size)
      << "its word counts no more";
}

TEST_F(Forked, TwoCertificatesOfOneNumberFreezeUntilAHigherOne) {
  push(History(other_.certificate, 1, 3));
  const SigningKey identity(recovery_);
  const std::uint64_t number = verify_certificate(other_.certificate)->number;
  say(peer_id, peer::Announce{log_, "", {certified(identity, number, DhSecret{{8}})}, {}});
  EXPECT_TRUE(row().frozen);
  const auto proven = proof();
  ASSERT_TRUE(proven) << proven.error().detail;
  EXPECT_EQ(proven->liar, Liar::recovery_key);
  EXPECT_FALSE(dropped(peer_id));

  say(peer_id, peer::Announce{log_, "", {certified(identity, number + 1, DhSecret{{8}})}, {}});
  EXPECT_FALSE(row().frozen);
  const auto pieces = std::get<local::EvidenceAnswer>(ask(local::EvidenceRequest{})).pieces;
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_TRUE(pieces[0].owner.empty());
  EXPECT_FALSE(pieces[0].counts);
  EXPECT_EQ(row().held_size, 3U) << "what was agreed stays";
  push(History(other_.certificate, 1, 3), History(other_.certificate, 1, 5));
  EXPECT_EQ(row().held_size, 5U);
}

TEST_F(Forked, WhoAccusesItselfOverAndOverLeavesRoomForOthers) {
  const SigningKey identity(recovery_);
  for (std::uint64_t number = 1; number <= 3 * storage::log_store::evidence_per_member_max;
       ++number) {
    const Evidence evidence = make_evidence(certified(identity, now_ms + number, DhSecret{{8}}),
                                            certified(identity, now_ms + number, DhSecret{{16}}));
    say(peer_id, peer::Evidence{encode_evidence(evidence)});
  }
  EXPECT_FALSE(dropped(peer_id));
  EXPECT_EQ(storage::log_store::evidence(*desk_.log().read()).size(),
            storage::log_store::evidence_per_member_max);
  // A higher certificate ends what followed from these: they give way.
  const std::uint64_t later = now_ms + 1'000;
  say(peer_id, peer::Announce{log_, "", {certified(identity, later, DhSecret{{8}})}, {}});
  EXPECT_FALSE(row().frozen);
  const Evidence again = make_evidence(certified(identity, later, DhSecret{{8}}),
                                       certified(identity, later, DhSecret{{16}}));
  say(peer_id, peer::Evidence{encode_evidence(again)});
  EXPECT_TRUE(row().frozen);
  EXPECT_EQ(storage::log_store::evidence(*desk_.log().read()).size(),
            storage::log_store::evidence_per_member_max);
}

TEST_F(Forked, ADamagedStoreAccusesNobody) {
  const History history(other_.certificate, 1, 300);
  say(peer_id, peer::Announce{log_, note(history), {}, {}});
  answer_fetch(history);
  ASSERT_EQ(row().held_size, 300U);
  {
    // One hash of a tile, as a dying disk may give it back.
    const auto txn = desk_.disk().write();
    const storage::Key key = storage::tile_key(log_, 0, 0);
    Bytes tile = to_bytes(*txn->get(storage::Table::tiles, key));
    tile[40 * TreeHash::size] ^= 1;
    txn->put(storage::Table::tiles, key, tile);
    txn->commit();
  }
  const History earlier(other_.certificate, 1, 100);
  say(peer_id, peer::Announce{log_, note(earlier), {}, {}});
  EXPECT_FALSE(row().frozen);
  EXPECT_TRUE(storage::log_store::evidence(*desk_.log().read()).empty());
  EXPECT_TRUE(std::ranges::any_of(desk_.lines, [](const std::string& line) {
    return line.find("proves nothing") != std::string::npos;
  })) << "but the operator is told";
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
  say(peer_id, peer::Announce{log_, "", {certificate}, {}});
  EXPECT_TRUE(dropped(peer_id));
}

}  // namespace
}  // namespace kith::daemon
