// A note that is accepted has one encoding; verifying it never does more than refuse.
#include "protocol/base/check.hpp"
#include "protocol/log/note.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  const BytesView input(data, size);
  const auto note = decode_note(text(input));
  if (!note) return 0;
  KITH_CHECK(encode_note(*note) == text(input));
  // A key that every line is made to match, so that the signature is looked at in each type.
  for (const KeyType type : {KeyType::ed25519, KeyType::cosignature_v1}) {
    const NoteKey key{note->signatures.front().name, type, PublicKey::from(Bytes(32, 1))};
    Note matched = *note;
    for (NoteSignature& line : matched.signatures) line.key_id = key_id(key);
    KITH_CHECK(!verify_note(matched, {key}));
  }
  return 0;
}
