#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "protocol/log/checkpoint.hpp"
#include "protocol/schema/cosignature.hpp"

/// Witnessing: cosignature/v1 (C2SP tlog-cosignature), who witnesses a log, and what is agreed.
namespace kith {

/// "kith/witness/" and the member id in hex.
[[nodiscard]] std::string witness_name(const MemberId& witness);
/// The key with which this witness's lines in notes are verified.
[[nodiscard]] NoteKey witness_note_key(const MemberId& witness, const PublicKey& key);
/// Signs what is rebuilt from `log`, `size` and `root`. The caller holds those leaves durably and
/// has compared them with all it cosigned.
[[nodiscard]] Cosignature cosign(const LogId& log, std::uint64_t size, const TreeHash& root,
                                 const MemberId& witness, std::uint64_t time_s,
                                 const SigningKey& witness_key);
/// Whether `key` signed exactly these values.
[[nodiscard]] bool verify_cosignature(const Cosignature& cosignature, const PublicKey& key);
/// The note line (type 0x04) that a checkpoint of the same size and root may carry.
[[nodiscard]] NoteSignature to_note_signature(const Cosignature& cosignature, const PublicKey& key);

/// A possible witness: a member and the decision that admitted it (the founder's is Founding).
struct WitnessCandidate {
  MemberId member;
  DecisionId admitted_by;
};
/// The at most 31 of `others` with the lowest H(`kith/witness/v1` | log | member | decision),
/// lowest first. `others` must not contain the log's owner nor a paused member.
[[nodiscard]] std::vector<MemberId> witnesses_of(const LogId& log,
                                                 std::vector<WitnessCandidate> others);

/// The largest size that more than half of `witnesses` cosigned (of two: one; of none: `held`),
/// never more than `held`. `cosigned` holds each witness's largest size.
[[nodiscard]] std::uint64_t agreed_size(std::span<const MemberId> witnesses,
                                        const std::map<MemberId, std::uint64_t>& cosigned,
                                        std::uint64_t held);

}  // namespace kith
