#pragma once

#include <filesystem>

#include "daemon/identity.hpp"
#include "storage/files/file.hpp"

namespace kith::daemon {

/// The data directory of one member: its files by name, and the lock that keeps it to one process.
///
///   identity    what makes the daemon this member; 0600
///   high-water  the last signed size and root of each own log; never part of a backup
///   log/        the log environment; the one thing to back up beside `identity`
///   views/      what people read; rebuilt from the logs at will
///   trail       what people here had the daemon do that others should be able to look up; 0600
///   kithd.sock  the socket of local clients
///   lock
class DataDir {
 public:
  /// An existing directory. not_found if it holds no identity, conflict if another process runs
  /// on it.
  [[nodiscard]] static Result<DataDir> open(const std::filesystem::path& path);
  /// For a new identity: makes the directory (0700) if needed. conflict if it holds an identity or
  /// what another member's daemon left.
  [[nodiscard]] static Result<DataDir> create(const std::filesystem::path& path);

  /// The identity alone, also while another process runs on the directory. Errors as those of
  /// open() and load_identity().
  [[nodiscard]] static Result<Identity> read_identity(const std::filesystem::path& path);
  /// Where the trail of a directory lies.
  [[nodiscard]] static std::filesystem::path trail_of(const std::filesystem::path& path) {
    return path / "trail";
  }

  [[nodiscard]] std::filesystem::path high_water() const { return path_ / "high-water"; }
  [[nodiscard]] std::filesystem::path log() const { return path_ / "log"; }
  [[nodiscard]] std::filesystem::path views() const { return path_ / "views"; }
  [[nodiscard]] std::filesystem::path trail() const { return trail_of(path_); }
  [[nodiscard]] std::filesystem::path socket() const { return path_ / "kithd.sock"; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const files::Lock& lock() const { return lock_; }

  /// forbidden says which chmod to run if others may read it.
  [[nodiscard]] Result<Identity> load_identity() const;
  /// Durable when it returns.
  [[nodiscard]] Result<bool> save_identity(const Identity& identity) const;

 private:
  DataDir(std::filesystem::path path, files::Lock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  files::Lock lock_;
};

}  // namespace kith::daemon
