#include "client/commands/exporter.hpp"

#include <algorithm>

#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/log/witness.hpp"

namespace kith::client {
namespace {

/// A witness's word, and the position of the certificate that names the key it was given with.
struct Word {
  Cosignature said;
  std::size_t certificate = 0;
};

/// The leaves of a complete bundle, or nothing if it is damaged.
std::optional<std::vector<Leaf>> leaves_of(BytesView bytes) {
  const auto entries = split_bundle(bytes, limits::tile_hashes);
  if (!entries || entries->size() != limits::tile_hashes) return std::nullopt;
  std::vector<Leaf> leaves;
  for (const BytesView entry : *entries) {
    const auto leaf = decode_leaf(text(entry));
    if (!leaf) return std::nullopt;
    leaves.push_back(*leaf);
  }
  return leaves;
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
                   const local::EvidenceAnswer& evidence, FolderWriter& folder,
                   const Manifest& before, Daemon& daemon, const Console& console)
    : options_(options),
      answer_(answer),
      evidence_(evidence),
      folder_(folder),
      daemon_(daemon),
      console_(console),
      bar_(console, std::chrono::steady_clock::now),
      progress_{bar_},
      before_(before) {
  for (const Bytes& statement : answer.certificates) {
    const auto certificate = verify_certificate(statement);
    if (certificate && witnesses_.add(*certificate)) statements_.push_back(statement);
  }
  for (const local::ExportedLog& log : answer.logs) progress_.total += 2 * log.size;
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
      if (!removed) return {std::nullopt, refuse(removed.error())};
      continue;
    }
    manifest.logs.push_back(*archived);
    written.reports.push_back(std::move(report));
  }
  bar_.clear();
  const auto listed = write_certificates(manifest);
  if (!listed) return {std::nullopt, refuse(listed.error())};
  std::vector<Certificate> certificates;
  for (const std::size_t i : witnesses_.needed) certificates.push_back(witnesses_.certificates[i]);
  manifest.vkeys = vkeys_of(written.reports, certificates);
  const auto proofs = write_evidence(manifest, certificates);
  if (!proofs) return {std::nullopt, refuse(proofs.error())};
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

/// What proves two histories of what is in the export, or of who confirmed it.
Result<bool> Exporter::write_evidence(Manifest& manifest,
                                      const std::vector<Certificate>& witnesses) {
  for (const local::EvidenceRow& piece : evidence_.pieces) {
    const auto evidence = decode_evidence(piece.file);
    const auto proven = evidence ? verify_evidence(*evidence) : evidence.error();
    if (!proven || !concerns(*proven, manifest, witnesses)) continue;
    const auto written = folder_.write(evidence_path(manifest.evidence.size()), view(piece.file));
    if (!written) return written;
    manifest.evidence.push_back(blake2b({view(piece.file)}));
  }
  return true;
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
  return {std::nullopt, refuse(said.error())};
}

Exit Exporter::refuse(const Error& error) {
  bar_.clear();
  return complain(console_, error);
}

Answered<local::ExportEntriesAnswer> Exporter::ask_entries(
    const local::ExportEntriesRequest& request) {
  auto said = daemon_.ask(request, [](const local::Progress&) {});
  const bool is_answered = said && std::holds_alternative<local::ExportEntriesAnswer>(*said);
  if (!is_answered) bar_.clear();
  return take<local::ExportEntriesAnswer>(console_, std::move(said));
}

Exit Exporter::write_bundle(const local::ExportedLog& log, const std::string& path,
                            std::uint64_t first, ArchiveWriter& writer) {
  const std::uint64_t last = std::min(log.size, first + limits::tile_hashes);
  const auto width = static_cast<unsigned>(last - first);
  const std::uint64_t bundle = first / limits::tile_hashes;
  const std::string payloads = path + '/' + payloads_path(bundle, width);
  const bool is_complete = width == limits::tile_hashes && last <= held_;
  if (is_complete && keeps_payloads_) {
    const auto taken = take_over(path + '/' + bundle_path(bundle, width), payloads, writer);
    if (!taken) return refuse(taken.error());
    if (*taken) return Exit::ok;
  }
  local::ExportEntriesRequest request{log.log, first, last, first, options_.with_payloads};
  while (request.payloads_from < last) {
    const auto entries = ask_entries(request);
    if (!entries) return entries.exit;
    if (entries->payloads_to <= request.payloads_from || entries->payloads_to > last) {
      return refuse(fail(Errc::malformed, "kithd answered for other entries"));
    }
    Result<bool> written = true;
    if (request.payloads_from == first) written = writer.add(entries->leaves);
    if (written) written = folder_.append(payloads, entries->payloads);
    if (!written) return refuse(written.error());
    request.payloads_from = entries->payloads_to;
  }
  return Exit::ok;
}

Result<bool> Exporter::take_over(const std::string& bundle, const std::string& payloads,
                                 ArchiveWriter& writer) {
  constexpr std::size_t bytes_max =
      limits::tile_hashes * (sizeof(std::uint16_t) + limits::leaf_bytes_max);
  const auto bytes = folder_.before().read(bundle, bytes_max);
  const auto leaves = bytes ? leaves_of(*bytes) : std::nullopt;
  if (!leaves || !has_all(payloads, *leaves) || !folder_.keep(payloads)) return false;
  return writer.add(*bytes);
}

/// Whether nothing was left out of a file of payloads that could be here now.
bool Exporter::has_all(const std::string& path, const std::vector<Leaf>& leaves) const {
  const auto source = folder_.before().open(path);
  if (!source) return false;
  return std::ranges::all_of(leaves, [&](const Leaf& leaf) {
    const bool is_due = options_.with_payloads || leaf.leaf_class == LeafClass::clear;
    const auto payload = next_payload(**source, limits::payload_bytes_max);
    return payload && (payload->has_value() || !is_due);
  });
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
