#pragma once

#include <string>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/schema/local_codec.hpp"

/// What the arguments of kith consent mean.
namespace kith::client {

/// Candidates, or proposals, never both.
struct Chosen {
  std::vector<local::CandidateRow> candidates;
  std::vector<local::ProposalRow> proposals;
};
/// Each target is a code, or the beginning of the id of a proposal or a candidate; whoever is
/// proposed already stands for that proposal. usage if one fits several, or if `word` cannot be
/// given to all of them in one call; not_found if one fits nothing that is open.
[[nodiscard]] Result<Chosen> choose_all(const local::ProposalsAnswer& open,
                                        const std::vector<std::string>& targets,
                                        Consent::Word word);

}  // namespace kith::client
