#include "protocol/schema/record_codec.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return kith::fuzz::round_trip(data, size, kith::decode_consent,
                                [](const kith::Consent& value) { return kith::encode(value); });
}
