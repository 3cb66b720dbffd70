#include "protocol/base/check.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/schema/record_codec.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  // Who is meant by a box of the kept corpus; what opens must be the keys that the grant names.
  const auto network = NetworkId::from(Bytes(32, 1));
  if (const auto grant = decode_key_grant({data, size})) {
    const auto keys = open_key_grant(*grant, network, DhSecret::from(Bytes(32, 2)));
    if (keys) {
      KITH_CHECK(space_key_id(network, grant->space, 'g', keys->g) == grant->key_id_g);
      KITH_CHECK(space_key_id(network, grant->space, 'r', keys->r) == grant->key_id_r);
    }
  }
  return fuzz::round_trip(data, size, decode_key_grant,
                          [](const KeyGrant& value) { return encode(value); });
}
