#include <gtest/gtest.h>

#include <chrono>

#include "storage/lmdb.hpp"
#include "storage/log_store.hpp"
#include "tests/storage/scratch.hpp"
#include "tests/support/entries.hpp"

namespace kith::storage {
namespace {

using kith::testing::Entries;
using kith::testing::Scratch;

constexpr std::size_t payload_bytes = 1434;
const LogId log_id{{1}};

std::size_t usual_size(std::uint64_t) { return payload_bytes; }

double rate(std::size_t count, std::chrono::steady_clock::time_point since) {
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - since;
  return static_cast<double>(count) / taken.count();
}

/// Bytes of the data file for each byte that must be kept: payload, leaf and its hash.
double disk_ratio(const Scratch& scratch, const Entries& entries, std::size_t count) {
  std::uint64_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) kept += payload_bytes + entries.leaf(i).size() + 32;
  return static_cast<double>(std::filesystem::file_size(scratch / "log/data.mdb")) /
         static_cast<double>(kept);
}

std::size_t entry_count() { return std::getenv("KITH_FULL") != nullptr ? 100'000 : 20'000; }

TEST(LogDisk, ABulkAppendTakesLittleMoreThanTheBytesThemselves) {
  const std::size_t count = entry_count();
  const Entries entries(0, count, usual_size);
  const auto given = entries.all();
  const Scratch scratch;
  LmdbDatabase database(scratch / "log", log_tables(), LmdbDatabase::Durability::full);
  const auto txn = database.write();
  log_store::create(*txn, log_id, {}, {});

  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(log_store::append(*txn, log_id, 0, given));
  const double appended = rate(count, start);
  txn->commit();
  const double ratio = disk_ratio(scratch, entries, count);
  std::printf("bulk: %zu entries, %.0f/s, %.0f/s with commit, disk ratio %.3f\n", count, appended,
              rate(count, start), ratio);
  EXPECT_LE(ratio, 1.25);
}

TEST(LogDisk, SingleAppendsLeaveNoMoreBehindThanOneBulk) {
  const std::size_t count = entry_count();
  const Entries entries(0, count, usual_size);
  const auto given = entries.all();
  const Scratch scratch;
  // Without syncing, only to be quick: what is written is the same.
  LmdbDatabase database(scratch / "log", log_tables(), LmdbDatabase::Durability::rebuildable);
  const auto begin = database.write();
  log_store::create(*begin, log_id, {}, {});
  begin->commit();
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    const auto txn = database.write();
    ASSERT_TRUE(log_store::append(*txn, log_id, i, std::span(given).subspan(i, 1)));
    txn->commit();
  }
  const double ratio = disk_ratio(scratch, entries, count);
  std::printf("single: %zu entries, %.0f/s without sync, disk ratio %.3f\n", count,
              rate(count, start), ratio);
  EXPECT_LE(ratio, 1.25);
}

}  // namespace
}  // namespace kith::storage
