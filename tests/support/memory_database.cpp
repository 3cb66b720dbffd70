#include "tests/support/memory_database.hpp"

#include <utility>

#include "protocol/base/check.hpp"

namespace kith::testing {
namespace {

using storage::Row;
using storage::StorageError;
using storage::Table;
using Rows = MemoryDatabase::Rows;

std::size_t at(Table table) { return static_cast<std::size_t>(table); }

std::optional<Row> row_of(const Rows& rows, Rows::const_iterator found) {
  if (found == rows.end()) return std::nullopt;
  return Row{found->first, found->second};
}

std::optional<Row> last_before(const Rows& rows, BytesView key) {
  const auto found = rows.lower_bound(key);
  return found == rows.begin() ? std::nullopt : row_of(rows, std::prev(found));
}

class Reader : public storage::ReadTxn {
 public:
  explicit Reader(const MemoryDatabase::Tables& tables) : tables_(tables) {}

  [[nodiscard]] std::optional<BytesView> get(Table table, BytesView key) const override {
    const auto found = tables_[at(table)]->find(key);
    return found == tables_[at(table)]->end() ? std::nullopt
                                              : std::optional<BytesView>(found->second);
  }
  [[nodiscard]] std::optional<Row> at_or_after(Table table, BytesView key) const override {
    return row_of(*tables_[at(table)], tables_[at(table)]->lower_bound(key));
  }
  [[nodiscard]] std::optional<Row> before(Table table, BytesView key) const override {
    return last_before(*tables_[at(table)], key);
  }

 private:
  MemoryDatabase::Tables tables_;
};

}  // namespace

/// Keeps its changes apart until commit(): what is not there was erased.
class MemoryDatabase::Writer : public storage::WriteTxn {
 public:
  explicit Writer(MemoryDatabase& database) : database_(database) {
    KITH_CHECK(!database.writing_);
    database.writing_ = true;
  }
  ~Writer() override {
    if (!committed_) database_.writing_ = false;
  }

  [[nodiscard]] std::optional<BytesView> get(Table table, BytesView key) const override {
    const Changes& changes = changes_[at(table)];
    if (const auto changed = changes.find(key); changed != changes.end()) {
      return changed->second ? std::optional<BytesView>(*changed->second) : std::nullopt;
    }
    const Rows& rows = *database_.current_[at(table)];
    const auto found = rows.find(key);
    return found == rows.end() ? std::nullopt : std::optional<BytesView>(found->second);
  }

  [[nodiscard]] std::optional<Row> at_or_after(Table table, BytesView key) const override {
    const Changes& changes = changes_[at(table)];
    const Rows& rows = *database_.current_[at(table)];
    auto stored = rows.lower_bound(key);
    // Whatever was changed hides what is stored under the same key.
    while (stored != rows.end() && changes.contains(stored->first)) ++stored;
    auto changed = changes.lower_bound(key);
    while (changed != changes.end() && !changed->second) ++changed;
    const bool take_changed = changed != changes.end() &&
                              (stored == rows.end() || BytesLess()(changed->first, stored->first));
    return take_changed ? Row{changed->first, *changed->second} : row_of(rows, stored);
  }

  [[nodiscard]] std::optional<Row> before(Table table, BytesView key) const override {
    const Changes& changes = changes_[at(table)];
    const Rows& rows = *database_.current_[at(table)];
    auto stored = last_before(rows, key);
    while (stored && changes.contains(stored->key)) stored = last_before(rows, stored->key);
    auto changed = changes.lower_bound(key);
    while (changed != changes.begin()) {
      --changed;
      if (!changed->second) continue;
      if (stored && BytesLess()(changed->first, stored->key)) break;
      return Row{changed->first, *changed->second};
    }
    return stored;
  }

  void put(Table table, BytesView key, BytesView value) override {
    KITH_CHECK(!committed_ && !key.empty() && key.size() <= 500);
    changes_[at(table)].insert_or_assign(to_bytes(key), to_bytes(value));
  }
  void put_new(Table table, BytesView key, BytesView value) override {
    KITH_CHECK(!get(table, key));
    put(table, key, value);
  }
  void erase(Table table, BytesView key) override {
    KITH_CHECK(!committed_);
    changes_[at(table)].insert_or_assign(to_bytes(key), std::nullopt);
  }

  void commit() override {
    KITH_CHECK(!std::exchange(committed_, true));
    database_.writing_ = false;
    database_.begin_commit();
    for (std::size_t table = 0; table < changes_.size(); ++table) {
      if (changes_[table].empty()) continue;
      auto& rows = database_.current_[table];
      if (rows.use_count() > 1) rows = std::make_shared<Rows>(*rows);
      apply(std::exchange(changes_[table], {}), *rows);
    }
  }

 private:
  using Changes = std::map<Bytes, std::optional<Bytes>, BytesLess>;

  static void apply(Changes changes, Rows& rows) {
    for (auto& [key, value] : changes) {
      if (value) {
        rows.insert_or_assign(key, std::move(*value));
      } else {
        rows.erase(key);
      }
    }
  }

  MemoryDatabase& database_;
  std::array<Changes, static_cast<std::size_t>(Table::count_)> changes_;
  bool committed_ = false;
};

MemoryDatabase::MemoryDatabase() {
  for (auto& rows : current_) rows = std::make_shared<Rows>();
}

std::unique_ptr<storage::ReadTxn> MemoryDatabase::read() const {
  return std::make_unique<Reader>(current_);
}

std::unique_ptr<storage::WriteTxn> MemoryDatabase::write() {
  return std::make_unique<Writer>(*this);
}

void MemoryDatabase::crash() {
  KITH_CHECK(!writing_);
  if (ignores_durability_) current_ = durable_;
}

void MemoryDatabase::ignore_durability() {
  ignores_durability_ = true;
  sync();
}

void MemoryDatabase::sync() {
  // Otherwise every commit is durable, and a second set of references would only cause copies.
  if (ignores_durability_) durable_ = current_;
}

void MemoryDatabase::fail_commit(std::uint64_t n, StorageError::Kind kind) {
  KITH_CHECK(n > 0);
  failing_commit_ = commits_ + n;
  failure_ = kind;
}

void MemoryDatabase::begin_commit() {
  if (++commits_ != failing_commit_) return;
  throw StorageError(failure_, "committing: the test wants this to fail");
}

}  // namespace kith::testing
