#include "client/report_page.hpp"

#include <algorithm>

#include "client/layout.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/key_file.hpp"

namespace kith::client {
namespace {

using Kind = PageBlock::Kind;

constexpr const char* what_no_log_proves =
    "What this report cannot show, because no log can: that what was written is true, or that all "
    "that happened was written; when something was written, except that it existed no later than "
    "the first confirmation that covers it; who the people are (a member is a key: compare its id "
    "with the organisation itself); and that there is nothing newer than what was checked.";

constexpr const char* what_is_gone =
    "Of contents that are not here, this version of kith knows that they are missing. It cannot "
    "tell what was erased from what was lost or withheld: ask the member.";

/// "2026-09-21 14:05 UTC": a report is read elsewhere.
std::string utc(Millis time) {
  if (time == 0) return "not known";
  std::string text = utc_of(time).substr(0, std::string_view("2026-09-21T14:05").size());
  if (text.empty()) return "no date";
  text[text.find('T')] = ' ';
  return text + " UTC";
}
std::string day(Millis time) {
  return time == 0 ? "" : utc_of(time).substr(0, std::string_view("2026-09-21").size());
}

std::string verdict_in_words(Verdict verdict) {
  switch (verdict) {
    case Verdict::intact:
      return "intact: all that is here holds";
    case Verdict::incomplete:
      return "incomplete: what is here holds, but something is missing";
    case Verdict::damaged:
      return "damaged: something is not what was written or signed";
    case Verdict::forged:
      return "forged: a signature, or the right to sign, does not hold";
    case Verdict::forked:
      break;
  }
  return "forked: two signed statements cannot both be true";
}

std::string reason_in_words(Certificate::Reason reason) {
  switch (reason) {
    case Certificate::Reason::first:
      return "the first";
    case Certificate::Reason::planned:
      return "planned";
    case Certificate::Reason::lost:
      return "keys were lost";
    case Certificate::Reason::cut:
      break;
  }
  return "cut: ends two histories";
}

std::string scopes_in_words(Scopes scopes) {
  std::vector<std::string> words;
  const auto has = [&](Scope scope) { return (scopes & static_cast<Scopes>(scope)) != 0; };
  if (has(Scope::publish)) words.emplace_back("publish");
  if (has(Scope::speak)) words.emplace_back("speak");
  if (has(Scope::steward)) words.emplace_back("steward");
  return joined(words, ", ");
}

std::string who(const AuditReport& report, const MemberId& member) {
  const auto code = report.codes.find(member);
  return full_id(member.view()) + (code == report.codes.end() ? "" : " (" + code->second + ")");
}

PageBlock paragraph(std::string text) { return {Kind::paragraph, std::move(text), {}, {}}; }
PageBlock heading(std::string text) { return {Kind::heading, std::move(text), {}, {}}; }
PageBlock subheading(std::string text) { return {Kind::subheading, std::move(text), {}, {}}; }

std::string confirmed_in_words(const ReportedLog& log) {
  std::string words = std::to_string(log.confirmed());
  if (log.witnesses) words += " of " + std::to_string(*log.witnesses);
  return words;
}

PageBlock overview(const AuditReport& report) {
  PageBlock grid{Kind::grid,
                 "The logs",
                 {"log", "verdict", "entries", "confirmed", "existed by", "sealed", "missing"},
                 {}};
  for (const ReportedLog& log : report.logs) {
    grid.rows.push_back({log.name, name(log.verdict), std::to_string(log.size),
                         "by " + confirmed_in_words(log), day(log.existed_by()),
                         std::to_string(log.sealed), std::to_string(log.missing)});
  }
  return grid;
}

PageBlock figures(const ReportedLog& log) {
  PageBlock facts{Kind::facts, "", {}, {}};
  const auto add = [&](const char* label, std::string value) {
    facts.rows.push_back({label, std::move(value)});
  };
  add("Verdict", verdict_in_words(log.verdict));
  add("Member", full_id(log.member.view()));
  add("Log", to_hex(log.id.view()));
  add("Entries", std::to_string(log.size));
  add("Root", to_base64(log.root.view()));
  add("Written",
      "from " + utc(log.first_time) + " to " + utc(log.last_time) + ", by the member's own clock");
  add("Existed by",
      log.existed_by() == 0 ? "nobody confirmed all of it" : utc(log.existed_by()) + ", all of it");
  add("Confirmed by", confirmed_in_words(log) + (log.witnesses ? " others" : "") + ", all of it");
  add("Signatures",
      log.signatures == 0
          ? "no author's was checked"
          : "those of the authors of " + counted(log.signatures, "entry", "entries") + " hold");
  add("Sealed", log.sealed == 0 ? "nothing that no key here opens"
                                : counted(log.sealed, "entry", "entries") +
                                      " that no key here opens: who signed what was not checked");
  add("Missing", log.missing == 0 ? "nothing that should be here"
                                  : counted(log.missing, "content", "contents"));
  return facts;
}

void add_keys(const ReportedLog& log, ReportPage& page) {
  page.blocks.push_back(subheading("Keys"));
  PageBlock grid{Kind::grid, "Certificates", {"certified", "reason", "from entry"}, {}};
  for (const auto& [index, certificate] : log.keys.certificates()) {
    grid.rows.push_back(
        {utc(certificate.number), reason_in_words(certificate.reason), std::to_string(index)});
  }
  page.blocks.push_back(std::move(grid));
  PageBlock authors{Kind::grid, "Who might speak, and where", {"author", "entries", "may"}, {}};
  for (const KeyHistory::Span& span : log.keys.spans()) {
    const std::string last = span.to ? std::to_string(*span.to - 1) : "the end";
    authors.rows.push_back({encode_author(span.author), std::to_string(span.from) + " to " + last,
                            scopes_in_words(span.scopes)});
  }
  page.blocks.push_back(std::move(authors));
  if (log.are_keys_known) return;
  page.blocks.push_back(paragraph(
      "More is not known: an entry that may say who signs is missing or damaged, and nothing that "
      "follows it could be judged."));
}

void add_words(const AuditReport& report, const ReportedLog& log, ReportPage& page) {
  page.blocks.push_back(subheading("Confirmed by others"));
  if (log.confirmations.empty()) {
    page.blocks.push_back(paragraph("Nobody's confirmation is here."));
  } else {
    PageBlock grid{Kind::grid, "The newest word of each", {"member", "entries", "at"}, {}};
    for (const Confirmation& word : log.confirmations) {
      grid.rows.push_back({who(report, word.witness),
                           word.size == log.size ? "all " + std::to_string(word.size)
                                                 : "the first " + std::to_string(word.size),
                           utc(word.time())});
    }
    page.blocks.push_back(std::move(grid));
  }
  if (!log.policy) return;
  const PolicyOutcome& policy = *log.policy;
  page.blocks.push_back(paragraph(policy.holds()
                                      ? "The policy is met; it asks for " + policy.quorum + "."
                                      : "THE POLICY IS NOT MET: " + why_not(policy) + "."));
}

PageBlock pieces(const std::vector<ReportedEvidence>& evidence) {
  PageBlock list{Kind::list, "", {}, {}};
  for (const ReportedEvidence& piece : evidence) {
    list.rows.push_back({(piece.file.empty() ? "" : piece.file + ": ") + in_words(piece.proven) +
                         (piece.counts ? "" : " (mended: a later certificate put an end to it)")});
  }
  return list;
}

void add_findings(const std::vector<Finding>& findings, std::uint64_t more, ReportPage& page) {
  PageBlock list{Kind::list, "", {}, {}};
  for (const Finding& finding : findings) {
    list.rows.push_back({std::string(name(finding.verdict)) + ": " +
                         (finding.file.empty() ? "" : finding.file + ": ") + finding.what});
  }
  if (more > 0) list.rows.push_back({"and " + std::to_string(more) + " more"});
  page.blocks.push_back(std::move(list));
}

void add_log(const AuditReport& report, const ReportedLog& log, ReportPage& page) {
  page.blocks.push_back(heading(log.name));
  page.blocks.push_back(figures(log));
  add_keys(log, page);
  add_words(report, log, page);
  page.blocks.push_back(subheading("Two histories"));
  page.blocks.push_back(log.evidence.empty() ? paragraph("No evidence of a second one is here.")
                                             : pieces(log.evidence));
  page.blocks.push_back(subheading("Findings"));
  if (log.findings.empty()) {
    page.blocks.push_back(paragraph("Nothing was found wrong."));
  } else {
    add_findings(log.findings, log.more_findings, page);
  }
}

}  // namespace

ReportPage page_of(const AuditReport& report) {
  ReportPage page;
  page.title = "Audit of the network " + report.network_name;
  page.blocks.push_back(paragraph(what_no_log_proves));
  PageBlock facts{Kind::facts, "", {}, {}};
  facts.rows = {
      {"Verdict", verdict_in_words(report.verdict())},
      {"Checked", report.source + ", at " + utc(report.time)},
      {"Network", full_id(report.network.view())},
      {"Whose logs", report.expected
                         ? "the ids of the members were known beforehand"
                         : "the ids come from what was checked: compare them with the members"},
      {"Not here", what_is_gone}};
  page.blocks.push_back(std::move(facts));
  page.blocks.push_back(overview(report));
  if (!report.findings.empty()) {
    page.blocks.push_back(subheading("Findings that concern no single log"));
    add_findings(report.findings, report.more_findings, page);
  }
  if (!report.evidence.empty()) {
    page.blocks.push_back(subheading("Evidence about those who confirmed"));
    page.blocks.push_back(pieces(report.evidence));
  }
  for (const ReportedLog& log : report.logs) add_log(report, log, page);
  return page;
}

}  // namespace kith::client
