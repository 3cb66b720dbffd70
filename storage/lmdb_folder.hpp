#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

/// What must hold of a folder before LMDB opens it. All throw StorageError saying what to do.
namespace kith::storage {

/// Whether a file system of this statfs type keeps its bytes elsewhere (or hides where): LMDB's
/// locks and shared memory do not work across machines.
[[nodiscard]] bool is_remote(std::uint64_t file_system_type);

/// Makes the folder (mode 0700) if it is not there, and refuses it if it or its files are not ours
/// alone or if it lies on a remote file system. Returns its absolute path.
[[nodiscard]] std::filesystem::path prepare_folder(const std::filesystem::path& given);
/// Refuses a data file that was cut off or is none; one that does not exist is fine.
void refuse_unless_whole(const std::filesystem::path& data);
/// A new file is only durable when the folder that names it is.
void sync_folder(const std::filesystem::path& folder);

/// The LMDB folders that this process has open. LMDB's locks belong to the process, so opening one
/// twice silently loses them (KITH_CHECK); that makes this the one thing here that is process-wide.
class OpenOnce {
 public:
  explicit OpenOnce(const std::filesystem::path& folder);
  ~OpenOnce();
  OpenOnce(const OpenOnce&) = delete;
  OpenOnce& operator=(const OpenOnce&) = delete;

 private:
  std::pair<std::uint64_t, std::uint64_t> id_;  // Device and inode: a path has many spellings.
};

}  // namespace kith::storage
