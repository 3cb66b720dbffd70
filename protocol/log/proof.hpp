#pragma once

#include <string>
#include <vector>

#include "protocol/log/checkpoint.hpp"
#include "protocol/log/merkle.hpp"

/// C2SP tlog-proof: one inclusion proof with its checkpoint, as a text file.
namespace kith {

struct InclusionProof {
  std::uint64_t index = 0;
  Path path;
  std::string checkpoint;  ///< The signed note, verbatim.

  friend bool operator==(const InclusionProof&, const InclusionProof&) = default;
};

[[nodiscard]] std::string encode_proof(const InclusionProof& proof);
/// Strict; an `extra` line is accepted and dropped.
[[nodiscard]] Result<InclusionProof> decode_proof(std::string_view text);
/// Checks the checkpoint by `key` (its name is the origin) and the inclusion of `leaf`.
[[nodiscard]] Result<Checkpoint> verify_proof(const InclusionProof& proof, BytesView leaf,
                                              const NoteKey& key);

}  // namespace kith
