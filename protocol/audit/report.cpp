#include "protocol/audit/report.hpp"

#include <algorithm>

namespace kith {
namespace {

ReportedLog report_of(const LogReport& log) {
  ReportedLog reported;
  reported.name = log.log.path;
  reported.member = log.log.member;
  reported.id = log.id;
  reported.size = log.log.size;
  reported.root = log.root;
  reported.verdict = log.findings.verdict();
  reported.first_time = log.first_time;
  reported.last_time = log.last_time;
  reported.confirmations = log.confirmations;
  reported.keys = log.keys;
  reported.are_keys_known = log.are_keys_known;
  reported.evidence = log.evidence;
  reported.signatures = log.author_signatures;
  reported.sealed = log.sealed;
  reported.missing = log.missing;
  reported.policy = log.policy;
  reported.findings = log.findings.kept();
  reported.more_findings = log.findings.left_out();
  return reported;
}

}  // namespace

std::size_t ReportedLog::confirmed() const {
  return static_cast<std::size_t>(std::ranges::count(confirmations, size, &Confirmation::size));
}

Verdict AuditReport::verdict() const {
  Verdict worst = Verdict::intact;
  for (const Finding& finding : findings) worst = std::max(worst, finding.verdict);
  for (const ReportedLog& log : logs) worst = std::max(worst, log.verdict);
  return worst;
}

AuditReport report_of(const ArchiveReport& archive, const std::string& source, Millis now,
                      bool expected) {
  AuditReport report;
  report.network = archive.manifest.network;
  report.network_name = archive.manifest.network_name;
  report.source = source;
  report.time = now;
  report.expected = expected;
  for (const LogReport& log : archive.logs) {
    report.logs.push_back(report_of(log));
    report.codes[log.log.member] = log.log.path.substr(log.log.path.find('/') + 1);
  }
  report.evidence = archive.evidence;
  report.findings = archive.findings.kept();
  report.more_findings = archive.findings.left_out();
  return report;
}

}  // namespace kith
