// A log whose rows LMDB gave back damaged: two bytes each name row and place, then comes what is
// put there. Reading never does more than refuse, a leaf is right or not there, and the check finds
// whatever reading cannot excuse.
#include "protocol/base/check.hpp"
#include "storage/log_store.hpp"
#include "storage/packing.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/entries.hpp"
#include "tests/support/memory_database.hpp"

using namespace kith;
using namespace kith::storage;
using fuzz::Input;

namespace {

constexpr std::uint64_t entries = 300;  // One complete bundle and an edge.
constexpr std::size_t payload_bytes = 20;
const LogId log_id = LogId::from(Bytes(32, 1));

const testing::MemoryDatabase& sound() {
  static const testing::MemoryDatabase& made = [&]() -> const testing::MemoryDatabase& {
    static testing::MemoryDatabase database;
    const auto txn = database.write();
    log_store::create(*txn, log_id, MemberId::from(Bytes(32, 2)), commons);
    const testing::Entries all(0, entries, [](std::uint64_t) { return payload_bytes; });
    KITH_CHECK(log_store::append(*txn, log_id, 0,
                                 all.except([](std::uint64_t index) { return index % 50 == 3; })));
    const TreeHash root = log_store::root_at(*txn, log_id, entries);
    KITH_CHECK(log_store::put_checkpoint(*txn, log_id, {entries, root, "a note\n"}));
    KITH_CHECK(log_store::put_cosignature(
        *txn, {log_id, entries, root, MemberId::from(Bytes(32, 3)), 1, {}}));
    log_store::put_evidence(*txn, Key(BytesView(Bytes{0})).add(log_id.view()), "a proof\n");
    txn->commit();
    return database;
  }();
  return made;
}

/// Every row of the log, to choose from.
std::vector<std::pair<Table, Bytes>> rows_of(const ReadTxn& txn) {
  std::vector<std::pair<Table, Bytes>> rows;
  for (const Table table :
       {Table::heads, Table::recent, Table::bundles, Table::tiles, Table::payloads, Table::gaps,
        Table::checkpoints, Table::cosignatures, Table::evidence}) {
    for (auto row = txn.at_or_after(table, {}); row;) {
      rows.emplace_back(table, to_bytes(row->key));
      Bytes next = to_bytes(row->key);
      next.push_back(0);
      row = txn.at_or_after(table, next);
    }
  }
  return rows;
}

/// Returns whether anything is another than before.
bool damage(Input& input, testing::MemoryDatabase& database) {
  static const auto rows = rows_of(*sound().read());
  const auto txn = database.write();
  bool changed = false;
  while (!input.empty()) {
    const auto& [table, key] = rows[input.number(rows.size() - 1)];
    const std::uint64_t place = input.number(0xFFFF);
    const std::uint8_t how = input.byte();
    const auto held = txn->get(table, key);
    if (!held) continue;
    Bytes value = to_bytes(*held);
    if (how == 0) {
      txn->erase(table, key);
      changed = true;
      continue;
    }
    if (how == 1) {
      append(value, input.bytes());
    } else if (how == 2) {
      value.resize(value.empty() ? 0 : place % value.size());
    } else if (!value.empty()) {
      value[place % value.size()] ^= how;
    }
    changed = changed || !equal(value, *held);
    txn->put(table, key, value);
  }
  txn->commit();
  return changed;
}

template <class Read>
void guarded(Read read) {
  try {
    read();
  } catch (const StorageError&) {  // What must be believed cannot be read: said, not guessed.
  }
}

void read_all(const ReadTxn& txn) {
  for (std::uint64_t i = 0; i < entries; i += 7) {
    guarded([&] {
      const auto leaf = log_store::leaf(txn, log_id, i);
      const bool in_bundle = i < limits::tile_hashes;
      // A leaf in a bundle is covered by its tile, which is compared by check() and by peers.
      if (leaf && !in_bundle) KITH_CHECK(text(*leaf) == testing::leaf_at(i, payload_bytes));
    });
    guarded([&] { static_cast<void>(log_store::payload(txn, log_id, i)); });
  }
  guarded([&] { static_cast<void>(log_store::heads(txn)); });
  guarded([&] { static_cast<void>(log_store::bundle(txn, log_id, 0, entries)); });
  guarded([&] { static_cast<void>(log_store::gaps(txn, log_id, 0, 1'000)); });
  guarded([&] { static_cast<void>(log_store::cosignatures(txn, log_id)); });
  guarded([&] { static_cast<void>(log_store::checkpoint(txn, log_id)); });
  guarded([&] { static_cast<void>(log_store::evidence(txn)); });
  guarded([&] {
    const auto head = log_store::head(txn, log_id);
    if (head) static_cast<void>(log_store::root_at(txn, log_id, head->size() - head->size() % 2));
  });
  for (const std::uint64_t size : {std::uint64_t{1}, entries, std::uint64_t{1} << 62}) {
    for (unsigned level = 0; level < 8; ++level) {
      guarded([&] { static_cast<void>(log_store::tile(txn, log_id, size, level, level % 2)); });
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  testing::MemoryDatabase database = sound();
  const bool changed = damage(input, database);
  const auto txn = database.read();
  read_all(*txn);
  guarded([&] {
    const auto report = log_store::check(*txn, log_id, {});
    KITH_CHECK(report.faults.size() <= 100);
    KITH_CHECK(changed || report.faults.empty());
  });
  return 0;
}
