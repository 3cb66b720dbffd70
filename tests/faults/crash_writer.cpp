// A process to be killed: appends commits to a log and says on standard output what is durable.
//
//   crash_writer append FOLDER   100 commits; after each the new size, as text and LF
//   crash_writer early FOLDER    the same, but says the size before the commit: must be caught
//   crash_writer read FOLDER     begins to read, says "reading" and waits to be killed
//
// Exit 3: the disk was full, 4: it failed otherwise.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "storage/high_water.hpp"
#include "storage/lmdb.hpp"
#include "storage/log_store.hpp"
#include "tests/faults/crash_entries.hpp"
#include "tests/support/entries.hpp"

namespace kith::testing {
namespace {

using storage::LmdbDatabase;

void say(const std::string& line) {
  // One call: a line is said whole or not at all.
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(1);
}

void append_commits(const std::filesystem::path& folder, bool says_early) {
  LmdbDatabase database(folder / "log", storage::log_tables(), LmdbDatabase::Durability::full);
  storage::HighWaterFile high_water(folder / "high-water");
  std::uint64_t size = 0;
  for (std::size_t commit = 0; commit < crash_commits; ++commit) {
    const Entries entries(size, entries_of_commit(commit), crash_payload_size);
    const std::string line = std::to_string(size + entries_of_commit(commit)) + "\n";
    const auto txn = database.write();
    storage::log_store::create(*txn, crash_log, {}, {});
    const auto head = storage::log_store::append(*txn, crash_log, size, entries.all());
    if (!head) ::_exit(1);
    if (says_early) say(line);
    txn->commit();
    high_water.advance({{crash_log, {head->size(), head->range.root()}}});
    if (!says_early) say(line);
    size = head->size();
  }
}

void read_for_ever(const std::filesystem::path& folder) {
  const LmdbDatabase database(folder / "log", storage::log_tables(),
                              LmdbDatabase::Durability::full);
  const auto txn = database.read();
  say("reading\n");
  for (;;) ::pause();
}

}  // namespace
}  // namespace kith::testing

int main(int argc, char** argv) {
  if (argc != 3) return 1;
  const std::string mode = argv[1];
  try {
    if (mode == "append") kith::testing::append_commits(argv[2], false);
    if (mode == "early") kith::testing::append_commits(argv[2], true);
    if (mode == "read") kith::testing::read_for_ever(argv[2]);
  } catch (const kith::storage::StorageError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.kind == kith::storage::StorageError::Kind::full ? 3 : 4;
  }
  return 0;
}
