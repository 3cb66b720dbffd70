#include <gtest/gtest.h>

#include "daemon/random.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/records/record.hpp"
#include "storage/log_store.hpp"
#include "tests/daemon/support/plain_host.hpp"

/// A daemon whose own log lost what it had signed: it signs nothing before all of it is back.
namespace kith::daemon {
namespace {

constexpr PeerId peer = 1;

/// One member's machine: its disks, and its daemon while it runs.
struct Machine {
  void start(const Identity& identity) {
    replica.emplace(identity, Replica::Options{}, host.marks, host);
    host.run();
  }
  [[nodiscard]] local::Answer ask(local::Request request) {
    std::optional<local::Answer> answer;
    replica->handle(1, std::move(request), [&](local::Answer said) { answer = std::move(said); });
    host.run();
    return answer.value_or(local::Refusal{Errc::io, "no answer"});
  }
  [[nodiscard]] std::uint64_t log_size() {
    return std::get<local::StatusAnswer>(ask(local::StatusRequest{})).log_size;
  }

  PlainHost host;
  std::optional<Replica> replica;
};

class SigningStop : public ::testing::Test {
 protected:
  SigningStop() {
    const auto txn = whole_.host.disk().write();
    Charter charter;
    charter.name = "Test";
    charter.aim = "To learn.";
    auto made = found_network(charter, {"ZZA", "Ashdown", "trust", {}}, steward_.public_key(),
                              whole_.host.now(), fill_random, *txn);
    txn->commit();
    me_ = made->identity;
    whole_.host.marks = made->marks;
    whole_.start(me_);
    for (int i = 0; i < 6; ++i) EXPECT_TRUE(publishes(whole_));
  }

  /// The first entries of the whole log, as an older backup of the database holds them; that of one
  /// without its payload.
  void restore(Machine& machine, std::uint64_t size, std::uint64_t hole = ~0ULL) {
    const auto from = whole_.host.log().read();
    const auto to = machine.host.disk().write();
    storage::log_store::create(*to, log(), me_.member, commons);
    for (std::uint64_t i = 0; i < size; ++i) {
      const auto leaf = storage::log_store::leaf(*from, log(), i);
      const auto payload = storage::log_store::payload(*from, log(), i);
      storage::NewEntry entry{BytesView(*leaf), BytesView(*payload)};
      if (i == hole) entry.payload.reset();
      ASSERT_TRUE(storage::log_store::append(*to, log(), i, {&entry, 1}));
    }
    to->commit();
  }
  /// The machine hears of another's copy of the log until both are quiet.
  void meets(Machine& machine, Machine& other) {
    const MemberId somebody{{7}};
    other.replica->peer_connected({peer, false, somebody, std::nullopt, {}, {}});
    machine.replica->peer_connected({peer, true, somebody, std::nullopt, {}, {}});
    for (int i = 0; i < 100; ++i) {
      machine.host.run();
      other.host.run();
      for (const Bytes& said : std::exchange(machine.host.sent[peer], {})) {
        other.replica->message(peer, said);
      }
      for (const Bytes& said : std::exchange(other.host.sent[peer], {})) {
        machine.replica->message(peer, said);
      }
    }
    machine.replica->peer_lost(peer);
    other.replica->peer_lost(peer);
    machine.host.run();
    other.host.run();
  }
  [[nodiscard]] bool publishes(Machine& machine) {
    return publishes(machine, "document", to_bytes(view("# Title\n\ntext\n")));
  }
  [[nodiscard]] bool publishes(Machine& machine, const std::string& kind, const Bytes& body) {
    return std::holds_alternative<local::PublishAnswer>(machine.ask(act(kind, body)));
  }
  [[nodiscard]] local::PublishRequest act(const std::string& kind, const Bytes& body,
                                          std::size_t count = 1) {
    std::vector<Bytes> records;
    while (records.size() < count) {
      Record record;
      fill_random(record.nonce.bytes);
      record.kind = kind;
      record.body = body;
      record.author = steward_.public_key();
      record.time = whole_.host.now();
      record.network = me_.network;
      record.log = log();
      records.push_back(encode(record));
    }
    local::PublishRequest request;
    for (auto& one : sign_batch(me_.network, log(), records, steward_)) {
      request.texts.push_back(encode_text(std::move(one)));
    }
    return request;
  }
  [[nodiscard]] local::EnrolRequest enrolment() {
    const PublicKey author = SigningKey(Seed{{6}}).public_key();
    return {
        sign_enrolment({me_.network, me_.member, 1, author, 1, steward_.public_key()}, steward_)};
  }
  [[nodiscard]] LogId log() const { return log_id(me_.network, me_.member, commons); }

  SigningKey steward_{Seed{{5}}};
  Identity me_;
  Machine whole_;
};

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
  EXPECT_EQ(restored.log_size(), size);
  EXPECT_TRUE(publishes(restored));
  EXPECT_EQ(restored.log_size(), size + 1);
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
    machine.replica.emplace(me_, Replica::Options{}, machine.host.marks, machine.host);
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
  machine.replica.emplace(me_, Replica::Options{}, machine.host.marks, machine.host);
  std::optional<local::Answer> answer;
  const std::uint64_t before = machine.host.marks.at(log()).size;
  machine.replica->handle(1, enrolment(), [&](local::Answer said) { answer = std::move(said); });
  machine.host.run();
  EXPECT_EQ(machine.log_size(), before + 1) << "it was logged";
  EXPECT_TRUE(answer.has_value());
}

}  // namespace
}  // namespace kith::daemon
