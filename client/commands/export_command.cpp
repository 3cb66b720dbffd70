#include <algorithm>
#include <set>

#include "client/archive_folder.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/commands/verifying.hpp"
#include "client/layout.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/log/archive_writer.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/witness.hpp"

namespace kith::client {
namespace {

/// A witness's word, and the certificate that names the key it was given with.
struct Word {
  Cosignature said;
  std::size_t certificate = 0;
};

struct Certificates {
  std::vector<Bytes> statements;
  std::vector<Certificate> read;
};

Certificates read_certificates(const local::ExportLogsAnswer& answer) {
  Certificates certificates;
  for (const Bytes& statement : answer.certificates) {
    const auto certificate = verify_certificate(statement);
    if (!certificate) continue;
    certificates.statements.push_back(statement);
    certificates.read.push_back(*certificate);
  }
  return certificates;
}

/// Whether these are so many leaves: what is damaged is asked for again.
bool is_bundle(BytesView bytes, unsigned width) {
  const auto entries = split_bundle(bytes, width);
  return entries && entries->size() == width && std::ranges::all_of(*entries, [](BytesView entry) {
           return decode_leaf(text(entry)).has_value();
         });
}

std::vector<Word> words_of(const local::ExportedLog& log, const Certificates& certificates) {
  std::vector<Word> words;
  for (const Cosignature& said : log.cosignatures) {
    if (said.size == 0 || said.size > log.size) continue;
    for (std::size_t i = 0; i < certificates.read.size(); ++i) {
      const Certificate& certificate = certificates.read[i];
      if (certificate.member != said.witness) continue;
      if (!verify_cosignature(said, certificate.witness_key)) continue;
      words.push_back({said, i});
      break;
    }
  }
  return words;
}

/// Writes logs one after the other.
class Exporter {
 public:
  /// `is_fresh`: nothing is taken over from the export that stands there.
  Exporter(const ExportOptions& options, const local::ExportLogsAnswer& answer,
           FolderWriter& folder, bool is_fresh, Daemon& daemon, const Console& console)
      : options_(options),
        answer_(answer),
        folder_(folder),
        daemon_(daemon),
        console_(console),
        bar_(console),
        certificates_(read_certificates(answer)) {
    for (const local::ExportedLog& log : answer.logs) total_ += log.size;
    const auto bytes = folder.before().read(std::string(manifest_name), manifest_bytes_max);
    const auto before = bytes ? decode_manifest(text(*bytes)) : bytes.error();
    if (!is_fresh && before && before->network == answer.network) before_ = *before;
  }

  /// The exit code of the complaint if something failed.
  [[nodiscard]] Answered<Manifest> run(Millis now) {
    Manifest manifest;
    manifest.network = answer_.network;
    manifest.network_name = answer_.network_name;
    manifest.exporter = answer_.member;
    manifest.time = now;
    manifest.is_whole = options_.with_payloads;
    for (const local::ExportedLog& log : answer_.logs) {
      const auto archived = write_log(log);
      if (!archived) return {std::nullopt, archived.exit};
      manifest.logs.push_back(*archived);
    }
    std::vector<Bytes> needed;
    for (const std::size_t i : needed_) needed.push_back(certificates_.statements[i]);
    const std::string list = encode_certificates(needed);
    manifest.certificates = blake2b({view(list)});
    const auto written = folder_.write(std::string(certificates_name), view(list));
    if (!written) return {std::nullopt, complain(console_, written.error())};
    return {std::move(manifest), Exit::ok};
  }

  /// In the order of the file of certificates.
  [[nodiscard]] std::vector<Certificate> needed() const {
    std::vector<Certificate> certificates;
    for (const std::size_t i : needed_) certificates.push_back(certificates_.read[i]);
    return certificates;
  }

 private:
  Answered<ArchivedLog> write_log(const local::ExportedLog& log) {
    ArchivedLog archived{"commons/" + log.code, log.member, log.space, log.size, {}, {}};
    const auto same = std::ranges::find(before_.logs, archived.path, &ArchivedLog::path);
    const bool is_before = same != before_.logs.end() && same->member == log.member;
    held_ = is_before ? std::min(same->size, log.size) : 0;
    keeps_payloads_ = is_before && before_.is_whole == options_.with_payloads;

    ArchiveWriter writer([&](const std::string& path, BytesView content) {
      return folder_.write(archived.path + '/' + path, content);
    });
    for (std::uint64_t first = 0; first < log.size; first += limits::tile_hashes) {
      bar_.show(done_ + first, total_, "exporting " + clean_line(log.code));
      const Exit exit = write_bundle(log, archived.path, first, writer);
      if (exit != Exit::ok) return {std::nullopt, exit};
    }
    done_ += log.size;
    const auto root = writer.finish();
    const auto said = root ? write_words(log, archived) : Result<bool>(root.error());
    bar_.clear();
    if (!said) return {std::nullopt, complain(console_, said.error())};
    return {std::move(archived), Exit::ok};
  }

  Exit write_bundle(const local::ExportedLog& log, const std::string& path, std::uint64_t first,
                    ArchiveWriter& writer) {
    const std::uint64_t last = std::min(log.size, first + limits::tile_hashes);
    const auto width = static_cast<unsigned>(last - first);
    const std::uint64_t bundle = first / limits::tile_hashes;
    const std::string payloads = path + '/' + payloads_path(bundle, width);
    const bool is_complete = width == limits::tile_hashes && last <= held_;
    if (is_complete && keeps_payloads_) {
      const auto leaves = folder_.before().read(path + '/' + bundle_path(bundle, width),
                                                limits::tile_hashes * limits::leaf_bytes_max * 2);
      if (leaves && is_bundle(*leaves, width) && has_all(payloads, width) &&
          folder_.keep(payloads)) {
        const auto added = writer.add(*leaves);
        return added ? Exit::ok : complain(console_, added.error());
      }
    }
    local::ExportEntriesRequest request{log.log, first, last, first, options_.with_payloads};
    while (request.payloads_from < last) {
      const auto entries = ask<local::ExportEntriesAnswer>(daemon_, console_, request);
      if (!entries) return entries.exit;
      if (entries->payloads_to <= request.payloads_from || entries->payloads_to > last) {
        return complain(console_, fail(Errc::malformed, "kithd answered for other entries"));
      }
      Result<bool> written = true;
      if (request.payloads_from == first) written = writer.add(entries->leaves);
      if (written) written = folder_.append(payloads, entries->payloads);
      if (!written) return complain(console_, written.error());
      request.payloads_from = entries->payloads_to;
    }
    return Exit::ok;
  }

  /// Whether nothing was left out of a file of payloads that could be here now.
  [[nodiscard]] bool has_all(const std::string& path, unsigned width) const {
    if (!options_.with_payloads) return true;  // What is in clear is never missing for long.
    const auto source = folder_.before().open(path);
    if (!source) return false;
    for (unsigned i = 0; i < width; ++i) {
      const auto payload = next_payload(**source, limits::payload_bytes_max);
      if (!payload || !*payload) return false;
    }
    return true;
  }

  Result<bool> write_words(const local::ExportedLog& log, ArchivedLog& archived) {
    auto note = decode_note(log.checkpoint);
    if (!note) return fail(note.error(), "the checkpoint of " + log.code);
    std::vector<Cosignature> further;
    for (const Word& word : words_of(log, certificates_)) {
      needed_.insert(word.certificate);
      const bool is_line =
          word.said.size == log.size && note->signatures.size() <= checkpoint_cosignatures_max;
      if (!is_line) {
        further.push_back(word.said);
        continue;
      }
      note->signatures.push_back(
          to_note_signature(word.said, certificates_.read[word.certificate].witness_key));
    }
    const std::string checkpoint = encode_note(*note);
    archived.checkpoint = blake2b({view(checkpoint)});
    auto written =
        folder_.write(archived.path + '/' + std::string(checkpoint_name), view(checkpoint));
    if (!written || further.empty()) return written;
    const std::string words = encode_cosignatures(further);
    archived.cosignatures = blake2b({view(words)});
    return folder_.write(archived.path + '/' + std::string(cosignatures_name), view(words));
  }

  const ExportOptions& options_;
  const local::ExportLogsAnswer& answer_;
  FolderWriter& folder_;
  Daemon& daemon_;
  const Console& console_;
  ProgressBar bar_;
  Certificates certificates_;
  std::set<std::size_t> needed_;
  Manifest before_;  // Of the export that stands there.
  std::uint64_t held_ = 0;
  bool keeps_payloads_ = false;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

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

/// Why the export that stands at the place must not give way to a new one; nothing if it may.
std::optional<std::string> why_not_replace(const FolderFiles& before, const ExportOptions& options,
                                           const local::ExportLogsAnswer& logs) {
  const auto bytes = before.read(std::string(manifest_name), manifest_bytes_max);
  if (!bytes) return std::nullopt;  // Nothing stands there.
  const auto manifest = decode_manifest(text(*bytes));
  if (!manifest) return "its list of contents is damaged";
  if (manifest->network != logs.network) return "it is of another network";
  if (manifest->is_whole && !options.with_payloads) return "it holds contents, and this would not";
  std::uint64_t expected = 2;
  for (const ArchivedLog& log : manifest->logs) {
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

/// An export in its place, or the exit code of the complaint.
struct Written {
  Manifest manifest;
  std::vector<LogReport> reports;
};
Answered<Written> write_export(const ExportOptions& options, const local::ExportLogsAnswer& logs,
                               bool is_fresh, Daemon& daemon, const Console& console,
                               const Desk& desk) {
  const auto place = desk.working_folder / options.folder;
  if (const auto why = why_not_replace(FolderFiles(place), options, logs)) {
    return {std::nullopt,
            complain(console, fail(Errc::usage, options.folder + " is left as it is: " + *why +
                                                    "; name another folder"))};
  }
  auto folder = FolderWriter::begin(place);
  if (!folder) return {std::nullopt, complain(console, folder.error())};
  Exporter exporter(options, logs, *folder, is_fresh, daemon, console);
  const auto contents = exporter.run(desk.now());
  if (!contents) return {std::nullopt, contents.exit};
  Written written{*contents, {}};
  Manifest& manifest = written.manifest;

  // Nothing is handed out that does not hold here.
  WitnessCertificates witnesses{true, exporter.needed(), {}};
  written.reports = audit_logs(manifest, folder->files(), witnesses, console);
  if (const auto damage = damage_in(written.reports)) {
    // What was taken over from the earlier export may have been damaged there.
    if (!is_fresh) return write_export(options, logs, true, daemon, console, desk);
    return {std::nullopt,
            complain(console, fail(Errc::io, "what kithd holds does not fit together (" + *damage +
                                                 "); nothing was exported. If kith peers shows "
                                                 "that something is still to come, wait for it; "
                                                 "else run kithd check"))};
  }
  manifest.vkeys = vkeys_of(written.reports, witnesses.certificates);
  const std::string list = encode_manifest(manifest);
  auto stored = folder->write(std::string(manifest_name), view(list));
  if (stored) stored = folder->finish();
  if (!stored) return {std::nullopt, complain(console, stored.error())};
  return {std::move(written), Exit::ok};
}

}  // namespace

Exit export_to(const ExportOptions& options, Daemon& daemon, const Console& console,
               const Desk& desk) {
  const auto logs =
      ask<local::ExportLogsAnswer>(daemon, console, local::ExportLogsRequest{options.member});
  if (!logs) return logs.exit;
  const auto written = write_export(options, *logs, false, daemon, console, desk);
  if (!written) return written.exit;

  Exported exported{options.folder, written->manifest, written->reports, {}};
  for (const local::ExportedLog& log : logs->logs) {
    if (log.frozen) exported.frozen.push_back(log.code);
  }
  if (!exported.frozen.empty()) {
    console.err << "kith: two conflicting histories are known of " << joined(exported.frozen, ", ")
                << "; this export holds the one that is kept here, and not the proof\n";
  }
  for (const LogReport& report : exported.reports) {
    for (const Finding& finding : report.findings.kept()) {
      if (finding.verdict < Verdict::damaged) continue;
      console.err << "kith: " << clean_line(finding.file) << ": " << clean_line(finding.what)
                  << '\n';
    }
  }
  if (console.json) {
    console.out << json_of(exported) << '\n';
    return Exit::ok;
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
  return Exit::ok;
}

}  // namespace kith::client
