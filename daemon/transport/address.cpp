#include "daemon/transport/address.hpp"

#include <algorithm>

#include "protocol/base/text.hpp"

namespace kith::transport {
namespace {

/// The longest name that DNS knows.
constexpr std::size_t host_bytes_max = 253;

bool is_host_character(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_ipv6_character(char c) {
  const bool hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  return hex || (c >= '0' && c <= '9') || c == ':' || c == '.' || c == '%';
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  const auto refuse = [&] {
    return fail(Errc::usage, "\"" + one_line(text, host_bytes_max) +
                                 "\" is no address: write HOST:PORT, and [ADDRESS]:PORT for IPv6");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse();
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.size() > host_bytes_max) return refuse();
  if (bracketed && host.find(':') == std::string_view::npos) return refuse();
  if (!std::ranges::all_of(host, bracketed ? is_ipv6_character : is_host_character)) {
    return refuse();
  }
  const auto port = parse_decimal(text.substr(colon + 1), 65'535);
  if (!port) return refuse();
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

std::string to_text(const HostPort& address) {
  const bool ipv6 = address.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + address.host + "]" : address.host;
  return host + ":" + std::to_string(address.port);
}

}  // namespace kith::transport
