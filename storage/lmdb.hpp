#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "storage/database.hpp"

struct MDB_env;

/// The only user of LMDB. What reference pitfalls forced: docs/STORAGE, "LMDB".
namespace kith::storage {

/// Address space for the map, far above any quota. Sparse: it costs neither disk nor memory.
inline constexpr std::uint64_t map_bytes_default = std::uint64_t{1} << 40;
/// Taken instead where that much address space is refused (`ulimit -v`, some sanitizers).
inline constexpr std::uint64_t map_bytes_small = std::uint64_t{1} << 36;

/// One LMDB environment: opened once in a process (KITH_CHECK), no WRITEMAP, NOTLS readers. One
/// WriteTxn at a time (KITH_CHECK), on one thread.
class LmdbDatabase : public Database {
 public:
  enum class Durability { full, rebuildable };  ///< rebuildable: NOSYNC, for views.

  /// Opens or creates `folder` (mode 0700) with these tables. Before the file is mapped: refuses a
  /// remote file system, a file that is not ours or readable by others, and a file shorter than its
  /// meta pages say (a truncated map would end the process by SIGBUS). Clears stale readers.
  /// A rebuildable one is emptied if the machine went down while it was open. The first table holds
  /// the schema's number. Throws StorageError with what to do.
  LmdbDatabase(const std::filesystem::path& folder, std::span<const Table> tables,
               Durability durability, std::uint64_t map_bytes = map_bytes_default);
  ~LmdbDatabase() override;
  LmdbDatabase(const LmdbDatabase&) = delete;
  LmdbDatabase& operator=(const LmdbDatabase&) = delete;

  [[nodiscard]] std::unique_ptr<ReadTxn> read() const override;
  [[nodiscard]] std::unique_ptr<WriteTxn> write() override;

  /// Frees the slots of readers whose process died.
  void clear_stale_readers();
  /// Bytes of the data file in use, pages that wait for reuse among them.
  [[nodiscard]] std::uint64_t used_bytes() const;

  struct Impl;  ///< Only lmdb.cpp knows it.

 private:
  std::unique_ptr<Impl> impl_;
};

/// What belongs into the log environment, and into that of the views.
[[nodiscard]] std::span<const Table> log_tables();
[[nodiscard]] std::span<const Table> view_tables();

}  // namespace kith::storage
