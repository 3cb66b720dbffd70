#include "protocol/audit/judge.hpp"

#include "protocol/keys/space_key.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith {
namespace {

Judged bad(Judged judged, std::string why) {
  judged.status = Judged::Status::bad;
  judged.why = std::move(why);
  return judged;
}

/// Founding names no network and no log: its record id is the network.
bool is_founding(const JudgeContext& context, const SignedRecord& record) {
  return NetworkId::from(record_id(record.record).view()) == context.network;
}

Result<VerifiedRecord> check_record(const JudgeContext& context, const SignedRecord& signed_record,
                                    bool signature_known, BatchVerifier& verifier) {
  if (!context.check_signatures || signature_known) {
    return read_unverified(signed_record);
  }
  if (is_founding(context, signed_record)) return verifier.verify(signed_record, {}, {});
  return verifier.verify(signed_record, context.network, context.log);
}

/// The text of a sealed payload; writes down which key fits.
Result<Bytes> open(const JudgeContext& context, BytesView payload, Judged& judged) {
  const std::vector<Key32>& log_keys = context.log_keys(judged.leaf_class);
  const auto fitting = fitting_key(log_keys, payload);
  if (fitting) {
    judged.log_key = log_keys[fitting->position];
    judged.payload_key = fitting->key;
    return open_with_payload_key(fitting->key, context.log, payload);
  }
  const auto named = context.payload_keys.find(judged.index);
  if (fitting.error().code != Errc::not_found || named == context.payload_keys.end()) {
    return fitting.error();
  }
  for (const Key32& key : named->second) {
    auto opened = open_with_payload_key(key, context.log, payload);
    if (!opened && opened.error().code == Errc::not_found) continue;
    judged.payload_key = key;
    return opened;
  }
  return fitting.error();
}

}  // namespace

Judged judge(const JudgeContext& context, std::uint64_t index, LeafClass leaf_class,
             BytesView payload, bool signature_known, BatchVerifier& verifier) {
  Judged judged;
  judged.index = index;
  judged.leaf_class = leaf_class;
  if (leaf_class == LeafClass::clear) {
    judged.text = to_bytes(payload);
  } else {
    auto opened = open(context, payload, judged);
    if (!opened && opened.error().code == Errc::not_found) {
      judged.status = Judged::Status::sealed;
      judged.why = opened.error().detail;
      return judged;
    }
    if (!opened) return bad(std::move(judged), opened.error().detail);
    judged.text = std::move(*opened);
  }

  auto parsed = decode_text(judged.text);
  if (!parsed) return bad(std::move(judged), parsed.error().detail);
  judged.parsed = std::move(*parsed);
  judged.status = Judged::Status::good;
  const auto* signed_record = std::get_if<SignedRecord>(&judged.parsed);
  if (signed_record == nullptr) {
    if (leaf_class == LeafClass::clear) return judged;
    return bad(std::move(judged), "a statement that is not in clear");
  }

  auto verified = check_record(context, *signed_record, signature_known, verifier);
  if (!verified) return bad(std::move(judged), verified.error().detail);
  judged.id = verified->id;
  Record& record = verified->record;
  const KindSpec* kind = find_kind(record.kind);
  if (kind != nullptr && kind->leaf_class != leaf_class) {
    return bad(std::move(judged), "a record of kind " + record.kind + " in the wrong class");
  }
  judged.record = std::move(record);
  return judged;
}

Result<bool> admissible(const KeyHistory& keys, const MemberId& member, const Judged& judged) {
  if (!judged.record) return true;  // Statements carry their own right.
  const Record& record = *judged.record;
  const auto needs = [&](Scope scope, const char* name) -> Result<bool> {
    if (keys.may(record.author, static_cast<Scopes>(scope), judged.index)) return true;
    return fail(Errc::forbidden, std::string("its author may not ") + name + " there");
  };
  if (record.kind == "founding") {
    if (judged.index == 0 && record.author.bytes == member.bytes) return true;
    return fail(Errc::forbidden, "only the founder's first entry founds a network");
  }
  if (record.kind == "seen" || record.kind == "keygrant") {
    if (keys.is_daemon(record.author, judged.index)) return true;
    return fail(Errc::forbidden, "only the member's daemon says that");
  }
  const KindSpec* kind = find_kind(record.kind);
  if (kind != nullptr && kind->needs_speak) return needs(Scope::speak, "speak");
  return needs(Scope::publish, "publish");
}

}  // namespace kith
