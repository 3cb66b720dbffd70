#include <cstdlib>

#include "protocol/keys/key_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = kith::text({data, size});
  const auto key = kith::decode_author(text);
  if (key && kith::encode_author(*key) != text) std::abort();
  return 0;
}
