#pragma once

#include <string>
#include <vector>

#include "client/commands/commands.hpp"
#include "client/console.hpp"
#include "protocol/audit/report.hpp"

/// What checking an export and checking a single file share.
namespace kith::client {

[[nodiscard]] Exit exit_of(Verdict verdict);
/// Whether an auditor named this id.
[[nodiscard]] bool is_named(const std::vector<std::string>& ids, BytesView id);
void print_findings(const Console& console, const Findings& findings);
/// Who of the policy confirmed `what`, and whether that is enough.
void print_policy(const Console& console, const std::string& what, const PolicyOutcome& outcome);
/// What evidence proves, for whoever has never seen any.
void print_contradiction(const Console& console, const Contradiction& proven);
/// Writes the report to a new file; an empty name: nothing.
[[nodiscard]] Exit write_html(const AuditReport& report, const std::string& file,
                              const Console& console, const Desk& desk);
/// The policy that was given, or none, or the complaint about it.
[[nodiscard]] Answered<std::optional<Policy>> read_policy(const std::string& file,
                                                          const Console& console, const Desk& desk);
/// kith verify of a proof or of evidence. The ids in `options` are whole ones.
[[nodiscard]] Exit verify_file(const VerifyOptions& options, const std::optional<Policy>& policy,
                               const Console& console, const Desk& desk);

}  // namespace kith::client
