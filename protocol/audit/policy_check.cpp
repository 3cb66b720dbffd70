#include "protocol/audit/policy_check.hpp"

#include "protocol/log/witness.hpp"

namespace kith {
namespace {

/// A word about less than all of it is about another checkpoint.
std::vector<NoteKey> who_cosigned(const std::vector<Confirmation>& words, std::uint64_t size) {
  std::vector<NoteKey> keys;
  for (const Confirmation& word : words) {
    if (word.size == size) keys.push_back(witness_note_key(word.witness, word.key));
  }
  return keys;
}

}  // namespace

void hold_against(const Policy& policy, ArchiveReport& report) {
  for (LogReport& log : report.logs) {
    log.policy = evaluate(policy, log.log_key, who_cosigned(log.confirmations, log.log.size));
    if (log.policy->holds()) continue;
    log.findings.add(Verdict::incomplete, log.log.path + '/' + std::string(checkpoint_name),
                     why_not(*log.policy));
  }
}

void hold_against(const Policy& policy, ProofReport& report) {
  report.policy = evaluate(policy, report.log_key, who_cosigned(report.confirmations, report.size));
  if (report.policy->holds()) return;
  report.findings.add(Verdict::incomplete, "", why_not(*report.policy));
}

}  // namespace kith
