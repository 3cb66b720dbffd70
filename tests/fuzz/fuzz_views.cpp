// Rows of the views. The first byte says which table is damaged; its rows hold what follows. The
// views refuse by StorageError, and a record that they give is written again as it was read.
#include "protocol/base/check.hpp"
#include "protocol/base/text.hpp"
#include "storage/packing.hpp"
#include "storage/views.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/memory_database.hpp"

using namespace kith;
using namespace kith::storage;

namespace {

const LogId log_id = LogId::from(Bytes(32, 1));
const RecordId id = RecordId::from(Bytes(32, 2));

void fill(testing::MemoryDatabase& database, Table table, BytesView key, BytesView value) {
  const auto txn = database.write();
  // What a good view holds, so that each table is reached through the others.
  views::put_record(*txn, {id, log_id, 3, MemberId{}, "practice", PublicKey{}, 5, "A title", 7,
                           RecordId::from(Bytes(32, 4)), "note"});
  txn->put(table, key, value);
  txn->commit();
}

template <class Read>
void guarded(Read read) {
  try {
    read();
  } catch (const StorageError&) {  // The operator is told to have the views made again.
  }
}

/// A row that was taken for a record stands for that record alone.
void check_record(BytesView row) {
  testing::MemoryDatabase database;
  {
    const auto txn = database.write();
    txn->put(Table::records, id.view(), row);
    txn->commit();
  }
  std::optional<RecordRow> read;
  guarded([&] { read = views::record(*database.read(), id); });
  if (!read || read->sequence != 1 || read->title.size() > 200) return;
  testing::MemoryDatabase again;
  const auto txn = again.write();
  KITH_CHECK(views::put_record(*txn, *read));
  KITH_CHECK(views::record(*txn, id) == read);
}

/// What keys of the table begin with here.
Bytes beginning_of_key(Table table) {
  switch (table) {
    case Table::cursors:
    case Table::texts:
    case Table::bad:
      return to_bytes(log_id.view());
    case Table::records:
      return to_bytes(id.view());
    case Table::replies:
      return Bytes(32, 4);
    default:
      return {};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input({data, size});
  constexpr Table tables[] = {Table::cursors,  Table::texts,   Table::records,
                              Table::arrivals, Table::replies, Table::bad};
  const Table table = tables[input.byte() % std::size(tables)];
  const Bytes more = to_bytes(input.bytes());
  const Bytes beginning = beginning_of_key(table);
  Bytes key(beginning.size() + more.size());
  std::ranges::copy(more, std::ranges::copy(beginning, key.begin()).out);
  if (key.empty() || key.size() > 90) return 0;  // As long as keys are here.
  const BytesView value = input.rest();
  check_record(value);

  testing::MemoryDatabase database;
  fill(database, table, key, value);
  const auto txn = database.read();
  guarded([&] { static_cast<void>(views::judged(*txn, log_id)); });
  guarded([&] { static_cast<void>(views::shown(*txn, log_id)); });
  guarded([&] { static_cast<void>(views::record(*txn, id)); });
  guarded([&] { KITH_CHECK(views::list(*txn, {"", {}, ~0ULL, 5}).size() <= 5); });
  guarded([&] { KITH_CHECK(views::replies(*txn, RecordId::from(Bytes(32, 4)), 5).size() <= 5); });
  guarded([&] { static_cast<void>(views::find(*txn, to_base32(id.view()).substr(0, 6))); });
  guarded([&] { static_cast<void>(views::last_sequence(*txn)); });
  guarded([&] { KITH_CHECK(views::bad(*txn, log_id, 0, 5).size() <= 5); });
  guarded([&] { views::each_text(*txn, log_id, [](std::uint64_t, BytesView) {}); });
  return 0;
}
