// Records that are forged, replayed, reordered or meant for somewhere else: at the door for people,
// in a member's own log, and in a session.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "client/connection.hpp"
#include "daemon/clock.hpp"
#include "daemon/random.hpp"
#include "daemon/waiting_rows.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/payload.hpp"
#include "protocol/records/record.hpp"
#include "protocol/schema/peer_codec.hpp"
#include "storage/files/file.hpp"
#include "storage/lmdb.hpp"
#include "storage/log_store.hpp"
#include "tests/faults/hostile/handshake.hpp"

namespace kith::hostile {
namespace {

constexpr milliseconds patience{15'000};

SigningKey author_key(const std::string& path) {
  const auto text = files::read_secret(path, 65'536);
  const auto key = text ? open_key_file(*text, "") : Result<SigningKey>(text.error());
  if (!key) give_up(path + ": " + key.error().detail);
  return *key;
}

template <class Answer, class Request>
Answer ask(const std::string& socket, const Request& request) {
  client::Connection connection(socket);
  auto answer = connection.ask(request, {});
  if (!answer) give_up(answer.error().detail);
  if (!std::holds_alternative<Answer>(*answer)) give_up("the daemon answered something else");
  return std::get<Answer>(std::move(*answer));
}

/// Makes records for one log.
struct Desk {
  NetworkId network;
  LogId log;
  SigningKey key;
  PublicKey author = key.public_key();

  [[nodiscard]] Bytes record(std::string_view body, const std::string& kind = "document") const {
    Record record;
    daemon::fill_random(record.nonce.bytes);
    record.kind = kind;
    record.body = to_bytes(view(body));
    record.author = author;
    record.time = daemon::wall_now();
    record.network = network;
    record.log = log;
    return encode(record);
  }
  [[nodiscard]] std::vector<SignedRecord> batch(const std::vector<Bytes>& records) const {
    return sign_batch(network, log, records, key);
  }
  [[nodiscard]] Bytes text(std::string_view body, const std::string& kind = "document") const {
    return encode_text(batch({record(body, kind)}).front());
  }
};

/// Everything that can be wrong with a signed record, by name. `desk` may publish there.
std::map<std::string, Bytes> forgeries(const Desk& desk, const LogId& elsewhere) {
  std::map<std::string, Bytes> all;
  const auto one = [&](const std::string& name) {
    return desk.batch({desk.record("# Forged: " + name + "\n\ntext\n")}).front();
  };

  SignedRecord signature = one("signature");
  signature.signature.bytes[5] ^= 1;
  all["forged_signature"] = encode_text(signature);

  SignedRecord body = one("body");
  auto& last = *std::ranges::find(body.record.rbegin(), body.record.rend(), 't');
  last = 'T';
  all["changed_body"] = encode_text(body);

  Desk stranger = desk;
  stranger.key = SigningKey(daemon::random_octets<Seed>());
  all["somebody_else's_signature"] = stranger.text("# Forged: signed by another\n\ntext\n");
  stranger.author = stranger.key.public_key();
  all["author_not_enrolled"] = stranger.text("# Forged: unknown author\n\ntext\n");

  auto pair = desk.batch(
      {desk.record("# Forged: first\n\ntext\n"), desk.record("# Forged: second\n\ntext\n")});
  std::swap(pair[0].index, pair[1].index);
  std::swap(pair[0].path, pair[1].path);
  all["reordered_in_its_batch"] = encode_text(pair[0]);
  auto counted = desk.batch({desk.record("# Forged: count\n\ntext\n")}).front();
  counted.count = 2;
  all["batch_of_another_size"] = encode_text(counted);

  Desk other = desk;
  other.log = elsewhere;
  all["for_another_log"] = other.text("# Forged: for another log\n\ntext\n");
  // Right inside, but the signature says otherwise.
  all["signed_for_another_log"] = encode_text(
      sign_batch(desk.network, elsewhere, {desk.record("# Forged: log\n\ntext\n")}, desk.key)
          .front());
  other = desk;
  other.network.bytes[3] ^= 1;
  all["for_another_network"] = other.text("# Forged: for another network\n\ntext\n");

  all["seen_by_a_person"] = desk.text("# Forged: seen", "seen");
  all["key_grant_by_a_person"] = desk.text("# Forged: grant", "keygrant");
  all["founding_again"] = desk.text("# Forged: founding", "founding");
  all["not_a_text"] = Bytes(100, 0x42);
  return all;
}

Caller member_calling(const daemon::Identity& identity, const Invitation& target) {
  Caller caller{identity.transport_key, target.sponsor_transport, identity.network,
                identity.network_secret.value_or(Key32{})};
  caller.hello.certificate = identity.certificate;
  caller.hello.certificate_number = verify_certificate(identity.certificate)->number;
  return caller;
}

/// What the local socket does with bytes that are no request: whether it ends the connection.
bool ends_local(const std::string& path, BytesView bytes) {
  const int file = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof(to.sun_path)) give_up(path + " is too long for a socket");
  std::ranges::copy(path, to.sun_path);
  if (::connect(file, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) {
    give_up("cannot connect to " + path);
  }
  const timeval wait{3, 0};
  ::setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
  (void)!::send(file, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  char byte = 0;
  const ssize_t got = ::recv(file, &byte, 1, 0);
  ::close(file);
  return got == 0 || (got < 0 && errno == ECONNRESET);
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

/// Payloads in the order in which they are logged.
using Entries = std::vector<std::pair<LeafClass, Bytes>>;

/// Appends to a stopped daemon's own log; returns its new size.
std::uint64_t append_to(storage::WriteTxn& txn, const LogId& log, const Entries& entries) {
  std::vector<std::string> leaves;
  for (const auto& [leaf_class, payload] : entries) {
    leaves.push_back(encode_leaf(make_leaf(leaf_class, daemon::wall_now(), payload)));
  }
  std::vector<storage::NewEntry> appended;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    appended.push_back({view(leaves[i]), BytesView(entries[i].second)});
  }
  const auto head = storage::log_store::head(txn, log);
  const auto now = storage::log_store::append(txn, log, head->size(), appended);
  if (!now) give_up(now.error().detail);
  return now->size();
}

std::uint64_t held_of(const std::string& socket, const MemberId& member) {
  for (const auto& row : ask<local::MembersAnswer>(socket, local::MembersRequest{}).members) {
    if (row.member == member) return row.held_size;
  }
  give_up("the daemon does not know the member");
}

}  // namespace

namespace {

/// Keys that this member made up, granted to the founder by our own daemon: well signed.
Bytes foreign_grant(const storage::ReadTxn& txn, const daemon::Identity& me, const LogId& theirs) {
  const auto parsed = decode_text(*storage::log_store::payload(txn, theirs, 1));
  const auto certificate = verify_certificate(std::get<CertificateText>(*parsed).statement);
  const SpaceKeys keys{daemon::random_octets<Key32>(), daemon::random_octets<Key32>()};
  const std::array ephemerals{daemon::random_octets<Seed>()};
  const KeyGrant grant = make_key_grant(me.network, commons, me.decision, keys,
                                        {{me.founder, certificate->sealing_key}}, ephemerals);
  const LogId own = log_id(me.network, me.member, commons);
  const Desk daemon_desk{me.network, own, SigningKey(me.daemon_key)};
  return daemon_desk.text(text(encode(grant)), "keygrant");
}

}  // namespace

void forge(const Arguments& arguments) {
  const daemon::Identity me = arguments.identity();
  const LogId own = log_id(me.network, me.member, commons);
  const MemberId victim = me.founder;
  const LogId theirs = log_id(me.network, victim, commons);
  const Desk desk{me.network, own, author_key(arguments.text("author"))};
  storage::LmdbDatabase database(arguments.text("dir") + "/log", storage::log_tables(),
                                 storage::LmdbDatabase::Durability::full);
  const auto txn = database.write();
  Entries entries;
  const Key32 g_key = log_key(me.commons_keys->g, own);
  const Key32 r_key = log_key(me.commons_keys->r, own);
  const auto log_sealed = [&](LeafClass leaf_class, const Key32& key, BytesView text) {
    entries.emplace_back(leaf_class,
                         *seal_payload(key, own, daemon::random_octets<Nonce24>(), text));
  };

  const Bytes before = desk.text("# Honest before the forgeries\n\ntext\n");
  log_sealed(LeafClass::record, r_key, before);
  log_sealed(LeafClass::record, r_key, before);  // Replayed.
  std::size_t void_entries = 0;
  for (const auto& [name, text] : forgeries(desk, theirs)) {
    const bool governs = name == "seen_by_a_person";
    if (name == "key_grant_by_a_person" || name == "founding_again") {
      entries.emplace_back(LeafClass::clear, text);
    } else {
      log_sealed(governs ? LeafClass::governance : LeafClass::record, governs ? g_key : r_key,
                 text);
    }
    ++void_entries;
  }
  // What the founder really published, copied into our own log.
  const auto head = storage::log_store::head(*txn, theirs);
  const Key32 their_key = log_key(me.commons_keys->r, theirs);
  for (std::uint64_t i = head ? head->size() : 0; i-- > 0;) {
    const auto payload = storage::log_store::payload(*txn, theirs, i);
    const auto opened =
        payload ? open_payload(their_key, theirs, *payload) : Result<Bytes>(Bytes{});
    if (!opened || opened->empty()) continue;
    log_sealed(LeafClass::record, r_key, *opened);
    ++void_entries;
    entries.emplace_back(LeafClass::record, *payload);  // And as it is, sealed for their log.
    ++void_entries;
    break;
  }
  const Bytes statement = encode_text(CertificateText{me.certificate});
  log_sealed(LeafClass::record, r_key, statement);  // A statement that hides.
  ++void_entries;
  log_sealed(LeafClass::record, daemon::random_octets<Key32>(), before);  // No key opens it.
  ++void_entries;
  entries.emplace_back(LeafClass::clear, foreign_grant(*txn, me, theirs));
  log_sealed(LeafClass::record, r_key, desk.text("# Honest after the forgeries\n\ntext\n"));

  const auto own_head = storage::log_store::head(*txn, own);
  const std::uint64_t size = append_to(*txn, own, entries);
  txn->commit();
  Finding("forged_log")
      .figure("entries", entries.size())
      .figure("void", void_entries)
      .figure("first", own_head->size())
      .figure("size", size)
      .expect(void_entries == 17, "All forgeries were made.");
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
  certified.certificate = me.certificate;
  Cosignature cosignature;
  cosignature.log = theirs;
  cosignature.size = 1ULL << 40;
  cosignature.witness = me.member;

  const std::vector<Said> all = {
      {"push_with_a_forged_note", unsigned_push},
      {"push_of_another's_log", foreign},
      {"announce_with_a_forged_note", announced},
      {"announce_with_another's_certificate", certified},
      {"cosignature_that_is_forged", peer::Cosigned{cosignature}},
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
    const auto end = Clock::now() + patience;
    while (held_of(socket, me.member) <= held && Clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    Finding("session_honest_push")
        .figure("held_of_us", held_of(socket, me.member))
        .expect(held_of(socket, me.member) == held + 1, "It is stored.");
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

void seal(const Arguments& arguments) {
  const daemon::Identity me = arguments.identity();
  const LogId own = log_id(me.network, me.member, commons);
  const Desk desk{me.network, own, author_key(arguments.text("author"))};
  storage::LmdbDatabase database(arguments.text("dir") + "/log", storage::log_tables(),
                                 storage::LmdbDatabase::Durability::full);
  const auto sealed = [&](const Key32& key, BytesView text) {
    return *seal_payload(key, own, daemon::random_octets<Nonce24>(), text);
  };
  Entries entries;
  entries.emplace_back(LeafClass::governance,
                       sealed(daemon::random_octets<Key32>(), desk.text("", "seen")));
  constexpr std::size_t behind = 3'000;
  const Bytes text = desk.text("# Behind governance that no key opens\n\ntext\n");
  for (std::size_t i = 0; i < behind; ++i) {
    entries.emplace_back(LeafClass::record, sealed(log_key(me.commons_keys->r, own), text));
  }
  const auto txn = database.write();
  const std::uint64_t size = append_to(*txn, own, entries);
  txn->commit();
  Finding("sealed_to_nobody").figure("records_behind_it", behind).figure("size", size);
}

void calm(const Arguments& arguments) {
  const daemon::Identity me = arguments.identity();
  const std::string socket = arguments.text("socket");
  const std::uint64_t size = arguments.number("size", 0);
  const auto end = Clock::now() + patience;
  while (held_of(socket, me.member) < size) {
    if (Clock::now() > end) give_up("the daemon does not fetch the log");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  // The time that is measured: how busy it is with what it cannot judge.
  constexpr auto watched = std::chrono::seconds(3);
  const double before = usage_of(arguments.pid()).cpu_ms;
  std::this_thread::sleep_for(watched);
  const double cpu_ms = usage_of(arguments.pid()).cpu_ms - before;
  Finding("after_governance_sealed_to_nobody")
      .figure("seconds", static_cast<std::uint64_t>(watched.count()))
      .figure("cpu_ms", cpu_ms)
      .expect(cpu_ms < 600, "It waits for a key and does not judge in circles.");
}

void expire(const Arguments& arguments) {
  storage::LmdbDatabase database(arguments.text("dir") + "/log", storage::log_tables(),
                                 storage::LmdbDatabase::Durability::full);
  const auto wanted = arguments.invitation();
  const auto txn = database.write();
  const auto row = txn->get(storage::Table::waiting, daemon::invitations_key());
  auto kept = row ? daemon::decode_invitations(*row) : std::nullopt;
  if (!kept) give_up("no invitations are kept");
  std::size_t changed = 0;
  for (daemon::InvitationState& invitation : *kept) {
    if (invitation.secret != wanted.secret) continue;
    invitation.expires = daemon::wall_now() - 1;
    ++changed;
  }
  txn->put(storage::Table::waiting, daemon::invitations_key(), daemon::encode_invitations(*kept));
  txn->commit();
  Finding("expired").figure("invitations", changed).expect(changed == 1, "It was there.");
}

}  // namespace kith::hostile
