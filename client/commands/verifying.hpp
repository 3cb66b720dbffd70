#pragma once

#include <vector>

#include "client/console.hpp"
#include "protocol/audit/archive_audit.hpp"

namespace kith::client {

/// Runs one log's check on every core, with progress. `done` entries of `total` came before.
/// Returns how many it has.
std::uint64_t run_audit(LogAudit& audit, std::uint64_t done, std::uint64_t total,
                        const Console& console);

/// Every log of an export that is being written, without keys.
[[nodiscard]] std::vector<LogReport> audit_logs(const Manifest& manifest, const ArchiveFiles& files,
                                                WitnessCertificates& witnesses,
                                                const Console& console);

}  // namespace kith::client
