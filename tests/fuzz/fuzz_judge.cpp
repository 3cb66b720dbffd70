// What a payload of a peer is worth. The first byte chooses the class and whether the rest is the
// payload itself or the text that it opens to under the keys of the kept corpus.
#include "protocol/audit/judge.hpp"
#include "protocol/base/check.hpp"
#include "protocol/keys/space_key.hpp"

using namespace kith;

namespace {

JudgeContext context(bool with_keys) {
  JudgeContext made;
  made.network = NetworkId::from(Bytes(32, 1));
  made.log = LogId::from(Bytes(32, 2));
  made.member = MemberId::from(Bytes(32, 3));
  if (with_keys) {
    made.g_keys = {log_key(Key32::from(Bytes(32, 4)), made.log)};
    made.r_keys = {log_key(Key32::from(Bytes(32, 5)), made.log)};
  }
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr LeafClass classes[] = {LeafClass::clear, LeafClass::governance, LeafClass::record};
  const LeafClass leaf_class = classes[data[0] % 3];
  const bool sealed_here = (data[0] & 0x80) != 0;
  const bool signature_known = (data[0] & 0x40) != 0;
  const JudgeContext keys = context(true);
  Bytes payload = {data + 1, data + size};
  if (sealed_here && leaf_class != LeafClass::clear) {
    const auto& key = leaf_class == LeafClass::governance ? keys.g_keys : keys.r_keys;
    const auto sealed = seal_payload(key.front(), keys.log, Nonce24{}, payload);
    if (!sealed) return 0;
    payload = *sealed;
  }

  BatchVerifier verifier;
  const Judged judged = judge(keys, 3, leaf_class, payload, signature_known, verifier);
  KITH_CHECK(judged.index == 3 && judged.leaf_class == leaf_class);
  KITH_CHECK((judged.status == Judged::Status::good) == judged.why.empty());
  if (judged.status == Judged::Status::good) {
    KITH_CHECK(equal(encode_text(judged.parsed), judged.text));
    const auto* record = std::get_if<SignedRecord>(&judged.parsed);
    KITH_CHECK((record != nullptr) == judged.record.has_value());
    if (record != nullptr) KITH_CHECK(judged.id == record_id(record->record));
    // Nobody was ever enrolled: of records, nothing may be said.
    const KeyHistory nobody(keys.network, keys.member);
    KITH_CHECK(admissible(nobody, keys.member, judged).has_value() == (record == nullptr));
  }
  // Without keys nothing sealed is opened, and nobody is accused.
  const Judged blind = judge(context(false), 3, leaf_class, payload, signature_known, verifier);
  if (leaf_class != LeafClass::clear) KITH_CHECK(blind.status != Judged::Status::good);
  return 0;
}
