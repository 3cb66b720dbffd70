#pragma once

#include <string>
#include <vector>

#include "protocol/base/limits.hpp"
#include "protocol/log/checkpoint.hpp"
#include "protocol/log/merkle.hpp"

/// C2SP tlog-proof: one inclusion proof with its checkpoint, as a text file.
namespace kith {

/// What `extra` may hold: the leaf and the certificates of an owner and 31 witnesses.
inline constexpr std::size_t proof_extra_bytes_max = 33 * limits::ki;
/// At most a full note, 63 hashes and `extra` in base64.
inline constexpr std::size_t proof_bytes_max =
    limits::note_bytes_max + 4 * limits::ki + proof_extra_bytes_max * 4 / 3 + limits::ki;

/// What the file says.
struct InclusionProof {
  std::uint64_t index = 0;
  Path path;
  std::string checkpoint;  ///< The signed note, verbatim.
  Bytes extra;             ///< What the file says besides, unauthenticated; empty: nothing.

  friend bool operator==(const InclusionProof&, const InclusionProof&) = default;
};

/// At most 63 hashes; the checkpoint as it was received.
[[nodiscard]] std::string encode_proof(const InclusionProof& proof);
/// Strict, down to the checkpoint, whose signatures are not looked at.
[[nodiscard]] Result<InclusionProof> decode_proof(std::string_view text);
/// Checks the checkpoint by `key` (Ed25519; its name is the origin) and the inclusion of `leaf`,
/// the entry itself. bad_proof if only the latter fails.
[[nodiscard]] Result<Checkpoint> verify_proof(const InclusionProof& proof, BytesView leaf,
                                              const NoteKey& key);

/// What kith puts into `extra`, so that a proof can be checked with nothing else at hand.
struct ProofContext {
  SpaceId space;
  std::string leaf;                 ///< The entry.
  std::vector<Bytes> certificates;  ///< The log's owner's, then those of the witnesses.

  friend bool operator==(const ProofContext&, const ProofContext&) = default;
};
/// u8 1 | space | u16 length | leaf | u16 count | count times: u16 length | statement.
[[nodiscard]] Bytes encode_context(const ProofContext& context);
/// Strict. The statements are not looked at.
[[nodiscard]] Result<ProofContext> decode_context(BytesView bytes);

}  // namespace kith
