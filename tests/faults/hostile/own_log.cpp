// What a member that wants no good writes into its own database while its daemon is stopped.
#include <thread>

#include "daemon/clock.hpp"
#include "daemon/random.hpp"
#include "daemon/waiting_rows.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/payload.hpp"
#include "storage/lmdb.hpp"
#include "storage/log_store.hpp"
#include "tests/faults/hostile/forging.hpp"

namespace kith::hostile {
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
  if (!comes_to_hold(socket, me.member, size)) give_up("the daemon does not fetch the log");
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
