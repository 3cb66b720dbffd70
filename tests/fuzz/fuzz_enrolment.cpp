#include "protocol/keys/certificate.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The same bytes as a statement: what verifies must also decode.
  const kith::BytesView bytes(data, size);
  if (kith::verify_enrolment(bytes) && !kith::decode_enrolment(bytes.first(size - 64)))
    std::abort();
  return kith::fuzz::round_trip(data, size, kith::decode_enrolment,
                                [](const kith::Enrolment& value) { return kith::encode(value); });
}
