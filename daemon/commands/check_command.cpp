#include "daemon/commands/check_command.hpp"

#include <iomanip>
#include <ostream>

#include "daemon/data_dir.hpp"
#include "protocol/base/text.hpp"
#include "storage/high_water.hpp"
#include "storage/lmdb.hpp"
#include "storage/log_mend.hpp"

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

using storage::log_store::CheckReport;
using storage::log_store::Fault;

std::string short_id(BytesView id) { return to_base32(id).substr(0, id_characters); }

/// One run of the command over one data directory.
class Check {
 public:
  Check(const DataDir& dir, const Identity& identity, bool repair, bool progress, std::ostream& out)
      : dir_(dir),
        identity_(identity),
        repair_(repair),
        out_(out),
        database_(dir.log(), storage::log_tables(), storage::LmdbDatabase::Durability::full),
        high_water_(dir.high_water()),
        logs_(storage::log_store::logs(*database_.read())),
        bar_(out, progress, entries()) {}

  Exit run() {
    for (const LogId& log : logs_) check_log(log);
    for (const auto& [log, mark] : high_water_.marks()) {
      if (std::ranges::find(logs_, log) != logs_.end()) continue;
      ++damaged_;
      out_ << short_id(log.view()) << ": size " << mark.size
           << " was signed, but the log is not here: DAMAGED\n";
    }
    return conclude();
  }

 private:
  [[nodiscard]] std::uint64_t entries() const {
    std::uint64_t total = 0;
    const auto txn = database_.read();
    for (const LogId& log : logs_) {
      if (const auto head = storage::log_store::readable_head(*txn, log)) total += head->size();
    }
    return total;
  }

  void check_log(const LogId& log) {
    CheckReport report = check(log);
    print(log, report);
    if (repair_ && !report.faults.empty()) {
      mend(log);
      report = check(log);
      if (!report.faults.empty()) print(log, report);
    }
    done_ += report.leaves;
    damaged_ += report.faults.empty() ? 0 : 1;
    const auto txn = database_.read();
    const auto head = storage::log_store::readable_head(*txn, log);
    to_fetch_ += (head ? head->gaps : 0) + storage::log_store::wanted_bundles(*txn, log).size();
  }

  CheckReport check(const LogId& log) {
    const auto txn = database_.read();
    const auto on_progress = [&](std::uint64_t done) {
      bar_.show(done_ + done);
      return true;
    };
    auto report = storage::log_store::check(*txn, log, on_progress);
    const auto head = storage::log_store::readable_head(*txn, log);
    if (report.faults.empty() && head) {
      if (auto fault = against_high_water(*txn, *head)) report.faults.push_back(std::move(*fault));
    }
    bar_.clear();
    return report;
  }

  /// A log of our own must reach what we signed, with the same root.
  [[nodiscard]] std::optional<Fault> against_high_water(const storage::ReadTxn& txn,
                                                        const storage::LogHead& head) const {
    const auto mark = high_water_.marks().find(head.log);
    if (mark == high_water_.marks().end()) return std::nullopt;
    if (head.size() < mark->second.size) {
      return Fault{head.size(),
                   "the log ends before size " + std::to_string(mark->second.size) +
                       ", which was signed: nothing is signed until peers gave the tail back",
                   Fault::Part::tree};
    }
    if (storage::log_store::root_at(txn, head.log, mark->second.size) != mark->second.root) {
      return Fault{mark->second.size, "the log is not the one whose size was signed",
                   Fault::Part::tree};
    }
    return std::nullopt;
  }

  void mend(const LogId& log) {
    storage::log_store::MendGrounds grounds{
        identity_.network, {identity_.member, identity_.founder}, {}};
    const auto mark = high_water_.marks().find(log);
    if (mark != high_water_.marks().end()) grounds.mark = mark->second;
    // One transaction: a crash leaves the log as it was, or mended.
    const auto txn = database_.write();
    const auto mended = storage::log_store::mend(*txn, log, grounds);
    if (!mended) {
      out_ << "  not repaired: " << mended.error().detail << '\n';
      return;
    }
    txn->commit();
    out_ << "  repaired: " << counted(mended->rows_computed, "row", "rows") << " computed, "
         << mended->rows_dropped << " dropped; to be fetched from peers: "
         << counted(mended->new_gaps.size(), "payload", "payloads") << " and the leaves of "
         << counted(mended->wanted_bundles.size(), "bundle", "bundles") << '\n';
  }

  void print(const LogId& log, const CheckReport& report) const {
    const auto head = storage::log_store::readable_head(*database_.read(), log);
    out_ << short_id(log.view()) << " of member "
         << (head ? short_id(head->member.view()) : "that cannot be told")
         << (head && head->member == identity_.member ? " (this one)" : "") << ": " << report.leaves
         << " entries, " << report.payloads << " payloads, " << report.gaps
         << " missing: " << (report.faults.empty() ? "intact" : "DAMAGED") << '\n';
    for (const Fault& fault : report.faults) {
      out_ << "  " << name_of(fault.part) << " at " << fault.index << ": " << fault.what << "; "
           << remedy(fault.part) << '\n';
    }
  }

  [[nodiscard]] Exit conclude() const {
    if (damaged_ == 0) {
      out_ << counted(logs_.size(), "log", "logs") << ", all intact\n";
    } else {
      out_ << damaged_ << " damaged. ";
      if (!repair_) {
        out_ << "Keep a copy of " << dir_.path().string() << ", then run: kithd check --repair\n";
      } else if (to_fetch_ == 0) {
        out_ << "What is left cannot be mended here: keep a copy of " << dir_.path().string()
             << ", and restore from a backup or from your peers.\n";
      } else {
        out_ << "Nothing is signed over damaged leaves of this member's own log.\n";
      }
    }
    if (repair_ && to_fetch_ > 0) out_ << "Start kithd: what is missing is fetched from peers.\n";
    return damaged_ == 0 ? Exit::ok : Exit::failed;
  }

  const DataDir& dir_;
  const Identity& identity_;
  bool repair_;
  std::ostream& out_;
  storage::LmdbDatabase database_;
  storage::HighWaterFile high_water_;
  std::vector<LogId> logs_;
  ProgressBar bar_;
  std::uint64_t done_ = 0;
  std::uint64_t to_fetch_ = 0;
  std::size_t damaged_ = 0;
};

}  // namespace

Exit check_command(const std::string& dir, const CheckSettings& settings, bool progress,
                   std::ostream& out, std::ostream& err) {
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
  return Check(*data, *identity, settings.repair, progress, out).run();
}

}  // namespace kith::daemon
