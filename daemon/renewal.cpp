#include "daemon/renewal.hpp"

#include "protocol/audit/evidence.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/records/record.hpp"
#include "storage/log_store.hpp"

namespace kith::daemon {
namespace {

using Reason = Certificate::Reason;

/// Founding, the first certificate and the keys of the commons: without them there is no network.
constexpr std::uint64_t founding_size = 3;

void read_certificates(const storage::ReadTxn& txn, OwnLogFound& found) {
  for (std::uint64_t first = 0; first < found.size; first += limits::tile_hashes) {
    const std::uint64_t last = std::min<std::uint64_t>(found.size, first + limits::tile_hashes);
    const auto leaves = storage::log_store::leaves(txn, found.log, first, last);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (leaves[i].leaf_class != LeafClass::clear) continue;
      const auto payload = storage::log_store::payload(txn, found.log, first + i);
      const auto text = payload ? decode_text(*payload) : fail(Errc::not_found, "a payload");
      const auto* certificate = text ? std::get_if<CertificateText>(&*text) : nullptr;
      // What is void is passed over.
      if (certificate != nullptr) {
        (void)found.keys.add_certificate(first + i, certificate->statement);
      }
    }
  }
}

}  // namespace

OwnLogFound survey(const storage::ReadTxn& txn, const Identity& identity) {
  OwnLogFound found;
  found.log = log_id(identity.network, identity.member, commons);
  found.keys = KeyHistory(identity.network, identity.member);
  if (const auto head = storage::log_store::head(txn, found.log)) found.size = head->size();
  found.root = storage::log_store::root_at(txn, found.log, found.size);
  read_certificates(txn, found);
  if (const auto row = txn.get(storage::Table::meta, found.log.view())) {
    found.agreed = decode_agreed(found.log, *row);
  }
  if (const auto row = txn.get(storage::Table::meta, agreed_elsewhere_key(found.log))) {
    found.elsewhere = decode_agreed_elsewhere(found.log, *row).value_or(0);
  }
  for (const auto& [_, text] : storage::log_store::evidence(txn)) {
    const auto evidence = decode_evidence(text);
    const auto proven = evidence ? verify_evidence(*evidence) : evidence.error();
    found.has_two_histories =
        found.has_two_histories ||
        (proven && proven->member == identity.member && proven->liar == Liar::log_key &&
         proven->number() >= found.keys.newest_cut_number());
  }
  return found;
}

Result<CutLog> where_to_cut(const storage::ReadTxn& txn, const OwnLogFound& found,
                            const Identity& identity) {
  const std::uint64_t known = std::max(found.marked, found.agreed ? found.agreed->size : 0);
  if (!found.has_two_histories && known > found.size) {
    return fail(Errc::unavailable,
                "this member signed " + std::to_string(known) + " entries of its log, and only " +
                    std::to_string(found.size) +
                    " are here: run kithd until the other members have given the rest back, then "
                    "cut again (if none of them can, with --give-up-tail); nothing was changed");
  }
  if (!found.has_two_histories) return CutLog{found.log, found.size, found.root};
  if (!found.agreed) {
    return fail(Errc::unavailable,
                "what the other members agreed on is not known here: run kithd until kith status "
                "says so, then cut again; nothing was changed");
  }
  const std::uint64_t agreed = std::min(found.agreed->size, found.size);
  if (found.elsewhere > agreed) {
    return fail(Errc::unavailable,
                "the other members agreed on " + std::to_string(found.elsewhere) +
                    " entries of this log, and only " + std::to_string(agreed) +
                    " of these are here: run kithd until it has fetched the rest, then cut again; "
                    "nothing was changed");
  }
  if (identity.founder == identity.member && agreed < founding_size) {
    return fail(Errc::unavailable,
                "nothing of the log that founds this network is agreed yet, so it cannot be cut: "
                "found the network again in a new directory; nothing was changed");
  }
  return CutLog{found.log, agreed, storage::log_store::root_at(txn, found.log, agreed)};
}

Result<Identity> renew(const Identity& before, const SigningKey& recovery, const Renewal& how,
                       const std::function<void(std::span<std::uint8_t>)>& random) {
  if (recovery.public_key().bytes != before.member.bytes) {
    return fail(Errc::forbidden,
                "these are the recovery words of another member: take the sheet on which the "
                "fingerprint of this one stands; nothing was changed");
  }
  if (!before.network_secret) {
    return fail(Errc::unavailable,
                "this daemon is not a member yet: begin again in a new directory with kithd init "
                "--join; nothing was changed");
  }
  auto certificate = verify_certificate(before.certificate, before.member);
  if (!certificate) return fail(certificate.error(), "the certificate in the identity");

  Identity made = before;
  for (Seed* key : {&made.log_key, &made.witness_key, &made.daemon_key}) random(key->bytes);
  for (DhSecret* key : {&made.transport_key, &made.sealing_key}) random(key->bytes);
  // Also where it was stolen: whoever can only dial, and only this member, learns of the new one
  // there, and answering to it gives a thief nothing that it has not.
  auto& former = made.former_transport_keys;
  former.insert(former.begin(), before.transport_key);
  if (former.size() > limits::former_transport_keys_max) former.pop_back();

  certificate->number =
      std::max<std::uint64_t>(how.now, std::max(certificate->number, how.highest_known) + 1);
  certificate->reason = how.reason;
  certificate->log_key = SigningKey(made.log_key).public_key();
  certificate->witness_key = SigningKey(made.witness_key).public_key();
  certificate->daemon_key = SigningKey(made.daemon_key).public_key();
  certificate->transport_key = dh_public(made.transport_key);
  certificate->sealing_key = dh_public(made.sealing_key);
  if (how.steward) certificate->steward = *how.steward;
  const bool cuts = how.reason == Certificate::Reason::cut;
  made.cut_list = cuts ? encode(how.cut) : Bytes();
  certificate->cut_list = cuts ? cut_list_hash(made.cut_list) : Hash();
  made.certificate = sign_certificate(*certificate, recovery);
  return made;
}

}  // namespace kith::daemon
