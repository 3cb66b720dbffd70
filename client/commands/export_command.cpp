#include <algorithm>
#include <iterator>
#include <set>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/commands/exporter.hpp"
#include "client/layout.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"

namespace kith::client {
namespace {

/// All logs that there are to export, by their codes.
Answered<local::ExportLogsAnswer> ask_logs(const ExportOptions& options, Daemon& daemon,
                                           const Console& console) {
  local::ExportLogsAnswer all;
  std::set<Bytes> certificates;
  local::ExportLogsRequest request{options.member, {}, 0};
  for (bool more = true; more;) {
    auto page = ask<local::ExportLogsAnswer>(daemon, console, request);
    if (!page) return page;
    local::ExportLogsAnswer& next = *page.answer;
    more = next.more;
    const bool goes_on =
        next.logs.empty() ? !more : !request.after || *request.after < next.logs.front().log;
    if (!goes_on || all.logs.size() + next.logs.size() > limits::logs_max) {
      const Error error = fail(Errc::malformed, "kithd answered for other logs");
      return {std::nullopt, complain(console, error)};
    }
    all.network = next.network;
    all.network_name = next.network_name;
    all.member = next.member;
    if (!next.logs.empty()) request.after = next.logs.back().log;
    std::ranges::move(next.logs, std::back_inserter(all.logs));
    // Who is a witness of many logs stands in many answers.
    for (Bytes& statement : next.certificates) {
      if (certificates.insert(statement).second) all.certificates.push_back(std::move(statement));
    }
  }
  std::ranges::sort(all.logs, {}, &local::ExportedLog::code);
  return {std::move(all), Exit::ok};
}

/// What is false in an export that was just written, or nothing.
std::optional<std::string> damage_in(const std::vector<LogReport>& reports) {
  for (const LogReport& report : reports) {
    const auto& kept = report.findings.kept();
    const auto damage = std::ranges::find(kept, Verdict::damaged, &Finding::verdict);
    if (damage != kept.end()) return damage->file + ": " + damage->what;
    if (!report.log_key) return report.log.path + ": who may sign it is not known here";
  }
  return std::nullopt;
}

/// The list of contents of the export that stands at the place, or nothing if none does.
Result<std::optional<Manifest>> read_before(const FolderFiles& before) {
  const auto bytes = before.read(std::string(manifest_name), manifest_bytes_max);
  if (!bytes && bytes.error().code == Errc::not_found) return std::optional<Manifest>();
  auto manifest = bytes ? decode_manifest(text(*bytes)) : bytes.error();
  if (!manifest) return fail(Errc::usage, "its list of contents is damaged");
  return std::optional(std::move(*manifest));
}

/// Why the export that stands at the place must not give way to a new one; nothing if it may.
std::optional<std::string> why_not_replace(const FolderFiles& before, const Manifest& manifest,
                                           const ExportOptions& options,
                                           const local::ExportLogsAnswer& logs,
                                           const local::EvidenceAnswer& evidence) {
  if (manifest.network != logs.network) return "it is of another network";
  if (manifest.is_whole && !options.with_payloads) return "it holds contents, and this would not";
  std::uint64_t expected = 2 + manifest.evidence.size();
  for (const Hash& hash : manifest.evidence) {
    const bool is_held = std::ranges::any_of(evidence.pieces, [&](const local::EvidenceRow& piece) {
      return blake2b({view(piece.file)}) == hash;
    });
    if (!is_held) return "it holds evidence, and this would not";
  }
  for (const ArchivedLog& log : manifest.logs) {
    const auto same = std::ranges::find(logs.logs, log.member, &local::ExportedLog::member);
    if (same == logs.logs.end()) return "it holds " + log.path + ", and this would not";
    if (same->size < log.size) return "it holds more of " + log.path + " than is held here";
    expected += count_files(log);
  }
  std::uint64_t there = 0;
  before.each([&](const std::string&) { return ++there <= expected; });
  if (there > expected) return "there are files in it that are not of the export";
  return std::nullopt;
}

/// What an export that stands there holds and the new one would have to leave out, or nothing.
std::optional<std::string> lost_from(const Manifest& before, const WrittenLogs& written) {
  for (const std::string& code : written.left_out) {
    const bool is_held = std::ranges::any_of(
        before.logs, [&](const ArchivedLog& log) { return log.path == "commons/" + code; });
    if (is_held) return code;
  }
  return std::nullopt;
}

/// How one attempt ended: written, or damaged and perhaps only in what was taken over, or over.
struct Attempt {
  Answered<WrittenLogs> written;
  bool is_damaged = false;
};

Attempt attempt(const ExportOptions& options, const local::ExportLogsAnswer& logs,
                const local::EvidenceAnswer& evidence, bool is_fresh, Daemon& daemon,
                const Console& console, const Desk& desk) {
  const auto over = [&](const Error& error) {
    return Attempt{{std::nullopt, complain(console, error)}};
  };
  auto folder = FolderWriter::begin(desk.working_folder / options.folder);
  if (!folder) return over(folder.error());
  const auto before = read_before(folder->before());
  std::optional<std::string> why_not;
  if (!before) why_not = before.error().detail;
  if (before && *before) {
    why_not = why_not_replace(folder->before(), **before, options, logs, evidence);
  }
  if (why_not) {
    return over(fail(Errc::usage,
                     options.folder + " is left as it is: " + *why_not + "; name another folder"));
  }
  const Manifest taken_over = is_fresh ? Manifest() : before->value_or(Manifest());
  Exporter exporter(options, logs, evidence, *folder, taken_over, daemon, console);
  auto written = exporter.run(desk.now());
  if (!written) return {std::move(written)};

  // Nothing is handed out that does not hold here.
  if (const auto damage = damage_in(written->reports)) {
    if (!is_fresh) return {{std::nullopt, Exit::ok}, true};
    return over(fail(Errc::io, "what kithd holds does not fit together (" + *damage +
                                   "); nothing was exported. If kith peers shows that something "
                                   "is still to come, wait for it; else run kithd check"));
  }
  if (written->reports.empty()) {
    return over(fail(Errc::unavailable, "contents in clear of " + joined(written->left_out, ", ") +
                                            " have not arrived here yet, and without them nobody "
                                            "can tell who may sign; nothing was exported. Try "
                                            "again when kith peers shows them"));
  }
  const auto lost = *before ? lost_from(**before, *written) : std::nullopt;
  if (lost) {
    return over(fail(Errc::unavailable,
                     options.folder + " is left as it is: it holds commons/" + *lost +
                         ", of which contents in clear have not arrived here yet; try again when "
                         "kith peers shows them, or name another folder"));
  }
  const std::string list = encode_manifest(written->manifest);
  auto stored = folder->write(std::string(manifest_name), view(list));
  if (stored) stored = folder->finish();
  if (!stored) return over(stored.error());
  return {std::move(written)};
}

/// An export in its place, or the exit code of the complaint.
Answered<WrittenLogs> write_export(const ExportOptions& options,
                                   const local::ExportLogsAnswer& logs,
                                   const local::EvidenceAnswer& evidence, Daemon& daemon,
                                   const Console& console, const Desk& desk) {
  Attempt first = attempt(options, logs, evidence, false, daemon, console, desk);
  if (!first.is_damaged) return std::move(first.written);
  // What was taken over from the earlier export may have been damaged there.
  return attempt(options, logs, evidence, true, daemon, console, desk).written;
}

}  // namespace

Exit export_to(const ExportOptions& options, Daemon& daemon, const Console& console,
               const Desk& desk) {
  const auto logs = ask_logs(options, daemon, console);
  if (!logs) return logs.exit;
  const auto evidence = ask<local::EvidenceAnswer>(daemon, console, local::EvidenceRequest{});
  if (!evidence) return evidence.exit;
  const auto written = write_export(options, *logs, *evidence, daemon, console, desk);
  if (!written) return written.exit;

  Exported exported{options.folder, written->manifest, written->reports, {}, written->left_out};
  for (const local::ExportedLog& log : logs->logs) {
    if (log.frozen) exported.frozen.push_back(log.code);
  }
  if (!exported.frozen.empty()) {
    console.err
        << "kith: two conflicting histories are known of " << joined(exported.frozen, ", ")
        << "; this export holds the one that is kept here, and the proof that there are two\n";
  }
  for (const LogReport& report : exported.reports) {
    for (const Finding& finding : report.findings.kept()) {
      if (finding.verdict < Verdict::damaged) continue;
      console.err << "kith: " << clean_line(finding.file) << ": " << clean_line(finding.what)
                  << '\n';
    }
  }
  const bool is_complete = exported.left_out.empty();
  if (!is_complete) {
    console.err << "kith: left out: " << clean_line(joined(exported.left_out, ", "))
                << ". Contents in clear have not arrived here yet, and without them nobody can "
                   "tell who may sign;\nexport again when kith peers shows them\n";
  }
  const Exit exit = is_complete ? Exit::ok : Exit::incomplete;
  if (console.json) {
    console.out << json_of(exported) << '\n';
    return exit;
  }
  std::uint64_t entries = 0;
  for (const LogReport& report : exported.reports) entries += report.log.size;
  console.out << counted(exported.reports.size(), "log", "logs") << " with "
              << counted(entries, "entry", "entries") << " exported to "
              << clean_line(options.folder) << '\n';
  if (!options.with_payloads) {
    console.out
        << "Their contents are not in it: add --with-payloads for them, sealed as they are.\n";
  } else if (exported.missing() > 0) {
    console.out << counted(exported.missing(), "content is", "contents are")
                << " not held here and so not in it.\n";
  }
  console.err << "anyone checks it with: kith verify " << shell_word(options.folder) << '\n';
  return exit;
}

}  // namespace kith::client
