#include "protocol/audit/archive_audit.hpp"

#include <algorithm>
#include <unordered_set>

#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/witness.hpp"

namespace kith {
namespace {

/// Names of files that are missing, or there for no reason, before the rest is only counted.
constexpr std::size_t names_max = 100;

bool is_about(const Contradiction& proven, const LogId& log, const MemberId& owner) {
  return proven.log ? *proven.log == log : proven.member == owner;
}

}  // namespace

bool concerns(const Contradiction& proven, const Manifest& manifest,
              const std::vector<Certificate>& witnesses) {
  if (proven.network != manifest.network) return false;
  const bool is_about_log = std::ranges::any_of(manifest.logs, [&](const ArchivedLog& log) {
    return is_about(proven, log_id(manifest.network, log.member, log.space), log.member);
  });
  const bool is_about_witness =
      proven.liar != Liar::log_key &&
      std::ranges::count(witnesses, proven.member, &Certificate::member) > 0;
  return is_about_log || is_about_witness;
}

Verdict ArchiveReport::verdict() const {
  Verdict worst = findings.verdict();
  for (const LogReport& log : logs) worst = std::max(worst, log.findings.verdict());
  return worst;
}

std::vector<std::string> vkeys_of(const std::vector<LogReport>& logs,
                                  const std::vector<Certificate>& witnesses) {
  std::vector<std::string> vkeys;
  for (const LogReport& log : logs) {
    if (log.log_key) vkeys.push_back(encode_vkey(*log.log_key));
  }
  for (const Certificate& certificate : witnesses) {
    vkeys.push_back(encode_vkey(witness_note_key(certificate.member, certificate.witness_key)));
  }
  return vkeys;
}

Result<ArchiveAudit> ArchiveAudit::begin(const ArchiveFiles& files, const KeysOf& keys_of) {
  ArchiveAudit audit(files, keys_of);
  const auto bytes = files.read(std::string(manifest_name), manifest_bytes_max);
  if (!bytes) {
    return fail(Errc::usage, "this is no export: there is no file " + std::string(manifest_name) +
                                 " (" + bytes.error().detail + ")");
  }
  auto manifest = decode_manifest(text(*bytes));
  if (!manifest) return fail(manifest.error(), std::string(manifest_name));
  audit.report_.manifest = std::move(*manifest);
  const auto compared = audit.compare_names();
  if (!compared) return compared.error();
  audit.read_certificates();
  return audit;
}

std::unique_ptr<LogAudit> ArchiveAudit::next_log() {
  const Manifest& manifest = report_.manifest;
  if (next_ == manifest.logs.size()) return nullptr;
  const ArchivedLog& log = manifest.logs[next_++];
  return std::make_unique<LogAudit>(log, manifest.network, manifest.is_whole,
                                    keys_of_(log_id(manifest.network, log.member, log.space)),
                                    *files_);
}

std::uint64_t ArchiveAudit::entries() const {
  std::uint64_t all = 0;
  for (const ArchivedLog& log : report_.manifest.logs) all += log.size;
  return all;
}

void ArchiveAudit::read_certificates() {
  witnesses_.are_whole = false;
  const auto bytes = files_->read(std::string(certificates_name), certificates_bytes_max);
  if (!bytes) return find(Verdict::damaged, certificates_name, bytes.error().detail);
  if (blake2b({BytesView(*bytes)}) != report_.manifest.certificates) {
    return find(Verdict::damaged, certificates_name, "it is not what the list of contents says");
  }
  const auto statements = decode_certificates(text(*bytes));
  if (!statements) return find(Verdict::damaged, certificates_name, statements.error().detail);
  witnesses_.are_whole = true;
  for (const Bytes& statement : *statements) {
    const auto certificate = verify_certificate(statement);
    if (!certificate || certificate->network != report_.manifest.network) {
      witnesses_.are_whole = false;
      find(Verdict::forged, certificates_name,
           "line " + std::to_string(witnesses_.certificates.size() + 2) +
               " is no certificate of this network that verifies");
      return;
    }
    if (witnesses_.add(*certificate)) continue;
    witnesses_.are_whole = false;
    return find(Verdict::damaged, certificates_name,
                "it holds more than " + std::to_string(limits::certificates_max) +
                    " certificates of member " + to_base32(certificate->member.view()) +
                    ": no member ever had so many that were needed");
  }
}

Result<bool> ArchiveAudit::compare_names() {
  std::unordered_set<std::string> there;
  std::uint64_t expected_count = 2 + report_.manifest.evidence.size();
  for (const ArchivedLog& log : report_.manifest.logs) expected_count += count_files(log);
  // What the list claims is not believed that far.
  constexpr std::uint64_t room_max = 65'536;
  there.reserve(std::min(expected_count, room_max));
  files_->each([&](const std::string& path) {
    there.insert(path);
    return there.size() <= expected_count + names_max;
  });
  there.erase(std::string(manifest_name));
  there.erase(std::string(certificates_name));
  std::size_t missing = 0;
  std::string last_missing;
  for (std::size_t i = 0; i < report_.manifest.evidence.size(); ++i) {
    const std::string path = evidence_path(i);
    if (there.erase(path) == 0) find(Verdict::damaged, path, "it is missing");
  }
  for (const ArchivedLog& log : report_.manifest.logs) {
    each_file(log, [&](const std::string& within) {
      const std::string path = log.path + '/' + within;
      if (there.erase(path) > 0) return true;
      find(Verdict::damaged, path, "it is missing");
      last_missing = path;
      return ++missing < names_max;
    });
    // A list of contents may claim more than any disk holds: then there is no end to looking.
    if (missing < names_max) continue;
    return fail(Errc::not_found,
                last_missing + " and many others are missing: this is a part of an export");
  }
  std::vector<std::string> added(there.begin(), there.end());
  std::ranges::sort(added);
  added.resize(std::min(added.size(), names_max));
  for (const std::string& path : added) {
    find(Verdict::damaged, path, "it does not belong to the export");
  }
  return true;
}

void ArchiveAudit::compare_keys() {
  // Where something is damaged, what it needed is not known.
  const bool is_sound = report_.verdict() < Verdict::damaged && witnesses_.are_whole;
  if (!is_sound) return;
  for (std::size_t i = 0; i < witnesses_.certificates.size(); ++i) {
    if (witnesses_.needed.contains(i)) continue;
    find(Verdict::damaged, certificates_name,
         "line " + std::to_string(i + 2) + " is needed by no cosignature");
  }
  if (vkeys_of(report_.logs, witnesses_.certificates) == report_.manifest.vkeys) return;
  find(Verdict::damaged, manifest_name,
       "its verifier keys are not those that the certificates name");
}

std::uint64_t ArchiveAudit::newest_number(const MemberId& member) const {
  std::uint64_t newest = 0;
  for (const Certificate& certificate : witnesses_.certificates) {
    if (certificate.member == member) newest = std::max(newest, certificate.number);
  }
  for (const LogReport& log : report_.logs) {
    if (log.log.member == member) newest = std::max(newest, log.keys.newest_certificate_number());
  }
  return newest;
}

void ArchiveAudit::read_evidence() {
  for (std::size_t i = 0; i < report_.manifest.evidence.size(); ++i) {
    const std::string path = evidence_path(i);
    const auto bytes = files_->read(path, limits::evidence_bytes_max);
    if (!bytes) {
      if (bytes.error().code != Errc::not_found) {
        find(Verdict::damaged, path, bytes.error().detail);
      }
      continue;
    }
    if (blake2b({BytesView(*bytes)}) != report_.manifest.evidence[i]) {
      find(Verdict::damaged, path, "it is not what the list of contents says");
      continue;
    }
    const auto evidence = decode_evidence(text(*bytes));
    const auto proven = evidence ? verify_evidence(*evidence) : evidence.error();
    if (!proven) {
      find(Verdict::damaged, path, "it proves nothing: " + proven.error().detail);
    } else if (proven->network != report_.manifest.network) {
      find(Verdict::damaged, path, "it is of another network");
    } else {
      take_evidence({path, *proven, true});
    }
  }
}

void ArchiveAudit::take_evidence(ReportedEvidence evidence) {
  const Contradiction& proven = evidence.proven;
  if (!concerns(proven, report_.manifest, witnesses_.certificates)) {
    if (!witnesses_.are_whole) return;
    return find(Verdict::damaged, evidence.file, "it is about nothing in the export");
  }
  const std::uint64_t newest = newest_number(proven.member);
  const bool is_excused = std::ranges::any_of(report_.logs, [&](const LogReport& log) {
    return proven.log == log.id && excused_by_cut(proven, log.keys);
  });
  bool is_about_log = false;
  for (LogReport& log : report_.logs) {
    if (!is_about(proven, log.id, log.log.member)) continue;
    is_about_log = true;
    evidence.counts = still_counts(proven, newest, log.keys.newest_cut_number()) && !is_excused;
    log.evidence.push_back(evidence);
    // Where the keys of a log are not known, nor is what put an end to it.
    if (!evidence.counts || !log.log_key) continue;
    log.findings.add(Verdict::forked, evidence.file, in_words(proven));
  }
  if (is_about_log) return;
  evidence.counts = still_counts(proven, newest, 0) && !is_excused;
  if (evidence.counts) find(Verdict::forked, evidence.file, in_words(proven));
  report_.evidence.push_back(std::move(evidence));
}

ArchiveReport ArchiveAudit::finish() {
  report_.has_founding =
      std::ranges::any_of(report_.logs, [](const LogReport& log) { return log.is_founders; });
  compare_keys();
  read_evidence();
  return std::move(report_);
}

}  // namespace kith
