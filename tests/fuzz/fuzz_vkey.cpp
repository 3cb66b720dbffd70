// A key that is accepted has one encoding.
#include "protocol/base/check.hpp"
#include "protocol/log/note.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::BytesView input(data, size);
  const auto key = kith::decode_vkey(kith::text(input));
  if (key) KITH_CHECK(kith::encode_vkey(*key) == kith::text(input));
  return 0;
}
