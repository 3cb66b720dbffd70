// Records that are forged, replayed, reordered or meant for somewhere else: at the door for people,
// and in a session. In a member's own log: own_log.cpp.
#include <algorithm>

#include "daemon/random.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/schema/peer_codec.hpp"
#include "storage/lmdb.hpp"
#include "storage/log_store.hpp"
#include "tests/faults/hostile/forging.hpp"
#include "tests/faults/hostile/handshake.hpp"

namespace kith::hostile {
namespace {

Caller member_calling(const daemon::Identity& identity, const Invitation& target) {
  Caller caller{identity.transport_key, target.sponsor_transport, identity.network,
                identity.network_secret.value_or(Key32{})};
  caller.hello.certificate = identity.certificate;
  caller.hello.certificate_number = verify_certificate(identity.certificate)->number;
  return caller;
}

/// What the local socket does with bytes that are no request: whether it ends the connection.
bool ends_local(const std::string& path, BytesView bytes) {
  Socket socket = Socket::local(path);
  socket.send(bytes);
  return socket.bytes_until_end(milliseconds(3'000)).has_value();
}

}  // namespace

void door(const Arguments& arguments) {
  const std::string socket = arguments.text("socket");
  const auto status = ask<local::StatusAnswer>(socket, local::StatusRequest{});
  const auto members = ask<local::MembersAnswer>(socket, local::MembersRequest{});
  const auto other = std::ranges::find(members.members, false, &local::MemberRow::self);
  if (other == members.members.end()) give_up("there is no other member");
  const Desk desk{status.network, status.commons_log, author_key(arguments.text("author"))};
  const LogId elsewhere = log_id(status.network, other->member, commons);

  // The negative control: the same code with nothing wrong in it is let in.
  const Bytes good = desk.text("# Honest at the door\n\ntext\n");
  const auto published = ask<local::PublishAnswer>(socket, local::PublishRequest{{good}});
  const std::uint64_t size = published.size;

  auto wrong = forgeries(desk, elsewhere);
  wrong["replayed"] = good;
  wrong["not_utf8"] = desk.text("# Forged\n\n\xff\xfe\n");
  wrong["empty_document"] = desk.text("");
  wrong["binary_document"] = desk.text(std::string(500, '\0'));
  wrong["too_large_document"] = desk.text(std::string(limits::document_bytes_max + 1, 'x'));
  wrong["unknown_front_matter"] =
      desk.text("---\nkind: practice\ntitel: Forged\n---\n# Forged\n\ntext\n", "practice");
  wrong["of_a_kind_nobody_knows"] = desk.text("# Forged: kind\n", "rumour");
  for (const auto& [name, text] : wrong) {
    client::Connection connection(socket);
    const auto answer = connection.ask(local::PublishRequest{{text}}, {});
    const auto* refusal = answer ? std::get_if<local::Refusal>(&*answer) : nullptr;
    Finding("door_" + name)
        .figure("said", refusal == nullptr ? "" : refusal->said)
        .expect(refusal != nullptr && !refusal->said.empty(), "It is refused with a reason.");
  }

  const Usage before = usage_of(arguments.pid());
  std::size_t lingering = 0;
  for (const std::uint32_t length : {0xFFFFFFFFU, 0x80000000U, 67'108'865U}) {
    Bytes bytes;
    append_integer(bytes, length);
    bytes.resize(bytes.size() + 16);
    if (!ends_local(socket, bytes)) ++lingering;
  }
  const auto grown = static_cast<std::int64_t>(usage_of(arguments.pid()).anonymous_kib) -
                     static_cast<std::int64_t>(before.anonymous_kib);
  const auto now = ask<local::StatusAnswer>(socket, local::StatusRequest{});
  Finding("door")
      .figure("tried", wrong.size())
      .figure("log_size_before", size)
      .figure("log_size_after", now.log_size)
      .figure("memory_growth_kib_of_local_claims", grown)
      .expect(lingering == 0, "A length above the limit ends a local connection.")
      .expect(stays_below(grown, 512), "A length that is only claimed takes no memory.")
      .expect(now.log_size == size, "Nothing of it was logged.");
}

namespace {

/// One thing said in a session as a member, and whether it must end it.
struct Said {
  const char* name;
  peer::Message message;
  bool ends = true;
};

}  // namespace

void session(const Arguments& arguments) {
  const daemon::Identity me = arguments.identity();
  const Invitation target = arguments.invitation();
  const std::string socket = arguments.text("socket");
  const LogId own = log_id(me.network, me.member, commons);
  const LogId theirs = log_id(me.network, target.sponsor, commons);
  const SigningKey signs(me.log_key);
  const std::uint64_t held = held_of(socket, me.member);
  const std::uint64_t their_size =
      ask<local::StatusAnswer>(socket, local::StatusRequest{}).log_size;

  // What this member has and the daemon has not: leaves, two of which are pushed in the wrong
  // order.
  storage::LmdbDatabase database(arguments.text("dir") + "/log", storage::log_tables(),
                                 storage::LmdbDatabase::Durability::full);
  const auto txn = database.read();
  const auto head = storage::log_store::head(*txn, own);
  if (head->size() < held + 3) give_up("there is nothing to push");
  const auto push = [&](const std::vector<std::uint64_t>& order, std::uint64_t size) {
    const TreeHash root = storage::log_store::root_at(*txn, own, size);
    peer::Push made{own, sign_checkpoint(own, size, root, signs), size - order.size(), {}, {}};
    for (const std::uint64_t i : order) {
      append_to_bundle(made.leaves, *storage::log_store::leaf(*txn, own, i));
      const auto payload = storage::log_store::payload(*txn, own, i);
      peer::append_payload(made.payloads, BytesView(*payload));
    }
    return made;
  };
  // Control: the first alone is taken.
  const peer::Push honest = push({held}, held + 1);
  std::vector<std::uint64_t> order;
  for (std::uint64_t i = held + 1; i < head->size(); ++i) order.push_back(i);
  std::swap(order[0], order[1]);
  const peer::Push reordered = push(order, head->size());
  peer::Push unsigned_push = reordered;
  unsigned_push.note = sign_checkpoint(own, head->size(), head->range.root(),
                                       SigningKey(daemon::random_octets<Seed>()));
  peer::Push foreign = reordered;
  foreign.log = theirs;
  foreign.note = sign_checkpoint(theirs, their_size + 1, TreeHash{{9}}, signs);
  peer::Announce announced;
  announced.log = theirs;
  announced.note = foreign.note;
  peer::Announce certified;
  certified.log = theirs;
  certified.certificates = {me.certificate};
  Cosignature cosignature;
  cosignature.log = theirs;
  cosignature.size = 1ULL << 40;
  cosignature.witness = me.member;

  const std::vector<Said> all = {
      {"push_with_a_forged_note", unsigned_push},
      {"push_of_another's_log", foreign},
      {"announce_with_a_forged_note", announced},
      {"announce_with_another's_certificate", certified},
      {"cosignature_by_no_known_key", peer::Cosigned{cosignature}, false},
      {"entries_nobody_asked_for", peer::Entries{theirs, 0, 1, 0, reordered.leaves, {}}},
      {"tiles_nobody_asked_for", peer::Tiles{theirs, 1, {Bytes(32)}}},
      {"payloads_nobody_asked_for", peer::Payloads{theirs, {0}, {}}},
      {"welcome_that_is_not_due", peer::Welcome{}},
      {"join_request_of_a_member", peer::JoinRequest{me.certificate, me.profile}},
      {"grant_nobody_asked_for", peer::JoinGranted{}},
      {"tiles_asked_of_no_log", peer::GetTiles{LogId{{1}}, 5, {{0, 0}}}, false},
      {"entries_asked_beyond_the_end",
       peer::GetEntries{theirs, 1ULL << 40, (1ULL << 40) + 1, 1ULL << 40}, false},
      {"push_in_the_wrong_order", reordered, false},
  };
  {
    auto channel = OpenChannel::open(arguments.port(), member_calling(me, target));
    if (!channel || !channel->next_message(patience)) give_up("the member was not welcomed");
    channel->send_message(peer::encode(honest));
    const bool stored = comes_to_hold(socket, me.member, held + 1);
    Finding("session_honest_push")
        .figure("held_of_us", held_of(socket, me.member))
        .expect(stored, "It is stored.");
  }
  for (const Said& said : all) {
    auto channel = OpenChannel::open(arguments.port(), member_calling(me, target));
    if (!channel || !channel->next_message(patience)) give_up("the member was not welcomed");
    channel->send_message(peer::encode(said.message));
    bool ended = false;
    bool alive = false;
    if (said.ends) {
      ended = channel->ended(patience);
    } else {
      // Still there: it answers a Ping.
      channel->send_message(peer::encode(peer::Ping{}));
      while (const auto message = channel->next_message(patience)) {
        const auto decoded = peer::decode_message(*message);
        if (decoded && std::holds_alternative<peer::Pong>(*decoded)) {
          alive = true;
          break;
        }
      }
    }
    Finding(std::string("session_") + said.name)
        .figure("ended", ended)
        .expect(said.ends ? ended : alive,
                said.ends ? "It ends the connection." : "It is harmless.");
  }

  // Claims without end: logs that do not exist.
  const Usage before = usage_of(arguments.pid());
  auto channel = OpenChannel::open(arguments.port(), member_calling(me, target));
  if (!channel || !channel->next_message(patience)) give_up("the member was not welcomed");
  constexpr std::size_t haves = 100;
  for (std::size_t i = 0; i < haves; ++i) {
    peer::Have have;
    for (std::size_t j = 0; j < limits::entries_per_list_max; ++j) {
      have.logs.push_back(
          {daemon::random_octets<LogId>(), 1ULL << 40, TreeHash{{1}}, 0, {}, false});
    }
    if (!channel->send_message(peer::encode(have))) break;
  }
  channel->send_message(peer::encode(peer::Ping{}));
  const bool ended = !channel->next_message(patience);
  const auto grown = static_cast<std::int64_t>(usage_of(arguments.pid()).anonymous_kib) -
                     static_cast<std::int64_t>(before.anonymous_kib);
  Finding("session_logs_that_do_not_exist")
      .figure("claimed", haves * limits::entries_per_list_max)
      .figure("ended", ended)
      .figure("memory_growth_kib", grown)
      .expect(stays_below(grown, 64 * 1'024), "At most 65,536 logs are believed of one peer.");

  const auto now = ask<local::StatusAnswer>(socket, local::StatusRequest{});
  Finding("session")
      .figure("held_of_us", held_of(socket, me.member))
      .figure("own_size", now.log_size)
      .expect(held_of(socket, me.member) == held + 1, "Nothing was stored in the wrong order.")
      .expect(now.log_size == their_size, "Their own log is as it was.");
}

}  // namespace kith::hostile
