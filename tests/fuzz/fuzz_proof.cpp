// What a proof says comes back from its own encoding, which is the input but for the extra line.
#include "protocol/base/check.hpp"
#include "protocol/log/proof.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  const BytesView input(data, size);
  const auto proof = decode_proof(text(input));
  if (!proof) return 0;
  const std::string encoded = encode_proof(*proof);
  const auto again = decode_proof(encoded);
  KITH_CHECK(again && *again == *proof);
  KITH_CHECK(encoded.size() <= size && text(input).ends_with(encoded.substr(encoded.find('\n'))));
  const NoteKey key{"log", KeyType::ed25519, PublicKey::from(Bytes(32, 1))};
  KITH_CHECK(!verify_proof(*proof, input, key));
  return 0;
}
