#include <gtest/gtest.h>

#include <cstdlib>

#include "storage/log_store.hpp"
#include "storage/packing.hpp"
#include "tests/support/entries.hpp"
#include "tests/support/memory_database.hpp"

namespace kith::storage {
namespace {

using kith::testing::Entries;
using kith::testing::MemoryDatabase;
using log_store::CheckReport;
using log_store::Fault;

constexpr std::size_t count = 2 * 256 + 20;
const LogId log_id{{1}};
const MemberId witness{{7}};

std::size_t size_of(std::uint64_t index) { return index % 100 == 7 ? 17'000 : 10 + index % 7; }
bool some(std::uint64_t index) { return index % 50 == 3; }

/// Every byte with KITH_FULL=1, every n-th otherwise: each one costs a check of the whole log.
std::size_t step(std::size_t n) { return std::getenv("KITH_FULL") != nullptr ? 1 : n; }

/// A log with all that can be damaged: bundles, single rows, large payloads, gaps, a checkpoint, a
/// cosignature and evidence.
class LogCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    const Entries entries(0, count, size_of);
    const auto given = entries.except(some);
    const auto txn = database_.write();
    log_store::create(*txn, log_id, MemberId{{2}}, SpaceId{{3}});
    ASSERT_TRUE(log_store::append(*txn, log_id, 0, given));
    ASSERT_TRUE(log_store::put_checkpoint(
        *txn, log_id, {300, log_store::root_at(*txn, log_id, 300), "the note"}));
    ASSERT_TRUE(log_store::put_cosignature(
        *txn, {log_id, 511, log_store::root_at(*txn, log_id, 511), witness, 5, Signature{{9}}}));
    log_store::put_evidence(*txn, Key(BytesView(Bytes{0})).add(log_id.view()), "a proof");
    txn->commit();
  }

  [[nodiscard]] CheckReport check() const {
    return log_store::check(*database_.read(), log_id, {});
  }

  [[nodiscard]] std::vector<std::pair<Bytes, Bytes>> rows(Table table) const {
    std::vector<std::pair<Bytes, Bytes>> found;
    const auto txn = database_.read();
    for (auto row = txn->at_or_after(table, {}); row;) {
      found.emplace_back(to_bytes(row->key), to_bytes(row->value));
      Bytes next = found.back().first;
      next.push_back(0);
      row = txn->at_or_after(table, next);
    }
    return found;
  }

  void put(Table table, BytesView key, BytesView value) {
    const auto txn = database_.write();
    txn->put(table, key, value);
    txn->commit();
  }
  void erase(Table table, BytesView key) {
    const auto txn = database_.write();
    txn->erase(table, key);
    txn->commit();
  }

  /// Reads everything there is; a damaged row may be told by a StorageError and nothing else.
  void read_everything() {
    const auto guarded = [](const auto& read) {
      try {
        read();
      } catch (const StorageError& error) {
        EXPECT_EQ(error.kind, StorageError::Kind::other);
      }
    };
    const auto txn = database_.write();
    guarded([&] { static_cast<void>(log_store::heads(*txn)); });
    guarded([&] { static_cast<void>(log_store::bundle(*txn, log_id, 10, count)); });
    guarded([&] { static_cast<void>(log_store::leaves(*txn, log_id, 10, count)); });
    guarded([&] { static_cast<void>(log_store::checkpoint(*txn, log_id)); });
    guarded([&] { static_cast<void>(log_store::cosignatures(*txn, log_id)); });
    guarded([&] { static_cast<void>(log_store::evidence(*txn)); });
    guarded([&] { static_cast<void>(log_store::root_at(*txn, log_id, 400)); });
    guarded([&] { static_cast<void>(log_store::tile(*txn, log_id, count, 0, 2)); });
    guarded([&] { static_cast<void>(log_store::tile(*txn, log_id, count, 1, 0)); });
    guarded([&] { static_cast<void>(log_store::leaf(*txn, log_id, 515)); });
    guarded([&] {
      log_store::each_payload(*txn, log_id, 0, count, [](std::uint64_t, auto) { return true; });
    });
    const Entries more(count, 300, size_of);
    guarded([&] { static_cast<void>(log_store::append(*txn, log_id, count, more.all())); });
    guarded([&] {
      static_cast<void>(
          log_store::put_payload(*txn, log_id, 3, kith::testing::payload_at(3, size_of(3))));
    });
  }

  MemoryDatabase database_;
};

std::uint64_t number_in(const Bytes& key) {
  return read_integer<std::uint64_t>(BytesView(key).last(sizeof(std::uint64_t)));
}

bool names(const CheckReport& report, std::uint64_t first, std::uint64_t last) {
  return std::ranges::any_of(report.faults, [&](const Fault& fault) {
    return fault.index >= first && fault.index < last;
  });
}

TEST_F(LogCheck, AWholeLogHasNoFault) {
  const CheckReport report = check();
  EXPECT_TRUE(report.faults.empty());
  EXPECT_EQ(report.leaves, count);
  EXPECT_EQ(report.gaps, 11U);
  EXPECT_EQ(report.payloads, count - 11);
}

/// Where leaf `index` of a bundle begins in its row.
std::size_t leaf_offset(const Bytes& bundle, std::uint64_t index) {
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < index; ++i) {
    at += 2U + read_integer<std::uint16_t>(BytesView(bundle).subspan(at));
  }
  return at;
}

TEST_F(LogCheck, FindsAFlippedBitOfAnyLeafOfABundleAndNamesIt) {
  const auto [key, value] = rows(Table::bundles).at(1);
  std::uint64_t index = 0;
  for (std::size_t byte = 0; byte < value.size(); ++byte) {
    while (index < 255 && leaf_offset(value, index + 1) <= byte) ++index;
    if (byte % step(41) != 0) continue;  // Every leaf is hit at least twice.
    Bytes damaged = value;
    damaged[byte] ^= static_cast<std::uint8_t>(1U << (byte % 8));
    put(Table::bundles, key, damaged);
    ASSERT_TRUE(names(check(), 256 + index, 256 + index + 1)) << byte;
  }
}

TEST_F(LogCheck, SaysWhetherALeafOrItsHashIsDamaged) {
  const auto bundle = rows(Table::bundles).at(0);
  Bytes damaged = bundle.second;
  damaged[leaf_offset(damaged, 40) + 20] ^= 1;
  put(Table::bundles, bundle.first, damaged);
  CheckReport report = check();
  ASSERT_FALSE(report.faults.empty());
  EXPECT_EQ(report.faults[0].index, 40U);
  EXPECT_EQ(report.faults[0].what, "the leaf is damaged");

  put(Table::bundles, bundle.first, bundle.second);
  const auto tile = rows(Table::tiles).at(0);
  damaged = tile.second;
  damaged[32 * 41] ^= 1;
  put(Table::tiles, tile.first, damaged);
  report = check();
  ASSERT_EQ(report.faults.size(), 1U);
  EXPECT_EQ(report.faults[0].index, 41U);
  EXPECT_EQ(report.faults[0].what, "the hash of the leaf is damaged");
}

TEST_F(LogCheck, ReadsLeavesUpToTheFirstThatIsDamaged) {
  const auto bundle = rows(Table::bundles).at(0);
  Bytes damaged = bundle.second;
  damaged[leaf_offset(damaged, 40) + 2] ^= 1;  // Its first line says what it is.
  put(Table::bundles, bundle.first, damaged);
  EXPECT_EQ(log_store::leaves(*database_.read(), log_id, 0, 256).size(), 40U);
  EXPECT_EQ(log_store::leaves(*database_.read(), log_id, 41, 256).size(), 215U);

  damaged = bundle.second;
  damaged.pop_back();  // The bundle can no longer be told apart.
  put(Table::bundles, bundle.first, damaged);
  EXPECT_TRUE(log_store::leaves(*database_.read(), log_id, 0, 256).empty());
  put(Table::bundles, bundle.first, bundle.second);
  EXPECT_EQ(log_store::leaves(*database_.read(), log_id, 0, 256).size(), 256U);
  EXPECT_EQ(log_store::leaves(*database_.read(), log_id, 0, ~std::uint64_t{0}).size(), count);
}

TEST_F(LogCheck, FindsAFlippedBitOfAnyHashOfATileAndNamesTheLeaf) {
  for (const auto& [key, value] : rows(Table::tiles)) {
    const unsigned level = key[32];
    const std::uint64_t leaves = level == 0 ? 1 : 256;
    for (std::size_t byte = 0; byte < value.size(); byte += step(level == 0 ? 23 : 1)) {
      Bytes damaged = value;
      damaged[byte] ^= static_cast<std::uint8_t>(1U << (byte % 8));
      put(Table::tiles, key, damaged);
      const std::uint64_t index = (number_in(key) * 256 + byte / 32) * leaves;
      ASSERT_TRUE(names(check(), index, index + leaves)) << level << ' ' << byte;
    }
    put(Table::tiles, key, value);
  }
}

TEST_F(LogCheck, FindsAFlippedBitInAnyByteOfAPayloadGroupAndNamesThePayload) {
  const auto [key, value] = rows(Table::payloads).at(1);
  std::uint64_t slot = 0;
  std::size_t end = 256;
  for (std::size_t byte = 0; byte < value.size(); ++byte) {
    const auto length = [&](std::uint64_t i) -> std::size_t {
      const auto held = read_integer<std::uint32_t>(BytesView(value).subspan(i * 4));
      return held == 0xFFFFFFFF ? 0 : held;
    };
    if (byte == 256) end += length(0);
    while (byte >= 256 && byte >= end) end += length(++slot);
    const std::uint64_t index = 64 + (byte < 256 ? byte / 4 : slot);
    if (byte % step(3) != 0) continue;
    Bytes damaged = value;
    damaged[byte] ^= static_cast<std::uint8_t>(1U << (byte % 8));
    put(Table::payloads, key, damaged);
    const CheckReport report = check();
    // Where a length is damaged that the leaf cannot tell, only the group is known.
    const bool only_group = byte < 256 && (some(index) || size_of(index) > 16'384);
    ASSERT_TRUE(only_group ? names(report, 64, 128) : names(report, index, index + 1)) << byte;
  }
}

TEST_F(LogCheck, FindsAFlippedBitInAnyByteOfASingleRowAndNamesIt) {
  for (const auto& [key, value] : rows(Table::recent)) {
    for (std::size_t byte = number_in(key) % step(3); byte < value.size(); byte += step(3)) {
      Bytes damaged = value;
      damaged[byte] ^= static_cast<std::uint8_t>(1U << (byte % 8));
      put(Table::recent, key, damaged);
      ASSERT_TRUE(names(check(), number_in(key), number_in(key) + 1)) << byte;
    }
    put(Table::recent, key, value);
  }
}

TEST_F(LogCheck, FindsAFlippedBitOfALargePayload) {
  const auto [key, value] = rows(Table::large).at(2);
  for (std::size_t byte = 0; byte < value.size(); byte += step(97)) {
    Bytes damaged = value;
    damaged[byte] ^= static_cast<std::uint8_t>(1U << (byte % 8));
    put(Table::large, key, damaged);
    ASSERT_TRUE(names(check(), number_in(key), number_in(key) + 1)) << byte;
  }
}

TEST_F(LogCheck, FindsAFlippedBitOfAnythingThatNoTreeCovers) {
  for (const Table table :
       {Table::heads, Table::checkpoints, Table::cosignatures, Table::evidence}) {
    const auto [key, value] = rows(table).at(0);
    for (std::size_t bit = 0; bit < value.size() * 8; bit += step(5)) {
      Bytes damaged = value;
      damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      put(table, key, damaged);
      const CheckReport report = check();
      ASSERT_TRUE(names(report, count, count + 1)) << static_cast<int>(table) << ' ' << bit;
      ASSERT_EQ(report.leaves, count);
    }
    put(table, key, value);
  }
}

TEST_F(LogCheck, FindsEveryRowThatIsMissing) {
  for (const Table table : {Table::heads, Table::recent, Table::bundles, Table::tiles,
                            Table::payloads, Table::large, Table::gaps}) {
    for (const auto& [key, value] : rows(table)) {
      erase(table, key);
      EXPECT_FALSE(check().faults.empty()) << static_cast<int>(table);
      put(table, key, value);
    }
  }
  EXPECT_TRUE(check().faults.empty());
}

TEST_F(LogCheck, FindsRowsThatDoNotBelong) {
  for (const Table table :
       {Table::recent, Table::bundles, Table::payloads, Table::large, Table::gaps}) {
    Bytes key = to_bytes(log_id.view());
    append_integer(key, std::uint64_t{count + 1000});
    put(table, key, view("x"));
    EXPECT_FALSE(check().faults.empty()) << static_cast<int>(table);
    erase(table, key);
  }
  Bytes twice = to_bytes(log_id.view());
  append_integer(twice, std::uint64_t{5});
  put(Table::recent, twice, view("x"));
  EXPECT_TRUE(names(check(), 5, 6));
  erase(Table::recent, twice);
  put(Table::gaps, twice, {});
  EXPECT_TRUE(names(check(), 5, 6));
}

TEST_F(LogCheck, NoticesAnOldHeadBesideNewRows) {
  const auto [key, old_head] = rows(Table::heads).at(0);
  const Entries more(count, 300, size_of);
  {
    const auto txn = database_.write();
    ASSERT_TRUE(log_store::append(*txn, log_id, count, more.all()));
    txn->commit();
  }
  EXPECT_TRUE(check().faults.empty());
  put(Table::heads, key, old_head);
  EXPECT_FALSE(check().faults.empty());
}

TEST_F(LogCheck, StopsWhenToldToAndNeverListsMoreThanAHundred) {
  int calls = 0;
  const auto stopped =
      log_store::check(*database_.read(), log_id, [&](std::uint64_t) { return ++calls < 1; });
  EXPECT_EQ(stopped.leaves, 256U);
  EXPECT_EQ(calls, 1);

  for (const auto& [key, value] : rows(Table::payloads))
    put(Table::payloads, key, Bytes(value.size(), 0));
  for (const auto& [key, value] : rows(Table::bundles))
    put(Table::bundles, key, Bytes(value.size(), 0));
  EXPECT_EQ(check().faults.size(), 100U);
}

TEST_F(LogCheck, NoDamagedRowCrashesAnything) {
  for (const Table table :
       {Table::heads, Table::recent, Table::bundles, Table::tiles, Table::payloads,
        Table::checkpoints, Table::cosignatures, Table::evidence}) {
    for (const auto& [key, value] : rows(table)) {
      const std::size_t head = std::min<std::size_t>(value.size(), 300);
      for (std::size_t i = 0; i < 12; ++i) {
        Bytes damaged = value;
        const std::size_t at = (i * 2654435761U) % head;
        if (i % 3 == 0) damaged.resize(at);
        if (i % 3 == 1) damaged[at] = 0xFF;
        if (i % 3 == 2) damaged.push_back(0x55);
        put(table, key, damaged);
        static_cast<void>(check());
        read_everything();
      }
      put(table, key, value);
    }
  }
  EXPECT_TRUE(check().faults.empty());
}

TEST_F(LogCheck, ADamagedSingleLeafIsNotPackedAsIfItWereWhole) {
  auto [key, value] = rows(Table::recent).at(3);
  value[20] ^= 1;
  put(Table::recent, key, value);
  const Entries more(count, 300, size_of);
  const auto txn = database_.write();
  EXPECT_THROW(static_cast<void>(log_store::append(*txn, log_id, count, more.all())), StorageError);
}

}  // namespace
}  // namespace kith::storage
