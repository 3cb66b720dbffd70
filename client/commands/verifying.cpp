#include "client/commands/verifying.hpp"

#include <algorithm>
#include <thread>

#include "client/in_order.hpp"

namespace kith::client {

unsigned cores() { return std::max(1U, std::thread::hardware_concurrency()); }

void run_audit(LogAudit& audit, unsigned threads, AuditProgress& progress) {
  in_order(
      audit.bundles(), threads, [&](std::uint64_t bundle) { return audit.check(bundle); },
      [&](LogAudit::Found found) {
        const std::uint64_t before = found.bundle * limits::tile_hashes;
        progress.done += std::min<std::uint64_t>(limits::tile_hashes, audit.size() - before);
        progress.bar.show(progress.done, progress.total,
                          "checked " + std::to_string(progress.done) + " of " +
                              std::to_string(progress.total) + " entries");
        audit.absorb(std::move(found));
      });
}

void check_logs(ArchiveAudit& audit, unsigned threads, const Console& console) {
  ProgressBar bar(console, std::chrono::steady_clock::now);
  AuditProgress progress{bar, audit.entries(), 0};
  for (auto log = audit.next_log(); log; log = audit.next_log()) {
    run_audit(*log, threads, progress);
    audit.end(*log);
  }
}

}  // namespace kith::client
