#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/log/leaf.hpp"
#include "storage/log_store.hpp"

/// Entries that follow from their index alone, so a test can tell what a log must hold.
namespace kith::testing {

/// The bytes of entry `index`: `size` of them, different for every index.
[[nodiscard]] Bytes payload_at(std::uint64_t index, std::size_t size);
/// The leaf that commits to them.
[[nodiscard]] std::string leaf_at(std::uint64_t index, std::size_t size);

/// Entries [first, first + count) with all that NewEntry points at.
class Entries {
 public:
  using SizeOf = std::size_t (*)(std::uint64_t index);

  Entries(std::uint64_t first, std::size_t count, SizeOf size_of);

  /// All with their payloads.
  [[nodiscard]] std::vector<storage::NewEntry> all() const;
  /// Without the payloads of those for which `is_gap` holds.
  [[nodiscard]] std::vector<storage::NewEntry> except(bool (*is_gap)(std::uint64_t index)) const;
  [[nodiscard]] const std::string& leaf(std::size_t i) const { return leaves_[i]; }
  [[nodiscard]] const Bytes& payload(std::size_t i) const { return payloads_[i]; }

 private:
  std::uint64_t first_;
  std::vector<Bytes> payloads_;
  std::vector<std::string> leaves_;
};

}  // namespace kith::testing
