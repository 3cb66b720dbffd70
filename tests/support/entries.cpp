#include "tests/support/entries.hpp"

namespace kith::testing {

Bytes payload_at(std::uint64_t index, std::size_t size) {
  Bytes payload(size);
  std::uint64_t state = index * 0x9E3779B97F4A7C15 + 1;
  for (auto& byte : payload) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<std::uint8_t>(state);
  }
  return payload;
}

std::string leaf_at(std::uint64_t index, std::size_t size) {
  return encode_leaf(
      make_leaf(LeafClass::record, 1'700'000'000'000 + index, payload_at(index, size)));
}

Entries::Entries(std::uint64_t first, std::size_t count, SizeOf size_of) : first_(first) {
  for (std::uint64_t index = first; index < first + count; ++index) {
    payloads_.push_back(payload_at(index, size_of(index)));
    leaves_.push_back(
        encode_leaf(make_leaf(LeafClass::record, 1'700'000'000'000 + index, payloads_.back())));
  }
}

std::vector<storage::NewEntry> Entries::all() const {
  return except([](std::uint64_t) { return false; });
}

std::vector<storage::NewEntry> Entries::except(bool (*is_gap)(std::uint64_t)) const {
  std::vector<storage::NewEntry> entries;
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    storage::NewEntry entry{view(leaves_[i]), std::nullopt};
    if (!is_gap(first_ + i)) entry.payload = payloads_[i];
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace kith::testing
