#include "protocol/keys/certificate.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The same bytes as a statement: what verifies must also decode.
  const kith::BytesView bytes(data, size);
  if (kith::verify_certificate(bytes) && !kith::decode_certificate(bytes.first(size - 64)))
    std::abort();
  return kith::fuzz::round_trip(data, size, kith::decode_certificate,
                                [](const kith::Certificate& value) { return kith::encode(value); });
}
