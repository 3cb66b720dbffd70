#include "protocol/sync/reconcile.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/sync/sync_engine.hpp"

/// Which logs differ: what two members say of what they hold when they meet.
namespace kith::sync {
namespace {

constexpr std::uint64_t log_size = 10;
const MemberId other{{1}};
const MemberId third{{2}};
const Hash unlike{{0xEE}};

/// 32 bytes that count up.
template <class Octets>
Octets counting_from(std::uint8_t first) {
  Octets octets;
  std::iota(octets.bytes.begin(), octets.bytes.end(), first);
  return octets;
}

LogId log(std::uint32_t number) {
  Bytes id;
  append_integer(id, number);
  id.resize(LogId::size);
  return LogId::from(id);
}
std::vector<LogId> logs(std::uint32_t first, std::uint32_t end) {
  std::vector<LogId> all;
  for (std::uint32_t i = first; i < end; ++i) all.push_back(log(i));
  return all;
}

CompactRange leaves(std::uint64_t count) {
  CompactRange range;
  for (std::uint64_t i = 0; i < count; ++i) range.push(TreeHash{{static_cast<std::uint8_t>(i)}});
  return range;
}
SignedCheckpoint checkpoint(std::uint64_t size) { return {size, leaves(size).root(), "a note"}; }

/// What an engine sent, in order.
std::vector<peer::Message> sent(const std::vector<Action>& actions) {
  std::vector<peer::Message> messages;
  for (const Action& action : actions) {
    if (std::holds_alternative<OwnLogAnswered>(action)) continue;
    const auto* send = std::get_if<Send>(&action);
    if (send == nullptr) {
      ADD_FAILURE() << "action " << action.index() << " is none that sends";
      continue;
    }
    messages.push_back(send->message);
  }
  return messages;
}
std::vector<peer::LogSummary> summaries(const std::vector<peer::Message>& messages) {
  std::vector<peer::LogSummary> all;
  for (const peer::Message& message : messages) {
    const auto* have = std::get_if<peer::Have>(&message);
    if (have != nullptr) all.insert(all.end(), have->logs.begin(), have->logs.end());
  }
  return all;
}
std::vector<LogId> named(const std::vector<peer::Message>& messages) {
  std::vector<LogId> all;
  for (const peer::LogSummary& one : summaries(messages)) all.push_back(one.log);
  return all;
}

/// A member that follows some logs of ten entries each, and what it says to those who meet it.
struct Holder {
  explicit Holder(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      EXPECT_TRUE(
          step(LogFollowed{log(i), false, leaves(log_size), checkpoint(log_size), 0, {}}).empty());
    }
  }
  std::vector<peer::Message> step(Event event) { return sent(engine.step(std::move(event))); }

  /// Somebody dials: what it hears, without the Welcome that comes before everything.
  std::vector<peer::Message> met_by(const MemberId& member, const Hash& digest,
                                    const DigestHalf& last_common) {
    const Hash ours = engine.digest();
    const DigestHalf remembered = engine.last_common(member);
    auto heard = step(PeerConnected{++peer, member, false, digest, last_common});
    EXPECT_FALSE(heard.empty());
    EXPECT_EQ(heard.at(0), peer::Message(peer::Welcome{ours, remembered, 0, 0}));
    heard.erase(heard.begin());
    return heard;
  }
  /// It dials somebody and is welcomed: what it answers.
  std::vector<peer::Message> welcomed_by(const MemberId& member, const Hash& digest,
                                         const DigestHalf& last_common) {
    EXPECT_TRUE(step(PeerConnected{++peer, member, true, {}, {}}).empty());
    return step(MessageReceived{peer, peer::Welcome{digest, last_common, 0, 0}});
  }
  void leave() { EXPECT_TRUE(step(PeerLost{peer}).empty()); }
  /// Meets a member that holds the same, and parts from it.
  DigestHalf agree_with(const MemberId& member) {
    const Hash digest = engine.digest();
    EXPECT_TRUE(met_by(member, digest, {}).empty());
    leave();
    return first_half(digest);
  }

  SyncEngine engine{[](const LogId&, const std::string&) -> Result<Checkpoint> {
    return fail(Errc::not_found, "no checkpoint is looked at here");
  }};
  PeerId peer = 0;
};

TEST(Digest, IsTheExampleOfTheProtocol) {
  // Computed with Python's hashlib from the formulas of PROTOCOL.md, part "Digests".
  const Hash gaps = gaps_hash(std::vector<std::uint64_t>{3, 5});
  const auto first = counting_from<LogId>(0x00);
  const auto second = counting_from<LogId>(0x40);
  const Hash space =
      space_digest({{first, {first, 7, counting_from<TreeHash>(0x20), 5, gaps, false}},
                    {second, {second, 2, counting_from<TreeHash>(0x60), 2, {}, true}}});
  EXPECT_EQ(to_hex(gaps.view()),
            "82217ccb5a10c692dd488770782e852330ccbea6a289d2241e2a4f7a3895e6f2");
  EXPECT_EQ(to_hex(space.view()),
            "f0b75db46da0c3f7e0c19f77fdbedb885d5a3d9ba05fc2ab11dcd006b157dc97");
  const Hash overall = overall_digest({{commons, space}});
  EXPECT_EQ(to_hex(overall.view()),
            "a8114908cd2d11a3f738df74c811dc30e96141a7015c6bf312b355d75405078a");
  EXPECT_EQ(to_hex(first_half(overall).view()), "a8114908cd2d11a3f738df74c811dc30");
  EXPECT_TRUE(gaps_hash({}).is_zero());

  Holder holder(0);
  EXPECT_EQ(to_hex(holder.engine.digest().view()),
            "3b5a6ae77842f253bfa2f47f399e8a0a8d4a930e926e12898b2827f3d1b20f5e");
  static_cast<void>(holder.engine.step(LogFollowed{
      first, false, {}, {7, counting_from<TreeHash>(0x20), "a note"}, 5, {3, 5}, false}));
  static_cast<void>(holder.engine.step(LogFollowed{
      second, false, {}, {9, {}, "a note"}, 2, {3}, true, {}, counting_from<TreeHash>(0x60)}));
  EXPECT_EQ(holder.engine.digest(), overall);
}

TEST(Reconcile, EqualDigestsSendNothingAndAreRemembered) {
  Holder holder(5);
  EXPECT_TRUE(holder.engine.last_common(other).is_zero());
  EXPECT_TRUE(holder.met_by(other, holder.engine.digest(), {}).empty());
  EXPECT_EQ(holder.engine.last_common(other), first_half(holder.engine.digest()));
  EXPECT_TRUE(holder.welcomed_by(third, holder.engine.digest(), {}).empty());
  EXPECT_EQ(holder.engine.last_common(third), first_half(holder.engine.digest()));
}

TEST(Reconcile, OnADigestInCommonOnlyWhatChangedSinceIsSent) {
  Holder holder(8);
  const DigestHalf common = holder.agree_with(other);
  // Every part of a summary, changed in one log each; nothing of logs 0, 2 and 7.
  holder.step(CheckpointKept{log(1), checkpoint(log_size + 1), 0});
  holder.step(EntriesStored{log(3), leaves(log_size), {4, 6}, EntriesStored::Outcome::stored, 0});
  holder.step(AgreedChanged{log(4), 9});
  holder.step(LogFrozen{log(5)});
  holder.step(LogFollowed{log(9), false, leaves(3), checkpoint(3), 1, {}, false});
  const std::vector<peer::LogSummary> changed = {
      {log(1), log_size + 1, checkpoint(log_size + 1).root, 0, {}, false},
      {log(3), log_size, checkpoint(log_size).root, 0, gaps_hash(std::vector<std::uint64_t>{4, 6}),
       false},
      {log(4), log_size, checkpoint(log_size).root, 9, {}, false},
      {log(5), 0, {}, 0, {}, true},
      {log(9), 3, checkpoint(3).root, 1, {}, false},
  };

  const auto said = holder.met_by(other, unlike, common);
  EXPECT_EQ(said.size(), 1U);
  EXPECT_EQ(summaries(said), changed);
  holder.leave();
  EXPECT_EQ(summaries(holder.welcomed_by(other, unlike, common)), changed) << "as a dialler";
  // A Ping and a Pong carry no last common digest: one's own memory counts.
  EXPECT_EQ(summaries(holder.step(MessageReceived{holder.peer, peer::Ping{unlike}})), changed);
  EXPECT_EQ(summaries(holder.step(MessageReceived{holder.peer, peer::Pong{unlike}})), changed);
  holder.leave();

  // A gap that was filled is a change, too, and what both had newly in common counts from then on.
  const DigestHalf newer = holder.agree_with(other);
  EXPECT_NE(newer, common);
  holder.step(PayloadsStored{log(3), {4, 6}, true, 0});
  EXPECT_EQ(named(holder.met_by(other, unlike, newer)), std::vector<LogId>{log(3)});
}

TEST(Reconcile, WithoutADigestInCommonAllIsSent) {
  Holder holder(5);
  const DigestHalf common = holder.agree_with(other);
  holder.step(AgreedChanged{log(3), 9});
  EXPECT_EQ(named(holder.met_by(other, unlike, common)), std::vector<LogId>{log(3)});
  holder.leave();

  // It forgot, remembers something else, or is another member.
  EXPECT_EQ(named(holder.met_by(other, unlike, {})), logs(0, 5));
  holder.leave();
  EXPECT_EQ(named(holder.welcomed_by(other, unlike, {})), logs(0, 5));
  holder.leave();
  EXPECT_EQ(named(holder.met_by(other, unlike, first_half(holder.engine.digest()))), logs(0, 5));
  holder.leave();
  EXPECT_EQ(named(holder.met_by(third, unlike, common)), logs(0, 5));
  holder.leave();
  EXPECT_EQ(named(holder.met_by(third, unlike, {})), logs(0, 5)) << "zeros are nothing in common";
  // We forgot: a daemon that was started anew.
  Holder anew(5);
  EXPECT_EQ(named(anew.met_by(other, unlike, common)), logs(0, 5));
}

TEST(Reconcile, ManySummariesGoInAsManyMessagesAsItTakes) {
  constexpr std::uint32_t per_message = limits::entries_per_list_max;
  static_assert(per_message == 4'096);
  for (const std::uint32_t count :
       {per_message - 1, per_message, per_message + 1, 2 * per_message + 5}) {
    Holder holder(count);
    const auto said = holder.met_by(other, unlike, {});
    EXPECT_EQ(named(said), logs(0, count));
    std::uint32_t left = count;
    for (const peer::Message& message : said) {
      ASSERT_TRUE(std::holds_alternative<peer::Have>(message));
      const auto& have = std::get<peer::Have>(message);
      EXPECT_EQ(have.logs.size(), std::min(left, per_message));
      EXPECT_LE(peer::encode(message).size(), limits::message_bytes_max);
      left -= static_cast<std::uint32_t>(have.logs.size());
    }
    EXPECT_EQ(left, 0U);
  }
}

TEST(Reconcile, NothingIsSentForNothing) {
  Holder empty(0);
  EXPECT_TRUE(empty.met_by(other, unlike, {}).empty()) << "no log, so no message";
}

}  // namespace
}  // namespace kith::sync
