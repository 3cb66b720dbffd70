// kith verify of one file: a proof, or evidence of two signed histories.
#include "client/commands/common.hpp"
#include "client/commands/verify_parts.hpp"
#include "client/layout.hpp"
#include "protocol/audit/policy_check.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

/// Whose the file is, as far as the auditor knows: the complaint if it is somebody else's.
std::optional<Exit> refuse_other(const VerifyOptions& options, const std::string& what,
                                 const NetworkId& network, const MemberId& member,
                                 const Console& console) {
  for (const std::string& id : options.expected) {
    if (is_named({id}, network.view()) || is_named({id}, member.view())) continue;
    return complain(
        console,
        fail(Errc::conflict, what + " member " + full_id(member.view()) + " in network " +
                                 full_id(network.view()) + ", not of " + id),
        Exit::forged);
  }
  return std::nullopt;
}

void print_ids(const Console& console, const NetworkId& network, const MemberId& member,
               const char* what, bool fixed) {
  console.out << "Checked against member " << full_id(member.view()) << "\nof network "
              << full_id(network.view());
  if (fixed) {
    console.out << ", as you expect it to be.\n";
    return;
  }
  console.out << ".\nThese ids come from the " << what
              << " itself: compare them with what the member told you, and give --expect ID.\n";
}

Exit verify_proof(const std::string& content, const VerifyOptions& options,
                  const std::optional<Policy>& policy, const Console& console) {
  auto report = audit_proof(content);
  if (!report) return complain(console, report.error(), Exit::faults);
  if (const auto other = refuse_other(options, "this proof is of the log of", report->network,
                                      report->member, console)) {
    return *other;
  }
  if (policy) hold_against(*policy, *report);
  const bool fixed = is_named(options.expected, report->member.view());
  const Verdict verdict = report->findings.verdict();
  if (console.json) {
    console.out << json_of(*report, fixed) << '\n';
    return exit_of(verdict);
  }
  print_ids(console, report->network, report->member, "proof", fixed);
  if (verdict <= Verdict::incomplete) {
    console.out << "It holds: entry " << report->index << " is in the log that this member signed, "
                << date_of(report->leaf.time) << " by its clock.\n";
    for (const Confirmation& word : report->confirmations) {
      console.out << "  confirmed by " << full_id(word.witness.view()) << "  "
                  << date_of(word.time()) << '\n';
    }
    console.out << "What the entry says is not in it. That those who confirmed it are members, and "
                   "that the key was in\nforce, is what the certificates in it say.\n";
  }
  if (report->policy) print_policy(console, "this proof", *report->policy);
  print_findings(console, report->findings);
  return exit_of(verdict);
}

Exit verify_evidence_file(const std::string& content, const VerifyOptions& options,
                          const Console& console) {
  const auto evidence = decode_evidence(content);
  const auto proven = evidence ? verify_evidence(*evidence) : evidence.error();
  if (!proven) {
    return complain(console,
                    fail(Errc::bad_proof, "this evidence proves nothing (" + proven.error().detail +
                                              "): accuse nobody with it, and ask for it once more"),
                    Exit::faults);
  }
  if (const auto other = refuse_other(options, "this evidence is about a key of", proven->network,
                                      proven->member, console)) {
    return *other;
  }
  const bool fixed = is_named(options.expected, proven->member.view());
  if (console.json) {
    console.out << json_of(*proven, fixed) << '\n';
    return exit_of(Verdict::forked);
  }
  print_ids(console, proven->network, proven->member, "evidence", fixed);
  print_contradiction(console, *proven);
  return exit_of(Verdict::forked);
}

}  // namespace

Exit verify_file(const VerifyOptions& options, const std::optional<Policy>& policy,
                 const Console& console, const Desk& desk) {
  if (!options.keys.empty()) {
    return complain(console, fail(Errc::usage, "keys open an export; " + options.path +
                                                   " is no folder, so there is nothing to open"));
  }
  if (options.report || !options.html.empty()) {
    return complain(console, fail(Errc::usage, "a report is about an export; " + options.path +
                                                   " is no folder"));
  }
  const auto content = files::read(desk.working_folder / options.path, proof_bytes_max);
  if (!content && content.error().code == Errc::too_large) {
    return complain(console,
                    fail(Errc::malformed, "this is no proof and no evidence: it is too long"),
                    Exit::faults);
  }
  if (!content) return complain(console, fail(Errc::usage, content.error().detail));
  if (!content->starts_with(evidence_header)) {
    return verify_proof(*content, options, policy, console);
  }
  if (!policy) return verify_evidence_file(*content, options, console);
  return complain(console, fail(Errc::usage, "a policy is about who confirmed a log, and " +
                                                 options.path + " is evidence"));
}

}  // namespace kith::client
