#include "storage/files/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "protocol/base/limits.hpp"

namespace kith::files {
namespace {

constexpr std::size_t pid_text_bytes_max = 32;

Error failed(const std::filesystem::path& path, const std::string& attempting) {
  const int error = errno;
  return fail(error == ENOENT ? Errc::not_found : Errc::io,
              attempting + " " + path.string() + ": " + why(error));
}

/// As bytes or as text, without a copy: it may be a secret.
template <class Content>
Result<Content> read_all_as(const Descriptor& file, std::size_t bytes_max) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) {
    return fail(Errc::io, "it cannot be read: " + why(errno));
  }
  if (!S_ISREG(status.st_mode)) return fail(Errc::malformed, "it is no plain file");
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  const auto too_long = [] { return fail(Errc::too_large, "it is longer than it can be"); };
  if (bytes > bytes_max) return too_long();
  // The file may grow or shrink while it is read, and files of /proc say 0: what counts is what was
  // read. If it is as long as it was and nothing follows, that is its end.
  constexpr std::size_t step = 4 * limits::ki;
  Content content(bytes + 1, 0);
  for (std::size_t held = 0;;) {
    auto* const at = reinterpret_cast<std::uint8_t*>(content.data());  // May alias all.
    const auto got = read_next(file, std::span(at, content.size()).subspan(held));
    if (!got) return got.error();
    held += *got;
    if (held > bytes_max) return too_long();
    if (*got == 0 || held == bytes) {
      content.resize(held);
      return content;
    }
    if (held == content.size()) content.resize(held + step);
  }
}

Result<std::string> read_open(const Descriptor& file, const std::filesystem::path& path,
                              std::size_t bytes_max) {
  auto content = read_all_as<std::string>(file, bytes_max);
  if (content) return content;
  switch (content.error().code) {
    case Errc::malformed:
      return fail(Errc::usage, path.string() + " is not a plain file");
    case Errc::too_large:
      return fail(Errc::too_large,
                  path.string() + " has more than " + std::to_string(bytes_max) + " bytes");
    default:
      return fail(content.error(), "reading " + path.string());
  }
}

/// O_NONBLOCK: opening a pipe must not wait for its writer before it is refused.
Descriptor open_to_read(const std::filesystem::path& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

Result<bool> write_whole(const Descriptor& file, BytesView content,
                         const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed(path, "writing");
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

/// A rename or link is only durable when the folder is.
Result<bool> sync_folder(const std::filesystem::path& folder) {
  const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open() || ::fsync(file.get()) != 0) return failed(folder, "syncing");
  return true;
}

/// A complete and synced file beside `path`; its name, or nothing of it is left.
Result<std::string> write_beside(const std::filesystem::path& path, BytesView content,
                                 unsigned mode) {
  std::string beside = (folder_of(path) / ("." + path.filename().string() + ".XXXXXX")).string();
  const Descriptor file(::mkostemp(beside.data(), O_CLOEXEC));
  if (!file.is_open() && errno == ENOENT) {
    return fail(Errc::not_found,
                "there is no folder " + folder_of(path).string() + "; make it first");
  }
  if (!file.is_open()) return failed(path, "creating a file beside");

  auto written = write_whole(file, content, path);
  if (written && ::fchmod(file.get(), mode) != 0) written = failed(path, "setting the mode of");
  if (written && ::fsync(file.get()) != 0) written = failed(path, "syncing");
  if (written) return beside;
  ::unlink(beside.c_str());
  return written.error();
}

std::string holder_of(int file) {
  std::string pid(pid_text_bytes_max, '\0');
  const ssize_t got = ::pread(file, pid.data(), pid.size(), 0);
  pid.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t end = pid.find_first_not_of("0123456789");
  if (end != std::string::npos) pid.resize(end);
  return pid.empty() ? "another process" : "process " + pid;
}

}  // namespace

std::string why(int error) {
  const std::string said = std::system_category().message(error);
  if (error == ENOSPC || error == EDQUOT) {
    return said + "; free space on that file system and try again";
  }
  if (error == EACCES || error == EPERM) {
    return said + "; run this as the user that it belongs to, or change its permissions";
  }
  if (error == EROFS) return said + "; make that file system writable and try again";
  return said;
}

Result<std::size_t> read_next(const Descriptor& file, std::span<std::uint8_t> to) {
  for (;;) {
    const ssize_t got = ::read(file.get(), to.data(), to.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail(Errc::io, "it cannot be read: " + why(errno));
  }
}

Result<Bytes> read_all(const Descriptor& file, std::size_t bytes_max) {
  return read_all_as<Bytes>(file, bytes_max);
}

Result<std::string> read(const std::filesystem::path& path, std::size_t bytes_max) {
  const Descriptor file = open_to_read(path);
  if (!file.is_open()) return failed(path, "opening");
  return read_open(file, path, bytes_max);
}

Result<bool> write(const std::filesystem::path& path, BytesView content, unsigned mode) {
  const auto beside = write_beside(path, content, mode);
  if (!beside) return beside.error();
  if (::rename(beside->c_str(), path.c_str()) != 0) {
    const Error error = failed(path, "replacing");
    ::unlink(beside->c_str());
    return error;
  }
  return sync_folder(folder_of(path));
}

Result<bool> create(const std::filesystem::path& path, BytesView content, unsigned mode) {
  const auto beside = write_beside(path, content, mode);
  if (!beside) return beside.error();
  // link() refuses an existing name in the same step, where rename() would replace it.
  Result<bool> linked = true;
  if (::link(beside->c_str(), path.c_str()) != 0) {
    linked = errno == EEXIST ? fail(Errc::conflict, path.string() + " exists already")
                             : failed(path, "creating");
  }
  ::unlink(beside->c_str());
  if (!linked) return linked;
  return sync_folder(folder_of(path));
}

Result<bool> append_line(const std::filesystem::path& path, std::string_view line, unsigned mode) {
  constexpr int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const Descriptor file(::open(path.c_str(), flags, mode));
  if (!file.is_open()) return failed(path, "opening");
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return failed(path, "reading");
  if (!S_ISREG(status.st_mode)) return fail(Errc::usage, path.string() + " is not a plain file");
  char last = '\n';
  if (status.st_size > 0 && ::pread(file.get(), &last, 1, status.st_size - 1) != 1) {
    return failed(path, "reading");
  }
  std::string added = last == '\n' ? "" : "\n";
  added.append(line).push_back('\n');
  auto written = write_whole(file, view(added), path);
  if (written && ::fsync(file.get()) != 0) written = failed(path, "syncing");
  if (written && status.st_size == 0) written = sync_folder(folder_of(path));
  // Half a line would be read as one.
  if (!written) static_cast<void>(::ftruncate(file.get(), status.st_size) == 0);
  return written;
}

Result<bool> put_folder(const std::filesystem::path& part, const std::filesystem::path& place) {
  {
    const Descriptor folder(::open(part.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open() || ::syncfs(folder.get()) != 0) return failed(part, "syncing");
  }
  std::error_code why;
  if (!std::filesystem::exists(place, why)) {
    if (::rename(part.c_str(), place.c_str()) != 0) return failed(place, "creating");
    return sync_folder(folder_of(place));
  }
  std::filesystem::path old = part;
  if (::renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) != 0) {
    if (errno != EINVAL && errno != ENOSYS) return failed(place, "replacing");
    // This file system cannot exchange two names.
    old = place.string() + ".old";
    if (std::filesystem::exists(old, why)) {
      return fail(Errc::conflict, old.string() + " is in the way; move it elsewhere");
    }
    if (::rename(place.c_str(), old.c_str()) != 0) return failed(place, "moving away");
    if (::rename(part.c_str(), place.c_str()) != 0) {
      const Error error = failed(place, "creating");
      static_cast<void>(::rename(old.c_str(), place.c_str()));
      return error;
    }
  }
  auto synced = sync_folder(folder_of(place));
  std::filesystem::remove_all(old, why);
  return synced;
}

Result<std::string> read_secret(const std::filesystem::path& path, std::size_t bytes_max) {
  const Descriptor file = open_to_read(path);
  if (!file.is_open()) return failed(path, "opening");
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return failed(path, "reading");
  if (status.st_uid != ::geteuid()) {
    return fail(Errc::forbidden, path.string() + " is a secret but belongs to another user");
  }
  if (S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(
        Errc::forbidden,
        path.string() + " is a secret that others may read; run: chmod 600 " + path.string());
  }
  return read_open(file, path, bytes_max);
}

Result<Lock> Lock::take(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.is_open()) return failed(path, "opening");
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed(path, "locking");
    return fail(Errc::conflict, path.string() + " is held by " + holder_of(file.get()));
  }
  // The pid is only for people; the lock itself is what counts and goes with the process.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0 ||
      ::pwrite(file.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return failed(path, "writing");
  }
  return Lock(file.release());
}

Lock::Lock(Lock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

Lock& Lock::operator=(Lock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

bool Lock::is_of(const std::filesystem::path& path) const {
  struct stat held{};
  struct stat there{};
  return ::fstat(file_, &held) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

// The file stays: removing it would let a third process lock a new one while a second waits for
// the old.
Lock::~Lock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace kith::files
