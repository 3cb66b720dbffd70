#include <gtest/gtest.h>

#include "protocol/keys/certificate.hpp"
#include "protocol/log/leaf.hpp"
#include "tests/daemon/support/own_log.hpp"

/// A daemon whose own log lost what it had signed: it signs nothing before all of it is back.
namespace kith::daemon {
namespace {

class SigningStop : public OwnLog {};

TEST_F(SigningStop, EndsOnlyWhenAllThatWasSignedIsBack) {
  const std::uint64_t size = whole_.log_size();
  Machine restored;
  restore(restored, size - 4);
  restored.host.marks = whole_.host.marks;
  restored.start(me_);
  EXPECT_FALSE(publishes(restored));

  // A peer that itself lags behind gives some of it back.
  Machine lagging;
  restore(lagging, size - 2);
  const auto txn = lagging.host.log().read();
  lagging.host.marks[log()] = {size - 2, storage::log_store::root_at(*txn, log(), size - 2)};
  lagging.start(me_);
  meets(restored, lagging);
  EXPECT_EQ(restored.log_size(), size - 2);
  EXPECT_FALSE(publishes(restored));

  meets(restored, whole_);
  EXPECT_EQ(restored.log_size(), size + 2) << "what was published meanwhile went out";
  EXPECT_TRUE(publishes(restored));
  EXPECT_EQ(restored.log_size(), size + 3);
}

TEST_F(SigningStop, BeginsWhenAPeerHoldsMoreOfTheOwnLog) {
  const std::uint64_t size = whole_.log_size();
  Machine copied;
  restore(copied, size - 4);
  const auto txn = copied.host.log().read();
  copied.host.marks[log()] = {size - 4, storage::log_store::root_at(*txn, log(), size - 4)};
  copied.start(me_);
  meets(copied, whole_);
  EXPECT_EQ(copied.log_size(), size);
  EXPECT_TRUE(publishes(copied)) << "all that was signed is here";
}

TEST_F(SigningStop, WithoutAMarkNothingIsSigned) {
  Machine restored;
  restore(restored, whole_.log_size());
  restored.start(me_);
  EXPECT_FALSE(publishes(restored));
  meets(restored, whole_);
  EXPECT_FALSE(publishes(restored)) << "one peer's word is not enough";

  restored.host.marks = whole_.host.marks;
  restored.start(me_);
  EXPECT_TRUE(publishes(restored));
}

TEST_F(SigningStop, StaysWhenTheStoreHoldsSomethingElse) {
  Machine other;
  restore(other, whole_.log_size());
  other.host.marks = whole_.host.marks;
  other.host.marks[log()].root = TreeHash{{1}};
  other.start(me_);
  EXPECT_FALSE(publishes(other));
}

TEST_F(SigningStop, NoWordIsGivenWhileOneOfTheOwnIsMissing) {
  const Bytes profile = encode(Profile{"ZZA", "Ashdown", "trust", {}});
  const std::uint64_t words_at = whole_.log_size();
  ASSERT_TRUE(publishes(whole_, "profile", profile));
  ASSERT_TRUE(publishes(whole_));
  const auto holed = [&](Machine& machine, std::uint64_t hole) {
    restore(machine, whole_.log_size(), hole);
    machine.host.marks = whole_.host.marks;
    machine.start(me_);
  };
  Machine wordless;
  holed(wordless, words_at);
  const std::uint64_t size = wordless.log_size();
  EXPECT_FALSE(publishes(wordless, "profile", profile)) << "who asked would wait for ever";
  const auto enrolled = wordless.ask(enrolment());
  EXPECT_EQ(std::get<local::Refusal>(enrolled).code, Errc::unavailable);
  EXPECT_EQ(wordless.log_size(), size);
  EXPECT_TRUE(publishes(wordless)) << "a document needs nothing of it";

  Machine textless;
  holed(textless, words_at + 1);
  EXPECT_TRUE(publishes(textless, "profile", profile)) << "a document that is missing is no word";

  meets(wordless, whole_);
  EXPECT_TRUE(publishes(wordless, "profile", profile)) << "it is back";
}

TEST_F(SigningStop, WhoAsksBeforeItIsKnownThatOneIsMissingIsAnsweredAllTheSame) {
  const Bytes profile = encode(Profile{"ZZA", "Ashdown", "trust", {}});
  // More than are judged at once, so that the hole is not met before the word is.
  const auto many = whole_.ask(act("document", to_bytes(view("# Title\n\ntext\n")), 4'000));
  ASSERT_TRUE(std::holds_alternative<local::PublishAnswer>(many));
  const std::uint64_t hole = whole_.log_size();
  ASSERT_TRUE(publishes(whole_, "profile", profile));
  // The answer to what was asked at the first moment it can be.
  const auto answered = [&](const local::Request& request) {
    Machine machine;
    restore(machine, whole_.log_size(), hole);
    machine.host.marks = whole_.host.marks;
    machine.replica.emplace(me_, at_once(), machine.host.marks, machine.host);
    while (!machine.replica->is_member() && machine.host.step()) {
    }
    const std::uint64_t before = machine.host.marks.at(log()).size;
    std::optional<local::Answer> answer;
    machine.replica->handle(1, request, [&](local::Answer said) { answer = std::move(said); });
    machine.host.run();
    EXPECT_TRUE(answer.has_value()) << "nobody waits for what may never come";
    EXPECT_EQ(machine.log_size(), before + 1) << "it was logged";
    EXPECT_TRUE(publishes(machine)) << "and the next is not held up behind it";
    return answer.value_or(local::Progress{});
  };
  EXPECT_TRUE(std::holds_alternative<local::PublishAnswer>(answered(act("profile", profile))));
  const auto enrolled = answered(enrolment());
  ASSERT_TRUE(std::holds_alternative<local::Refusal>(enrolled));
  EXPECT_NE(std::get<local::Refusal>(enrolled).said.find("do not repeat it"), std::string::npos);
}

TEST_F(SigningStop, NorDoesAnyoneWaitBehindTheLogsOfOthers) {
  const Bytes profile = encode(Profile{"ZZA", "Ashdown", "trust", {}});
  const std::uint64_t hole = whole_.log_size();
  ASSERT_TRUE(publishes(whole_, "profile", profile));
  Machine machine;
  restore(machine, whole_.log_size(), hole);
  machine.host.marks = whole_.host.marks;
  machine.start(me_);
  // So much of another's that its batches fill the pool before the own log's turn comes.
  const LogId others{{0}};
  const auto txn = machine.host.disk().write();
  storage::log_store::create(*txn, others, MemberId{{1}}, commons);
  const Bytes payload(72 + 64);
  const std::string leaf = encode_leaf(make_leaf(LeafClass::record, 1, payload));
  const std::vector<storage::NewEntry> entries(4'096, {view(leaf), BytesView(payload)});
  ASSERT_TRUE(storage::log_store::append(*txn, others, 0, entries));
  txn->commit();
  machine.replica.emplace(me_, at_once(), machine.host.marks, machine.host);
  std::optional<local::Answer> answer;
  const std::uint64_t before = machine.host.marks.at(log()).size;
  machine.replica->handle(1, enrolment(), [&](local::Answer said) { answer = std::move(said); });
  machine.host.run();
  EXPECT_EQ(machine.log_size(), before + 1) << "it was logged";
  EXPECT_TRUE(answer.has_value());
}

}  // namespace
}  // namespace kith::daemon
