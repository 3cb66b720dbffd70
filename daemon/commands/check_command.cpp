#include "daemon/commands/check_command.hpp"

#include <iomanip>
#include <ostream>

#include "daemon/data_dir.hpp"
#include "protocol/base/text.hpp"
#include "storage/high_water.hpp"
#include "storage/lmdb.hpp"
#include "storage/log_store.hpp"

namespace kith::daemon {
namespace {

constexpr int bar_columns = 30;
constexpr std::size_t id_characters = 16;

/// One line that is drawn over itself.
class ProgressBar {
 public:
  ProgressBar(std::ostream& out, bool shown, std::uint64_t total)
      : out_(out), shown_(shown), total_(total) {}

  void show(std::uint64_t done) {
    if (!shown_ || total_ == 0) return;
    const auto filled = static_cast<int>(done * bar_columns / total_);
    out_ << "\r[" << std::string(static_cast<std::size_t>(filled), '#')
         << std::string(static_cast<std::size_t>(bar_columns - filled), ' ') << "] " << done
         << " of " << total_ << std::flush;
  }
  /// Makes room for a line of text.
  void clear() {
    if (shown_) out_ << "\r\033[K" << std::flush;
  }

 private:
  std::ostream& out_;
  bool shown_;
  std::uint64_t total_;
};

/// A log of our own must reach what we signed, with the same root.
std::optional<storage::log_store::Fault> against_high_water(const storage::ReadTxn& txn,
                                                            const LogId& log,
                                                            const storage::HighWaterMarks& marks,
                                                            std::uint64_t size) {
  const auto mark = marks.find(log);
  if (mark == marks.end()) return std::nullopt;
  if (size < mark->second.size) {
    return storage::log_store::Fault{
        size, "the log ends before size " + std::to_string(mark->second.size) +
                  ", which was signed: nothing is signed until peers gave the "
                  "tail back"};
  }
  if (storage::log_store::root_at(txn, log, mark->second.size) != mark->second.root) {
    return storage::log_store::Fault{mark->second.size,
                                     "the log is not the one whose size was signed"};
  }
  return std::nullopt;
}

void print(std::ostream& out, const storage::LogHead& head,
           const storage::log_store::CheckReport& report, bool own) {
  out << to_base32(head.log.view()).substr(0, id_characters) << " of member "
      << to_base32(head.member.view()).substr(0, id_characters) << (own ? " (this one)" : "")
      << ": " << report.leaves << " entries, " << report.payloads << " payloads, " << report.gaps
      << " missing: " << (report.faults.empty() ? "intact" : "DAMAGED") << '\n';
  for (const storage::log_store::Fault& fault : report.faults) {
    out << "  at " << fault.index << ": " << fault.what << '\n';
  }
}

Exit check_logs(const DataDir& dir, const Identity& identity, bool progress, std::ostream& out) {
  const storage::LmdbDatabase database(dir.log(), storage::log_tables(),
                                       storage::LmdbDatabase::Durability::full);
  const storage::HighWaterFile high_water(dir.high_water());
  const auto txn = database.read();
  const auto heads = storage::log_store::heads(*txn);

  std::uint64_t total = 0;
  for (const storage::LogHead& head : heads) total += head.size();
  ProgressBar bar(out, progress, total);
  std::uint64_t before = 0;
  std::size_t damaged = 0;
  for (const storage::LogHead& head : heads) {
    const auto on_progress = [&](std::uint64_t done) {
      bar.show(before + done);
      return true;
    };
    auto report = storage::log_store::check(*txn, head.log, on_progress);
    if (report.faults.empty()) {
      const auto fault = against_high_water(*txn, head.log, high_water.marks(), head.size());
      if (fault) report.faults.push_back(*fault);
    }
    before += head.size();
    damaged += report.faults.empty() ? 0 : 1;
    bar.clear();
    print(out, head, report, head.member == identity.member);
  }
  for (const auto& [log, mark] : high_water.marks()) {
    if (storage::log_store::head(*txn, log)) continue;
    ++damaged;
    out << to_base32(log.view()).substr(0, id_characters) << ": size " << mark.size
        << " was signed, but the log is not here: DAMAGED\n";
  }
  if (damaged == 0) {
    out << heads.size() << (heads.size() == 1 ? " log" : " logs") << ", all intact\n";
    return Exit::ok;
  }
  out << damaged << " damaged. Stop, keep a copy of " << dir.path().string()
      << ", and restore from a backup or from your peers.\n";
  return Exit::failed;
}

}  // namespace

Exit check_command(const std::string& dir, bool progress, std::ostream& out, std::ostream& err) {
  const auto data = DataDir::open(dir);
  if (!data) {
    err << "kithd: " << data.error().detail << '\n';
    // A disk that fails may be mended by the time it is tried again.
    const bool may_pass = data.error().code == Errc::conflict || data.error().code == Errc::io;
    return may_pass ? Exit::failed : Exit::configuration;
  }
  const auto identity = data->load_identity();
  if (!identity) {
    err << "kithd: " << identity.error().detail << '\n';
    return Exit::configuration;
  }
  return check_logs(*data, *identity, progress, out);
}

}  // namespace kith::daemon
