// What a answer on the socket says has one form only: an accepted input is what we would write.
#include <cstdlib>

#include "protocol/schema/local_codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kith::BytesView input(data, size);
  const auto decoded = kith::local::decode_answer(input);
  if (decoded && !kith::equal(kith::local::encode(*decoded), input)) std::abort();
  return 0;
}
