#pragma once

#include <gtest/gtest.h>

#include "daemon/random.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/records/record.hpp"
#include "storage/log_store.hpp"
#include "tests/daemon/support/plain_host.hpp"

namespace kith::daemon {

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

/// One member that founded a network, with some entries; and copies of its machine.
class OwnLog : public ::testing::Test {
 protected:
  static constexpr PeerId peer = 1;

  OwnLog() {
    const auto txn = whole_.host.disk().write();
    Charter charter;
    charter.name = "Test";
    charter.aim = "To learn.";
    auto made = found_network(charter, {"ZZA", "Ashdown", "trust", {}}, steward_.public_key(),
                              whole_.host.now(), fill_random, *txn);
    txn->commit();
    me_ = made->identity;
    recovery_ = made->recovery;
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
    const auto answer = machine.ask(act(kind, body));
    const auto* published = std::get_if<local::PublishAnswer>(&answer);
    return published != nullptr && published->waiting.empty();
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
  Seed recovery_;
  Machine whole_;
};

}  // namespace kith::daemon
