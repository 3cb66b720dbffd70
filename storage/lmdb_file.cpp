#include "storage/lmdb_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <system_error>
#include <vector>

#include "protocol/base/types.hpp"

namespace kith::storage {
namespace {

// The layout of LMDB's data format 1 on a 64-bit machine: integers in the machine's own order.
constexpr std::uint32_t magic = 0xBEEFC0DE;
constexpr std::uint32_t data_version = 1;
constexpr std::size_t page_header_bytes = 16;
constexpr std::size_t page_flags_at = 10;
constexpr std::size_t page_lower_at = 12;  // Where the free space of a page begins.
constexpr std::size_t page_pages_at = 12;  // In an overflow page: how many pages it spans.
constexpr std::uint16_t page_is_branch = 0x01;
constexpr std::uint16_t page_is_leaf = 0x02;
constexpr std::uint16_t page_is_overflow = 0x04;
constexpr std::size_t meta_bytes = 136;
constexpr std::size_t meta_version_at = 4;
constexpr std::size_t meta_page_bytes_at = 24;  // The first field of the free list's record.
constexpr std::size_t meta_free_root_at = 64;   // The last field of it.
constexpr std::size_t meta_last_page_at = 120;
constexpr std::size_t meta_transaction_at = 128;
constexpr std::size_t node_header_bytes = 8;
constexpr std::size_t node_flags_at = 4;
constexpr std::size_t node_key_bytes_at = 6;
constexpr std::uint16_t node_is_big = 0x01;  // Its value lies in overflow pages.
constexpr std::uint64_t no_page = ~std::uint64_t{0};
constexpr unsigned depth_max = 32;  // LMDB's own bound.

template <class Integer>
Integer native(BytesView bytes, std::size_t at) {
  Integer value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

struct Meta {
  std::uint64_t page_bytes = 0;
  std::uint64_t free_root = 0;
  std::uint64_t last_page = 0;
  std::uint64_t transaction = 0;
};

/// Nothing if fewer bytes are there.
std::optional<Bytes> read_at(int file, std::uint64_t offset, std::size_t size) {
  Bytes bytes(size);
  std::size_t held = 0;
  while (held < size) {
    const ssize_t got =
        ::pread(file, bytes.data() + held, size - held, static_cast<off_t>(offset + held));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    held += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::optional<Meta> read_meta(int file, std::uint64_t offset) {
  const auto page = read_at(file, offset, page_header_bytes + meta_bytes);
  if (!page) return std::nullopt;
  const BytesView meta = BytesView(*page).subspan(page_header_bytes);
  if (native<std::uint32_t>(meta, 0) != magic) return std::nullopt;
  if (native<std::uint32_t>(meta, meta_version_at) != data_version) return std::nullopt;
  Meta read;
  read.page_bytes = native<std::uint32_t>(meta, meta_page_bytes_at);
  read.free_root = native<std::uint64_t>(meta, meta_free_root_at);
  read.last_page = native<std::uint64_t>(meta, meta_last_page_at);
  read.transaction = native<std::uint64_t>(meta, meta_transaction_at);
  const bool sensible = read.page_bytes >= 512 && read.page_bytes <= 65'536 &&
                        read.last_page < (std::uint64_t{1} << 40);
  return sensible ? std::optional(read) : std::nullopt;
}

/// Walks the tree of the free list and ticks off the pages that the file lacks.
class FreeListWalk {
 public:
  FreeListWalk(int file, const Meta& meta, std::uint64_t pages_there)
      : file_(file), page_bytes_(meta.page_bytes), pages_there_(pages_there) {
    for (std::uint64_t page = pages_there; page <= meta.last_page; ++page) missing_.insert(page);
  }

  /// False if the free list cannot be read or names not all missing pages.
  [[nodiscard]] bool covers_all_missing(std::uint64_t root) {
    return root != no_page && walk(root, 0) && missing_.empty();
  }

 private:
  [[nodiscard]] bool walk(std::uint64_t number, unsigned depth) {
    if (depth > depth_max || number >= pages_there_ || !seen_.insert(number).second) return false;
    const auto page = read_at(file_, number * page_bytes_, page_bytes_);
    if (!page) return false;
    const auto flags = native<std::uint16_t>(*page, page_flags_at);
    const std::size_t lower = native<std::uint16_t>(*page, page_lower_at);
    if (lower < page_header_bytes || lower > page->size()) return false;

    for (std::size_t at = page_header_bytes; at + 2 <= lower; at += 2) {
      const std::size_t node = native<std::uint16_t>(*page, at);
      if (node + node_header_bytes > page->size()) return false;
      const BytesView bytes = BytesView(*page).subspan(node);
      const bool good = (flags & page_is_branch) != 0 ? walk(child_of(bytes), depth + 1)
                        : (flags & page_is_leaf) != 0 ? take_value(bytes)
                                                      : false;
      if (!good) return false;
    }
    return true;
  }

  [[nodiscard]] static std::uint64_t child_of(BytesView node) {
    return native<std::uint16_t>(node, 0) | std::uint64_t{native<std::uint16_t>(node, 2)} << 16 |
           std::uint64_t{native<std::uint16_t>(node, node_flags_at)} << 32;
  }

  [[nodiscard]] bool take_value(BytesView node) {
    const std::size_t size =
        native<std::uint16_t>(node, 0) | std::size_t{native<std::uint16_t>(node, 2)} << 16;
    const std::size_t at = node_header_bytes + native<std::uint16_t>(node, node_key_bytes_at);
    if ((native<std::uint16_t>(node, node_flags_at) & node_is_big) == 0) {
      return at + size <= node.size() && take_list(node.subspan(at, size));
    }
    if (at + sizeof(std::uint64_t) > node.size()) return false;
    return take_big_value(native<std::uint64_t>(node, at), size);
  }

  [[nodiscard]] bool take_big_value(std::uint64_t first, std::size_t size) {
    const std::uint64_t pages = (page_header_bytes + size + page_bytes_ - 1) / page_bytes_;
    if (first >= pages_there_ || pages > pages_there_ - first) return false;
    const auto bytes = read_at(file_, first * page_bytes_, pages * page_bytes_);
    if (!bytes || (native<std::uint16_t>(*bytes, page_flags_at) & page_is_overflow) == 0 ||
        native<std::uint32_t>(*bytes, page_pages_at) != pages) {
      return false;
    }
    return take_list(BytesView(*bytes).subspan(page_header_bytes, size));
  }

  /// A count, then as many page numbers.
  [[nodiscard]] bool take_list(BytesView list) {
    constexpr std::size_t width = sizeof(std::uint64_t);
    if (list.size() < width) return false;
    const auto count = native<std::uint64_t>(list, 0);
    if (count > list.size() / width - 1) return false;
    for (std::size_t i = 1; i <= count; ++i) missing_.erase(native<std::uint64_t>(list, i * width));
    return true;
  }

  int file_;
  std::uint64_t page_bytes_;
  std::uint64_t pages_there_;
  std::set<std::uint64_t> missing_;
  std::set<std::uint64_t> seen_;  // A damaged tree may point at itself.
};

LmdbFileReport inspect_open(int file, std::uint64_t file_bytes) {
  LmdbFileReport report;
  report.file_bytes = file_bytes;
  if (file_bytes == 0) {
    report.usable = true;
    return report;
  }

  const auto first = read_meta(file, 0);
  // Where the second meta page lies depends on the page size, which only the first one tells.
  const auto second = first ? read_meta(file, first->page_bytes) : std::nullopt;
  if (!first || !second || first->page_bytes != second->page_bytes) {
    report.problem = "is not a database of this machine, or its first pages are damaged";
    return report;
  }
  const Meta& newest = second->transaction > first->transaction ? *second : *first;
  report.claimed_bytes = (newest.last_page + 1) * newest.page_bytes;
  const std::uint64_t pages_there = file_bytes / newest.page_bytes;
  // A tail of this size was cut off; nothing that LMDB frees in one commit comes near.
  constexpr std::uint64_t missing_pages_max = 1'000'000;
  report.usable = newest.last_page < pages_there ||
                  (newest.last_page - pages_there < missing_pages_max &&
                   FreeListWalk(file, newest, pages_there).covers_all_missing(newest.free_root));
  if (!report.usable) {
    report.problem = "was cut off: it has " + std::to_string(file_bytes) + " of " +
                     std::to_string(report.claimed_bytes) + " bytes";
  }
  return report;
}

}  // namespace

LmdbFileReport inspect_lmdb_file(const std::filesystem::path& path) {
  LmdbFileReport report;
  // This descriptor is closed before LMDB opens the file: closing one later would drop its locks.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) {
    report.problem = "cannot be opened: " + std::system_category().message(errno);
    return report;
  }
  struct stat status{};
  if (::fstat(file, &status) == 0) {
    report = inspect_open(file, static_cast<std::uint64_t>(status.st_size));
  } else {
    report.problem = "cannot be read: " + std::system_category().message(errno);
  }
  ::close(file);
  return report;
}

}  // namespace kith::storage
