// The payload of message 3: what is accepted has one encoding.
#include "protocol/base/check.hpp"
#include "protocol/channel/secure_channel.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::BytesView input(data, size);
  const auto hello = kith::channel::decode_hello(input);
  if (hello) KITH_CHECK(kith::equal(kith::channel::encode_hello(*hello), input));
  return 0;
}
