#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

namespace kith {

/// The bytes of one file, from the front.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills as much of `to` as there is; less only at the end of the file. io.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<std::uint8_t> to) = 0;
};

/// The next of a payload list (docs/PROTOCOL), or nothing for one that is not held. malformed if
/// the list is cut off or says more than `bytes_max`, which is read before memory is taken for it;
/// io.
[[nodiscard]] Result<std::optional<Bytes>> next_payload(ByteSource& list, std::size_t bytes_max);

/// The files of an export, wherever they lie. Paths are relative, with '/' between their parts.
/// Several threads may call it at once.
class ArchiveFiles {
 public:
  virtual ~ArchiveFiles() = default;
  /// The whole of a file: not_found; too_large above `bytes_max`; io.
  [[nodiscard]] virtual Result<Bytes> read(const std::string& path,
                                           std::size_t bytes_max) const = 0;
  /// The same piece by piece: not_found, io.
  [[nodiscard]] virtual Result<std::unique_ptr<ByteSource>> open(const std::string& path) const = 0;
  /// Calls `each` with every file there is, in any order, until it returns false. What is no plain
  /// file is named too, and so is an empty folder.
  virtual void each(const std::function<bool(const std::string&)>& each) const = 0;
};

}  // namespace kith
