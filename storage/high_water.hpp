#pragma once

#include <filesystem>
#include <map>

#include "protocol/base/types.hpp"

/// The last signed size and root of each own log, outside the database and every backup: what was
/// signed once is never signed differently, also after a restore.
namespace kith::storage {

/// What was signed last for one log.
struct HighWaterMark {
  std::uint64_t size = 0;
  TreeHash root{};
  friend bool operator==(const HighWaterMark&, const HighWaterMark&) = default;
};
using HighWaterMarks = std::map<LogId, HighWaterMark>;

/// Two slots with sequence number and checksum, overwritten in turn in a preallocated file: a torn
/// write leaves the other slot. One fdatasync for all logs of a commit.
class HighWaterFile {
 public:
  /// Opens or creates it. Throws StorageError if it exists but neither slot is valid, with what the
  /// operator can do.
  explicit HighWaterFile(const std::filesystem::path& path);
  ~HighWaterFile();
  HighWaterFile(const HighWaterFile&) = delete;
  HighWaterFile& operator=(const HighWaterFile&) = delete;

  /// What is durable: the last signed size and root of each log.
  [[nodiscard]] const HighWaterMarks& marks() const { return marks_; }
  /// Durable when it returns. A mark never goes down, no size gets a second root, and there are at
  /// most 909 logs (KITH_CHECK). Throws StorageError; what was marked before stays marked.
  void advance(const HighWaterMarks& signed_now);
  /// Ends the history of a log at a smaller size: only where a certificate cuts it there, so that
  /// no key signs for it any more. The rest as advance().
  void cut(const HighWaterMarks& cut_to);

 private:
  void write(HighWaterMarks marks);
  void load();

  std::filesystem::path path_;
  int file_ = -1;
  std::uint64_t sequence_ = 0;
  HighWaterMarks marks_;
};

}  // namespace kith::storage
