#include <algorithm>

#include "client/archive_folder.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/commands/verify_parts.hpp"
#include "client/commands/verifying.hpp"
#include "client/daemon.hpp"
#include "client/layout.hpp"
#include "client/report_page.hpp"
#include "protocol/audit/disclosed_keys.hpp"
#include "protocol/audit/policy_check.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

/// The ids that were given and are neither the network's nor a member's.
std::vector<std::string> unmet(const Manifest& manifest, const std::vector<std::string>& expected) {
  std::vector<std::string> ids{full_id(manifest.network.view())};
  for (const ArchivedLog& log : manifest.logs) ids.push_back(full_id(log.member.view()));
  std::vector<std::string> missing;
  for (const std::string& id : expected) {
    if (std::ranges::count(ids, lower_case(id)) == 0) missing.push_back(id);
  }
  return missing;
}

/// Whether the auditor named the member of every log: that of the network alone says nothing about
/// whose log it is.
bool is_fixed(const Manifest& manifest, const std::vector<std::string>& expected) {
  return std::ranges::all_of(
      manifest.logs, [&](const ArchivedLog& log) { return is_named(expected, log.member.view()); });
}

void print_logs(const Console& console, const ArchiveReport& report) {
  // Narrow enough for 80 columns; --json has everything.
  Table table({"log", "entries", "last logged", "existed by", "confirmed", "sealed", "missing"});
  for (const LogReport& log : report.logs) {
    table.add({log.log.path, std::to_string(log.log.size), date_of(log.last_time).substr(0, 10),
               log.existed_by() == 0 ? "" : date_of(log.existed_by()),
               "by " + std::to_string(log.confirmed()), std::to_string(log.sealed),
               std::to_string(log.missing)});
  }
  table.print(console);
}

void print_ids(const Console& console, const ArchiveReport& report, bool fixed) {
  const Manifest& manifest = report.manifest;
  console.out << "Checked against network " << full_id(manifest.network.view()) << '\n';
  for (const ArchivedLog& log : manifest.logs) {
    console.out << "  member " << full_id(log.member.view()) << "  " << log.path << '\n';
  }
  console.out << (fixed
                      ? "as you expect the members to be.\n"
                      : "These ids come from the export itself: compare them with what the members "
                        "told you, and give\n--expect ID for each member.\n");
}

void print_disclosures(const Console& console, const ArchiveReport& report) {
  for (const auto& [file, disclosure, opened] : report.disclosures) {
    const bool is_own = disclosure.discloser == disclosure.member;
    console.out << "Keys of " << clean_line(file) << ": given by "
                << (is_own ? "the member itself" : full_id(disclosure.discloser.view())) << " on "
                << date_of(disclosure.time).substr(0, 10) << " to "
                << clean_line(disclosure.recipient) << " for " << clean_line(disclosure.purpose)
                << ";\n  they open " << counted(opened, "entry", "entries") << " of member "
                << full_id(disclosure.member.view()) << '\n';
  }
}

void print_report(const Console& console, const ArchiveReport& report, bool fixed) {
  print_ids(console, report, fixed);
  const bool holds = report.verdict() <= Verdict::incomplete;
  console.out
      << (holds ? "What is in it holds: every hash, every signature of a log and of those who "
                  "confirmed it, and the\nhistory of keys from the first entry on.\n"
                : "NOT ALL OF IT HOLDS; see below.\n");
  std::uint64_t sealed = 0;
  std::uint64_t signatures = 0;
  for (const LogReport& log : report.logs) {
    sealed += log.sealed;
    signatures += log.author_signatures;
  }
  print_disclosures(console, report);
  if (signatures > 0) {
    console.out << "Checked: the author signatures of " << counted(signatures, "entry", "entries")
                << ", each against who was enrolled at its place in\nthe log.\n";
  }
  if (sealed > 0) {
    console.out << "Not checked: the author signatures of " << counted(sealed, "entry", "entries")
                << ", whose contents are sealed"
                << (report.manifest.is_whole ? " and to which no key was given.\n"
                                             : " and not in this export.\n");
  }
  console.out << "Not shown: that these members, and those who confirmed, belong to that network. "
                 "Their own\ncertificates say so; ask its members.\n\n";
  print_logs(console, report);
  for (const LogReport& log : report.logs) {
    if (log.policy) print_policy(console, log.log.path, *log.policy);
  }
  print_findings(console, report.findings);
  for (const LogReport& log : report.logs) print_findings(console, log.findings);
}

/// The files of keys that were given, or the complaint about one.
Answered<DisclosedKeys> read_keys(const VerifyOptions& options, const Console& console,
                                  const Desk& desk) {
  DisclosedKeys keys;
  for (const std::string& file : options.keys) {
    auto content = files::read(desk.working_folder / file, disclosure_bytes_max);
    if (!content && content.error().code != Errc::too_large) {
      return {std::nullopt, complain(console, fail(Errc::usage, content.error().detail))};
    }
    auto disclosure = content ? decode_disclosure(*content) : content.error();
    if (content) wipe(*content);
    if (!disclosure) {
      const Error no_keys = fail(
          Errc::malformed, file + " holds no keys that can be used: " + disclosure.error().detail +
                               "; ask for it once more");
      return {std::nullopt, complain(console, no_keys, Exit::faults)};
    }
    keys.add(file, std::move(*disclosure));
  }
  return {std::move(keys), Exit::ok};
}

}  // namespace

Exit verify(const VerifyOptions& options, const Console& console, const Desk& desk) {
  for (const std::string& id : options.expected) {
    const auto bytes = from_base32(lower_case(id));
    if (bytes && bytes->size() == MemberId::size) continue;
    return complain(console, fail(Errc::usage, "\"" + id +
                                                   "\" is no whole id; it has 52 characters, "
                                                   "and kith status --json shows it"));
  }
  const auto policy = read_policy(options.policy, console, desk);
  if (!policy) return policy.exit;
  std::error_code ignored;
  if (!std::filesystem::is_directory(desk.working_folder / options.path, ignored)) {
    return verify_file(options, *policy, console, desk);
  }
  const auto keys = read_keys(options, console, desk);
  if (!keys) return keys.exit;
  const FolderFiles files(desk.working_folder / options.path);
  auto audit = ArchiveAudit::begin(files, [&](const LogId& log) { return keys->keys_of(log); });
  if (!audit && audit.error().code == Errc::usage) return complain(console, audit.error());
  if (!audit) return complain(console, audit.error(), Exit::faults);
  const auto missing = unmet(audit->manifest(), options.expected);
  if (!missing.empty()) {
    return complain(console,
                    fail(Errc::conflict, "this export is of network " +
                                             full_id(audit->manifest().network.view()) +
                                             " and holds nothing of " + joined(missing, ", ")),
                    Exit::forged);
  }
  if (const auto fit = keys->belong_to(audit->manifest()); !fit) {
    return complain(console, fit.error(), Exit::usage);
  }
  check_logs(*audit, cores(), console);
  ArchiveReport report = audit->finish();
  keys->tell(report);
  if (*policy) hold_against(**policy, report);
  const bool fixed = is_fixed(report.manifest, options.expected);
  const AuditReport told = report_of(report, "the export " + options.path, desk.now(), fixed);
  const Exit written = write_html(told, options.html, console, desk);
  if (written != Exit::ok) return written;
  if (console.json) {
    console.out << json_of(report, told) << '\n';
    return exit_of(report.verdict());
  }
  print_report(console, report, fixed);
  if (options.report) print_page(console, page_of(told));
  return exit_of(report.verdict());
}

}  // namespace kith::client
