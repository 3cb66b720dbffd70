#include "tests/support/memory_database.hpp"

#include <gtest/gtest.h>

namespace kith::testing {
namespace {

using storage::StorageError;
using storage::Table;

void put(MemoryDatabase& database, std::string_view key) {
  const auto txn = database.write();
  txn->put(Table::waiting, view(key), view("x"));
  txn->commit();
}

bool has(const MemoryDatabase& database, std::string_view key) {
  return database.read()->get(Table::waiting, view(key)).has_value();
}

TEST(MemoryDatabase, KeepsEveryCommitThroughACrash) {
  MemoryDatabase database;
  put(database, "a");
  {
    const auto txn = database.write();
    txn->put(Table::waiting, view("b"), view("x"));
  }
  database.crash();
  EXPECT_TRUE(has(database, "a"));
  EXPECT_FALSE(has(database, "b"));
}

TEST(MemoryDatabase, LosesWhatWasNotSyncedWhenDurabilityIsIgnored) {
  MemoryDatabase database;
  put(database, "before");
  database.ignore_durability();
  put(database, "synced");
  database.sync();
  put(database, "lost");
  EXPECT_TRUE(has(database, "lost"));
  database.crash();
  EXPECT_TRUE(has(database, "before"));
  EXPECT_TRUE(has(database, "synced"));
  EXPECT_FALSE(has(database, "lost"));
  put(database, "after");
  EXPECT_TRUE(has(database, "after"));
}

TEST(MemoryDatabase, FailsTheCommitThatTheTestNames) {
  MemoryDatabase database;
  put(database, "a");
  database.fail_commit(2, StorageError::Kind::full);
  put(database, "b");
  try {
    put(database, "c");
    FAIL() << "the commit did not fail";
  } catch (const StorageError& error) {
    EXPECT_EQ(error.kind, StorageError::Kind::full);
  }
  EXPECT_FALSE(has(database, "c"));
  put(database, "d");
  EXPECT_TRUE(has(database, "b"));
  EXPECT_TRUE(has(database, "d"));
  EXPECT_EQ(database.commits(), 4U);
}

}  // namespace
}  // namespace kith::testing
