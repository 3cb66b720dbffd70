#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/audit/archive_audit.hpp"

/// What an auditor hands in: one kind of report, whether files were checked or what a daemon holds.
namespace kith {

/// One log.
struct ReportedLog {
  std::string name;  ///< A member's code, or the folder in an export: its writer's word.
  MemberId member;
  LogId id;
  std::uint64_t size = 0;
  TreeHash root{};
  Verdict verdict = Verdict::intact;
  Millis first_time = 0;  ///< By the owner's clock; 0: not known.
  Millis last_time = 0;
  std::vector<Confirmation> confirmations;  ///< The newest word of each witness.
  std::optional<std::uint32_t> witnesses;   ///< How many should confirm it; files do not say.
  KeyHistory keys;
  bool are_keys_known = true;                ///< Else `keys` ends where something is missing.
  std::vector<ReportedEvidence> evidence;    ///< About it.
  std::uint64_t signatures = 0;              ///< Of authors, that hold, by who might say it there.
  std::uint64_t sealed = 0;                  ///< Entries that no key here opens.
  std::uint64_t missing = 0;                 ///< Contents that should be here and are not.
  std::optional<PolicyOutcome> policy = {};  ///< If it was held against one.
  std::vector<Finding> findings;
  std::uint64_t more_findings = 0;

  /// By how many others, all of it.
  [[nodiscard]] std::size_t confirmed() const;
  /// When the first of these did so; 0: nobody did.
  [[nodiscard]] Millis existed_by() const { return kith::existed_by(confirmations, size); }
};

struct AuditReport {
  NetworkId network;
  std::string network_name;
  std::string source;     ///< What was checked; for a person.
  Millis time = 0;        ///< When.
  bool expected = false;  ///< Whether the auditor, or the own daemon, knows whose logs these are.
  std::vector<ReportedLog> logs;
  std::vector<ReportedEvidence> evidence;  ///< About witnesses, and none of the logs.
  std::vector<Finding> findings;           ///< That concern no single log.
  std::uint64_t more_findings = 0;
  std::map<MemberId, std::string> codes;  ///< As far as they are known.

  /// The worst of all.
  [[nodiscard]] Verdict verdict() const;
};

/// Of an export.
[[nodiscard]] AuditReport report_of(const ArchiveReport& archive, const std::string& source,
                                    Millis now, bool expected);

}  // namespace kith
