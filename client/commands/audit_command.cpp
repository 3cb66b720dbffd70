#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/commands/verify_parts.hpp"
#include "client/layout.hpp"
#include "client/report_page.hpp"
#include "protocol/audit/evidence.hpp"

namespace kith::client {
namespace {

/// Who might speak where, verified here once more.
Result<KeyHistory> history_of(const NetworkId& network, const local::AuditRow& row) {
  KeyHistory keys(network, row.member);
  std::optional<std::uint64_t> before;
  for (const local::StatementRow& one : row.keys) {
    if (before && *before >= one.index) return fail(Errc::malformed, "statements out of order");
    before = one.index;
    const auto added = one.is_certificate ? keys.add_certificate(one.index, one.statement)
                                          : keys.add_enrolment(one.index, one.statement);
    if (!added) return added.error();
  }
  return keys;
}

Result<ReportedLog> report_of(const local::AuditRow& row, const NetworkId& network) {
  ReportedLog log;
  log.name = row.code;
  log.member = row.member;
  log.id = row.log;
  log.size = row.size;
  log.root = row.root;
  log.verdict = row.verdict;
  log.first_time = row.first_time;
  log.last_time = row.last_time;
  for (const Cosignature& word : row.words) {
    log.confirmations.push_back({word.witness, word.size, word.time_s});
  }
  log.witnesses = row.witnesses;
  auto keys = history_of(network, row);
  if (!keys) return fail(keys.error(), "the keys of " + row.code);
  log.keys = std::move(*keys);
  log.are_keys_known = row.are_keys_known;
  log.signatures = row.signatures;
  log.sealed = row.sealed;
  log.missing = row.missing;
  for (const local::AuditFault& fault : row.faults) {
    log.findings.push_back({fault.verdict, "", fault.what});
  }
  return log;
}

/// To the log it is about, or to those of the member whose recovery key it is about.
void add_evidence(const local::EvidenceAnswer& held, AuditReport& report) {
  for (const local::EvidenceRow& row : held.pieces) {
    const auto evidence = decode_evidence(row.file);
    const auto proven = evidence ? verify_evidence(*evidence) : evidence.error();
    if (!proven) continue;
    const ReportedEvidence piece{"", *proven, row.counts};
    bool is_about_log = false;
    for (ReportedLog& log : report.logs) {
      if (proven->log ? *proven->log != log.id : proven->member != log.member) continue;
      is_about_log = true;
      log.evidence.push_back(piece);
    }
    const bool is_about_witness =
        proven->liar != Liar::log_key &&
        std::ranges::any_of(report.logs, [&](const ReportedLog& log) {
          return std::ranges::count(log.confirmations, proven->member, &Confirmation::witness) > 0;
        });
    if (!is_about_log && is_about_witness) report.evidence.push_back(piece);
  }
}

Answered<AuditReport> make_report(const local::AuditAnswer& answer, Daemon& daemon,
                                  const Console& console, const Desk& desk) {
  const auto status = ask<local::StatusAnswer>(daemon, console, local::StatusRequest{});
  if (!status) return {std::nullopt, status.exit};
  const auto held = ask<local::EvidenceAnswer>(daemon, console, local::EvidenceRequest{});
  if (!held) return {std::nullopt, held.exit};
  AuditReport report;
  report.network = status->network;
  report.network_name = status->network_name;
  report.source = "what the daemon of " + status->code + " holds";
  report.time = desk.now();
  report.expected = true;
  for (const local::AuditRow& row : answer.logs) {
    auto log = report_of(row, status->network);
    if (!log) return {std::nullopt, complain(console, log.error())};
    report.logs.push_back(std::move(*log));
    report.codes[row.member] = row.code;
  }
  add_evidence(*held, report);
  return {std::move(report), Exit::ok};
}

}  // namespace

Exit audit(const AuditOptions& options, Daemon& daemon, const Console& console, const Desk& desk) {
  const auto answer = ask<local::AuditAnswer>(daemon, console, local::AuditRequest{options.member});
  if (!answer) return answer.exit;
  if (answer->logs.empty()) {
    return complain(console, fail(Errc::not_found, "there is no history to audit here yet"));
  }
  const auto report = make_report(*answer, daemon, console, desk);
  if (!report) return report.exit;
  const Exit written = write_html(*report, options.html, console, desk);
  if (written != Exit::ok) return written;
  const bool intact = std::ranges::all_of(
      answer->logs, [](const local::AuditRow& log) { return log.intact && !log.frozen; });
  if (console.json) {
    console.out << json_of(*answer, *report, intact) << '\n';
    return intact ? Exit::ok : Exit::faults;
  }
  print_page(console, page_of(*report));
  const std::string whose = answer->logs.size() == 1
                                ? "The history of " + clean_line(answer->logs[0].code)
                                : "Every history";
  console.out << '\n';
  print_wide(console, "",
             intact ? whose + " is intact."
                    : "Not all of it holds, or not all of it is here. What is missing may still be "
                      "on its way: see kith peers. Where something is damaged, it is most likely "
                      "this machine's disk: stop kithd and run kithd check. Of all else tell the "
                      "member it belongs to.");
  return intact ? Exit::ok : Exit::faults;
}

}  // namespace kith::client
