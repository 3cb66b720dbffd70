#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocol/audit/log_audit.hpp"
#include "protocol/keys/disclosure.hpp"

/// A whole export, checked from its files alone: no daemon, no network, no database.
namespace kith {

/// What keys that were disclosed came to.
struct DisclosureReport {
  std::string file;
  Disclosure disclosure;     ///< Its keys are secret.
  std::uint64_t opened = 0;  ///< Entries of its log: all that keys opened, or of those it names.
};

/// What verifying an export came to.
struct ArchiveReport {
  Manifest manifest;
  std::vector<LogReport> logs;
  std::vector<DisclosureReport> disclosures;
  std::vector<ReportedEvidence> evidence;  ///< About witnesses, and no log of the export.
  Findings findings;                       ///< That concern no single log.
  bool has_founding = false;               ///< The entry that founds the network is in it.

  /// The worst of all findings.
  [[nodiscard]] Verdict verdict() const;
};

/// The verifier keys that an export names: of each log, if its key is known, then of each witness.
[[nodiscard]] std::vector<std::string> vkeys_of(const std::vector<LogReport>& logs,
                                                const std::vector<Certificate>& witnesses);

/// Whether evidence belongs into an export: it is about a log in it, or about a key of a member
/// whose certificate is needed for a cosignature in it.
[[nodiscard]] bool concerns(const Contradiction& proven, const Manifest& manifest,
                            const std::vector<Certificate>& witnesses);

/// Checks an export, one log after the other. The caller runs each log's checks, on as many threads
/// as it likes.
class ArchiveAudit {
 public:
  using KeysOf = std::function<LogAudit::Keys(const LogId&)>;

  /// `files` must outlive it. Fails (usage) if there is no export, (malformed) if its list of
  /// contents cannot be read, (not_found) if a hundred files or more are missing. `keys_of` gives
  /// the keys that were disclosed of a log, or none.
  [[nodiscard]] static Result<ArchiveAudit> begin(const ArchiveFiles& files, const KeysOf& keys_of);

  [[nodiscard]] const Manifest& manifest() const { return report_.manifest; }
  /// Begins the check of the next log of the manifest; null after the last.
  [[nodiscard]] std::unique_ptr<LogAudit> next_log();
  /// Takes what a log's check came to, once it absorbed all of its bundles.
  void end(LogAudit& log) { report_.logs.push_back(log.finish(witnesses_)); }
  /// Entries of all logs.
  [[nodiscard]] std::uint64_t entries() const;
  /// After the last log.
  [[nodiscard]] ArchiveReport finish();

 private:
  ArchiveAudit(const ArchiveFiles& files, KeysOf keys_of)
      : files_(&files), keys_of_(std::move(keys_of)) {}

  void read_certificates();
  [[nodiscard]] Result<bool> compare_names();
  void compare_keys();
  void read_evidence();
  void take_evidence(ReportedEvidence evidence);
  [[nodiscard]] std::uint64_t newest_number(const MemberId& member) const;
  void find(Verdict verdict, std::string_view file, std::string what) {
    report_.findings.add(verdict, std::string(file), std::move(what));
  }

  const ArchiveFiles* files_;
  ArchiveReport report_;
  KeysOf keys_of_;
  std::size_t next_ = 0;
  WitnessCertificates witnesses_;
};

}  // namespace kith
