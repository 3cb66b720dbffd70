// What `kithd init` and `kithd recover` write: keys, the founder's first entries, or a candidate's
// own log.
#include "daemon/replica.hpp"
#include "protocol/base/check.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/records/record.hpp"
#include "storage/log_store.hpp"

namespace kith::daemon {
namespace {

using Random = std::function<void(std::span<std::uint8_t>)>;

template <class Secret>
Secret fresh(const Random& random) {
  Secret secret;
  random(secret.bytes);
  return secret;
}

/// New keys of the member whose recovery key it is; network and certificate follow.
Identity make_keys(const SigningKey& recovery, const Profile& profile, const Random& random) {
  Identity made;
  made.member = MemberId::from(recovery.public_key().view());
  made.log_key = fresh<Seed>(random);
  made.witness_key = fresh<Seed>(random);
  made.transport_key = fresh<DhSecret>(random);
  made.sealing_key = fresh<DhSecret>(random);
  made.daemon_key = fresh<Seed>(random);
  made.profile = profile;
  return made;
}

NewIdentity make_keys(const Profile& profile, const Random& random) {
  NewIdentity made;
  made.recovery = fresh<Seed>(random);
  made.identity = make_keys(SigningKey(made.recovery), profile, random);
  return made;
}

Bytes certify(const Identity& made, const SigningKey& recovery, const PublicKey& steward,
              std::uint64_t number, Certificate::Reason reason) {
  Certificate certificate;
  certificate.network = made.network;
  certificate.member = made.member;
  certificate.number = number;
  certificate.log_key = SigningKey(made.log_key).public_key();
  certificate.witness_key = SigningKey(made.witness_key).public_key();
  certificate.transport_key = dh_public(made.transport_key);
  certificate.sealing_key = dh_public(made.sealing_key);
  certificate.daemon_key = SigningKey(made.daemon_key).public_key();
  certificate.steward = steward;
  certificate.reason = reason;
  return sign_certificate(certificate, recovery);
}

Bytes first_certificate(const NewIdentity& made, const PublicKey& steward, Millis now) {
  return certify(made.identity, SigningKey(made.recovery), steward, now,
                 Certificate::Reason::first);
}

Record record_of(const std::string& kind, Bytes body, const PublicKey& author, Millis now,
                 const NetworkId& network, const LogId& log, const Random& random) {
  Record record;
  random(record.nonce.bytes);
  record.kind = kind;
  record.body = std::move(body);
  record.author = author;
  record.time = now;
  record.network = network;
  record.log = log;
  return record;
}

Result<storage::HighWaterMark> append_clear(storage::WriteTxn& txn, const LogId& log, Millis now,
                                            const std::vector<Bytes>& texts) {
  std::vector<std::string> leaves;
  leaves.reserve(texts.size());
  for (const Bytes& text : texts) {
    leaves.push_back(encode_leaf(make_leaf(LeafClass::clear, now, text)));
  }
  std::vector<storage::NewEntry> entries;
  entries.reserve(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    entries.push_back({view(leaves[i]), BytesView(texts[i])});
  }
  const auto head = storage::log_store::append(txn, log, 0, entries);
  if (!head) return head.error();
  return storage::HighWaterMark{head->size(), head->range.root()};
}

/// What would be refused by everyone else is refused here, before anything is written.
Result<bool> check_given(const Profile& profile, const PublicKey& steward) {
  if (!is_valid_public_key(steward)) {
    return fail(Errc::usage,
                "the steward's key is not a valid Ed25519 key: make one by 'kith init'");
  }
  const auto readable = decode_profile(encode(profile));
  if (!readable) return fail(readable.error(), "the member's code, name, role and addresses");
  return true;
}

}  // namespace

Result<NewIdentity> found_network(const Charter& charter, const Profile& profile,
                                  const PublicKey& steward, Millis now,
                                  const std::function<void(std::span<std::uint8_t>)>& random,
                                  storage::WriteTxn& txn) {
  if (const auto checked = check_given(profile, steward); !checked) return checked.error();
  NewIdentity made = make_keys(profile, random);
  Identity& me = made.identity;
  const SigningKey recovery(made.recovery);

  const Bytes founding = encode(record_of("founding", encode(Founding{profile, charter}),
                                          recovery.public_key(), now, {}, {}, random));
  me.network = NetworkId::from(record_id(founding).view());
  me.decision = DecisionId::from(me.network.view());
  me.founder = me.member;
  me.network_secret = fresh<Key32>(random);
  me.commons_keys = SpaceKeys{fresh<Key32>(random), fresh<Key32>(random)};
  me.certificate = first_certificate(made, steward, now);

  const auto readable = decode_founding(encode(Founding{profile, charter}));
  if (!readable) return fail(readable.error(), "the charter");
  const LogId log = log_id(me.network, me.member, commons);
  const std::vector<Seed> ephemerals{fresh<Seed>(random)};
  const KeyGrant grant = make_key_grant(me.network, commons, me.decision, *me.commons_keys,
                                        {{me.member, dh_public(me.sealing_key)}}, ephemerals);
  const SigningKey daemon_key(me.daemon_key);
  const Bytes granted = encode(
      record_of("keygrant", encode(grant), daemon_key.public_key(), now, me.network, log, random));

  storage::log_store::create(txn, log, me.member, commons);
  const auto appended =
      append_clear(txn, log, now,
                   {encode_text(sign_batch({}, {}, {founding}, recovery).front()),
                    encode_text(CertificateText{me.certificate}),
                    encode_text(sign_batch(me.network, log, {granted}, daemon_key).front())});
  if (!appended) return appended.error();
  made.marks[log] = *appended;
  return made;
}

Result<NewIdentity> join_network(const Invitation& invitation, const Profile& profile,
                                 const PublicKey& steward, Millis now,
                                 const std::function<void(std::span<std::uint8_t>)>& random,
                                 storage::WriteTxn& txn) {
  if (const auto checked = check_given(profile, steward); !checked) return checked.error();
  if (invitation.expires <= now) {
    return fail(Errc::stale, "the invitation has expired: ask your sponsor for a new one");
  }
  NewIdentity made = make_keys(profile, random);
  Identity& me = made.identity;
  me.network = invitation.network;
  me.decision = invitation.decision;
  me.founder = invitation.founder;
  me.invitation = invitation;
  me.certificate = first_certificate(made, steward, now);

  const LogId log = log_id(me.network, me.member, commons);
  storage::log_store::create(txn, log, me.member, commons);
  const auto appended = append_clear(txn, log, now, {encode_text(CertificateText{me.certificate})});
  if (!appended) return appended.error();
  made.marks[log] = *appended;
  return made;
}

Result<Identity> rebuild_member(const Invitation& invitation, const Seed& recovery,
                                const PublicKey& steward, std::uint64_t number,
                                const Random& random) {
  const Profile profile{std::string(rebuilt_code), "A member that is rebuilt", "", {}};
  if (const auto checked = check_given(profile, steward); !checked) return checked.error();
  const SigningKey key(recovery);
  Identity me = make_keys(key, profile, random);
  me.network = invitation.network;
  me.decision = invitation.decision;
  me.founder = invitation.founder;
  me.invitation = invitation;
  me.certificate = certify(me, key, steward, number, Certificate::Reason::lost);
  return me;
}

}  // namespace kith::daemon
