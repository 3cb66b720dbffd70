#pragma once

#include "protocol/base/types.hpp"

namespace kith {

/// One witness's word that (size, root) was the largest consistent tree of `log` it had seen.
/// It counts for every smaller size. Made and judged in protocol/log/witness.hpp.
struct Cosignature {
  LogId log;
  std::uint64_t size = 0;
  TreeHash root{};
  MemberId witness;
  std::uint64_t time_s = 0;  ///< Unix seconds, by the witness's clock.
  Signature signature{};

  friend bool operator==(const Cosignature&, const Cosignature&) = default;
};

}  // namespace kith
