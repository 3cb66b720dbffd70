#include "storage/log_mend.hpp"

#include <gtest/gtest.h>

#include "protocol/keys/space_key.hpp"
#include "tests/storage/databases.hpp"
#include "tests/support/entries.hpp"

namespace kith::storage {
namespace {

using kith::testing::Entries;
using log_store::CheckReport;
using log_store::Fault;
using log_store::Mended;

constexpr std::size_t count = 3 * 256 + 20;
const NetworkId network{{4}};
const MemberId owner{{2}};
const MemberId witness{{7}};
const LogId log = log_id(network, owner, commons);

std::size_t size_of(std::uint64_t index) { return index % 100 == 7 ? 17'000 : 10 + index % 7; }
bool some(std::uint64_t index) { return index % 50 == 3; }

using Rows = std::map<std::pair<Table, Bytes>, Bytes>;

/// A log with all that can be damaged, and a peer that holds the same log whole, with every
/// payload.
template <class World>
class LogMend : public ::testing::Test {
 protected:
  void SetUp() override {
    fill(world_.database(), true);
    fill(peer_.database(), false);
    original_ = rows();
    ASSERT_TRUE(check().faults.empty());
  }

  static void fill(Database& database, bool with_gaps) {
    const Entries entries(0, count, size_of);
    const auto given = with_gaps ? entries.except(some) : entries.all();
    const auto txn = database.write();
    log_store::create(*txn, log, owner, commons);
    ASSERT_TRUE(log_store::append(*txn, log, 0, given));
    ASSERT_TRUE(log_store::put_checkpoint(
        *txn, log, {count, log_store::root_at(*txn, log, count), "the note"}));
    ASSERT_TRUE(log_store::put_cosignature(
        *txn, {log, 511, log_store::root_at(*txn, log, 511), witness, 5, Signature{{9}}}));
    txn->commit();
  }

  [[nodiscard]] CheckReport check() { return log_store::check(*world_.database().read(), log, {}); }

  [[nodiscard]] Rows rows() {
    Rows found;
    const auto txn = world_.database().read();
    for (const Table table : log_tables()) {
      for (auto row = txn->at_or_after(table, {}); row;) {
        const Bytes key = to_bytes(row->key);
        found[{table, key}] = to_bytes(row->value);
        Bytes next = key;
        next.push_back(0);
        row = txn->at_or_after(table, next);
      }
    }
    return found;
  }

  void put(Table table, const Bytes& key, const std::optional<Bytes>& value) {
    const auto txn = world_.database().write();
    if (value) {
      txn->put(table, key, *value);
    } else {
      txn->erase(table, key);
    }
    txn->commit();
  }

  [[nodiscard]] Result<Mended> mend() {
    const auto txn = world_.database().write();
    auto mended = log_store::mend(*txn, log, {network, {owner}, mark_});
    if (mended) txn->commit();
    return mended;
  }

  /// What the daemon does with a peer in reach: leaves, payloads, then what was said about the log.
  void refetch() {
    const auto from = peer_.database().read();
    const auto txn = world_.database().write();
    for (const std::uint64_t n : log_store::wanted_bundles(*txn, log)) {
      const std::uint64_t first = n * 256;
      const Bytes bundle =
          log_store::bundle(*from, log, first, std::min<std::uint64_t>(first + 256, count));
      const auto put = log_store::put_leaves(*txn, log, first, *split_bundle(bundle, 256));
      ASSERT_TRUE(put) << put.error().detail;
    }
    for (const std::uint64_t gap : log_store::gaps(*txn, log, 0, count)) {
      if (some(gap)) continue;  // The original did not hold it either.
      ASSERT_TRUE(log_store::put_payload(*txn, log, gap, *log_store::payload(*from, log, gap)));
    }
    static_cast<void>(log_store::put_checkpoint(*txn, log, *log_store::checkpoint(*from, log)));
    for (const auto& [_, cosignature] : log_store::cosignatures(*from, log)) {
      static_cast<void>(log_store::put_cosignature(*txn, cosignature));
    }
    txn->commit();
  }

  /// A damaged row is named, mended, fetched again, and then everything is as it was.
  void expect_it_heals(Table table, const Bytes& key, const std::optional<Bytes>& damaged,
                       const std::string& what) {
    SCOPED_TRACE("table " + std::to_string(static_cast<int>(table)) + ": " + what);
    put(table, key, damaged);
    ASSERT_FALSE(check().faults.empty());
    const auto mended = mend();
    ASSERT_TRUE(mended) << mended.error().detail;
    ASSERT_NO_FATAL_FAILURE(refetch());
    const CheckReport after = check();
    ASSERT_TRUE(after.faults.empty()) << after.faults.front().what;
    ASSERT_TRUE(rows() == original_);
  }

  World world_;
  World peer_;
  Rows original_;
  std::optional<HighWaterMark> mark_;
};
TYPED_TEST_SUITE(LogMend, kith::testing::Worlds, kith::testing::WorldNames);

TYPED_TEST(LogMend, HealsAFlippedBitInAnyRow) {
  for (const auto& [row, value] : this->original_) {
    const auto& [table, key] = row;
    if (table == Table::meta || value.empty()) continue;  // Of the store as a whole; gaps.
    const std::size_t flips = table == Table::recent ? 5 : 12;
    for (std::size_t i = 0; i < flips; ++i) {
      const std::size_t bit = (i * 2'654'435'761U) % (value.size() * 8);
      Bytes damaged = value;
      damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      ASSERT_NO_FATAL_FAILURE(
          this->expect_it_heals(table, key, damaged, "bit " + std::to_string(bit)));
    }
  }
}

}  // namespace
}  // namespace kith::storage
