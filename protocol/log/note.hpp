#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// C2SP signed notes.
namespace kith {

/// The types that kith writes and verifies; lines of all others are ignored.
enum class KeyType : std::uint8_t { ed25519 = 0x01, cosignature_v1 = 0x04 };

/// One signature line.
struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  Bytes signature;  ///< What follows the key id.

  friend bool operator==(const NoteSignature&, const NoteSignature&) = default;
};

/// A text and who signed it.
struct Note {
  std::string text;  ///< With its final LF, without the separating empty line.
  std::vector<NoteSignature> signatures;

  friend bool operator==(const Note&, const Note&) = default;
};

/// A verifier key ("vkey").
struct NoteKey {
  std::string name;
  KeyType type = KeyType::ed25519;
  PublicKey key;

  friend bool operator==(const NoteKey&, const NoteKey&) = default;
};
/// First 4 bytes of SHA-256(name | LF | type | key).
[[nodiscard]] std::uint32_t key_id(const NoteKey& key);
/// "name+id+base64".
[[nodiscard]] std::string encode_vkey(const NoteKey& key);
/// Strict. malformed if the id does not fit; not_found for a key type other than the two above.
[[nodiscard]] Result<NoteKey> decode_vkey(std::string_view vkey);

/// The text must end in LF.
[[nodiscard]] std::string encode_note(const Note& note);
/// Strict: base64 must re-encode to the same, no control byte but LF, at most note_bytes_max and
/// note_lines_max signature lines.
[[nodiscard]] Result<Note> decode_note(std::string_view bytes);

/// Unix seconds that other tools can hold in an int64; a later time is refused.
inline constexpr std::uint64_t cosignature_time_s_max = (1ULL << 63) - 1;
/// What a cosignature/v1 signs: two lines, then the checkpoint's text.
[[nodiscard]] std::string cosigned_message(std::uint64_t time_s, std::string_view checkpoint);

/// Which of `known` signed, each once, in the order of the lines. Every line of a known (name, id)
/// is verified, and one that fails rejects the whole note (bad_signature); so does a note without
/// any valid known line. Unknown lines are ignored.
[[nodiscard]] Result<std::vector<NoteKey>> verify_note(const Note& note,
                                                       const std::vector<NoteKey>& known);

}  // namespace kith
