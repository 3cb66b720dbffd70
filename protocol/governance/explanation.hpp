#pragma once

#include <string>

#include "protocol/governance/fold.hpp"

namespace kith {

/// Says in plain English what a valid proposal still needs. `standing` has all but its explanation.
[[nodiscard]] std::string explain(const NetworkState& state, const ProposalStanding& standing,
                                  const Question& question, const Count& count);

}  // namespace kith
