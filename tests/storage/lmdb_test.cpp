#include "storage/lmdb.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <optional>
#include <random>

#include "protocol/base/check.hpp"
#include "storage/files/file.hpp"
#include "storage/lmdb_file.hpp"
#include "storage/lmdb_folder.hpp"
#include "tests/storage/scratch.hpp"

// One test for each of LMDB's pitfalls that can be shown; docs/STORAGE lists them all.
namespace kith::storage {
namespace {

using kith::testing::flip_byte;
using kith::testing::Scratch;
using Durability = LmdbDatabase::Durability;

constexpr std::uint64_t page_bytes = 4096;

void put(LmdbDatabase& database, std::uint32_t number, std::size_t size) {
  Bytes key;
  append_integer(key, number);
  const auto txn = database.write();
  txn->put(Table::waiting, key, Bytes(size, static_cast<std::uint8_t>(number)));
  txn->commit();
}

std::size_t rows_in(const LmdbDatabase& database) {
  const auto txn = database.read();
  std::size_t rows = 0;
  for (auto row = txn->at_or_after(Table::waiting, {}); row; ++rows) {
    Bytes next = to_bytes(row->key);
    next.push_back(0);
    row = txn->at_or_after(Table::waiting, next);
  }
  return rows;
}

std::string refusal(const std::filesystem::path& folder) {
  try {
    const LmdbDatabase database(folder, log_tables(), Durability::full);
    return "";
  } catch (const StorageError& error) {
    EXPECT_EQ(error.kind, StorageError::Kind::other);
    return error.what();
  }
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A store with some hundred pages, closed.
void fill(const std::filesystem::path& folder) {
  LmdbDatabase database(folder, log_tables(), Durability::full);
  for (std::uint32_t i = 0; i < 40; i += 10) {
    const auto txn = database.write();
    for (std::uint32_t k = i; k < i + 10; ++k) {
      Bytes key;
      append_integer(key, k);
      txn->put(Table::waiting, key, Bytes(10'000, 1));
    }
    txn->commit();
  }
}

TEST(Lmdb, KeepsWhatWasCommittedThroughReopening) {
  const Scratch scratch;
  fill(scratch / "log");
  const LmdbDatabase database(scratch / "log", log_tables(), Durability::full);
  EXPECT_EQ(rows_in(database), 40U);
  EXPECT_GE(database.used_bytes(), 400'000U);
  EXPECT_LE(database.used_bytes(),
            std::filesystem::file_size(scratch / "log/data.mdb") + 40 * page_bytes);
}

TEST(Lmdb, FolderAndFilesAreForTheirOwnerAlone) {
  const Scratch scratch;
  fill(scratch / "a/b/log/");
  for (const auto& [name, mode] :
       {std::pair{"a/b/log", 0700U}, {"a/b/log/data.mdb", 0600U}, {"a/b/log/lock.mdb", 0600U}}) {
    struct stat status{};
    ASSERT_EQ(::stat((scratch / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, mode) << name;
  }
}

TEST(Lmdb, TheTablesOfTheTwoEnvironmentsAreAllTables) {
  std::vector<Table> all(log_tables().begin(), log_tables().end());
  all.insert(all.end(), view_tables().begin(), view_tables().end());
  ASSERT_EQ(all.size(), static_cast<std::size_t>(Table::count_));
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<Table>(i));
}

// L1: nothing in LMDB notices a flipped bit; kith's own sums do (log_check_test).

// L2
TEST(Lmdb, AFileCutOffAtAnyPageIsRefusedBeforeItCouldKill) {
  const Scratch scratch;
  fill(scratch / "log");
  const auto data = scratch / "log/data.mdb";
  const std::uint64_t pages = std::filesystem::file_size(data) / page_bytes;
  ASSERT_GT(pages, 100U);
  std::filesystem::copy_file(data, scratch / "whole");
  for (std::uint64_t kept = 1; kept < pages; ++kept) {
    std::filesystem::copy_file(scratch / "whole", data,
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(data, kept * page_bytes);
    const LmdbFileReport report = inspect_lmdb_file(data);
    // The last pages may be free ones: then nothing was lost, and the store opens.
    if (report.usable) {
      const LmdbDatabase database(scratch / "log", log_tables(), Durability::full);
      ASSERT_EQ(rows_in(database), 40U) << kept;
    } else {
      ASSERT_TRUE(contains(refusal(scratch / "log"), "put back the newest copy")) << kept;
    }
  }
}

TEST(Lmdb, AFileCutWithinAPageIsRefused) {
  const Scratch scratch;
  fill(scratch / "log");
  const auto data = scratch / "log/data.mdb";
  std::filesystem::resize_file(data, std::filesystem::file_size(data) / 2 + 17);
  EXPECT_TRUE(contains(refusal(scratch / "log"), "was cut off"));
}

TEST(Lmdb, AFileThatIsNoDatabaseIsRefused) {
  const Scratch scratch;
  fill(scratch / "log");
  for (const std::string& content :
       {std::string("x"), std::string(8192, '\0'), std::string(100'000, 'x')}) {
    ASSERT_TRUE(files::write(scratch / "log/data.mdb", view(content), 0600));
    EXPECT_TRUE(contains(refusal(scratch / "log"), "first pages are damaged")) << content.size();
  }
}

TEST(Lmdb, NoDamageToTheFirstPagesCrashesTheInspection) {
  const Scratch scratch;
  fill(scratch / "log");
  const auto data = scratch / "log/data.mdb";
  std::mt19937 random(1);
  std::string whole = *files::read(data, 10'000'000);
  whole.resize(whole.size() - 20 * page_bytes);  // So that the free list is walked.
  std::size_t refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 4; ++i) {
      const std::size_t page =
          random() % 2 == 0 ? random() % 2 : random() % (whole.size() / page_bytes);
      damaged[page * page_bytes + random() % 200] = static_cast<char>(random());
    }
    std::ofstream(data, std::ios::binary) << damaged;
    if (!inspect_lmdb_file(data).usable) ++refused;
  }
  EXPECT_GT(refused, 200U);
}

/// LMDB leaves pages at the end unwritten that were taken and freed within one commit.
TEST(Lmdb, AFileThatLacksOnlyFreePagesIsNotTakenForACutOne) {
  std::size_t shorter = 0;
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    const Scratch scratch;
    std::mt19937 random(seed);
    LmdbDatabase database(scratch / "log", log_tables(), Durability::rebuildable);
    for (std::uint32_t round = 0; round < 30; ++round) {
      const auto txn = database.write();
      const auto added = static_cast<std::uint32_t>(random() % 100);
      const auto removed = static_cast<std::uint32_t>(random() % 100);
      for (std::uint32_t i = 0; i < added; ++i) {
        Bytes key;
        append_integer(key, round * 1000 + i);
        txn->put(Table::waiting, key, Bytes(1400, 1));
      }
      for (std::uint32_t i = added; i-- > 0 && i + removed > added;) {
        Bytes key;
        append_integer(key, round * 1000 + i);
        txn->erase(Table::waiting, key);
      }
      txn->commit();
      const auto report = inspect_lmdb_file(scratch / "log/data.mdb");
      ASSERT_TRUE(report.usable) << report.problem;
      ASSERT_EQ(report.claimed_bytes, database.used_bytes());
      if (report.file_bytes < report.claimed_bytes) ++shorter;
    }
  }
  // Otherwise this test showed nothing.
  EXPECT_GT(shorter, 10U);
}

TEST(Lmdb, AnEmptyFileIsWhatACrashDuringTheVeryFirstStartLeaves) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "log");
  std::filesystem::permissions(scratch / "log", std::filesystem::perms::owner_all);
  ASSERT_TRUE(files::write(scratch / "log/data.mdb", {}, 0600));
  EXPECT_EQ(refusal(scratch / "log"), "");
}

// L3
TEST(Lmdb, FilesThatOthersCanTouchAreRefused) {
  const Scratch scratch;
  fill(scratch / "log");
  for (const std::string name : {"log", "log/data.mdb", "log/lock.mdb"}) {
    const auto path = scratch / name;
    const auto before = std::filesystem::status(path).permissions();
    for (const auto open :
         {std::filesystem::perms::group_read, std::filesystem::perms::others_write}) {
      std::filesystem::permissions(path, before | open);
      EXPECT_TRUE(contains(refusal(scratch / "log"), "chmod go-rwx")) << name;
    }
    std::filesystem::permissions(path, before);
  }
  EXPECT_EQ(refusal(scratch / "log"), "");
}

TEST(Lmdb, FilesOfAnotherUserAndLinksAreRefused) {
  const Scratch scratch;
  fill(scratch / "log");
  std::filesystem::rename(scratch / "log/data.mdb", scratch / "elsewhere");
  std::filesystem::create_symlink(scratch / "elsewhere", scratch / "log/data.mdb");
  EXPECT_TRUE(contains(refusal(scratch / "log"), "symbolic link"));
  std::filesystem::rename(scratch / "elsewhere", scratch / "log/data.mdb");
  if (::chown((scratch / "log/data.mdb").c_str(), 12345, 12345) != 0) return;  // Not root.
  EXPECT_TRUE(contains(refusal(scratch / "log"), "another user"));
}

// L5 and L13 are rules of the seam: a transaction lives in one function. L5's cost, kept in sight:
TEST(Lmdb, AReaderThatStaysKeepsFreedPagesFromBeingUsedAgain) {
  const Scratch scratch;
  LmdbDatabase database(scratch / "log", log_tables(), Durability::rebuildable);
  for (std::uint32_t i = 0; i < 200; ++i) put(database, 1, 3000);
  const std::uint64_t without = database.used_bytes();
  {
    const auto reader = database.read();
    for (std::uint32_t i = 0; i < 200; ++i) put(database, 1, 3000);
  }
  EXPECT_LT(without, 50 * page_bytes);
  EXPECT_GT(database.used_bytes(), without + 200 * page_bytes);
}

// L6 needs a second program: tests/faults.

// L7
TEST(Lmdb, AFullMapLosesNothingAndSaysFull) {
  const Scratch scratch;
  const std::uint64_t small_map = 64 * page_bytes;
  std::uint32_t written = 0;
  {
    LmdbDatabase database(scratch / "log", log_tables(), Durability::full, small_map);
    try {
      for (; written < 1000; ++written) put(database, written, 3000);
      FAIL() << "the map never became full";
    } catch (const StorageError& error) {
      EXPECT_EQ(error.kind, StorageError::Kind::full);
    }
    EXPECT_EQ(rows_in(database), written);
  }
  LmdbDatabase database(scratch / "log", log_tables(), Durability::full);
  EXPECT_EQ(rows_in(database), written);
  put(database, written, 3000);
  EXPECT_EQ(rows_in(database), written + 1);
}

TEST(Lmdb, ADiskThatFillsUpInTheMiddleOfAWriteIsFull) {
  const Scratch scratch;
  {
    LmdbDatabase database(scratch / "log", log_tables(), Durability::full);
    put(database, 1, 10);
    // A limit on the size of files cuts a write short as a full disk does.
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit small = before;
    small.rlim_cur = std::filesystem::file_size(scratch / "log/data.mdb") + 20 * page_bytes + 100;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    std::optional<StorageError::Kind> kind;
    try {
      put(database, 2, 60 * page_bytes);
    } catch (const StorageError& error) {
      kind = error.kind;
    }
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(kind, StorageError::Kind::full);
    EXPECT_EQ(rows_in(database), 1U);
    put(database, 2, 60 * page_bytes);
    EXPECT_EQ(rows_in(database), 2U);
  }
  LmdbDatabase database(scratch / "log", log_tables(), Durability::full);
  EXPECT_EQ(rows_in(database), 2U);
}

TEST(Lmdb, LessAddressSpaceGivesASmallerMap) {
  const Scratch scratch;
  // More than any machine has: the fallback is what opens it.
  LmdbDatabase database(scratch / "log", log_tables(), Durability::full, std::uint64_t{1} << 50);
  put(database, 1, 10);
  EXPECT_EQ(rows_in(database), 1U);
}

// L8
TEST(Lmdb, ReadersMayEndOnAnotherThreadThanTheyBegan) {
  const Scratch scratch;
  LmdbDatabase database(scratch / "log", log_tables(), Durability::rebuildable);
  put(database, 1, 10);
  // Two at once on one thread, ended in any order: only without thread-bound readers.
  auto first = database.read();
  auto second = database.read();
  first.reset();
  EXPECT_TRUE(second->at_or_after(Table::waiting, {}));
}

// L9
TEST(Lmdb, OpeningTheSameStoreTwiceInOneProcessIsABug) {
  const Scratch scratch;
  const LmdbDatabase database(scratch / "log", log_tables(), Durability::full);
  const auto again = [&] { LmdbDatabase(scratch / "./log", log_tables(), Durability::full); };
  EXPECT_DEATH(again(), "internal error");
}

// L11
TEST(Lmdb, RemoteFileSystemsAreKnownByTheirNumbers) {
  for (const std::uint64_t remote : {0x6969UL, 0xFF534D42UL, 0xFE534D42UL, 0x65735546UL,
                                     0x01021997UL, 0x73757245UL, 0x5346414FUL, 0x00C36400UL}) {
    EXPECT_TRUE(is_remote(remote)) << std::hex << remote;
  }
  // ext, xfs, btrfs, tmpfs, overlay, zfs
  for (const std::uint64_t local :
       {0xEF53UL, 0x58465342UL, 0x9123683EUL, 0x01021994UL, 0x794C7630UL, 0x2FC12FC1UL}) {
    EXPECT_FALSE(is_remote(local)) << std::hex << local;
  }
}

TEST(Lmdb, ViewsOfAnotherVersionAreRefusedWithTheWayOut) {
  const Scratch scratch;
  {
    LmdbDatabase database(scratch / "views", view_tables(), Durability::rebuildable);
    Bytes earlier;
    append_integer(earlier, std::uint32_t{1});
    const auto txn = database.write();
    txn->put(Table::view_meta, view("schema"), earlier);
    txn->commit();
  }
  try {
    LmdbDatabase database(scratch / "views", view_tables(), Durability::rebuildable);
    FAIL() << "rows of another form were taken over";
  } catch (const StorageError& refused) {
    EXPECT_TRUE(contains(refused.what(), "remove it, it is rebuilt from the logs"));
  }
}

TEST(Lmdb, AStoreOfALaterVersionIsRefused) {
  const Scratch scratch;
  {
    LmdbDatabase database(scratch / "log", log_tables(), Durability::full);
    Bytes later;
    append_integer(later, std::uint32_t{99});
    const auto txn = database.write();
    txn->put(Table::meta, view("schema"), later);
    txn->commit();
  }
  EXPECT_TRUE(contains(refusal(scratch / "log"), "another version"));
}

TEST(Lmdb, ARebuildableStoreIsEmptiedWhenTheMachineWentDown) {
  const Scratch scratch;
  const auto open = [&] {
    return std::make_unique<LmdbDatabase>(scratch / "views", view_tables(),
                                          Durability::rebuildable);
  };
  const auto rows = [](const LmdbDatabase& database) {
    return database.read()->at_or_after(Table::texts, {}).has_value();
  };
  {
    const auto database = open();
    const auto txn = database->write();
    txn->put(Table::texts, view("k"), view("x"));
    txn->commit();
    EXPECT_TRUE(std::filesystem::exists(scratch / "views/unsynced"));
  }
  EXPECT_FALSE(std::filesystem::exists(scratch / "views/unsynced"));
  EXPECT_TRUE(rows(*open()));

  // The daemon was killed, but the machine went on: the kernel kept all.
  const auto boot = files::read("/proc/sys/kernel/random/boot_id", 64);
  ASSERT_TRUE(boot && files::write(scratch / "views/unsynced", view(*boot), 0600));
  EXPECT_TRUE(rows(*open()));

  // Another start of the machine.
  ASSERT_TRUE(files::write(scratch / "views/unsynced", view("another"), 0600));
  EXPECT_FALSE(rows(*open()));
}

}  // namespace
}  // namespace kith::storage
