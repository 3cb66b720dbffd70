#include "storage/files/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "storage/files/file.hpp"

namespace kith::files {
namespace {

/// O_NONBLOCK: opening a pipe must not wait for its writer before it is refused.
constexpr int to_read = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
constexpr int to_list = O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW;
constexpr int to_pass = O_PATH | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW;

struct CloseListing {
  void operator()(DIR* listing) const { ::closedir(listing); }
};
using Listing = std::unique_ptr<DIR, CloseListing>;

bool is_folder(const Listing& listing, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
  struct stat status{};
  return ::fstatat(::dirfd(listing.get()), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(status.st_mode);
}

Error why_not_opened(int error) {
  if (error == ENOENT) return fail(Errc::not_found, "it is missing");
  // A link, a socket, or a file where a folder should be.
  if (error == ELOOP || error == ENOTDIR || error == ENXIO || error == EXDEV) {
    return fail(Errc::malformed, "it is no plain file");
  }
  return fail(Errc::io, "it cannot be opened: " + why(error));
}

}  // namespace

Folder::Folder(const std::filesystem::path& path, Way way)
    : folder_(::open(path.c_str(), O_PATH | O_CLOEXEC | O_DIRECTORY)), way_(way) {}

Descriptor Folder::go(const std::string& path, int flags) const {
  if (way_ == Way::part_by_part) return go_part_by_part(path, flags);
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
  const auto opened = ::syscall(SYS_openat2, folder_.get(), path.c_str(), &how, sizeof(how));
  if (opened >= 0) return Descriptor(static_cast<int>(opened));
  // An old kernel does not know the call, and some containers forbid what they do not know.
  if (errno == ENOSYS || errno == EPERM) return go_part_by_part(path, flags);
  return Descriptor();
}

Descriptor Folder::go_part_by_part(const std::string& path, int flags) const {
  Descriptor at;
  std::size_t begin = 0;
  for (std::size_t end = path.find('/'); end != std::string::npos; end = path.find('/', begin)) {
    const std::string part = path.substr(begin, end - begin);
    if (part == "..") {
      errno = EXDEV;
      return Descriptor();
    }
    Descriptor next(::openat(at.is_open() ? at.get() : folder_.get(), part.c_str(), to_pass));
    if (!next.is_open()) return Descriptor();
    at = std::move(next);
    begin = end + 1;
  }
  return Descriptor(::openat(at.is_open() ? at.get() : folder_.get(), &path[begin], flags));
}

Result<Descriptor> Folder::open(const std::string& path) const {
  if (!folder_.is_open()) return fail(Errc::not_found, "it is missing");
  Descriptor file = go(path, to_read);
  if (!file.is_open()) return why_not_opened(errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return why_not_opened(errno);
  if (!S_ISREG(status.st_mode)) return fail(Errc::malformed, "it is no plain file");
  return file;
}

Result<Bytes> Folder::read(const std::string& path, std::size_t bytes_max) const {
  const auto file = open(path);
  if (!file) return file.error();
  return read_all(*file, bytes_max);
}

void Folder::each(const std::function<bool(const std::string&)>& each) const {
  std::vector<std::string> folders{"."};
  while (!folders.empty()) {
    const std::string path = std::move(folders.back());
    folders.pop_back();
    Descriptor folder = go(path, to_list);
    const std::string within = path == "." ? "" : path + '/';
    const Listing listing(folder.is_open() ? ::fdopendir(folder.get()) : nullptr);
    if (!listing) {
      if (path != "." && !each(path)) return;
      continue;
    }
    static_cast<void>(folder.release());
    bool is_empty = true;
    while (const dirent* entry = ::readdir(listing.get())) {
      if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
      is_empty = false;
      std::string name = within + entry->d_name;
      if (is_folder(listing, *entry)) {
        folders.push_back(std::move(name));
      } else if (!each(name)) {
        return;
      }
    }
    if (is_empty && path != "." && !each(path)) return;
  }
}

}  // namespace kith::files
