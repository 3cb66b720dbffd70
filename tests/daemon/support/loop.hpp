#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "daemon/transport/tcp.hpp"
#include "protocol/channel/secure_channel.hpp"

/// What the tests of the daemon's shell share: an event loop that runs until something holds.
namespace kith::testing {

/// Far longer than anything takes; a test that reaches it fails.
inline constexpr std::chrono::seconds patience{60};

class Loop {
 public:
  /// Runs until `condition` holds; false if that took too long.
  [[nodiscard]] bool until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (io.stopped()) io.restart();
      io.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  /// Runs until no work is left; false if that took too long.
  [[nodiscard]] bool finish() {
    if (io.stopped()) io.restart();
    io.run_for(patience);
    return io.stopped();
  }

  asio::io_context io{1};
};

/// Two connected ends of a TCP connection on this machine.
[[nodiscard]] std::pair<asio::ip::tcp::socket, asio::ip::tcp::socket> connected_sockets(
    asio::io_context& io);

/// The two ends of a channel, as after a handshake.
[[nodiscard]] std::pair<channel::SecureChannel, channel::SecureChannel> connected_channels();
/// What the first of them encrypts with: to write frames that no honest channel would.
[[nodiscard]] noise::CipherState initiators_cipher();

/// Fails the test if a coroutine ended by an exception.
void expect_no_exception(const std::exception_ptr& failure);

/// A directory of its own, removed at the end.
class TemporaryDir {
 public:
  TemporaryDir();
  ~TemporaryDir();
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace kith::testing
