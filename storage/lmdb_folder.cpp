#include "storage/lmdb_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <set>
#include <string>
#include <system_error>

#include "protocol/base/check.hpp"
#include "storage/database.hpp"
#include "storage/files/file.hpp"
#include "storage/lmdb_file.hpp"

namespace kith::storage {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw StorageError(StorageError::Kind::other, path.string() + " " + why);
}

void refuse_if_not_private(const std::filesystem::path& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return;
    refuse(path, "cannot be read: " + files::why(errno));
  }
  if (S_ISLNK(status.st_mode)) refuse(path, "is a symbolic link");
  if (status.st_uid != ::geteuid()) refuse(path, "belongs to another user");
  // LMDB believes every byte of its files: who can write them owns the daemon.
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    refuse(path, "is open to others; run: chmod go-rwx " + path.string());
  }
}

struct OpenFolders {
  std::mutex mutex;
  std::set<std::pair<std::uint64_t, std::uint64_t>> ids;
};
OpenFolders& open_folders() {
  static OpenFolders open;
  return open;
}

}  // namespace

bool is_remote(std::uint64_t file_system_type) {
  constexpr std::array<std::uint64_t, 14> remote = {
      0x6969,      // NFS
      0x517B,      // SMB
      0xFF534D42,  // CIFS
      0xFE534D42,  // SMB 2 and later
      0x65735546,  // FUSE: sshfs and many more; what is behind it cannot be known
      0x01021997,  // 9P
      0x73757245,  // Coda
      0x5346414F,  // AFS
      0x6B414653,  // AFS of the kernel
      0x00C36400,  // Ceph
      0x0BD00BD0,  // Lustre
      0x01161970,  // GFS2
      0x7461636F,  // OCFS2
      0x786F4256,  // VirtualBox shared folder
  };
  return std::ranges::find(remote, file_system_type) != remote.end();
}

std::filesystem::path prepare_folder(const std::filesystem::path& given) {
  auto folder = std::filesystem::absolute(given).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // "a/b/" is "a/b".
  std::filesystem::create_directories(folder.parent_path());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    refuse(folder, "cannot be made: " + files::why(errno));
  }

  refuse_if_not_private(folder);
  refuse_if_not_private(folder / "data.mdb");
  refuse_if_not_private(folder / "lock.mdb");
  struct statfs file_system{};
  if (::statfs(folder.c_str(), &file_system) != 0) refuse(folder, "cannot be read");
  if (is_remote(static_cast<std::uint32_t>(file_system.f_type))) {
    refuse(folder, "is on a network or user-space file system; it must be on a local disk");
  }
  return folder;
}

void sync_folder(const std::filesystem::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (!synced) refuse(folder, "cannot be synced");
}

void refuse_unless_whole(const std::filesystem::path& data) {
  if (!std::filesystem::exists(data)) return;
  const LmdbFileReport report = inspect_lmdb_file(data);
  if (!report.usable) {
    refuse(data, report.problem +
                     ". Put it aside, put back the newest copy there is, and start kithd: peers "
                     "give back what is missing");
  }
}

OpenOnce::OpenOnce(const std::filesystem::path& folder) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) refuse(folder, "cannot be read");
  id_ = {status.st_dev, status.st_ino};
  const std::lock_guard lock(open_folders().mutex);
  KITH_CHECK(open_folders().ids.insert(id_).second);
}

OpenOnce::~OpenOnce() {
  const std::lock_guard lock(open_folders().mutex);
  open_folders().ids.erase(id_);
}

}  // namespace kith::storage
