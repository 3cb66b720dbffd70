#include "protocol/keys/key_file.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = kith::text({data, size});
  const auto inspected = kith::inspect_key_file(text);
  // Without a passphrase only a seed in clear opens, and cheaply.
  const auto key = kith::open_key_file(text, "");
  if (key && (!inspected || inspected->needs_passphrase)) std::abort();
  if (key && kith::encode_key_file(*key) != kith::fuzz::without_cr(text)) std::abort();
  return 0;
}
