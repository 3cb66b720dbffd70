#pragma once

#include <chrono>

#include "client/daemon.hpp"
#include "protocol/base/limits.hpp"

namespace kith::client {

/// The daemon behind a Unix socket: u32 big-endian length, then one encoded message, each way.
/// Blocks.
class Connection : public Daemon {
 public:
  /// Connects when something is asked, so that commands that need no daemon work without one.
  /// A daemon at work says at least how far it is: whoever is silent for longer than `patience` is
  /// given up. A watch waits for ever.
  explicit Connection(std::string socket, std::chrono::milliseconds patience =
                                              std::chrono::milliseconds(limits::local_patience_ms))
      : path_(std::move(socket)), patience_(patience) {}
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] Result<local::Answer> ask(const local::Request& request,
                                          const OnProgress& on_progress) override;
  [[nodiscard]] Result<local::Answer> next() override;

 private:
  [[nodiscard]] Result<bool> open();
  [[nodiscard]] Result<bool> send(BytesView message);
  [[nodiscard]] Result<local::Answer> receive();
  [[nodiscard]] Result<bool> read_exactly(std::span<std::uint8_t> to);
  [[nodiscard]] Error lost() const;
  [[nodiscard]] Error silent();

  std::string path_;
  std::chrono::milliseconds patience_;
  bool is_watching_ = false;
  int socket_ = -1;
};

}  // namespace kith::client
