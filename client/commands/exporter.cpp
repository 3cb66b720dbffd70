#include "client/commands/exporter.hpp"

#include <algorithm>

#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/witness.hpp"

namespace kith::client {
namespace {

/// A witness's word, and the position of the certificate that names the key it was given with.
struct Word {
  Cosignature said;
  std::size_t certificate = 0;
};

/// Whether these are so many leaves: what is damaged is asked for again.
bool is_bundle(BytesView bytes, unsigned width) {
  const auto entries = split_bundle(bytes, width);
  return entries && entries->size() == width && std::ranges::all_of(*entries, [](BytesView entry) {
           return decode_leaf(text(entry)).has_value();
         });
}

std::vector<Word> words_of(const local::ExportedLog& log, const WitnessCertificates& witnesses) {
  std::vector<Word> words;
  for (const Cosignature& said : log.cosignatures) {
    if (said.size == 0 || said.size > log.size) continue;
    for (const std::size_t i : witnesses.of(witness_name(said.witness))) {
      if (!verify_cosignature(said, witnesses.certificates[i].witness_key)) continue;
      words.push_back({said, i});
      break;
    }
  }
  return words;
}

}  // namespace

Exporter::Exporter(const ExportOptions& options, const local::ExportLogsAnswer& answer,
                   FolderWriter& folder, bool is_fresh, Daemon& daemon, const Console& console)
    : options_(options),
      answer_(answer),
      folder_(folder),
      daemon_(daemon),
      console_(console),
      bar_(console, std::chrono::steady_clock::now),
      progress_{bar_} {
  for (const Bytes& statement : answer.certificates) {
    const auto certificate = verify_certificate(statement);
    if (!certificate) continue;
    statements_.push_back(statement);
    witnesses_.add(*certificate);
  }
  for (const local::ExportedLog& log : answer.logs) progress_.total += 2 * log.size;
  const auto bytes = folder.before().read(std::string(manifest_name), manifest_bytes_max);
  const auto before = bytes ? decode_manifest(text(*bytes)) : bytes.error();
  if (!is_fresh && before && before->network == answer.network) before_ = *before;
}

Answered<WrittenLogs> Exporter::run(Millis now) {
  WrittenLogs written;
  Manifest& manifest = written.manifest;
  manifest.network = answer_.network;
  manifest.network_name = answer_.network_name;
  manifest.exporter = answer_.member;
  manifest.time = now;
  manifest.is_whole = options_.with_payloads;
  for (const local::ExportedLog& log : answer_.logs) {
    const auto archived = write_log(log);
    if (!archived) return {std::nullopt, archived.exit};
    const auto needed = witnesses_.needed;
    LogReport report = check(*archived);
    if (report.missing_clear > 0) {
      witnesses_.needed = needed;
      written.left_out.push_back(log.code);
      const auto removed = folder_.leave_out(archived->path);
      if (!removed) return {std::nullopt, complain(console_, removed.error())};
      continue;
    }
    manifest.logs.push_back(*archived);
    written.reports.push_back(std::move(report));
  }
  bar_.clear();
  const auto listed = write_certificates(manifest);
  if (!listed) return {std::nullopt, complain(console_, listed.error())};
  std::vector<Certificate> certificates;
  for (const std::size_t i : witnesses_.needed) certificates.push_back(witnesses_.certificates[i]);
  manifest.vkeys = vkeys_of(written.reports, certificates);
  return {std::move(written), Exit::ok};
}

LogReport Exporter::check(const ArchivedLog& log) {
  LogAudit audit(log, answer_.network, options_.with_payloads, {}, folder_.files());
  run_audit(audit, cores(), progress_);
  return audit.finish(witnesses_);
}

Result<bool> Exporter::write_certificates(Manifest& manifest) {
  std::vector<Bytes> needed;
  for (const std::size_t i : witnesses_.needed) needed.push_back(statements_[i]);
  const std::string list = encode_certificates(needed);
  manifest.certificates = blake2b({view(list)});
  return folder_.write(std::string(certificates_name), view(list));
}

Answered<ArchivedLog> Exporter::write_log(const local::ExportedLog& log) {
  ArchivedLog archived{"commons/" + log.code, log.member, log.space, log.size, {}, {}};
  const auto same = std::ranges::find(before_.logs, archived.path, &ArchivedLog::path);
  const bool is_before = same != before_.logs.end() && same->member == log.member;
  held_ = is_before ? std::min(same->size, log.size) : 0;
  keeps_payloads_ = is_before && before_.is_whole == options_.with_payloads;

  ArchiveWriter writer([&](const std::string& path, BytesView content) {
    return folder_.write(archived.path + '/' + path, content);
  });
  for (std::uint64_t first = 0; first < log.size; first += limits::tile_hashes) {
    bar_.show(progress_.done, progress_.total, "exporting " + clean_line(log.code));
    const Exit exit = write_bundle(log, archived.path, first, writer);
    if (exit != Exit::ok) return {std::nullopt, exit};
    progress_.done += std::min<std::uint64_t>(limits::tile_hashes, log.size - first);
  }
  const auto root = writer.finish();
  const auto said = root ? write_words(log, archived) : Result<bool>(root.error());
  if (said) return {std::move(archived), Exit::ok};
  bar_.clear();
  return {std::nullopt, complain(console_, said.error())};
}

Exit Exporter::write_bundle(const local::ExportedLog& log, const std::string& path,
                            std::uint64_t first, ArchiveWriter& writer) {
  const std::uint64_t last = std::min(log.size, first + limits::tile_hashes);
  const auto width = static_cast<unsigned>(last - first);
  const std::uint64_t bundle = first / limits::tile_hashes;
  const std::string payloads = path + '/' + payloads_path(bundle, width);
  const bool is_complete = width == limits::tile_hashes && last <= held_;
  if (is_complete && keeps_payloads_) {
    const auto leaves = folder_.before().read(path + '/' + bundle_path(bundle, width),
                                              limits::tile_hashes * limits::leaf_bytes_max * 2);
    if (leaves && is_bundle(*leaves, width) && has_all(payloads, width) && folder_.keep(payloads)) {
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
bool Exporter::has_all(const std::string& path, unsigned width) const {
  if (!options_.with_payloads) return true;  // What is in clear is never missing for long.
  const auto source = folder_.before().open(path);
  if (!source) return false;
  for (unsigned i = 0; i < width; ++i) {
    const auto payload = next_payload(**source, limits::payload_bytes_max);
    if (!payload || !*payload) return false;
  }
  return true;
}

Result<bool> Exporter::write_words(const local::ExportedLog& log, ArchivedLog& archived) {
  auto note = decode_note(log.checkpoint);
  if (!note) return fail(note.error(), "the checkpoint of " + log.code);
  std::vector<Cosignature> further;
  for (const Word& word : words_of(log, witnesses_)) {
    const bool is_line =
        word.said.size == log.size && note->signatures.size() <= checkpoint_cosignatures_max;
    if (!is_line) {
      further.push_back(word.said);
      continue;
    }
    note->signatures.push_back(
        to_note_signature(word.said, witnesses_.certificates[word.certificate].witness_key));
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

}  // namespace kith::client
