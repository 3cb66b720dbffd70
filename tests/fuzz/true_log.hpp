#pragma once

#include <string>
#include <vector>

#include "protocol/log/checkpoint.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/tile.hpp"
#include "protocol/schema/peer_codec.hpp"
#include "tests/support/entries.hpp"

namespace kith::fuzz {

/// The one history of a log, and what an honest member that holds its first `size` entries says of
/// it.
class TrueLog {
 public:
  static constexpr std::uint64_t entries = 520;  // Two complete bundles and an edge.

  TrueLog() {
    CompactRange range;
    ranges.push_back(range);
    for (std::uint64_t i = 0; i < entries; ++i) {
      leaves.push_back(testing::leaf_at(i, payload_bytes));
      payloads.push_back(testing::payload_at(i, payload_bytes));
      hashes.push_back(leaf_hash(view(leaves.back())));
      range.push(hashes.back());
      ranges.push_back(range);
    }
    for (std::uint64_t i = 0; i + 256 <= entries; i += 256) {
      roots.push_back(tile_root(std::span(hashes).subspan(i, 256)));
    }
  }

  [[nodiscard]] TreeHash root(std::uint64_t size) const { return ranges[size].root(); }
  [[nodiscard]] Bytes tile(std::uint64_t size, unsigned level, std::uint64_t index) const {
    const unsigned width = size > entries ? 0 : tile_width(size, level, index);
    if (width == 0 || level > 1) return {};
    return encode_hashes(std::span(level == 0 ? hashes : roots).subspan(index * 256, width));
  }
  [[nodiscard]] Bytes bundle(std::uint64_t first, std::uint64_t last) const {
    Bytes all;
    for (std::uint64_t i = first; i < last && last <= entries; ++i) {
      append_to_bundle(all, view(leaves[i]));
    }
    return all;
  }
  /// Every `gap`-th payload is not held; 0: all are.
  [[nodiscard]] Bytes payload_list(std::uint64_t first, std::uint64_t last, unsigned gap) const {
    Bytes list;
    for (std::uint64_t i = first; i < last && last <= entries; ++i) {
      const bool held = gap == 0 || i % gap != 0;
      peer::append_payload(list, held ? std::optional<BytesView>(payloads[i]) : std::nullopt);
    }
    return list;
  }

  static constexpr std::size_t payload_bytes = 10;
  std::vector<std::string> leaves;
  std::vector<Bytes> payloads;
  std::vector<TreeHash> hashes;
  std::vector<TreeHash> roots;       // Of its complete bundles.
  std::vector<CompactRange> ranges;  // By size.
};

}  // namespace kith::fuzz
