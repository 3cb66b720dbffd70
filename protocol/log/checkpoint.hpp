#pragma once

#include <string>

#include "protocol/crypto/crypto.hpp"
#include "protocol/log/note.hpp"

/// C2SP tlog-checkpoint: three lines (origin, size, root), no extension lines.
namespace kith {

/// Where a log ends. Not yet signed.
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  TreeHash root{};

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// "kith/" and the log id in hex: origin and note key name of a log.
[[nodiscard]] std::string log_origin(const LogId& log);
/// The key with which the log's own line in a note is verified.
[[nodiscard]] NoteKey log_note_key(const LogId& log, const PublicKey& log_key);
/// malformed unless exactly what log_origin writes.
[[nodiscard]] Result<LogId> log_of_origin(std::string_view origin);

/// The three lines. The origin must be one line of plain text.
[[nodiscard]] std::string encode_checkpoint(const Checkpoint& checkpoint);
/// Strict; an extension line is refused. Size 0 only with the empty root. too_large above
/// tree_size_max, malformed otherwise.
[[nodiscard]] Result<Checkpoint> decode_checkpoint(std::string_view text);

/// A log's signed checkpoint, as sent and stored: the note with its one 0x01 line.
[[nodiscard]] std::string sign_checkpoint(const LogId& log, std::uint64_t size,
                                          const TreeHash& root, const SigningKey& log_key);
/// Parses, checks the signature by `log_key` and then the origin. Cosignature lines are ignored.
/// bad_signature if the key did not sign, malformed if it signed something else than a checkpoint
/// of `log`.
[[nodiscard]] Result<Checkpoint> verify_checkpoint(std::string_view note, const LogId& log,
                                                   const PublicKey& log_key);
/// The same for any log: the name of `log_key`, an Ed25519 key, is the origin.
[[nodiscard]] Result<Checkpoint> verify_checkpoint(const Note& note, const NoteKey& log_key);

}  // namespace kith
