#pragma once

#include <string>

#include "protocol/crypto/crypto.hpp"
#include "protocol/log/note.hpp"

/// C2SP tlog-checkpoint: three lines (origin, size, root), no extension lines.
namespace kith {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  TreeHash root{};

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// "kith/" and the log id in hex: origin and note key name of a log.
[[nodiscard]] std::string log_origin(const LogId& log);
[[nodiscard]] Result<LogId> log_of_origin(std::string_view origin);

[[nodiscard]] std::string encode_checkpoint(const Checkpoint& checkpoint);
/// Strict; an extension line is refused. Size 0 only with the empty root.
[[nodiscard]] Result<Checkpoint> decode_checkpoint(std::string_view text);

/// A log's signed checkpoint, as sent and stored: the note with its one 0x01 line.
[[nodiscard]] std::string sign_checkpoint(const LogId& log, std::uint64_t size,
                                          const TreeHash& root, const SigningKey& log_key);
/// Parses, checks the origin and the signature by `log_key`. Cosignature lines are ignored.
[[nodiscard]] Result<Checkpoint> verify_checkpoint(std::string_view note, const LogId& log,
                                                   const PublicKey& log_key);

}  // namespace kith
