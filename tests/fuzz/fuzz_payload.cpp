// A payload that opens is the only sealing of its text under that key and nonce, and whatever is
// sealed opens again.
#include "protocol/base/check.hpp"
#include "protocol/log/payload.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  const BytesView input(data, size);
  // The keys of the kept corpus.
  const LogId log = LogId::from(Bytes(32, 2));
  const Key32 key = log_key(Key32::from(Bytes(32, 1)), log);

  const auto opened = open_payload(key, log, input);
  if (opened) {
    const auto again = seal_payload(key, log, Nonce24::from(input.first(Nonce24::size)), *opened);
    KITH_CHECK(again && equal(*again, input));
  }
  const auto sealed = seal_payload(key, log, Nonce24::from(Bytes(24, 3)), input);
  if (!sealed) return 0;
  const auto text = open_payload(key, log, *sealed);
  KITH_CHECK(text && equal(*text, input));
  return 0;
}
