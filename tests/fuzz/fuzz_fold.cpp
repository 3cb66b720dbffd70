// The first two entries of the founder's log, from which everything else is judged. Two bytes say
// how long the first one is.
#include "protocol/base/check.hpp"
#include "protocol/governance/fold.hpp"
#include "protocol/records/record.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const BytesView rest(data + 2, size - 2);
  const std::size_t split =
      std::min<std::size_t>(read_integer<std::uint16_t>({data, 2}), rest.size());
  const BytesView founding = rest.first(split);
  const BytesView certificate = rest.subspan(split);
  auto fold = GovernanceFold::begin(founding, certificate);
  if (!fold) return 0;
  // What begins a network names itself: its only member signed both.
  const NetworkState& state = fold->state();
  KITH_CHECK(state.members.size() == 1 && state.members.contains(fold->founder()));
  KITH_CHECK(state.electors() == std::vector<MemberId>{fold->founder()});
  KITH_CHECK(equal(state.network.view(), state.decision.view()));
  const auto signed_by = verify_certificate(certificate, fold->founder());
  KITH_CHECK(signed_by && signed_by->network == state.network);
  KITH_CHECK(decode_text(founding));
  KITH_CHECK(fold->advance({}) == 0 && fold->open_proposals({}).empty());
  return 0;
}
