#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/base/result.hpp"

namespace kith::transport {

/// "host:port", "192.0.2.7:port" or "[2001:db8::7]:port".
struct HostPort {
  std::string host;  ///< Without brackets.
  std::uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// usage, saying what was expected. Port 0 is allowed: the system chooses when listening.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);
/// The inverse: brackets around an IPv6 address.
[[nodiscard]] std::string to_text(const HostPort& address);

}  // namespace kith::transport
