#pragma once

#include <array>
#include <chrono>
#include <map>

#include "protocol/base/limits.hpp"
#include "protocol/base/types.hpp"

namespace kith::daemon {

/// Where a connection comes from, as far as limits go: an IPv4 /24 or an IPv6 /64, and the address.
struct Source {
  std::array<std::uint8_t, 16> address{};  ///< IPv4 as mapped into IPv6.
  bool loopback = false;

  [[nodiscard]] static Source of_v4(const std::array<std::uint8_t, 4>& address);
  /// A mapped IPv4 address counts as that IPv4 address.
  [[nodiscard]] static Source of_v6(const std::array<std::uint8_t, 16>& address);

  /// The first 15 bytes (IPv4 /24) or 8 (IPv6 /64), zeros after them.
  [[nodiscard]] std::array<std::uint8_t, 16> network() const;

  friend bool operator==(const Source&, const Source&) = default;
};

/// Decides which new connections get a place among the half-open ones. Knows no socket and no
/// clock.
class AcceptGate {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Limits {
    std::size_t half_open_max = limits::half_open_max;
    std::size_t per_source_max = limits::half_open_per_source_max;
    double per_second = limits::accepts_per_second;
    double burst = limits::accepts_burst;
    /// The machine itself is exempt from what is counted by source.
    bool trust_loopback = true;
  };
  explicit AcceptGate(Limits limits) : limits_(limits) {}

  enum class Entry {
    taken,    ///< A place and a token are taken.
    refused,  ///< This source has had its share for now.
    full,     ///< The source may, but all places are taken: room must be made first.
  };
  [[nodiscard]] Entry enter(const Source& source, Time now);
  /// Gives a place back.
  void leave(const Source& source);

  [[nodiscard]] std::size_t half_open() const { return half_open_; }
  /// How many buckets are remembered (bounded: a full bucket is forgotten).
  [[nodiscard]] std::size_t buckets() const { return buckets_.size(); }

 private:
  using Key = std::array<std::uint8_t, 16>;
  struct Bucket {
    double tokens = 0;
    Time filled;
  };

  [[nodiscard]] bool exempt(const Source& source) const {
    return limits_.trust_loopback && source.loopback;
  }
  /// Nothing if too many sources are remembered already.
  [[nodiscard]] Bucket* filled_bucket(const Source& source, Time now);
  void forget_full(Time now);

  Limits limits_;
  std::size_t half_open_ = 0;
  std::map<Key, std::size_t> by_network_;
  std::map<Key, Bucket> buckets_;
  Time forgot_{};
};

}  // namespace kith::daemon
