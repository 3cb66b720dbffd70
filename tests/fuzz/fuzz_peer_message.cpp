// What a peer says decodes or is refused; what decodes survives being said again.
#include <cstdlib>

#include "protocol/schema/peer_codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto decoded = kith::peer::decode_message({data, size});
  if (!decoded) return 0;
  const auto again = kith::peer::decode_message(kith::peer::encode(*decoded));
  if (!again || !(*again == *decoded)) std::abort();
  if (const auto* entries = std::get_if<kith::peer::Entries>(&*decoded)) {
    (void)kith::peer::split_payloads(entries->payloads, 256);
  }
  return 0;
}
