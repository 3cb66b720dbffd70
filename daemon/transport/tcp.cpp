#include "daemon/transport/tcp.hpp"

#include <boost/asio/connect.hpp>

namespace kith::transport {

using asio::ip::tcp;

asio::awaitable<bool> read_exactly(Carrier& carrier, std::span<std::uint8_t> into) {
  while (!into.empty()) {
    const std::size_t size = co_await carrier.read_some(into);
    if (size == 0) co_return false;
    into = into.subspan(size);
  }
  co_return true;
}

std::string to_text(const tcp::endpoint& endpoint) {
  asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return to_text(HostPort{address.to_string(), endpoint.port()});
}

Tcp::Tcp(tcp::socket socket) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  const auto endpoint = socket_.remote_endpoint(ignored);
  remote_ = to_text(endpoint);
}

asio::awaitable<std::size_t> Tcp::read_some(std::span<std::uint8_t> into) {
  const auto [error, size] =
      co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), as_value);
  co_return error ? 0 : size;
}

asio::awaitable<bool> Tcp::write(BytesView bytes) {
  const auto [error, size] =
      co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), as_value);
  co_return !error;
}

void Tcp::shutdown_send() {
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void Tcp::close() {
  error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<Connected> connect(HostPort address) {
  const auto executor = co_await asio::this_coro::executor;
  std::vector<tcp::endpoint> endpoints;
  error_code not_literal;
  const auto literal = asio::ip::make_address(address.host, not_literal);
  if (!not_literal) {
    // Without the resolver: its thread cannot be cancelled.
    endpoints.emplace_back(literal, address.port);
  } else {
    tcp::resolver resolver(executor);
    const auto [error, found] =
        co_await resolver.async_resolve(address.host, std::to_string(address.port), as_value);
    if (error) co_return Connected{nullptr, "no address is known for " + address.host};
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  }
  tcp::socket socket(executor);
  const auto [error, endpoint] = co_await asio::async_connect(socket, endpoints, as_value);
  if (error) co_return Connected{nullptr, error.message()};
  co_return Connected{std::make_unique<Tcp>(std::move(socket)), ""};
}

}  // namespace kith::transport
