#pragma once

#include <string>
#include <vector>

#include "protocol/base/limits.hpp"
#include "protocol/log/checkpoint.hpp"
#include "protocol/log/merkle.hpp"

/// C2SP tlog-proof: one inclusion proof with its checkpoint, as a text file.
namespace kith {

/// At most a full note, 63 hashes and some 5 KiB of `extra`, which kith does not write.
inline constexpr std::size_t proof_bytes_max = limits::note_bytes_max + 8 * limits::ki;

/// What the file says.
struct InclusionProof {
  std::uint64_t index = 0;
  Path path;
  std::string checkpoint;  ///< The signed note, verbatim.

  friend bool operator==(const InclusionProof&, const InclusionProof&) = default;
};

/// At most 63 hashes; the checkpoint as it was received.
[[nodiscard]] std::string encode_proof(const InclusionProof& proof);
/// Strict, down to the checkpoint, whose signatures are not looked at; an `extra` line is accepted
/// and dropped.
[[nodiscard]] Result<InclusionProof> decode_proof(std::string_view text);
/// Checks the checkpoint by `key` (Ed25519; its name is the origin) and the inclusion of `leaf`,
/// the entry itself. bad_proof if only the latter fails.
[[nodiscard]] Result<Checkpoint> verify_proof(const InclusionProof& proof, BytesView leaf,
                                              const NoteKey& key);

}  // namespace kith
