#include "storage/log_store.hpp"

#include <gtest/gtest.h>

#include <random>

#include "protocol/base/limits.hpp"
#include "protocol/log/checkpoint.hpp"
#include "tests/storage/databases.hpp"
#include "tests/support/entries.hpp"
#include "tests/support/memory_database.hpp"

namespace kith::storage {
namespace {

using kith::testing::Entries;

const LogId log_id{{1, 2, 3}};
const LogId other_log{{1, 2, 4}};
const MemberId member{{9}};
const SpaceId space{{8}};

std::size_t small_size(std::uint64_t index) { return 20 + index % 50; }
/// Some too large to be packed, some empty, some exactly at the limit.
std::size_t mixed_size(std::uint64_t index) {
  if (index % 29 == 0) return 16 * 1024 + 1;
  if (index % 31 == 0) return 16 * 1024;
  return index % 17 == 0 ? 0 : 100;
}
bool every_third(std::uint64_t index) { return index % 3 == 0; }

template <class World>
class LogStore : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto txn = database_.write();
    log_store::create(*txn, log_id, member, space);
    txn->commit();
  }

  LogHead append(std::uint64_t first, std::span<const NewEntry> entries) {
    const auto txn = database_.write();
    const auto head = log_store::append(*txn, log_id, first, entries);
    EXPECT_TRUE(head) << head.error().detail;
    txn->commit();
    return *head;
  }

  Errc refusal(std::uint64_t first, std::span<const NewEntry> entries) {
    const auto txn = database_.write();
    const auto head = log_store::append(*txn, log_id, first, entries);
    EXPECT_FALSE(head);
    txn->commit();
    return head.error().code;
  }

  World world_;
  Database& database_ = world_.database();
};
TYPED_TEST_SUITE(LogStore, kith::testing::Worlds, kith::testing::WorldNames);

std::vector<TreeHash> leaf_hashes(const Entries& entries, std::size_t count) {
  std::vector<TreeHash> hashes;
  for (std::size_t i = 0; i < count; ++i) hashes.push_back(leaf_hash(view(entries.leaf(i))));
  return hashes;
}

/// All that can be read of a log, compared with the entries it was made of.
void expect_whole(const ReadTxn& txn, const Entries& entries, std::size_t count,
                  bool (*is_gap)(std::uint64_t)) {
  const auto hashes = leaf_hashes(entries, count);
  const auto head = log_store::head(txn, log_id);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->size(), count);
  EXPECT_EQ(head->range.root(), tree_root(hashes));

  std::uint64_t missing = 0;
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(log_store::leaf(txn, log_id, i), to_bytes(view(entries.leaf(i)))) << i;
    const auto payload = log_store::payload(txn, log_id, i);
    ASSERT_EQ(payload.has_value(), !is_gap(i)) << i;
    if (payload) {
      ASSERT_EQ(*payload, entries.payload(i)) << i;
    } else {
      ++missing;
    }
  }
  EXPECT_EQ(head->gaps, missing);
  EXPECT_EQ(log_store::gaps(txn, log_id, 0, count + 1).size(), missing);
  EXPECT_FALSE(log_store::leaf(txn, log_id, count));
  EXPECT_FALSE(log_store::payload(txn, log_id, count));

  const auto report = log_store::check(txn, log_id, {});
  EXPECT_EQ(report.leaves, count);
  EXPECT_EQ(report.payloads, count - missing);
  EXPECT_EQ(report.gaps, missing);
  for (const auto& fault : report.faults) ADD_FAILURE() << fault.index << ": " << fault.what;
}

bool never(std::uint64_t) { return false; }

TYPED_TEST(LogStore, BeginsEmptyAndKnowsItsOwner) {
  const auto txn = this->database_.read();
  const auto head = log_store::head(*txn, log_id);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->member, member);
  EXPECT_EQ(head->space, space);
  EXPECT_EQ(head->size(), 0U);
  EXPECT_EQ(log_store::root_at(*txn, log_id, 0), empty_root());
  EXPECT_FALSE(log_store::head(*txn, other_log));
  EXPECT_TRUE(log_store::check(*txn, log_id, {}).faults.empty());
}

TYPED_TEST(LogStore, CreatingItAgainDoesNothingAndWithAnotherOwnerIsABug) {
  const Entries entries(0, 3, small_size);
  this->append(0, entries.all());
  const auto txn = this->database_.write();
  log_store::create(*txn, log_id, member, space);
  EXPECT_EQ(log_store::head(*txn, log_id)->size(), 3U);
  EXPECT_DEATH(log_store::create(*txn, log_id, MemberId{{7}}, space), "internal error");
}

TYPED_TEST(LogStore, HeadsListsEveryLog) {
  const auto txn = this->database_.write();
  log_store::create(*txn, other_log, MemberId{{7}}, commons);
  const auto heads = log_store::heads(*txn);
  ASSERT_EQ(heads.size(), 2U);
  EXPECT_EQ(heads[0].log, log_id);
  EXPECT_EQ(heads[1].log, other_log);
  EXPECT_EQ(heads[1].member, MemberId{{7}});
}

TYPED_TEST(LogStore, HoldsTheSameHoweverItWasAppended) {
  constexpr std::size_t count = 1100;
  const Entries entries(0, count, mixed_size);
  const auto given = entries.all();
  std::mt19937 random(1);
  for (std::size_t first = 0; first < count;) {
    const std::size_t size =
        std::min<std::size_t>(count - first, random() % 3 == 0 ? random() % 600 : random() % 20);
    this->append(first, std::span(given).subspan(first, size));
    first += size;
  }
  expect_whole(*this->database_.read(), entries, count, never);
}

TYPED_TEST(LogStore, PacksABulkDirectly) {
  constexpr std::size_t count = 3 * 256 + 7;
  const Entries entries(0, count, small_size);
  this->append(0, entries.all());
  const auto txn = this->database_.read();
  expect_whole(*txn, entries, count, never);
  // Only what follows the last complete bundle lies singly.
  const auto first_single = txn->at_or_after(Table::recent, log_id.view());
  ASSERT_TRUE(first_single);
  EXPECT_EQ(read_integer<std::uint64_t>(first_single->key.subspan(32)), 768U);
}

TYPED_TEST(LogStore, LeavesNoSingleRowsOfACompleteBundle) {
  const Entries entries(0, 256, small_size);
  const auto given = entries.all();
  for (std::size_t i = 0; i < 256; ++i) this->append(i, std::span(given).subspan(i, 1));
  const auto txn = this->database_.read();
  EXPECT_FALSE(txn->at_or_after(Table::recent, {}));
  expect_whole(*txn, entries, 256, never);
}

TYPED_TEST(LogStore, TwoLogsSideBySideDoNotMix) {
  const Entries entries(0, 600, small_size);
  this->append(0, entries.all());
  {
    const auto txn = this->database_.write();
    log_store::create(*txn, other_log, member, commons);
    const Entries others(1000, 300, small_size);
    const auto given = others.except(every_third);
    ASSERT_TRUE(log_store::append(*txn, other_log, 0, given));
    txn->commit();
  }
  const auto txn = this->database_.read();
  expect_whole(*txn, entries, 600, never);
  EXPECT_TRUE(log_store::check(*txn, other_log, {}).faults.empty());
  EXPECT_EQ(log_store::head(*txn, other_log)->gaps, 100U);
}

TYPED_TEST(LogStore, AnEmptyAppendChangesNothing) { EXPECT_EQ(this->append(0, {}).size(), 0U); }

TYPED_TEST(LogStore, RefusesWhatDoesNotFollow) {
  const Entries entries(0, 5, small_size);
  this->append(0, entries.all());
  EXPECT_EQ(this->refusal(4, entries.all()), Errc::conflict);
  EXPECT_EQ(this->refusal(6, entries.all()), Errc::conflict);
  const auto txn = this->database_.write();
  EXPECT_EQ(log_store::append(*txn, other_log, 0, entries.all()).error().code, Errc::not_found);
}

TYPED_TEST(LogStore, RefusesABadEntryAndThenChangesNothing) {
  const Entries entries(0, 600, small_size);
  const auto before = log_store::head(*this->database_.read(), log_id);
  const Bytes other = to_bytes(view("not what was promised"));
  for (const std::size_t bad : {0UL, 300UL, 599UL}) {
    auto given = entries.all();
    given[bad].payload = other;  // Of another size than its leaf names.
    EXPECT_EQ(this->refusal(0, given), Errc::bad_proof);
    given = entries.all();
    given[bad].leaf = view("no leaf\n");
    EXPECT_EQ(this->refusal(0, given), Errc::bad_proof);
  }
  const auto txn = this->database_.read();
  EXPECT_EQ(log_store::head(*txn, log_id), before);
  for (const Table table :
       {Table::recent, Table::bundles, Table::tiles, Table::payloads, Table::gaps}) {
    EXPECT_FALSE(txn->at_or_after(table, {}));
  }
}

TYPED_TEST(LogStore, KnowsItsGaps) {
  constexpr std::size_t count = 600;
  const Entries entries(0, count, mixed_size);
  this->append(0, entries.except(every_third));
  const auto txn = this->database_.read();
  expect_whole(*txn, entries, count, every_third);
  EXPECT_EQ(log_store::gaps(*txn, log_id, 0, 3), (std::vector<std::uint64_t>{0, 3, 6}));
  EXPECT_EQ(log_store::gaps(*txn, log_id, 595, 9), (std::vector<std::uint64_t>{597}));
  EXPECT_TRUE(log_store::gaps(*txn, log_id, 600, 9).empty());
  EXPECT_TRUE(log_store::gaps(*txn, other_log, 0, 9).empty());
}

TYPED_TEST(LogStore, AGapCanBeFilledWhereverItLies) {
  constexpr std::size_t count = 600;
  const Entries entries(0, count, mixed_size);
  this->append(0, entries.except(every_third));
  {
    const auto txn = this->database_.write();
    for (const std::uint64_t index : log_store::gaps(*txn, log_id, 0, count)) {
      const auto filled = log_store::put_payload(*txn, log_id, index, entries.payload(index));
      ASSERT_TRUE(filled && *filled) << index;
    }
    txn->commit();
  }
  expect_whole(*this->database_.read(), entries, count, never);
}

TYPED_TEST(LogStore, AGapMayStayOpenWhileItsBundleCompletes) {
  const Entries entries(0, 300, small_size);
  const auto given = entries.except(every_third);
  for (std::size_t i = 0; i < 300; i += 10) this->append(i, std::span(given).subspan(i, 10));
  expect_whole(*this->database_.read(), entries, 300, every_third);
}

TYPED_TEST(LogStore, AGroupOfGapsAloneTakesNoRow) {
  const Entries entries(0, 256, small_size);
  this->append(0, entries.except([](std::uint64_t) { return true; }));
  EXPECT_FALSE(this->database_.read()->at_or_after(Table::payloads, {}));
  const auto txn = this->database_.write();
  EXPECT_TRUE(*log_store::put_payload(*txn, log_id, 200, entries.payload(200)));
  EXPECT_EQ(log_store::payload(*txn, log_id, 200), entries.payload(200));
}

TYPED_TEST(LogStore, AFilledGapIsLeftAloneAndAWrongPayloadRefused) {
  const Entries entries(0, 10, small_size);
  this->append(0, entries.except(every_third));
  const auto txn = this->database_.write();
  EXPECT_EQ(log_store::put_payload(*txn, log_id, 0, entries.payload(3)).error().code,
            Errc::bad_proof);
  EXPECT_EQ(log_store::put_payload(*txn, log_id, 10, entries.payload(3)).error().code,
            Errc::not_found);
  EXPECT_EQ(log_store::put_payload(*txn, other_log, 0, entries.payload(0)).error().code,
            Errc::not_found);
  EXPECT_FALSE(*log_store::put_payload(*txn, log_id, 1, entries.payload(1)));
  EXPECT_TRUE(*log_store::put_payload(*txn, log_id, 3, entries.payload(3)));
  EXPECT_FALSE(*log_store::put_payload(*txn, log_id, 3, entries.payload(3)));
  EXPECT_EQ(log_store::head(*txn, log_id)->gaps, 3U);
}

TYPED_TEST(LogStore, BundlesAreWhatTheLeavesMakeOfThem) {
  const Entries entries(0, 600, small_size);
  this->append(0, entries.all());
  const auto txn = this->database_.read();
  for (const auto& [first, last] : std::vector<std::pair<std::size_t, std::size_t>>{{0, 256},
                                                                                    {256, 512},
                                                                                    {512, 600},
                                                                                    {0, 600},
                                                                                    {100, 300},
                                                                                    {500, 520},
                                                                                    {7, 7},
                                                                                    {590, 900},
                                                                                    {700, 800}}) {
    Bytes expected;
    for (std::size_t i = first; i < std::min<std::size_t>(last, 600); ++i) {
      append_to_bundle(expected, view(entries.leaf(i)));
    }
    EXPECT_EQ(log_store::bundle(*txn, log_id, first, last), expected) << first << ' ' << last;
  }
  EXPECT_TRUE(log_store::bundle(*txn, other_log, 0, 10).empty());
}

TYPED_TEST(LogStore, EachPayloadComesInOrderUntilItIsEnough) {
  const Entries entries(0, 600, mixed_size);
  this->append(0, entries.except(every_third));
  const auto txn = this->database_.read();
  std::uint64_t next = 50;
  log_store::each_payload(*txn, log_id, 50, 10'000,
                          [&](std::uint64_t index, std::optional<BytesView> payload) {
                            EXPECT_EQ(index, next++);
                            EXPECT_EQ(payload.has_value(), !every_third(index));
                            if (payload) {
                              EXPECT_TRUE(equal(*payload, entries.payload(index)));
                            }
                            return index < 580;
                          });
  EXPECT_EQ(next, 581U);
}

TYPED_TEST(LogStore, TilesAndRootsOfEverySizeAreTheTrees) {
  constexpr std::size_t count = 256 * 3 + 45;
  const Entries entries(0, count, small_size);
  this->append(0, entries.all());
  const auto hashes = leaf_hashes(entries, count);
  const auto txn = this->database_.read();
  for (std::size_t size = 0; size <= count; size += size < 20 ? 1 : 13) {
    ASSERT_EQ(log_store::root_at(*txn, log_id, size), tree_root(std::span(hashes).first(size)))
        << size;
    std::vector<std::vector<TreeHash>> edge;
    for (const TileId& tile : edge_tiles(size)) {
      const auto found = log_store::tile(*txn, log_id, size, tile.level, tile.index);
      ASSERT_TRUE(found && found->size() == tile.width) << size;
      edge.push_back(*found);
    }
    ASSERT_EQ(*root_from_edge(size, edge), log_store::root_at(*txn, log_id, size));
  }
  EXPECT_EQ(log_store::tile(*txn, log_id, count, 0, 1)->size(), 256U);
  EXPECT_EQ(log_store::tile(*txn, log_id, count, 0, 4).error().code, Errc::not_found);
  EXPECT_EQ(log_store::tile(*txn, log_id, count, 2, 0).error().code, Errc::not_found);
  EXPECT_EQ(log_store::tile(*txn, log_id, count, 60, ~0ULL).error().code, Errc::not_found);
  EXPECT_EQ(log_store::tile(*txn, log_id, count + 1, 0, 0).error().code, Errc::not_found);
  EXPECT_EQ(log_store::tile(*txn, other_log, 0, 0, 0).error().code, Errc::not_found);
}

TYPED_TEST(LogStore, ProofsReadFromItVerify) {
  constexpr std::size_t count = 700;
  const Entries entries(0, count, small_size);
  const LogHead head = this->append(0, entries.all());
  const auto txn = this->database_.read();
  const auto subtree = log_store::subtrees(*txn, log_id);
  for (std::uint64_t index = 0; index < count; index += 37) {
    const auto path = inclusion_path(index, count, subtree);
    EXPECT_TRUE(verify_inclusion(index, count, leaf_hash(view(entries.leaf(index))), path,
                                 head.range.root()));
    const auto old_root = log_store::root_at(*txn, log_id, index + 1);
    EXPECT_TRUE(verify_consistency(index + 1, count, consistency_path(index + 1, count, subtree),
                                   old_root, head.range.root()));
  }
}

TYPED_TEST(LogStore, TheUpperLevelsGrowAsTheirTilesComplete) {
  // 65,536 leaves complete a tile of level 1; gaps keep it quick.
  constexpr std::size_t count = 256 * 256 + 300;
  const Entries entries(0, count, [](std::uint64_t) -> std::size_t { return 1; });
  const auto given = entries.except([](std::uint64_t) { return true; });
  this->append(0, std::span(given).first(65'000));
  const LogHead head = this->append(65'000, std::span(given).subspan(65'000));
  const auto hashes = leaf_hashes(entries, count);
  EXPECT_EQ(head.range.root(), tree_root(hashes));
  const auto txn = this->database_.read();
  EXPECT_EQ(log_store::tile(*txn, log_id, count, 1, 0)->size(), 256U);
  EXPECT_EQ(log_store::tile(*txn, log_id, count, 1, 1)->size(), 1U);
  EXPECT_EQ(log_store::tile(*txn, log_id, count, 2, 0)->at(0),
            tree_root(std::span(hashes).first(65'536)));
  EXPECT_EQ(log_store::root_at(*txn, log_id, 65'535), tree_root(std::span(hashes).first(65'535)));
  EXPECT_TRUE(log_store::check(*txn, log_id, {}).faults.empty());
}

TYPED_TEST(LogStore, KeepsTheLargestCheckpointOfItsOwnTree) {
  const Entries entries(0, 300, small_size);
  const LogHead head = this->append(0, entries.all());
  const auto txn = this->database_.write();
  EXPECT_FALSE(log_store::checkpoint(*txn, log_id));
  const StoredCheckpoint small{100, log_store::root_at(*txn, log_id, 100), "small note"};
  const StoredCheckpoint large{300, head.range.root(), "large note"};
  EXPECT_TRUE(log_store::put_checkpoint(*txn, log_id, small));
  EXPECT_EQ(log_store::checkpoint(*txn, log_id), small);
  EXPECT_TRUE(log_store::put_checkpoint(*txn, log_id, large));
  EXPECT_EQ(log_store::checkpoint(*txn, log_id), large);

  const auto refused = [&](const StoredCheckpoint& given) {
    return log_store::put_checkpoint(*txn, log_id, given).error().code;
  };
  EXPECT_EQ(refused(small), Errc::stale);
  EXPECT_EQ(refused(large), Errc::stale);
  EXPECT_EQ(refused({200, head.range.root(), "fork"}), Errc::conflict);
  EXPECT_EQ(refused({300, small.root, "fork"}), Errc::conflict);
  EXPECT_EQ(refused({301, head.range.root(), "ahead"}), Errc::unavailable);
  EXPECT_EQ(refused({300, head.range.root(), std::string(limits::note_bytes_max + 1, 'x')}),
            Errc::too_large);
  EXPECT_EQ(log_store::put_checkpoint(*txn, other_log, small).error().code, Errc::unavailable);
  EXPECT_EQ(log_store::checkpoint(*txn, log_id), large);
}

TYPED_TEST(LogStore, KeepsEachWitnessesNewestWord) {
  const Entries entries(0, 300, small_size);
  this->append(0, entries.all());
  const auto txn = this->database_.write();
  const auto word = [&](std::uint8_t witness, std::uint64_t size, std::uint64_t time) {
    return Cosignature{
        log_id, size,          log_store::root_at(*txn, log_id, size), MemberId{{witness}},
        time,   Signature{{5}}};
  };
  const auto refused = [&](const Cosignature& given) {
    return log_store::put_cosignature(*txn, given).error().code;
  };
  EXPECT_TRUE(log_store::put_cosignature(*txn, word(1, 100, 50)));
  EXPECT_TRUE(log_store::put_cosignature(*txn, word(2, 200, 50)));
  EXPECT_TRUE(log_store::put_cosignature(*txn, word(1, 100, 51)));
  EXPECT_EQ(refused(word(1, 100, 51)), Errc::stale);
  EXPECT_EQ(refused(word(1, 100, 50)), Errc::stale);
  EXPECT_EQ(refused(word(1, 99, 99)), Errc::stale);
  EXPECT_TRUE(log_store::put_cosignature(*txn, word(1, 101, 1)));

  Cosignature fork = word(2, 200, 99);
  fork.root = TreeHash{{1}};
  EXPECT_EQ(refused(fork), Errc::conflict);
  fork.size = 150;
  EXPECT_EQ(refused(fork), Errc::conflict);
  fork.size = 301;
  EXPECT_EQ(refused(fork), Errc::unavailable);
  fork.log = other_log;
  EXPECT_EQ(refused(fork), Errc::unavailable);

  const auto kept = log_store::cosignatures(*txn, log_id);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept.at(MemberId{{1}}), word(1, 101, 1));
  EXPECT_EQ(kept.at(MemberId{{2}}), word(2, 200, 50));
  EXPECT_TRUE(log_store::cosignatures(*txn, other_log).empty());
}

TYPED_TEST(LogStore, KeepsTheFirstEvidenceOfEachAndNotTooMuch) {
  const auto txn = this->database_.write();
  EXPECT_TRUE(log_store::evidence(*txn).empty());
  EXPECT_TRUE(log_store::put_evidence(*txn, view("about this"), "a proof"));
  EXPECT_FALSE(log_store::put_evidence(*txn, view("about this"), "another"));
  EXPECT_TRUE(log_store::put_evidence(*txn, view("about that"), "one more"));
  const std::map<Bytes, std::string> kept{{to_bytes(view("about this")), "a proof"},
                                          {to_bytes(view("about that")), "one more"}};
  EXPECT_EQ(log_store::evidence(*txn), kept);
  for (std::size_t i = 2; i < limits::evidence_pieces_max; ++i) {
    EXPECT_TRUE(log_store::put_evidence(*txn, view("no " + std::to_string(i)), "proof"));
  }
  EXPECT_FALSE(log_store::put_evidence(*txn, view("one too many"), "proof"));
}

/// Every row of the tables of logs.
std::map<std::pair<Table, Bytes>, Bytes> rows(const ReadTxn& txn) {
  std::map<std::pair<Table, Bytes>, Bytes> all;
  for (const Table table :
       {Table::heads, Table::recent, Table::bundles, Table::tiles, Table::payloads, Table::large,
        Table::gaps, Table::checkpoints, Table::cosignatures}) {
    auto row = txn.at_or_after(table, {});
    while (row) {
      const Bytes key = to_bytes(row->key);
      all[{table, key}] = to_bytes(row->value);
      Bytes next = key;
      next.push_back(0);
      row = txn.at_or_after(table, next);
    }
  }
  return all;
}

TEST(LogStoreSetBack, LeavesWhatAShorterLogWouldHaveHeld) {
  constexpr std::size_t large = 65'900;
  for (const auto& [whole, back] :
       std::vector<std::pair<std::size_t, std::size_t>>{{5, 0},
                                                        {5, 3},
                                                        {5, 5},
                                                        {256, 255},
                                                        {257, 256},
                                                        {600, 511},
                                                        {600, 512},
                                                        {600, 1},
                                                        {large, 65'536},
                                                        {large, 65'535}}) {
    const Entries entries(0, whole, whole == large ? small_size : mixed_size);
    const auto all = entries.except(every_third);
    kith::testing::MemoryDatabase long_one;
    kith::testing::MemoryDatabase short_one;
    for (auto* database : {&long_one, &short_one}) {
      const auto txn = database->write();
      log_store::create(*txn, log_id, member, space);
      log_store::create(*txn, other_log, member, space);
      ASSERT_TRUE(log_store::append(*txn, other_log, 0, std::span(all).first(3)));
      const std::size_t size = database == &long_one ? whole : back;
      ASSERT_TRUE(log_store::append(*txn, log_id, 0, std::span(all).first(size)));
      txn->commit();
    }
    const auto txn = long_one.write();
    log_store::set_back(*txn, log_id, back);
    EXPECT_TRUE(rows(*txn) == rows(*short_one.read())) << whole << " to " << back;
  }
}

TEST(LogStoreSetBack, ForgetsWhatWasSaidOfALargerTree) {
  const Entries entries(0, 9, small_size);
  const auto all = entries.all();
  kith::testing::MemoryDatabase database;
  const auto txn = database.write();
  log_store::create(*txn, log_id, member, space);
  ASSERT_TRUE(log_store::append(*txn, log_id, 0, all));
  const auto word = [&](std::uint8_t witness, std::uint64_t size) {
    return Cosignature{log_id, size, log_store::root_at(*txn, log_id, size), MemberId{{witness}},
                       1,      {}};
  };
  ASSERT_TRUE(log_store::put_cosignature(*txn, word(1, 6)));
  ASSERT_TRUE(log_store::put_cosignature(*txn, word(2, 7)));
  ASSERT_TRUE(
      log_store::put_checkpoint(*txn, log_id, {8, log_store::root_at(*txn, log_id, 8), "a note"}));
  log_store::set_back(*txn, log_id, 6);
  EXPECT_FALSE(log_store::checkpoint(*txn, log_id));
  ASSERT_EQ(log_store::cosignatures(*txn, log_id).size(), 1U);
  EXPECT_TRUE(log_store::check(*txn, log_id, {}).faults.empty());
  ASSERT_TRUE(log_store::append(*txn, log_id, 6, std::span(all).subspan(7)))
      << "it goes on otherwise";
  EXPECT_TRUE(log_store::check(*txn, log_id, {}).faults.empty());
}

}  // namespace
}  // namespace kith::storage
