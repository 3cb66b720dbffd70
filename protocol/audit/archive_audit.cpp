#include "protocol/audit/archive_audit.hpp"

#include <algorithm>
#include <unordered_set>

#include "protocol/keys/certificate.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/witness.hpp"

namespace kith {
namespace {

/// Names of files that are missing, or there for no reason, before the rest is only counted.
constexpr std::size_t names_max = 100;

}  // namespace

Verdict ArchiveReport::verdict() const {
  Verdict worst = Verdict::intact;
  const auto add = [&](const std::vector<Finding>& some) {
    for (const Finding& finding : some) worst = std::max(worst, finding.verdict);
  };
  add(findings);
  for (const LogReport& log : logs) add(log.findings);
  return worst;
}

Result<ArchiveAudit> ArchiveAudit::begin(const ArchiveFiles& files, const KeysOf& keys_of) {
  ArchiveAudit audit(files);
  const auto bytes = files.read(std::string(manifest_name), manifest_bytes_max);
  if (!bytes) {
    return fail(Errc::usage, "this is no export: there is no file " + std::string(manifest_name) +
                                 " (" + bytes.error().detail + ")");
  }
  auto manifest = decode_manifest(text(*bytes));
  if (!manifest) return fail(manifest.error(), std::string(manifest_name));
  audit.report_.manifest = std::move(*manifest);
  audit.read_certificates();
  for (const ArchivedLog& log : audit.report_.manifest.logs) {
    const LogId id = log_id(audit.report_.manifest.network, log.member, log.space);
    audit.logs_.push_back(std::make_unique<LogAudit>(
        log, audit.report_.manifest.network, audit.report_.manifest.is_whole, keys_of(id), files));
  }
  return audit;
}

std::uint64_t ArchiveAudit::entries() const {
  std::uint64_t all = 0;
  for (const ArchivedLog& log : report_.manifest.logs) all += log.size;
  return all;
}

void ArchiveAudit::find(Verdict verdict, std::string_view file, std::string what) {
  report_.findings.push_back({verdict, std::string(file), std::move(what)});
}

void ArchiveAudit::read_certificates() {
  const auto bytes = files_->read(std::string(certificates_name), certificates_bytes_max);
  const auto statements = bytes ? decode_certificates(text(*bytes)) : bytes.error();
  if (!statements) return find(Verdict::damaged, certificates_name, statements.error().detail);
  for (const Bytes& statement : *statements) {
    const auto certificate = verify_certificate(statement);
    if (!certificate || certificate->network != report_.manifest.network) {
      find(Verdict::forged, certificates_name,
           "line " + std::to_string(witnesses_.certificates.size() + 2) +
               " is no certificate of this network that verifies");
      return;
    }
    witnesses_.certificates.push_back(*certificate);
  }
}

void ArchiveAudit::compare_names() {
  // Not a path at a time from both sides: a list of contents may claim more than any disk holds.
  std::unordered_set<std::string> there;
  std::uint64_t expected_count = 2;
  for (const ArchivedLog& log : report_.manifest.logs) expected_count += count_files(log);
  const std::uint64_t looked_at_max = expected_count + names_max;
  files_->each([&](const std::string& path) {
    there.insert(path);
    return there.size() <= looked_at_max;
  });
  there.erase(std::string(manifest_name));
  there.erase(std::string(certificates_name));
  std::size_t missing = 0;
  for (const ArchivedLog& log : report_.manifest.logs) {
    each_file(log, [&](const std::string& within) {
      const std::string path = log.path + '/' + within;
      if (there.erase(path) > 0) return true;
      find(Verdict::damaged, path, "it is missing");
      return ++missing < names_max;
    });
    if (missing >= names_max) return;
  }
  std::vector<std::string> added(there.begin(), there.end());
  std::ranges::sort(added);
  added.resize(std::min(added.size(), names_max));
  for (const std::string& path : added) {
    find(Verdict::damaged, path, "it does not belong to the export");
  }
}

void ArchiveAudit::compare_keys() {
  for (std::size_t i = 0; i < witnesses_.certificates.size(); ++i) {
    if (witnesses_.needed.contains(i)) continue;
    find(Verdict::damaged, certificates_name,
         "line " + std::to_string(i + 2) + " is needed by no cosignature");
  }
  std::vector<std::string> vkeys;
  for (const LogReport& log : report_.logs) {
    if (!log.log_key) return;  // Said already.
    vkeys.push_back(encode_vkey(*log.log_key));
  }
  for (const Certificate& certificate : witnesses_.certificates) {
    vkeys.push_back(encode_vkey(
        {witness_name(certificate.member), KeyType::cosignature_v1, certificate.witness_key}));
  }
  if (vkeys == report_.manifest.vkeys) return;
  find(Verdict::forged, manifest_name,
       "its verifier keys are not those that the certificates name");
}

ArchiveReport ArchiveAudit::finish() {
  for (const auto& log : logs_) {
    report_.logs.push_back(log->finish(witnesses_));
    report_.has_founding = report_.has_founding || report_.logs.back().is_founders;
  }
  compare_names();
  compare_keys();
  return std::move(report_);
}

}  // namespace kith
