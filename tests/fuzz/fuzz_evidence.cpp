// What evidence says comes back from its own encoding, which is the input; verifying it never does
// more than refuse it.
#include "protocol/audit/evidence.hpp"
#include "protocol/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  const std::string_view input = text(BytesView(data, size));
  const auto evidence = decode_evidence(input);
  if (!evidence) return 0;
  KITH_CHECK(encode_evidence(*evidence) == input);
  const auto proven = verify_evidence(*evidence);
  KITH_CHECK(!proven || proven->numbers[0] > 0 || proven->liar != Liar::log_key);
  return 0;
}
