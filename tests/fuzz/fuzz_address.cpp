// "host:port" as operators and profiles write it.
#include <cstdlib>

#include "daemon/transport/address.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto address = kith::transport::parse_host_port(text);
  if (address && kith::transport::to_text(*address) != text) std::abort();
  return 0;
}
