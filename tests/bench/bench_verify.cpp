// kith verify of one large export, as files on disk: tree alone, tree and payloads, and every
// author signature, each beside what this machine can hash or verify at all on the same threads,
// measured around the same run. One JSON line a figure. usage: bench_verify [FOLDER] [ENTRIES]
// [REPEATS]
#include <sys/wait.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "client/archive_folder.hpp"
#include "client/commands/verifying.hpp"
#include "protocol/crypto/crypto.hpp"
#include "tests/bench/support/figure.hpp"
#include "tests/bench/support/limits.hpp"
#include "tests/bench/support/made_export.hpp"

namespace {

using namespace kith;
using namespace kith::bench;

constexpr double memory_mib_max = 200;
// What takes less than a second is measured more often: another program disturbs it more.
constexpr std::size_t short_repeats = 5;
constexpr std::size_t record_message_bytes = 116;  // What a record's author signs.

/// What one check took.
struct Check {
  double seconds = 0;
  double peak_mib = 0;
  std::uint64_t opened = 0;
  bool is_intact = false;
};

double peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return -1;
}

/// As kith verify does it, with the bar drawn.
Check check(const std::filesystem::path& folder, bool with_keys, unsigned threads) {
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  client::Console console{out, err, in};
  console.err_is_terminal = true;
  const auto start = Clock::now();
  const client::FolderFiles files(folder);
  auto audit = ArchiveAudit::begin(
      files, [&](const LogId& log) { return with_keys ? made_keys(log) : LogAudit::Keys{}; });
  must(audit.has_value(), "the export does not open");
  client::check_logs(*audit, threads, console);
  const ArchiveReport report = audit->finish();
  Check done;
  done.seconds = seconds_since(start);
  done.peak_mib = peak_mib();
  done.opened = report.logs.at(0).opened;
  done.is_intact = report.verdict() == Verdict::intact;
  return done;
}

/// The same in a process of its own, whose memory nothing else used before.
Check check_apart(const std::filesystem::path& folder, bool with_keys, unsigned threads) {
  int ends[2];
  must(::pipe(ends) == 0, "no pipe");
  const pid_t child = ::fork();
  must(child >= 0, "no process");
  if (child == 0) {
    std::ofstream("/proc/self/clear_refs") << 5;  // The peak counts from here.
    const Check done = check(folder, with_keys, threads);
    _exit(::write(ends[1], &done, sizeof(done)) == sizeof(done) ? 0 : 1);
  }
  ::close(ends[1]);  // Else a child that dies would be waited for without end.
  Check done;
  int status = 0;
  must(::read(ends[0], &done, sizeof(done)) == sizeof(done) &&
           ::waitpid(child, &status, 0) == child && status == 0,
       "a check did not end");
  ::close(ends[0]);
  return done;
}

struct Wanted {
  std::string name;
  std::filesystem::path folder;
  bool with_keys = false;
  std::uint64_t entries = 0;
  std::uint64_t opened = 0;
  std::string limit_name;
  std::function<double()> limit;  // Entries a second.
  double goal = 0;                // 0: none was set.
};

double median(const std::vector<double>& samples) { return quantile(samples, 0.5); }

void measure(const Wanted& wanted, unsigned threads, std::size_t repeats) {
  std::vector<double> rates;
  std::vector<double> limits;
  std::vector<double> ratios;
  double peak = 0;
  for (std::size_t i = 0; i < repeats; ++i) {
    const double before = wanted.limit();
    const Check done = check_apart(wanted.folder, wanted.with_keys, threads);
    const double limit = (before + wanted.limit()) / 2;
    must(done.is_intact && done.opened == wanted.opened, wanted.name + ": not all of it holds");
    rates.push_back(static_cast<double>(wanted.entries) / done.seconds);
    limits.push_back(limit);
    ratios.push_back(rates.back() / limit);
    peak = std::max(peak, done.peak_mib);
  }
  Figure figure(wanted.name);
  figure.number("entries", static_cast<double>(wanted.entries), 0)
      .number("threads", threads, 0)
      .number("per_second", median(rates), 0)
      .number(wanted.limit_name, median(limits), 0);
  if (wanted.goal > 0) {
    figure.at_least(median(ratios), wanted.goal).print();
  } else {
    figure.number("ratio", median(ratios)).print();
  }
  Figure(wanted.name + ": peak memory, MiB").at_most(peak, memory_mib_max, 1).print();
}

}  // namespace

int main(int argc, char** argv) {
  initialise_crypto();
  const std::filesystem::path folder = argc > 1 ? argv[1] : "bench-verify-data";
  const std::uint64_t entries = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
  const std::size_t repeats = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 3;
  must(entries > 2, "at least three entries");
  const unsigned threads = client::cores();
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::size_t alone_bytes = make_export(folder / "alone", folder / "clear", {entries, 1});
  const std::size_t batch_bytes =
      make_export(folder / "batches", folder / "batches-clear", {entries, 1'000});

  const auto tree = [=] { return leaf_tree_rate(threads, entries, 0); };
  const auto hashes = [=](std::size_t payload_bytes) {
    return [=] { return leaf_tree_rate(threads, entries, payload_bytes); };
  };
  const auto signatures = [=] { return verify_rate(threads, record_message_bytes); };
  const std::uint64_t sealed = entries - 2;
  measure({"verify of log and tree, no payloads in the export", folder / "clear", false, entries, 0,
           "tree_per_second", tree, 0.6},
          threads, short_repeats * repeats);
  measure({"verify of log, tree and payloads, no keys", folder / "alone", false, entries, 0,
           "tree_and_payload_hash_per_second", hashes(alone_bytes), 0.6},
          threads, repeats);
  measure({"verify with keys, each record signed alone", folder / "alone", true, entries, sealed,
           "verify_per_second", signatures, 0.8},
          threads, repeats);
  measure({"verify with keys, signed in batches of 1,000", folder / "batches", true, entries,
           sealed, "tree_and_payload_hash_per_second", hashes(batch_bytes), 0},
          threads, repeats);
  std::filesystem::remove_all(folder);
  return exit_code();
}
