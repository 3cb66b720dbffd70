#include <cstdlib>

#include "protocol/records/record.hpp"
#include "tests/fuzz/round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto decoded = kith::decode_text({data, size});
  if (decoded) {
    if (const auto* signed_record = std::get_if<kith::SignedRecord>(&*decoded)) {
      kith::BatchVerifier verifier;
      (void)verifier.verify(*signed_record, kith::NetworkId{}, kith::LogId{});
    }
    if (const auto* list = std::get_if<kith::CutListText>(&*decoded)) {
      const auto logs = kith::decode_cut_list(list->list);
      if (logs && kith::encode(*logs) != list->list) std::abort();
    }
  }
  return kith::fuzz::round_trip(data, size, kith::decode_text, kith::encode_text);
}
