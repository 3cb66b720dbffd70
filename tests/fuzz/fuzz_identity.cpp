// The identity file: what is accepted is written again byte for byte.
#include <cstdlib>

#include "daemon/identity.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto identity = kith::daemon::decode_identity(text);
  if (identity && kith::daemon::encode_identity(*identity) != text) std::abort();
  return 0;
}
