#pragma once

#include "daemon/transport/address.hpp"
#include "daemon/transport/carrier.hpp"

namespace kith::transport {

/// Plain TCP, without Nagle's delay.
class Tcp : public Carrier {
 public:
  explicit Tcp(asio::ip::tcp::socket socket);

  [[nodiscard]] asio::awaitable<std::size_t> read_some(std::span<std::uint8_t> into) override;
  [[nodiscard]] asio::awaitable<bool> write(BytesView bytes) override;
  void shutdown_send() override;
  void close() override;
  [[nodiscard]] asio::any_io_executor executor() override { return socket_.get_executor(); }
  [[nodiscard]] const std::string& remote() const override { return remote_; }

 private:
  asio::ip::tcp::socket socket_;
  std::string remote_;
};

/// "address:port" as people write it.
[[nodiscard]] std::string to_text(const asio::ip::tcp::endpoint& endpoint);

/// What became of an attempt to connect.
struct Connected {
  std::unique_ptr<Carrier> carrier;  ///< Nothing: `why` says what went wrong.
  std::string why;
};
/// Resolves and connects; joined with until() it has a deadline.
[[nodiscard]] asio::awaitable<Connected> connect(HostPort address);

}  // namespace kith::transport
