#pragma once

#include <string>
#include <vector>

#include "protocol/audit/log_audit.hpp"
#include "protocol/log/proof.hpp"

/// A proof file of kith, checked from its bytes alone.
namespace kith {

/// What a proof shows.
struct ProofReport {
  NetworkId network;
  MemberId member;  ///< Whose log it is.
  LogId log;
  std::uint64_t index = 0;
  std::uint64_t size = 0;  ///< Of the tree that was signed.
  Leaf leaf;
  std::optional<NoteKey> log_key;  ///< That signed it.
  std::vector<Confirmation> confirmations;
  std::optional<PolicyOutcome> policy;  ///< If it was held against one.
  Findings findings;
};

/// malformed if it is no proof, or one that kith did not write and that therefore needs more than
/// itself to be checked.
[[nodiscard]] Result<ProofReport> audit_proof(std::string_view text);

}  // namespace kith
