#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"
#include "storage/files/descriptor.hpp"

/// The files below a folder that somebody else filled: no link in it is followed, not even in the
/// middle of a path, so that nothing outside of it can be read as if it lay there.
namespace kith::files {

class Folder {
 public:
  /// How the way to a file is gone: in one step by the kernel, or, where that cannot, part by part.
  enum class Way : std::uint8_t { at_once, part_by_part };

  /// A folder that is not there has no files. The way to it itself may lead over links.
  explicit Folder(const std::filesystem::path& path, Way way = Way::at_once);

  /// A plain file, to be read: not_found; malformed if it, or a part of the way, is something else;
  /// io. `path` is relative, with '/' between its parts.
  [[nodiscard]] Result<Descriptor> open(const std::string& path) const;
  /// The whole of a plain file: also too_large above `bytes_max`.
  [[nodiscard]] Result<Bytes> read(const std::string& path, std::size_t bytes_max) const;
  /// Calls `each` with the path of everything below that is no folder, in any order, until it
  /// returns false. What cannot be looked into counts as such, and so does an empty folder.
  void each(const std::function<bool(const std::string&)>& each) const;

 private:
  [[nodiscard]] Descriptor go(const std::string& path, int flags) const;
  [[nodiscard]] Descriptor go_part_by_part(const std::string& path, int flags) const;

  Descriptor folder_;
  Way way_;
};

}  // namespace kith::files
