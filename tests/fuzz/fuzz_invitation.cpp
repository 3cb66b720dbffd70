#include "protocol/keys/key_file.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = kith::text({data, size});
  const auto invitation = kith::decode_invitation(text);
  if (invitation && kith::encode_invitation(*invitation) != kith::fuzz::without_cr(text))
    std::abort();
  return 0;
}
