// A checkpoint that is accepted has one encoding; the origin of a log has one log.
#include "protocol/base/check.hpp"
#include "protocol/log/checkpoint.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  const BytesView input(data, size);
  const auto checkpoint = decode_checkpoint(text(input));
  if (checkpoint) {
    KITH_CHECK(encode_checkpoint(*checkpoint) == text(input));
    const auto log = log_of_origin(checkpoint->origin);
    if (log) KITH_CHECK(log_origin(*log) == checkpoint->origin);
  }
  // Nobody has signed with this key.
  KITH_CHECK(!verify_checkpoint(text(input), LogId{}, PublicKey::from(Bytes(32, 1))));
  return 0;
}
