#include "storage/log_mend.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "protocol/keys/space_key.hpp"
#include "storage/packing.hpp"
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

TYPED_TEST(LogMend, HealsAnyRowThatIsMissing) {
  for (const auto& [row, value] : this->original_) {
    const auto& [table, key] = row;
    if (table == Table::meta) continue;
    if (table == Table::checkpoints || table == Table::cosignatures)
      continue;  // Nobody misses them.
    ASSERT_NO_FATAL_FAILURE(this->expect_it_heals(table, key, std::nullopt, "missing"));
  }
}

TYPED_TEST(LogMend, HealsManyRowsAtOnceAndAgainAndAgain) {
  std::uint64_t state = 7;
  const auto draw = [&](std::uint64_t below) {
    state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return (state >> 33) % below;
  };
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    for (const auto& [row, value] : this->original_) {
      const auto& [table, key] = row;
      // The head, and what lies above the leaves and their tiles: not both at once with these.
      const bool spared = table == Table::meta || table == Table::heads ||
                          (table == Table::tiles && key[LogId::size] != 0);
      if (spared || value.empty() || draw(4) != 0) continue;
      Bytes damaged = value;
      const std::uint64_t bit = draw(value.size() * 8);
      damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      this->put(table, key, damaged);
    }
    ASSERT_TRUE(this->mend());
    ASSERT_TRUE(this->mend()) << "twice is no worse";
    ASSERT_NO_FATAL_FAILURE(this->refetch());
    ASSERT_TRUE(this->check().faults.empty());
    ASSERT_TRUE(this->rows() == this->original_);
  }
}

TYPED_TEST(LogMend, KeepsEveryPayloadAndLeafThatIsGood) {
  // The first length in a group, one leaf and one tile.
  const auto group = numbered_key(log, 5);
  Bytes damaged = this->original_.at({Table::payloads, to_bytes(group.view())});
  damaged[3] ^= 0xFF;
  this->put(Table::payloads, to_bytes(group.view()), damaged);
  auto mended = this->mend();
  ASSERT_TRUE(mended);
  EXPECT_TRUE(mended->new_gaps.empty()) << "the leaves know all lengths";

  const auto bundle = numbered_key(log, 1);
  damaged = this->original_.at({Table::bundles, to_bytes(bundle.view())});
  damaged[damaged.size() - 10] ^= 1;
  this->put(Table::bundles, to_bytes(bundle.view()), damaged);
  mended = this->mend();
  ASSERT_TRUE(mended);
  EXPECT_TRUE(mended->new_gaps.empty());
  EXPECT_EQ(mended->wanted_bundles, std::vector<std::uint64_t>{1});
  const auto txn = this->world_.database().read();
  EXPECT_EQ(log_store::head(*txn, log)->gaps, 16U);
  EXPECT_EQ(log_store::leaves(*txn, log, 256, 300).size(), 44U);
  EXPECT_TRUE(log_store::bundle(*txn, log, 256, 512).empty()) << "no peer is sent what is damaged";
  EXPECT_FALSE(log_store::bundle(*txn, log, 0, 256).empty());
}

TYPED_TEST(LogMend, NamesWhatItIsAndWhatMendsIt) {
  const auto named = [&](Table table, const Key& key, std::size_t byte) {
    const Bytes at = to_bytes(key.view());
    const Bytes value = this->original_.at({table, at});
    Bytes damaged = value;
    damaged[byte] ^= 1;
    this->put(table, at, damaged);
    const auto faults = this->check().faults;
    this->put(table, at, value);
    EXPECT_EQ(faults.size(), 1U);
    return faults.empty() ? std::string() : std::string(name_of(faults.front().part));
  };
  EXPECT_EQ(named(Table::heads, Key(log.view()), 5), "head");
  EXPECT_EQ(named(Table::bundles, numbered_key(log, 0), 50), "leaf");
  EXPECT_EQ(named(Table::recent, numbered_key(log, 770), 20), "leaf");
  EXPECT_EQ(named(Table::tiles, tile_key(log, 0, 2), 5), "tile");
  EXPECT_EQ(named(Table::tiles, tile_key(log, 1, 0), 5), "tile");
  EXPECT_EQ(named(Table::payloads, numbered_key(log, 1), 300), "payload");
  EXPECT_EQ(named(Table::large, numbered_key(log, 107), 300), "payload");
  EXPECT_EQ(named(Table::checkpoints, Key(log.view()), 50), "checkpoint");
  EXPECT_EQ(named(Table::cosignatures, cosignature_key(log, witness), 50), "cosignature");
}

TYPED_TEST(LogMend, TakesNoLeavesButThoseOfTheLog) {
  const auto bundle = numbered_key(log, 1);
  Bytes damaged = this->original_.at({Table::bundles, to_bytes(bundle.view())});
  damaged[50] ^= 1;
  this->put(Table::bundles, to_bytes(bundle.view()), damaged);
  ASSERT_TRUE(this->mend());
  const auto before = this->rows();

  const Entries entries(0, count, size_of);
  const auto given = [&](std::uint64_t first, std::size_t number) {
    std::vector<BytesView> leaves;
    for (std::size_t i = 0; i < number; ++i) leaves.push_back(view(entries.leaf(first + i)));
    return leaves;
  };
  const auto refused = [&](std::uint64_t first, const std::vector<BytesView>& leaves) {
    const auto txn = this->world_.database().write();
    const auto put = log_store::put_leaves(*txn, log, first, leaves);
    txn->commit();
    return !put && put.error().code == Errc::bad_proof;
  };
  EXPECT_TRUE(refused(256, given(0, 256))) << "another bundle's";
  EXPECT_TRUE(refused(256, {}));
  EXPECT_TRUE(refused(257, given(257, 255)));
  EXPECT_TRUE(refused(1024, given(0, 1)));
  EXPECT_TRUE(refused(768, given(0, 20)));
  auto swapped = given(256, 256);
  std::swap(swapped[3], swapped[4]);
  EXPECT_TRUE(refused(256, swapped));
  std::vector<BytesView> rubbish = given(256, 256);
  rubbish[3] = view("x");
  EXPECT_TRUE(refused(256, rubbish));
  EXPECT_TRUE(this->rows() == before) << "nothing was changed by any";
  EXPECT_FALSE(refused(256, given(256, 44))) << "the rest is held, and all together is right";
  EXPECT_TRUE(this->rows() == this->original_);
}

TYPED_TEST(LogMend, WhereLeavesTheirTileAndTheTileAboveAreAllDamagedTheLeavesStillProveThemselves) {
  const auto damage = [&](Table table, const Key& key, std::size_t byte) {
    Bytes value = this->rows().at({table, to_bytes(key.view())});
    value[byte] ^= 1;
    this->put(table, to_bytes(key.view()), value);
  };
  damage(Table::bundles, numbered_key(log, 1), 50);
  damage(Table::tiles, tile_key(log, 0, 1), 50);
  damage(Table::tiles, tile_key(log, 1, 0), 32 + 5);
  const auto mended = this->mend();
  ASSERT_TRUE(mended);
  EXPECT_EQ(mended->wanted_bundles, std::vector<std::uint64_t>{1});
  EXPECT_EQ(mended->rows_computed, 0U) << "nothing proves any of it";
  ASSERT_NO_FATAL_FAILURE(this->refetch());
  EXPECT_TRUE(this->check().faults.empty());
  EXPECT_TRUE(this->rows() == this->original_);
}

TYPED_TEST(LogMend, AHeadIsBuiltAgainOnlyIfItComesToWhatWasSigned) {
  const Bytes key = to_bytes(log.view());
  this->put(Table::heads, key, Bytes(100, 1));
  this->put(Table::checkpoints, key, std::nullopt);
  this->put(Table::cosignatures, to_bytes(cosignature_key(log, witness).view()), std::nullopt);
  const auto before = this->rows();
  auto mended = this->mend();
  ASSERT_FALSE(mended);
  EXPECT_NE(mended.error().detail.find("nothing signed"), std::string::npos);

  this->mark_ = HighWaterMark{count, TreeHash{{1}}};
  mended = this->mend();
  ASSERT_FALSE(mended);
  EXPECT_NE(mended.error().detail.find("root that was signed"), std::string::npos);
  this->mark_ = HighWaterMark{count + 1, TreeHash{{1}}};
  EXPECT_FALSE(this->mend()) << "leaves are missing at the end";
  EXPECT_TRUE(this->rows() == before);

  const auto from = this->peer_.database().read();
  this->mark_ = HighWaterMark{300, log_store::root_at(*from, log, 300)};
  ASSERT_TRUE(this->mend());
  EXPECT_EQ(this->rows().at({Table::heads, key}), this->original_.at({Table::heads, key}));
}

TYPED_TEST(LogMend, NothingIsPackedOverAWantedLeaf) {
  Bytes value = this->original_.at({Table::recent, to_bytes(numbered_key(log, 770).view())});
  value[20] ^= 1;
  this->put(Table::recent, to_bytes(numbered_key(log, 770).view()), value);
  ASSERT_TRUE(this->mend());
  const Entries more(count, 300, size_of);
  const auto given = more.all();
  const auto append = [&](std::size_t number) {
    const auto txn = this->world_.database().write();
    const auto done = log_store::append(*txn, log, count, std::span(given).first(number));
    if (done) txn->commit();
    return done ? Errc() : done.error().code;
  };
  EXPECT_EQ(append(300), Errc::unavailable);
  EXPECT_TRUE(this->check().faults.size() == 1);
  EXPECT_EQ(append(10), Errc());
  const auto from = this->peer_.database().read();
  const auto txn = this->world_.database().write();
  const Bytes bundle = log_store::bundle(*from, log, 768, count);
  ASSERT_TRUE(log_store::put_leaves(*txn, log, 768, *split_bundle(bundle, 256)));
  txn->commit();
  EXPECT_TRUE(this->check().faults.empty()) << "also when the log grew meanwhile";
}

TEST(LogMendCrash, LeavesALogAsItWasOrMended) {
  kith::testing::MemoryDatabase database;
  const Entries entries(0, count, size_of);
  {
    const auto txn = database.write();
    log_store::create(*txn, log, owner, commons);
    ASSERT_TRUE(log_store::append(*txn, log, 0, entries.all()));
    Bytes leaf = to_bytes(*txn->get(Table::bundles, numbered_key(log, 1)));
    leaf[50] ^= 1;
    txn->put(Table::bundles, numbered_key(log, 1), leaf);
    txn->erase(Table::tiles, tile_key(log, 0, 0));
    txn->erase(Table::payloads, numbered_key(log, 9));
    txn->commit();
  }
  const auto faults = [&] { return log_store::check(*database.read(), log, {}).faults.size(); };
  const std::size_t before = faults();
  std::vector<BytesView> leaves;
  for (std::size_t i = 256; i < 512; ++i) leaves.push_back(view(entries.leaf(i)));
  const auto steps = {std::function<bool(WriteTxn&)>([](WriteTxn& txn) {
                        return log_store::mend(txn, log, {network, {owner}, {}}).has_value();
                      }),
                      std::function<bool(WriteTxn&)>([&](WriteTxn& txn) {
                        return log_store::put_leaves(txn, log, 256, leaves).has_value();
                      })};
  std::size_t known = before;
  for (const auto& step : steps) {
    database.fail_commit(1, StorageError::Kind::full);
    {
      const auto txn = database.write();
      ASSERT_TRUE(step(*txn));
      EXPECT_THROW(txn->commit(), StorageError);
    }
    EXPECT_EQ(faults(), known);
    const auto txn = database.write();
    ASSERT_TRUE(step(*txn));
    txn->commit();
    EXPECT_LT(faults(), known);
    known = faults();
  }
  EXPECT_EQ(known, 0U);
}

}  // namespace
}  // namespace kith::storage
