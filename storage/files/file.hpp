#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"
#include "storage/files/descriptor.hpp"

/// Small files, read with a bound and written so that a crash leaves the old or the new one whole.
namespace kith::files {

/// What the system says of an `errno`; for what can be mended also what to do.
[[nodiscard]] std::string why(int error);

/// What the next read of an open file gives: 0 at its end; io.
[[nodiscard]] Result<std::size_t> read_next(const Descriptor& file, std::span<std::uint8_t> to);
/// The whole of an open file: malformed if it is no plain one; too_large above `bytes_max`; io. It
/// is for the caller to say which file.
[[nodiscard]] Result<Bytes> read_all(const Descriptor& file, std::size_t bytes_max);

/// At most `bytes_max`; too_large otherwise, not_found, io. Follows no surprise: a folder or device
/// is refused (usage).
[[nodiscard]] Result<std::string> read(const std::filesystem::path& path, std::size_t bytes_max);
/// Writes beside, syncs, renames, syncs the folder. `mode` for instance 0600.
[[nodiscard]] Result<bool> write(const std::filesystem::path& path, BytesView content,
                                 unsigned mode);
/// As write(), but refuses (conflict) if the file exists.
[[nodiscard]] Result<bool> create(const std::filesystem::path& path, BytesView content,
                                  unsigned mode);
/// Adds a line, durable when it returns; makes the file with `mode` if needed. Whatever fails, the
/// lines that were there stay as they were, and a line that a crash cut off is ended first.
[[nodiscard]] Result<bool> append_line(const std::filesystem::path& path, std::string_view line,
                                       unsigned mode);
/// Makes all of the folder `part` durable and puts it where `place` is; a folder that stood there
/// is removed. A crash leaves the old one or the new one whole at `place`; only where a file system
/// cannot exchange two names there may for a moment be none, and the old one is `place`.old.
[[nodiscard]] Result<bool> put_folder(const std::filesystem::path& part,
                                      const std::filesystem::path& place);
/// A secret: refused (forbidden, saying the chmod to run) if group or others may read or write it
/// or if it belongs to another user.
[[nodiscard]] Result<std::string> read_secret(const std::filesystem::path& path,
                                              std::size_t bytes_max);

/// An advisory lock on a file in the data directory, held while the object lives.
class Lock {
 public:
  /// conflict if another process holds it, naming its pid.
  [[nodiscard]] static Result<Lock> take(const std::filesystem::path& path);
  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&& other) noexcept;
  ~Lock();
  /// Whether `path` is still the file that is locked: whoever removes a lock with its folder leaves
  /// others with one that counts for nothing.
  [[nodiscard]] bool is_of(const std::filesystem::path& path) const;

 private:
  explicit Lock(int file) : file_(file) {}
  int file_ = -1;
};

}  // namespace kith::files
