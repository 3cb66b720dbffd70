// A leaf that is accepted has one encoding: the bytes it was read from.
#include "protocol/base/check.hpp"
#include "protocol/log/leaf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::BytesView input(data, size);
  const auto leaf = kith::decode_leaf(kith::text(input));
  if (leaf) KITH_CHECK(kith::encode_leaf(*leaf) == kith::text(input));
  return 0;
}
