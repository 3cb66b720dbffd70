#include "protocol/schema/local_codec.hpp"

#include <gtest/gtest.h>

#include <set>

#include "protocol/base/limits.hpp"

namespace kith::local {
namespace {

template <class Value>
Value filled(std::uint8_t byte) {
  Value value;
  value.bytes.fill(byte);
  return value;
}

StatusAnswer status() {
  StatusAnswer answer;
  answer.version = "0.1.0";
  answer.state = "joining";
  answer.state_detail = "waits for 2 more words";
  answer.network = filled<NetworkId>(1);
  answer.network_name = "Näme";
  answer.aim = "aim";
  answer.member = filled<MemberId>(2);
  answer.code = "ASH";
  answer.commons_log = filled<LogId>(3);
  answer.decision = filled<DecisionId>(4);
  answer.decisions = 5;
  answer.members = 6;
  answer.peers_connected = 7;
  answer.log_size = 8;
  answer.agreed_size = 9;
  answer.records = 10;
  answer.incomplete = 11;
  answer.bad = 12;
  answer.disk_bytes = 13;
  answer.next_enrolment = 14;
  answer.last_sequence = ~0ULL;
  answer.listen = "127.0.0.1:7400";
  return answer;
}

MemberRow member() {
  MemberRow row;
  row.member = filled<MemberId>(1);
  row.code = "ASH";
  row.name = "Ashdown";
  row.role = "hospital";
  row.addresses = {"a:1", "", "b:2"};
  row.self = true;
  row.connected = true;
  row.frozen = true;
  row.heard = 2;
  row.last_error = "refused";
  row.held_size = 3;
  row.agreed_size = 4;
  row.known_size = 5;
  row.gaps = 6;
  row.judged = 7;
  row.witnesses = 8;
  row.cosigned = 9;
  row.records = 10;
  return row;
}

CandidateRow candidate() {
  return {filled<MemberId>(5),
          {"ZZC", "Zedd", "hospital", {"z:1"}},
          {1, 2, 3},
          99,
          "the code ZZC is taken"};
}

ProposalRow proposal() {
  ProposalRow row;
  row.id = filled<RecordId>(6);
  row.proposer = "ASH";
  row.effects = {"admit ZZC", ""};
  row.admits = {filled<MemberId>(5), filled<MemberId>(6)};
  row.rule = "all";
  row.words = {{"ASH", Consent::Word::agree},
               {"CALD", Consent::Word::object},
               {"", Consent::Word::stand_aside}};
  row.electors = 5;
  row.our_round = 3;
  row.our_word = "agree";
  row.ours_agreed = row.ours_agreed_now = row.waits_for_us = true;
  row.explanation = "why";
  return row;
}

RecordSummary summary(bool is_reply) {
  RecordSummary row;
  row.id = filled<RecordId>(7);
  row.member = "CALD";
  row.kind = "reply";
  row.author = filled<PublicKey>(8);
  row.time = 9;
  row.title = "title";
  row.body_bytes = 10;
  row.index = 11;
  row.sequence = 12;
  if (is_reply) row.to = filled<RecordId>(13);
  row.replies = 14;
  row.agreed = is_reply;
  if (is_reply) row.reply_kind = "question";
  return row;
}

AuditRow audit() {
  AuditRow row;
  row.code = "ASH";
  row.member = filled<MemberId>(1);
  row.log = filled<LogId>(2);
  row.size = 3;
  row.root = filled<TreeHash>(4);
  row.agreed = 5;
  row.witnesses = 6;
  row.cosigned = 7;
  row.records = 8;
  row.statements = 9;
  row.unknown_kinds = 10;
  row.missing = 11;
  row.sealed = 12;
  row.authors = 13;
  row.certificates = 14;
  row.frozen = true;
  row.intact = true;
  row.faults = {"leaf 3: wrong hash"};
  return row;
}

ExportedLog exported() {
  ExportedLog log;
  log.code = "ASH";
  log.member = filled<MemberId>(1);
  log.space = filled<SpaceId>(2);
  log.log = filled<LogId>(3);
  log.size = 4;
  log.checkpoint = "a note\n";
  log.cosignatures = {
      {filled<LogId>(3), 4, filled<TreeHash>(5), filled<MemberId>(6), 7, filled<Signature>(8)}};
  log.frozen = true;
  return log;
}

/// One of each, and of those with lists or optional parts also the empty one.
std::vector<Request> requests() {
  return {StatusRequest{},
          MembersRequest{},
          AuthorsRequest{},
          ProposalsRequest{},
          PublishRequest{},
          PublishRequest{{{1, 2, 3}, {}, Bytes(100, 7)}},
          EnrolRequest{{4, 5}},
          InviteRequest{},
          InviteRequest{{"kith.ashdown.example:5484", "[::1]:1"}},
          ListRequest{},
          ListRequest{"practice", "ASH", 7, 8},
          ShowRequest{"abcd"},
          ThreadRequest{"efgh"},
          WatchRequest{9},
          FrontRequest{},
          FrontRequest{filled<PublicKey>(0), 3},
          AuditRequest{""},
          AuditRequest{"ASH"},
          ExportLogsRequest{""},
          ExportLogsRequest{"ASH"},
          ExportLogsRequest{"", filled<LogId>(1), 7},
          ExportEntriesRequest{filled<LogId>(1), 256, 300, 260, true},
          ProveRequest{"abcd"},
          DiscloseRequest{},
          DiscloseRequest{{"abcd", "efgh"}, "ASH", "auditor", "audit", true}};
}

std::vector<Answer> answers() {
  FrontAnswer front;
  front.status = status();
  front.candidates = {candidate()};
  front.proposals = {proposal()};
  front.answers = {summary(true)};
  front.news = {summary(false), summary(true)};
  front.answers_count = 40;
  front.news_count = 50;
  return {
      Refusal{},
      Refusal{Errc::usage, "say more"},
      Progress{1, 2, "checking"},
      StatusAnswer{},
      status(),
      MembersAnswer{},
      MembersAnswer{{member(), MemberRow{}}},
      AuthorsAnswer{2, {{filled<PublicKey>(1), all_scopes}, {}}},
      ProposalsAnswer{},
      ProposalsAnswer{filled<DecisionId>(1), {proposal(), {}}, {candidate(), {}}},
      PublishAnswer{{{filled<RecordId>(1), 2}, {}}, 3, "note", "asking"},
      EnrolAnswer{4},
      InviteAnswer{"kith-invite v1\n", 5},
      ListAnswer{{summary(true), summary(false), {}}, true},
      ShowAnswer{summary(true), {0, 1, 2}, 4, 6},
      ThreadAnswer{{{summary(false), 0, {1}}, {summary(true), 1, {}}}},
      WatchAnswer{summary(true)},
      FrontAnswer{},
      front,
      AuditAnswer{},
      AuditAnswer{{audit(), {}}},
      ExportLogsAnswer{},
      ExportLogsAnswer{
          filled<NetworkId>(1), "net", filled<MemberId>(2), {exported(), {}}, {{1, 2}, {3}}, true},
      ExportEntriesAnswer{},
      ExportEntriesAnswer{{1}, {2, 3}, 4},
      ProveAnswer{},
      ProveAnswer{summary(true),
                  filled<SpaceId>(1),
                  "leaf\n",
                  {filled<TreeHash>(2)},
                  "note\n",
                  filled<LogId>(3),
                  exported().cosignatures,
                  {{4}},
                  5},
      DiscloseAnswer{},
      DiscloseAnswer{"ASH",
                     filled<MemberId>(1),
                     2,
                     filled<RecordId>(3),
                     {summary(false), summary(true)},
                     "kith-disclosure v1\n"}};
}

TEST(LocalCodec, EveryRequestComesBackAsItWas) {
  std::set<std::size_t> kinds;
  for (const Request& request : requests()) {
    SCOPED_TRACE(request.index());
    const auto decoded = decode_request(encode(request));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, request);
    kinds.insert(request.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Request>) << "a kind of request is not tested";
}

TEST(LocalCodec, EveryAnswerComesBackAsItWas) {
  std::set<std::size_t> kinds;
  for (const Answer& answer : answers()) {
    SCOPED_TRACE(answer.index());
    const auto decoded = decode_answer(encode(answer));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, answer);
    kinds.insert(answer.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Answer>) << "a kind of answer is not tested";
}

TEST(LocalCodec, EveryErrorCodeAndEveryWordComesBack) {
  for (int code = 0; code <= static_cast<int>(Errc::usage); ++code) {
    const Answer refusal = Refusal{static_cast<Errc>(code), "said"};
    const auto decoded = decode_answer(encode(refusal));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, refusal);
  }
}

TEST(LocalCodec, TextIsKeptByteByByte) {
  const std::string odd("a\0b\xFF\x1b", 5);
  const auto decoded = decode_request(encode(ShowRequest{odd}));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, Request(ShowRequest{odd}));
}

TEST(LocalCodec, ATruncatedMessageIsRefused) {
  for (const Answer& answer : answers()) {
    const Bytes whole = encode(answer);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto decoded = decode_answer(BytesView(whole).first(size));
      ASSERT_FALSE(decoded) << "kind " << answer.index() << " cut to " << size;
      EXPECT_EQ(decoded.error().code, Errc::malformed);
    }
  }
  for (const Request& request : requests()) {
    const Bytes whole = encode(request);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      ASSERT_FALSE(decode_request(BytesView(whole).first(size)));
    }
  }
}

TEST(LocalCodec, WhatFollowsAMessageIsRefused) {
  Bytes longer = encode(Request(ShowRequest{"abcd"}));
  longer.resize(longer.size() + 8);
  EXPECT_FALSE(decode_request(longer));
}

TEST(LocalCodec, AChangedBitIsRefusedOrIsAnotherMessageWithItsOwnOneForm) {
  for (const Answer& answer : answers()) {
    const Bytes whole = encode(answer);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      Bytes changed = whole;
      changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
      const auto decoded = decode_answer(changed);
      if (!decoded) continue;
      ASSERT_FALSE(*decoded == answer) << "two forms of kind " << answer.index() << ", bit " << bit;
      ASSERT_EQ(encode(*decoded), changed);
    }
  }
}

TEST(LocalCodec, ARequestIsNoAnswerUnlessItsBytesHappenToBe) {
  EXPECT_FALSE(decode_answer(encode(Request(ListRequest{"practice", "ASH", 7, 8}))));
  EXPECT_FALSE(decode_request(encode(Answer(status()))));
}

TEST(LocalCodec, MoreRecordsThanABatchHoldsAreRefused) {
  PublishRequest request;
  request.texts.resize(limits::batch_records_max + 1);
  EXPECT_FALSE(decode_request(encode(Request(request))));
  request.texts.pop_back();
  EXPECT_TRUE(decode_request(encode(Request(request))));
}

TEST(LocalCodec, ATextLargerThanAPayloadIsRefused) {
  EXPECT_TRUE(
      decode_request(encode(Request(PublishRequest{{Bytes(limits::payload_bytes_max, 1)}}))));
  EXPECT_FALSE(
      decode_request(encode(Request(PublishRequest{{Bytes(limits::payload_bytes_max + 1, 1)}}))));
}

TEST(LocalCodec, AMessageAboveTheLimitIsRefusedUnread) {
  const auto decoded = decode_request(Bytes(limits::local_message_bytes_max + 8));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::too_large);
}

TEST(LocalCodec, AListThatClaimsMoreRowsThanItHasBytesIsRefused) {
  // A root with one list pointer whose rows take no room: half a billion of them in four words.
  const Bytes bomb = {0,    0,    0,    0,    1, 0, 1, 0,   // Struct: one data word, one pointer.
                      3,    0,    0,    0,    0, 0, 0, 0,   // Discriminant: members.
                      1,    0,    0,    0,    7, 0, 0, 0,   // List of structs, no words.
                      0xFC, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0};  // The tag: as many as fit, each empty.
  EXPECT_FALSE(decode_answer(bomb));
}

}  // namespace
}  // namespace kith::local
