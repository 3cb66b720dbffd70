#pragma once

#include "protocol/audit/archive_audit.hpp"
#include "protocol/audit/policy.hpp"
#include "protocol/audit/proof_audit.hpp"

/// What was checked, held against an auditor's policy: the outcome goes into the report, and where
/// it does not hold, a finding (incomplete) says why.
namespace kith {

/// The checkpoint of each log.
void hold_against(const Policy& policy, ArchiveReport& report);
/// The checkpoint in the proof.
void hold_against(const Policy& policy, ProofReport& report);

}  // namespace kith
