#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// C2SP signed notes.
namespace kith {

enum class KeyType : std::uint8_t { ed25519 = 0x01, cosignature_v1 = 0x04 };

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  Bytes signature;  ///< What follows the key id.

  friend bool operator==(const NoteSignature&, const NoteSignature&) = default;
};

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
[[nodiscard]] std::string encode_vkey(const NoteKey& key);
/// malformed if the id does not fit; not_found for a key type other than the two above.
[[nodiscard]] Result<NoteKey> decode_vkey(std::string_view vkey);

[[nodiscard]] std::string encode_note(const Note& note);
/// Strict: base64 must re-encode to the same, no control byte but LF, at most note_bytes_max and
/// note_lines_max signature lines.
[[nodiscard]] Result<Note> decode_note(std::string_view bytes);

/// Which of `known` signed. A line of a known (name, id) that fails rejects the whole note
/// (bad_signature), and so does a note without any valid known line. Unknown lines are ignored.
[[nodiscard]] Result<std::vector<NoteKey>> verify_note(const Note& note,
                                                       const std::vector<NoteKey>& known);

}  // namespace kith
