#include <cstdlib>

#include "protocol/keys/key_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto seed = kith::seed_from_words(kith::text({data, size}));
  if (!seed) return 0;
  std::string words;
  for (const std::string& word : kith::recovery_words(*seed)) words += word + " ";
  const auto again = kith::seed_from_words(words);
  if (!again || *again != *seed) std::abort();
  return 0;
}
