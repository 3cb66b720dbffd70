#include "daemon/accept_gate.hpp"

#include <algorithm>

#include "protocol/base/check.hpp"

namespace kith::daemon {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::size_t v4_network_bytes = 15;
constexpr std::size_t v6_network_bytes = 8;
/// Sources that are not yet back at a full bucket; beyond it strangers wait a quarter of a second.
constexpr std::size_t buckets_max = 4'096;

bool is_v4(const std::array<std::uint8_t, 16>& address) {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), address.begin());
}

}  // namespace

Source Source::of_v4(const std::array<std::uint8_t, 4>& address) {
  Source source;
  std::ranges::copy(mapped_prefix, source.address.begin());
  std::ranges::copy(address, source.address.begin() + mapped_prefix.size());
  source.loopback = address[0] == 127;
  return source;
}

Source Source::of_v6(const std::array<std::uint8_t, 16>& address) {
  if (is_v4(address)) return of_v4({address[12], address[13], address[14], address[15]});
  Source source;
  source.address = address;
  std::array<std::uint8_t, 16> loopback{};
  loopback.back() = 1;
  source.loopback = address == loopback;
  return source;
}

std::array<std::uint8_t, 16> Source::network() const {
  std::array<std::uint8_t, 16> network{};
  const std::size_t size = is_v4(address) ? v4_network_bytes : v6_network_bytes;
  std::copy_n(address.begin(), size, network.begin());
  return network;
}

AcceptGate::Entry AcceptGate::enter(const Source& source, Time now) {
  const bool full = half_open_ >= limits_.half_open_max;
  if (exempt(source)) {
    if (full) return Entry::full;
  } else {
    // First the source: who has had its share must not cost others their places.
    const auto at = by_network_.find(source.network());
    if (at != by_network_.end() && at->second >= limits_.per_source_max) return Entry::refused;
    Bucket* const bucket = filled_bucket(source, now);
    if (bucket == nullptr || bucket->tokens < 1) return Entry::refused;
    if (full) return Entry::full;
    bucket->tokens -= 1;
    ++by_network_[source.network()];
  }
  ++half_open_;
  return Entry::taken;
}

void AcceptGate::leave(const Source& source) {
  KITH_CHECK(half_open_ > 0);
  --half_open_;
  if (exempt(source)) return;
  const auto at = by_network_.find(source.network());
  KITH_CHECK(at != by_network_.end());
  if (--at->second == 0) by_network_.erase(at);
}

AcceptGate::Bucket* AcceptGate::filled_bucket(const Source& source, Time now) {
  // Counted by network too: a /64 holds more addresses than a table could.
  const Key key = source.network();
  auto at = buckets_.find(key);
  if (at == buckets_.end()) {
    if (buckets_.size() >= buckets_max) forget_full(now);
    if (buckets_.size() >= buckets_max) return nullptr;
    at = buckets_.emplace(key, Bucket{limits_.burst, now}).first;
  }
  Bucket& bucket = at->second;
  const std::chrono::duration<double> passed = now - bucket.filled;
  bucket.tokens = std::min(limits_.burst, bucket.tokens + passed.count() * limits_.per_second);
  bucket.filled = now;
  return &bucket;
}

void AcceptGate::forget_full(Time now) {
  // A flood must not buy a walk through the table with every connection: sooner than it takes to
  // fill a bucket there is little to forget.
  const std::chrono::duration<double> since = now - forgot_;
  if (forgot_ != Time{} && since.count() * limits_.per_second < limits_.burst) return;
  forgot_ = now;
  std::erase_if(buckets_, [&](const auto& entry) {
    const std::chrono::duration<double> passed = now - entry.second.filled;
    return entry.second.tokens + passed.count() * limits_.per_second >= limits_.burst;
  });
}

}  // namespace kith::daemon
