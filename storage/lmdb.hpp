#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "storage/database.hpp"

struct MDB_env;

/// The only user of LMDB. What reference pitfalls forced: docs/STORAGE, "LMDB".
namespace kith::storage {

/// One LMDB environment: opened once in a process, no WRITEMAP, NOTLS readers, map of 1 TiB (sparse).
class LmdbDatabase : public Database {
 public:
  enum class Durability { full, rebuildable };  ///< rebuildable: NOSYNC, for views.

  /// Opens or creates `folder` (mode 0700) with these tables. Before the file is mapped: refuses a
  /// remote file system, a file that is not ours or readable by others, and a file shorter than its
  /// meta pages say (a truncated map would end the process by SIGBUS). Clears stale readers.
  /// Throws StorageError with what to do.
  LmdbDatabase(const std::filesystem::path& folder, std::span<const Table> tables,
               Durability durability);
  ~LmdbDatabase() override;
  LmdbDatabase(const LmdbDatabase&) = delete;
  LmdbDatabase& operator=(const LmdbDatabase&) = delete;

  [[nodiscard]] std::unique_ptr<ReadTxn> read() const override;
  [[nodiscard]] std::unique_ptr<WriteTxn> write() override;

  /// Frees the slots of readers whose process died.
  void clear_stale_readers();
  /// Bytes of the data file in use.
  [[nodiscard]] std::uint64_t used_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

[[nodiscard]] std::span<const Table> log_tables();
[[nodiscard]] std::span<const Table> view_tables();

}  // namespace kith::storage
