#include "protocol/log/note.hpp"

#include <array>

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/crypto/sha256.hpp"
#include "protocol/log/lines.hpp"

namespace kith {
namespace {

constexpr std::string_view line_start = "\u2014 ";
constexpr std::size_t key_id_bytes = sizeof(std::uint32_t);
constexpr std::size_t time_bytes = sizeof(std::uint64_t);

// Every character that Unicode calls white space, but those below 0x20, which no note may hold.
constexpr std::array<std::string_view, 20> spaces{" ",      "\u0085", "\u00A0", "\u1680", "\u2000",
                                                  "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
                                                  "\u2006", "\u2007", "\u2008", "\u2009", "\u200A",
                                                  "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};

bool is_control(char c) { return static_cast<std::uint8_t>(c) < 0x20; }

bool is_key_name(std::string_view name) {
  return !name.empty() && is_utf8(name) && name.find('+') == std::string_view::npos &&
         std::ranges::none_of(name, is_control) &&
         std::ranges::none_of(spaces, [&](std::string_view space) {
           return name.find(space) != std::string_view::npos;
         });
}

bool is_known_type(std::uint8_t type) {
  return type == static_cast<std::uint8_t>(KeyType::ed25519) ||
         type == static_cast<std::uint8_t>(KeyType::cosignature_v1);
}

/// The type, then the key: what a vkey shows and a key id hashes.
Bytes typed_key(const NoteKey& key) {
  Bytes bytes{static_cast<std::uint8_t>(key.type)};
  append(bytes, key.key.view());
  return bytes;
}

std::string hex_of_id(std::uint32_t id) {
  Bytes bytes;
  append_integer(bytes, id);
  return to_hex(bytes);
}

Result<NoteSignature> decode_line(std::string_view line) {
  if (!line.starts_with(line_start)) {
    return fail(Errc::malformed, "a signature line does not start with a dash and a space");
  }
  line.remove_prefix(line_start.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) {
    return fail(Errc::malformed, "a signature line without a proper key name");
  }
  const auto bytes = from_base64(line.substr(space + 1));
  if (!bytes) return fail(bytes.error(), "a signature line");
  if (bytes->size() <= key_id_bytes) return fail(Errc::malformed, "a signature line is too short");
  return NoteSignature{std::string(line.substr(0, space)), read_integer<std::uint32_t>(*bytes),
                       Bytes(bytes->begin() + key_id_bytes, bytes->end())};
}

bool verify_line(const NoteKey& key, std::string_view text, BytesView signature) {
  if (key.type == KeyType::ed25519) {
    return signature.size() == Signature::size &&
           verify(key.key, view(text), Signature::from(signature));
  }
  if (signature.size() != time_bytes + Signature::size) return false;
  const auto time_s = read_integer<std::uint64_t>(signature);
  return time_s <= cosignature_time_s_max && verify(key.key, view(cosigned_message(time_s, text)),
                                                    Signature::from(signature.subspan(time_bytes)));
}

}  // namespace

std::uint32_t key_id(const NoteKey& key) {
  return read_integer<std::uint32_t>(sha256(view(key.name + '\n'), typed_key(key)).view());
}

std::string encode_vkey(const NoteKey& key) {
  return key.name + '+' + hex_of_id(key_id(key)) + '+' + to_base64(typed_key(key));
}

Result<NoteKey> decode_vkey(std::string_view vkey) {
  if (vkey.size() > limits::note_bytes_max) return fail(Errc::too_large, "a key is too long");
  const std::size_t name_end = vkey.find('+');
  // The name holds no plus sign, but base64 may.
  const std::size_t id_end =
      name_end == std::string_view::npos ? name_end : vkey.find('+', name_end + 1);
  if (id_end == std::string_view::npos) {
    return fail(Errc::malformed, "a key has three parts, joined by plus signs");
  }
  const std::string_view name = vkey.substr(0, name_end);
  if (!is_key_name(name)) return fail(Errc::malformed, "a key without a proper name");

  const auto bytes = from_base64(vkey.substr(id_end + 1));
  if (!bytes) return fail(bytes.error(), "a key");
  if (bytes->empty()) return fail(Errc::malformed, "a key without a type");
  if (!is_known_type(bytes->front())) return fail(Errc::not_found, "a key of an unknown type");
  if (bytes->size() != 1 + PublicKey::size) return fail(Errc::malformed, "a key of a wrong length");

  NoteKey key{std::string(name), static_cast<KeyType>(bytes->front()),
              PublicKey::from(BytesView(*bytes).subspan(1))};
  if (vkey.substr(name_end + 1, id_end - name_end - 1) != hex_of_id(key_id(key))) {
    return fail(Errc::malformed, "the id of a key does not fit the key");
  }
  return key;
}

std::string encode_note(const Note& note) {
  KITH_CHECK(note.text.ends_with('\n'));
  std::string bytes = note.text + '\n';
  for (const NoteSignature& line : note.signatures) {
    Bytes blob;
    append_integer(blob, line.key_id);
    append(blob, line.signature);
    bytes.append(line_start).append(line.name).append(" ").append(to_base64(blob)).append("\n");
  }
  return bytes;
}

Result<Note> decode_note(std::string_view bytes) {
  if (bytes.size() > limits::note_bytes_max) return fail(Errc::too_large, "a note is too long");
  const auto is_forbidden = [](char c) { return is_control(c) && c != '\n'; };
  if (!is_utf8(bytes) || std::ranges::any_of(bytes, is_forbidden)) {
    return fail(Errc::malformed, "a note holds bytes that are not plain text");
  }
  const std::size_t separator = bytes.rfind("\n\n");
  if (separator == std::string_view::npos) {
    return fail(Errc::malformed, "a note without an empty line before its signatures");
  }

  Note note{std::string(bytes.substr(0, separator + 1)), {}};
  std::string_view rest = bytes.substr(separator + 2);
  while (const auto line = take_line(rest)) {
    if (note.signatures.size() == limits::note_lines_max) {
      return fail(Errc::too_large, "a note has too many signature lines");
    }
    auto signature = decode_line(*line);
    if (!signature) return signature.error();
    note.signatures.push_back(std::move(*signature));
  }
  if (!rest.empty()) return fail(Errc::malformed, "a note that does not end in a line end");
  if (note.signatures.empty()) return fail(Errc::malformed, "a note without a signature");
  return note;
}

std::string cosigned_message(std::uint64_t time_s, std::string_view checkpoint) {
  std::string message = "cosignature/v1\ntime " + std::to_string(time_s) + '\n';
  return message.append(checkpoint);
}

Result<std::vector<NoteKey>> verify_note(const Note& note, const std::vector<NoteKey>& known) {
  std::vector<NoteKey> signers;
  // Every line of a known key is verified, also a second one of the same key.
  for (const NoteSignature& line : note.signatures) {
    const auto key = std::ranges::find_if(known, [&](const NoteKey& candidate) {
      return candidate.name == line.name && key_id(candidate) == line.key_id;
    });
    if (key == known.end()) continue;
    if (!verify_line(*key, note.text, line.signature)) {
      return fail(Errc::bad_signature, "a signature by " + key->name + " does not verify");
    }
    if (std::ranges::find(signers, *key) == signers.end()) signers.push_back(*key);
  }
  if (signers.empty()) return fail(Errc::bad_signature, "no known key signed this note");
  return signers;
}

}  // namespace kith
