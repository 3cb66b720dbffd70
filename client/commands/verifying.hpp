#pragma once

#include "client/progress_bar.hpp"
#include "protocol/audit/archive_audit.hpp"

namespace kith::client {

/// As many threads as there are cores to run them.
[[nodiscard]] unsigned cores();

/// How far the check of a whole export has come.
struct AuditProgress {
  ProgressBar& bar;
  std::uint64_t total = 0;  ///< Entries of all logs.
  std::uint64_t done = 0;
};
/// Runs one log's check on so many threads. What it finds does not depend on how many there are.
void run_audit(LogAudit& audit, unsigned threads, AuditProgress& progress);

/// Every log of an export, with progress on the console.
void check_logs(ArchiveAudit& audit, unsigned threads, const Console& console);

}  // namespace kith::client
