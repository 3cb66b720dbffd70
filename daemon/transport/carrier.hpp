#pragma once

#include <memory>
#include <span>
#include <string>

#include "daemon/transport/asio.hpp"
#include "protocol/base/types.hpp"

/// Bytes both ways, for peers and later for remote clients. What is secret is the channel's
/// business: a carrier may be watched and changed by anyone.
namespace kith::transport {

/// A connected stream. One read and one write may be under way at a time.
class Carrier {
 public:
  virtual ~Carrier() = default;

  /// At least one byte into `into`, which must stay valid; 0: the stream ended or failed.
  [[nodiscard]] virtual asio::awaitable<std::size_t> read_some(std::span<std::uint8_t> into) = 0;
  /// All of `bytes`, which must stay valid; false: the stream failed.
  [[nodiscard]] virtual asio::awaitable<bool> write(BytesView bytes) = 0;
  /// Nothing more will be written; reading goes on.
  virtual void shutdown_send() = 0;
  /// Ends it: what is under way returns 0 or false.
  virtual void close() = 0;
  [[nodiscard]] virtual asio::any_io_executor executor() = 0;
  /// "address:port" of the other end, for log lines.
  [[nodiscard]] virtual const std::string& remote() const = 0;
};

/// Fills `into`; false: the stream ended before.
[[nodiscard]] asio::awaitable<bool> read_exactly(Carrier& carrier, std::span<std::uint8_t> into);

}  // namespace kith::transport
