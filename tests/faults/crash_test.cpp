#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>

#include "storage/high_water.hpp"
#include "storage/lmdb.hpp"
#include "storage/log_store.hpp"
#include "tests/faults/crash_entries.hpp"
#include "tests/storage/scratch.hpp"
#include "tests/support/entries.hpp"

// A real process is ended or hindered at the k-th call of each kind that changes the disk, for
// every k of a whole run (KITH_FULL=1) or for every seventh. What it had acknowledged must be
// there.
namespace kith::storage {
namespace {

using kith::testing::crash_commits;
using kith::testing::crash_log;
using kith::testing::Scratch;

constexpr std::array calls = {"pwrite64", "pwritev",   "writev", "write", "fdatasync",
                              "fsync",    "ftruncate", "rename", "link",  "openat"};

/// A killed process leaves the same in any file system, as the kernel goes on; one in memory takes
/// a tenth of the time.
class FastScratch : public Scratch {
 public:
  FastScratch()
      : Scratch(::access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                                : std::filesystem::temp_directory_path()) {}
};

struct Outcome {
  int status = 0;
  std::uint64_t acknowledged = 0;
  std::string said;
};

/// Runs a program with its standard output in a pipe.
Outcome run(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    // The leak sanitizer cannot work in a process that strace holds.
    ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    // What the writer complains of is what it is made to suffer: the exit status tells enough.
    ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  Outcome outcome;
  std::array<char, 4096> buffer;
  for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    outcome.said.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  EXPECT_EQ(::waitpid(child, &outcome.status, 0), child);
  if (const std::size_t end = outcome.said.rfind('\n'); end != std::string::npos) {
    const std::size_t begin = outcome.said.rfind('\n', end - 1) + 1;  // npos + 1 is 0.
    std::from_chars(outcome.said.data() + begin, outcome.said.data() + end, outcome.acknowledged);
  }
  return outcome;
}

/// crash_writer under strace, with one fault injected if `fault` is not empty.
Outcome run_writer(const std::string& mode, const Scratch& scratch, const std::string& call,
                   const std::string& fault) {
  std::vector<std::string> arguments = {
      "strace",        "-f", "-qq",        "-o", (scratch / "trace").string(), "-e",
      "trace=" + call, "-e", "signal=none"};
  if (!fault.empty()) arguments.insert(arguments.end(), {"-e", "inject=" + call + ":" + fault});
  arguments.insert(arguments.end(), {KITH_CRASH_WRITER, mode, scratch.folder().string()});
  return run(arguments);
}

bool strace_works() {
  const Outcome outcome = run({"strace", "-qq", "-o", "/dev/null", "true"});
  return WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0;
}

std::size_t calls_in_a_whole_run(const std::string& call) {
  const FastScratch scratch;
  const Outcome outcome = run_writer("append", scratch, call, "");
  EXPECT_EQ(outcome.status, 0);
  std::ifstream trace(scratch / "trace");
  std::size_t lines = 0;
  for (std::string line; std::getline(trace, line);) {
    if (line.find(call + "(") != std::string::npos) ++lines;
  }
  return lines;
}

/// Whether all that was acknowledged is there and whole, and nothing is half there.
bool all_is_there(const Scratch& scratch, std::uint64_t acknowledged) {
  const LmdbDatabase database(scratch / "log", log_tables(), LmdbDatabase::Durability::full);
  const auto txn = database.read();
  const auto head = log_store::head(*txn, crash_log);
  if (!head) return acknowledged == 0;
  if (head->size() < acknowledged) return false;
  for (std::uint64_t index = 0; index < head->size(); ++index) {
    const std::size_t size = kith::testing::crash_payload_size(index);
    if (log_store::payload(*txn, crash_log, index) != kith::testing::payload_at(index, size))
      return false;
  }
  const auto report = log_store::check(*txn, crash_log, {});
  for (const auto& fault : report.faults) ADD_FAILURE() << fault.index << ": " << fault.what;
  if (!report.faults.empty()) return false;

  // Nothing is signed before it is durable, so the mark never runs ahead of the log.
  const HighWaterFile high_water(scratch / "high-water");
  const auto mark = high_water.marks().find(crash_log);
  if (mark == high_water.marks().end()) return acknowledged == 0;
  return mark->second.size >= acknowledged && mark->second.size <= head->size() &&
         mark->second.root == log_store::root_at(*txn, crash_log, mark->second.size);
}

std::size_t step() { return std::getenv("KITH_FULL") != nullptr ? 1 : 7; }

struct Tally {
  std::size_t runs = 0;
  std::size_t hit = 0;
  std::size_t lost = 0;
};

/// Injects `fault` at the k-th `call` for k = first, first + step, … over a whole run.
Tally sweep(const std::string& mode, const std::string& call, const std::string& fault) {
  Tally tally;
  const std::size_t last = calls_in_a_whole_run(call);
  for (std::size_t k = 1; k <= last; k += step()) {
    const FastScratch scratch;
    const Outcome outcome = run_writer(mode, scratch, call, fault + ":when=" + std::to_string(k));
    ++tally.runs;
    if (outcome.status != 0) ++tally.hit;
    if (all_is_there(scratch, outcome.acknowledged)) continue;
    ++tally.lost;
    if (mode == "append")
      ADD_FAILURE() << call << ' ' << fault << " at call " << k << ": " << outcome.acknowledged
                    << " were acknowledged";
  }
  if (tally.runs > 0) {
    std::printf("%s %s %s: %zu runs, %zu ended early, %zu lost\n", mode.c_str(), call.c_str(),
                fault.c_str(), tally.runs, tally.hit, tally.lost);
    std::fflush(stdout);
  }
  return tally;
}

class Crash : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(strace_works()) << "strace is missing or may not trace here: install the package "
                                   "strace; in a container allow ptrace";
  }
};

TEST_F(Crash, AKillAtAnyWriteLosesNothingAcknowledged) {
  Tally all;
  for (const char* call : calls) {
    const Tally tally = sweep("append", call, "signal=SIGKILL");
    all.runs += tally.runs;
    all.hit += tally.hit;
  }
  std::printf("killed: %zu of %zu runs\n", all.hit, all.runs);
  // Every fault was placed inside the run, so every run must have ended by it.
  EXPECT_EQ(all.hit, all.runs);
  EXPECT_GE(all.runs, 5 * crash_commits / step());
}

TEST_F(Crash, AnAcknowledgementBeforeTheCommitIsCaught) {
  EXPECT_GT(sweep("early", "pwrite64", "signal=SIGKILL").lost, 0U);
  EXPECT_GT(sweep("early", "fdatasync", "signal=SIGKILL").lost, 0U);
}

TEST_F(Crash, AFullDiskStopsCleanlyAndLosesNothing) {
  const Tally tally = sweep("append", "pwrite64", "error=ENOSPC");
  EXPECT_EQ(tally.hit, tally.runs);
}

TEST_F(Crash, AFailedWriteOrSyncStopsAndLosesNothing) {
  for (const char* call : {"pwrite64", "fdatasync"}) {
    const Tally tally = sweep("append", call, "error=EIO");
    EXPECT_EQ(tally.hit, tally.runs);
  }
}

TEST_F(Crash, AFullDiskAndABrokenOneAreToldApart) {
  // Far into the run: a write of pages, which is where a disk becomes full.
  const std::string middle = ":when=" + std::to_string(calls_in_a_whole_run("fdatasync") / 2);
  for (const auto& [error, status] : {std::pair{"ENOSPC", 3}, {"EDQUOT", 3}, {"EIO", 4}}) {
    const FastScratch scratch;
    const Outcome outcome =
        run_writer("append", scratch, "fdatasync", std::string("error=") + error + middle);
    EXPECT_TRUE(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == status) << error;
    EXPECT_TRUE(all_is_there(scratch, outcome.acknowledged));
  }
}

TEST(StaleReader, IsClearedWhenItsProcessWasKilled) {
  const Scratch scratch;
  LmdbDatabase database(scratch / "log", log_tables(), LmdbDatabase::Durability::rebuildable);
  const auto churn = [&] {
    for (int i = 0; i < 200; ++i) {
      const auto txn = database.write();
      txn->put(Table::waiting, view("k"), Bytes(3000, 1));
      txn->commit();
    }
    return database.used_bytes();
  };
  churn();

  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl(KITH_CRASH_WRITER, KITH_CRASH_WRITER, "read", scratch.folder().c_str(), nullptr);
    ::_exit(127);
  }
  std::array<char, 8> said;
  ASSERT_EQ(::read(ends[0], said.data(), said.size()), 8);
  ::close(ends[0]);
  ::close(ends[1]);
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);

  // Its slot is still taken: pages are not used again.
  const std::uint64_t before = database.used_bytes();
  const std::uint64_t grown = churn();
  EXPECT_GT(grown, before + 200 * 4096);
  database.clear_stale_readers();
  EXPECT_LT(churn(), grown + 20 * 4096);
}

}  // namespace
}  // namespace kith::storage
