#include "client/commands/verifying.hpp"

#include <algorithm>
#include <thread>

#include "client/in_order.hpp"
#include "client/progress_bar.hpp"

namespace kith::client {

std::uint64_t run_audit(LogAudit& audit, std::uint64_t done, std::uint64_t total,
                        const Console& console) {
  ProgressBar bar(console);
  std::uint64_t at = done;
  in_order(
      audit.bundles(), std::max(1U, std::thread::hardware_concurrency()),
      [&](std::uint64_t bundle) { return audit.check(bundle); },
      [&](LogAudit::Found found) {
        at += found.hashes.size();
        bar.show(at, total, "checking every entry");
        audit.absorb(std::move(found));
      });
  return audit.size();
}

std::vector<LogReport> audit_logs(const Manifest& manifest, const ArchiveFiles& files,
                                  WitnessCertificates& witnesses, const Console& console) {
  std::uint64_t total = 0;
  for (const ArchivedLog& log : manifest.logs) total += log.size;
  std::vector<LogReport> reports;
  std::uint64_t done = 0;
  for (const ArchivedLog& log : manifest.logs) {
    LogAudit audit(log, manifest.network, manifest.is_whole, {}, files);
    done += run_audit(audit, done, total, console);
    reports.push_back(audit.finish(witnesses));
  }
  return reports;
}

}  // namespace kith::client
