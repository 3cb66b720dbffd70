#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace kith::bench {

/// Stands between a daemon that dials and one that listens, on loopback, and counts what TCP
/// carries.
class CountingProxy {
 public:
  /// Listens on `port` of 127.0.0.1 and passes every connection on to `to_port`.
  CountingProxy(std::uint16_t port, std::uint16_t to_port);
  /// Ends all connections.
  ~CountingProxy();
  CountingProxy(const CountingProxy&) = delete;
  CountingProxy& operator=(const CountingProxy&) = delete;

  /// Ends every connection that goes through it; new ones are welcome.
  void cut();
  /// Forgets what was counted.
  void reset();
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// How often the direction changed: two flights are one round trip.
  [[nodiscard]] std::uint64_t flights() const { return flights_; }

 private:
  void run();

  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::uint16_t to_port_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> flights_{0};
  std::atomic<int> last_direction_{-1};
  std::thread thread_;
};

}  // namespace kith::bench
