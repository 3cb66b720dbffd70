#include "storage/lmdb.hpp"

#include <lmdb.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <utility>

#include "protocol/base/check.hpp"
#include "storage/files/file.hpp"
#include "storage/lmdb_folder.hpp"
#include "storage/unsynced.hpp"

namespace kith::storage {
namespace {

constexpr std::size_t key_bytes_max = 500;
constexpr unsigned readers_max = 256;
constexpr std::uint32_t log_schema = 2;   // 2: evidence by what it is about.
constexpr std::uint32_t view_schema = 2;  // 2: what a reply is stands in its row.
constexpr std::string_view schema_key = "schema";

constexpr std::array<const char*, static_cast<std::size_t>(Table::count_)> names = {
    "meta",  "heads",       "recent",       "bundles",  "tiles",   "payloads",  "large",
    "gaps",  "checkpoints", "cosignatures", "evidence", "waiting", "view_meta", "cursors",
    "texts", "records",     "arrivals",     "replies",  "bad"};
constexpr std::array log_table_list = {Table::meta,         Table::heads,    Table::recent,
                                       Table::bundles,      Table::tiles,    Table::payloads,
                                       Table::large,        Table::gaps,     Table::checkpoints,
                                       Table::cosignatures, Table::evidence, Table::waiting};
constexpr std::array view_table_list = {Table::view_meta, Table::cursors,  Table::texts,
                                        Table::records,   Table::arrivals, Table::replies,
                                        Table::bad};

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw StorageError(StorageError::Kind::other, path.string() + " " + why);
}

/// Any failure but these two means that the disk or the file cannot be believed any more.
StorageError::Kind kind_of(int code) {
  if (code == MDB_MAP_FULL || code == ENOSPC || code == EDQUOT) return StorageError::Kind::full;
  return code == EROFS ? StorageError::Kind::read_only : StorageError::Kind::other;
}

std::string said(int code) {
  return kind_of(code) == StorageError::Kind::other || code == MDB_MAP_FULL ? mdb_strerror(code)
                                                                            : files::why(code);
}

void check(int code, const char* attempting) {
  if (code == MDB_SUCCESS) return;
  throw StorageError(kind_of(code), std::string(attempting) + ": " + said(code));
}

/// The code of a call that may write. Where a disk fills up in the middle of a write, the kernel
/// writes a part, and LMDB makes "input/output error" of that: unlike a real one, no call of the
/// system failed with it.
template <class Call>
int written(const Call& call) {
  errno = 0;
  const int code = call();
  return code == EIO && errno != EIO ? ENOSPC : code;
}

MDB_val value_of(BytesView bytes) {
  return {bytes.size(), const_cast<std::uint8_t*>(bytes.data())};  // LMDB does not write to it.
}
BytesView bytes_of(const MDB_val& value) {
  return {static_cast<const std::uint8_t*>(value.mv_data), value.mv_size};
}

}  // namespace

std::span<const Table> log_tables() { return log_table_list; }
std::span<const Table> view_tables() { return view_table_list; }

struct LmdbDatabase::Impl {
  Impl(const std::filesystem::path& given, std::span<const Table> tables, Durability wanted,
       std::uint64_t map_bytes);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  void open(std::uint64_t map_bytes, std::size_t tables);
  void open_tables(std::span<const Table> tables);
  [[nodiscard]] MDB_dbi table(Table which) const {
    const auto& handle = handles[static_cast<std::size_t>(which)];
    KITH_CHECK(handle.has_value());
    return *handle;
  }

  std::filesystem::path folder;
  Durability durability;
  OpenOnce once;
  MDB_env* env = nullptr;
  std::array<std::optional<MDB_dbi>, names.size()> handles;
  std::atomic<bool> writing = false;
};

namespace {

/// What both kinds of transaction do alike. Aborts unless committed.
class Transaction {
 public:
  Transaction(MDB_env* env, unsigned flags) {
    int code = mdb_txn_begin(env, nullptr, flags, &txn_);
    if (code == MDB_READERS_FULL) {
      int cleared = 0;
      check(mdb_reader_check(env, &cleared), "clearing stale readers");
      code = mdb_txn_begin(env, nullptr, flags, &txn_);
    }
    check(code, "beginning a transaction");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() { mdb_txn_abort(txn_); }

  [[nodiscard]] MDB_txn* get() const {
    KITH_CHECK(txn_ != nullptr);
    return txn_;
  }
  void commit() {
    check(written([this] { return mdb_txn_commit(std::exchange(txn_, nullptr)); }), "committing");
  }

 private:
  MDB_txn* txn_ = nullptr;
};

class Cursor {
 public:
  Cursor(MDB_txn* txn, MDB_dbi table) { check(mdb_cursor_open(txn, table, &cursor_), "reading"); }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor() { mdb_cursor_close(cursor_); }

  [[nodiscard]] std::optional<Row> move(MDB_cursor_op how, BytesView key = {}) {
    MDB_val found_key = value_of(key);
    MDB_val found{};
    const int code = mdb_cursor_get(cursor_, &found_key, &found, how);
    if (code == MDB_NOTFOUND) return std::nullopt;
    check(code, "reading");
    return Row{bytes_of(found_key), bytes_of(found)};
  }

 private:
  MDB_cursor* cursor_ = nullptr;
};

std::optional<BytesView> find(MDB_txn* txn, MDB_dbi table, BytesView key) {
  MDB_val wanted = value_of(key);
  MDB_val found{};
  const int code = mdb_get(txn, table, &wanted, &found);
  if (code == MDB_NOTFOUND) return std::nullopt;
  check(code, "reading");
  return bytes_of(found);
}

std::optional<Row> find_at_or_after(MDB_txn* txn, MDB_dbi table, BytesView key) {
  Cursor cursor(txn, table);
  // LMDB knows no empty key.
  return key.empty() ? cursor.move(MDB_FIRST) : cursor.move(MDB_SET_RANGE, key);
}

std::optional<Row> find_before(MDB_txn* txn, MDB_dbi table, BytesView key) {
  if (key.empty()) return std::nullopt;
  Cursor cursor(txn, table);
  return cursor.move(MDB_SET_RANGE, key) ? cursor.move(MDB_PREV) : cursor.move(MDB_LAST);
}

}  // namespace

class LmdbReadTxn : public ReadTxn {
 public:
  explicit LmdbReadTxn(const LmdbDatabase::Impl& database)
      : database_(database), txn_(database.env, MDB_RDONLY) {}

  [[nodiscard]] std::optional<BytesView> get(Table table, BytesView key) const override {
    return find(txn_.get(), database_.table(table), key);
  }
  [[nodiscard]] std::optional<Row> at_or_after(Table table, BytesView key) const override {
    return find_at_or_after(txn_.get(), database_.table(table), key);
  }
  [[nodiscard]] std::optional<Row> before(Table table, BytesView key) const override {
    return find_before(txn_.get(), database_.table(table), key);
  }

 private:
  const LmdbDatabase::Impl& database_;
  Transaction txn_;
};

class LmdbWriteTxn : public WriteTxn {
 public:
  explicit LmdbWriteTxn(LmdbDatabase::Impl& database)
      : turn_(database.writing), database_(database), txn_(database.env, 0) {}

  [[nodiscard]] std::optional<BytesView> get(Table table, BytesView key) const override {
    return find(txn_.get(), database_.table(table), key);
  }
  [[nodiscard]] std::optional<Row> at_or_after(Table table, BytesView key) const override {
    return find_at_or_after(txn_.get(), database_.table(table), key);
  }
  [[nodiscard]] std::optional<Row> before(Table table, BytesView key) const override {
    return find_before(txn_.get(), database_.table(table), key);
  }
  void put(Table table, BytesView key, BytesView value) override {
    check(written([&] { return store(table, key, value, 0); }), "writing");
  }
  void put_new(Table table, BytesView key, BytesView value) override {
    const int code = written([&] { return store(table, key, value, MDB_NOOVERWRITE); });
    KITH_CHECK(code != MDB_KEYEXIST);
    check(code, "writing");
  }
  void erase(Table table, BytesView key) override {
    MDB_val wanted = value_of(key);
    const int code =
        written([&] { return mdb_del(txn_.get(), database_.table(table), &wanted, nullptr); });
    if (code != MDB_NOTFOUND) check(code, "erasing");
  }
  void commit() override {
    txn_.commit();
    turn_.end();
  }

 private:
  /// A second one on the same thread would wait for itself for ever: that is a bug, so stop.
  class Turn {
   public:
    explicit Turn(std::atomic<bool>& writing) : writing_(&writing) {
      KITH_CHECK(!writing_->exchange(true));
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { end(); }
    void end() {
      if (writing_ != nullptr) *std::exchange(writing_, nullptr) = false;
    }

   private:
    std::atomic<bool>* writing_;
  };

  int store(Table table, BytesView key, BytesView value, unsigned flags) {
    KITH_CHECK(!key.empty() && key.size() <= key_bytes_max);
    MDB_val wanted = value_of(key);
    MDB_val stored = value_of(value);
    return mdb_put(txn_.get(), database_.table(table), &wanted, &stored, flags);
  }

  Turn turn_;  // Before txn_, so that it ends after it.
  LmdbDatabase::Impl& database_;
  Transaction txn_;
};

LmdbDatabase::Impl::Impl(const std::filesystem::path& given, std::span<const Table> tables,
                         Durability wanted, std::uint64_t map_bytes)
    : folder(prepare_folder(given)), durability(wanted), once(folder) {
  const auto data = folder / "data.mdb";
  if (durability == Durability::rebuildable && lost_power(folder)) {
    std::filesystem::remove(data);
    std::filesystem::remove(folder / "lock.mdb");
  }
  refuse_unless_whole(data);
  if (durability == Durability::rebuildable) mark_unsynced(folder);

  try {
    open(map_bytes, tables.size());
    open_tables(tables);
  } catch (...) {
    mdb_env_close(env);
    throw;
  }
}

LmdbDatabase::Impl::~Impl() {
  const bool catches_up = durability == Durability::rebuildable && mdb_env_sync(env, 1) == 0;
  mdb_env_close(env);
  if (catches_up) mark_synced(folder);
}

void LmdbDatabase::Impl::open(std::uint64_t map_bytes, std::size_t tables) {
  const unsigned flags =
      MDB_NOTLS | (durability == Durability::rebuildable ? MDB_NOSYNC | MDB_NOMETASYNC : 0U);
  check(mdb_env_create(&env), "creating an environment");
  check(mdb_env_set_maxdbs(env, static_cast<MDB_dbi>(tables)), "opening");
  check(mdb_env_set_maxreaders(env, readers_max), "opening");
  check(mdb_env_set_mapsize(env, map_bytes), "opening");
  const int code = mdb_env_open(env, folder.c_str(), flags, 0600);
  if (code == ENOMEM && map_bytes > map_bytes_small) {
    // Address space is short: under `ulimit -v`, or with a sanitizer that takes most of it.
    mdb_env_close(std::exchange(env, nullptr));
    open(map_bytes_small, tables);
    return;
  }
  check(code, ("opening " + folder.string()).c_str());

  // LMDB syncs the file but not the folder that names it.
  sync_folder(folder);
  sync_folder(folder.parent_path());
  int cleared = 0;
  check(mdb_reader_check(env, &cleared), "clearing stale readers");
}

void LmdbDatabase::Impl::open_tables(std::span<const Table> tables) {
  KITH_CHECK(!tables.empty());
  Transaction txn(env, 0);
  for (const Table which : tables) {
    const auto at = static_cast<std::size_t>(which);
    MDB_dbi handle = 0;
    check(mdb_dbi_open(txn.get(), names.at(at), MDB_CREATE, &handle), "opening a table");
    handles[at] = handle;
  }

  // The first table of an environment is the one about the environment.
  MDB_dbi meta = table(tables.front());
  const bool is_view = tables.front() == Table::view_meta;
  const std::uint32_t schema = is_view ? view_schema : log_schema;
  const auto found = find(txn.get(), meta, view(schema_key));
  if (found && (found->size() != sizeof(schema) || read_integer<std::uint32_t>(*found) != schema)) {
    refuse(folder, std::string("was written by another version of kith") +
                       (is_view ? "; remove it, it is rebuilt from the logs" : ""));
  }
  if (!found) {
    Bytes bytes;
    append_integer(bytes, schema);
    MDB_val key = value_of(view(schema_key));
    MDB_val value = value_of(bytes);
    check(mdb_put(txn.get(), meta, &key, &value, 0), "writing");
  }
  txn.commit();
}

LmdbDatabase::LmdbDatabase(const std::filesystem::path& folder, std::span<const Table> tables,
                           Durability durability, std::uint64_t map_bytes)
    : impl_(std::make_unique<Impl>(folder, tables, durability, map_bytes)) {}

LmdbDatabase::~LmdbDatabase() = default;

std::unique_ptr<ReadTxn> LmdbDatabase::read() const {
  return std::make_unique<LmdbReadTxn>(*impl_);
}

std::unique_ptr<WriteTxn> LmdbDatabase::write() { return std::make_unique<LmdbWriteTxn>(*impl_); }

void LmdbDatabase::clear_stale_readers() {
  int cleared = 0;
  check(mdb_reader_check(impl_->env, &cleared), "clearing stale readers");
}

std::uint64_t LmdbDatabase::used_bytes() const {
  MDB_envinfo info{};
  MDB_stat status{};
  check(mdb_env_info(impl_->env, &info), "reading");
  check(mdb_env_stat(impl_->env, &status), "reading");
  return (std::uint64_t{info.me_last_pgno} + 1) * status.ms_psize;
}

}  // namespace kith::storage
