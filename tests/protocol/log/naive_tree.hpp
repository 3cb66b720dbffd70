#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "protocol/log/merkle.hpp"

namespace kith::testing {

/// The tree written down as RFC 9162 section 2.1 defines it, by recursion and nothing else: what
/// the real code is compared with. Roots are remembered, so that thousands of trees can be asked.
class NaiveTree {
 public:
  explicit NaiveTree(std::size_t leaves) {
    for (std::size_t i = 0; i < leaves; ++i) {
      leaves_.push_back(leaf_hash(view("leaf " + std::to_string(i))));
    }
  }

  [[nodiscard]] const std::vector<TreeHash>& leaves() const { return leaves_; }
  [[nodiscard]] TreeHash root(std::uint64_t size) {
    return size == 0 ? empty_root() : range(0, size);
  }
  [[nodiscard]] TreeHash range(std::uint64_t begin, std::uint64_t end) {
    if (end - begin == 1) return leaves_[begin];
    const auto known = roots_.find({begin, end});
    if (known != roots_.end()) return known->second;
    const std::uint64_t k = split(end - begin);
    const TreeHash hash = node_hash(range(begin, begin + k), range(begin + k, end));
    roots_.emplace(std::pair(begin, end), hash);
    return hash;
  }
  [[nodiscard]] Path inclusion(std::uint64_t index, std::uint64_t begin, std::uint64_t end) {
    if (end - begin == 1) return {};
    const std::uint64_t k = split(end - begin);
    Path path =
        index < begin + k ? inclusion(index, begin, begin + k) : inclusion(index, begin + k, end);
    path.push_back(index < begin + k ? range(begin + k, end) : range(begin, begin + k));
    return path;
  }
  /// SUBPROOF(m, D[begin:end], b), m counted from 0.
  [[nodiscard]] Path consistency(std::uint64_t m, std::uint64_t begin, std::uint64_t end, bool b) {
    if (m == end) return b ? Path{} : Path{range(begin, end)};
    const std::uint64_t k = split(end - begin);
    const bool left = m <= begin + k;
    Path path = left ? consistency(m, begin, begin + k, b) : consistency(m, begin + k, end, false);
    path.push_back(left ? range(begin + k, end) : range(begin, begin + k));
    return path;
  }
  /// What a store would answer from its tiles.
  [[nodiscard]] SubtreeReader reader() {
    return [this](unsigned height, std::uint64_t index) {
      return range(index << height, (index + 1) << height);
    };
  }

 private:
  static std::uint64_t split(std::uint64_t n) {
    std::uint64_t k = 1;
    while (k * 2 < n) k *= 2;
    return k;
  }

  std::vector<TreeHash> leaves_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, TreeHash> roots_;
};

/// A hash that differs in one bit.
[[nodiscard]] inline TreeHash flipped(TreeHash hash, std::size_t bit) {
  hash.bytes[bit / 8 % 32] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  return hash;
}

}  // namespace kith::testing
