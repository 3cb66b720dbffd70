// What a proof says comes back from its own encoding, which is the input but for an empty extra
// line; the same for what kith puts into that line. Checking a proof never does more than refuse
// it.
#include "protocol/audit/proof_audit.hpp"
#include "protocol/base/check.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  const BytesView input(data, size);
  fuzz::round_trip(data, size, decode_context, encode_context);
  const auto report = audit_proof(text(input));
  KITH_CHECK(!report || report->findings.verdict() != Verdict::incomplete);
  const auto proof = decode_proof(text(input));
  if (!proof) return 0;
  const std::string encoded = encode_proof(*proof);
  const auto again = decode_proof(encoded);
  KITH_CHECK(again && *again == *proof);
  KITH_CHECK(proof->extra.empty() || encoded == text(input));
  KITH_CHECK(encoded.size() <= size && text(input).ends_with(encoded.substr(encoded.find('\n'))));
  const NoteKey key{"log", KeyType::ed25519, PublicKey::from(Bytes(32, 1))};
  KITH_CHECK(!verify_proof(*proof, input, key));
  return 0;
}
