// The leaves of a bundle that is accepted make the same bundle again.
#include "protocol/base/check.hpp"
#include "protocol/log/leaf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t leaves_max = 256;
  const kith::BytesView input(data, size);
  const auto leaves = kith::split_bundle(input, leaves_max);
  if (!leaves) return 0;
  KITH_CHECK(leaves->size() <= leaves_max);
  kith::Bytes again;
  for (const kith::BytesView leaf : *leaves) kith::append_to_bundle(again, leaf);
  KITH_CHECK(kith::equal(again, input));
  return 0;
}
