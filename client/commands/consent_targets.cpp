#include "client/commands/consent_targets.hpp"

#include <algorithm>
#include <iterator>

#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "protocol/base/text.hpp"

namespace kith::client {
namespace {

constexpr std::size_t prefix_characters_min = 4;

/// The proposals whose id begins with `target`.
std::vector<local::ProposalRow> with_prefix(const local::ProposalsAnswer& open,
                                            const std::string& target) {
  std::vector<local::ProposalRow> found;
  if (target.size() < prefix_characters_min) return found;
  for (const auto& proposal : open.proposals) {
    if (full_id(proposal.id.view()).starts_with(lower_case(target))) found.push_back(proposal);
  }
  return found;
}

/// The proposals that would admit somebody with this code: no code holds a blank.
std::vector<local::ProposalRow> that_admit(const local::ProposalsAnswer& open,
                                           const std::string& code) {
  std::vector<local::ProposalRow> found;
  for (const auto& proposal : open.proposals) {
    const auto names_it = [&](const std::string& effect) {
      // Not one that takes the code of a member.
      return effect.starts_with("admit " + code + " ") &&
             effect.find("; beware: the code " + code) == std::string::npos;
    };
    if (std::ranges::any_of(proposal.effects, names_it)) found.push_back(proposal);
  }
  return found;
}

Result<bool> choose(const local::ProposalsAnswer& open, const std::string& target, Chosen& chosen) {
  std::vector<local::CandidateRow> candidates;
  for (const auto& candidate : open.candidates) {
    // Two may come with one code, and then only their ids tell them apart.
    const bool by_id = target.size() >= prefix_characters_min &&
                       full_id(candidate.member.view()).starts_with(lower_case(target));
    if (by_id || candidate.profile.code == upper_case(target)) candidates.push_back(candidate);
  }
  auto proposals = with_prefix(open, target);
  if (candidates.empty() && proposals.empty()) proposals = that_admit(open, upper_case(target));
  // Whoever is proposed already: the word is on that proposal.
  std::string warning;
  std::erase_if(candidates, [&](const local::CandidateRow& candidate) {
    const std::size_t before = proposals.size();
    std::ranges::copy_if(open.proposals, std::back_inserter(proposals), [&](const auto& proposal) {
      return std::ranges::count(proposal.admits, candidate.member) > 0;
    });
    const bool is_proposed = proposals.size() > before;
    if (is_proposed && candidate.profile.code == upper_case(target)) warning = candidate.warning;
    return is_proposed;
  });
  if (!warning.empty()) {
    return fail(Errc::conflict, warning +
                                    "; if you mean the newcomer, give the id of the proposal "
                                    "that kith proposals shows");
  }
  if (candidates.size() + proposals.size() > 1) {
    return fail(Errc::usage, "\"" + target +
                                 "\" fits more than one; kith proposals shows them "
                                 "all, give more of the id");
  }
  if (candidates.size() + proposals.size() == 0) {
    return fail(Errc::not_found, "no open proposal and no candidate is called \"" + target +
                                     "\" (any more); kith proposals shows what is open, kith "
                                     "peers who is a member");
  }
  // The same may be named twice, in another case or by more of its id.
  for (const auto& one : candidates) {
    if (std::ranges::count(chosen.candidates, one.member, &local::CandidateRow::member) == 0) {
      chosen.candidates.push_back(one);
    }
  }
  for (const auto& one : proposals) {
    if (std::ranges::count(chosen.proposals, one.id, &local::ProposalRow::id) == 0) {
      chosen.proposals.push_back(one);
    }
  }
  return true;
}

}  // namespace

Result<Chosen> choose_all(const local::ProposalsAnswer& open,
                          const std::vector<std::string>& targets, Consent::Word word) {
  Chosen chosen;
  for (const std::string& target : targets) {
    const auto fits = choose(open, target, chosen);
    if (!fits) return fits.error();
  }
  const bool agrees = word == Consent::Word::agree;
  if (!chosen.candidates.empty() && !chosen.proposals.empty()) {
    return fail(Errc::usage,
                "candidates and proposals cannot go into one call; give them one "
                "after the other");
  }
  if (!chosen.candidates.empty() && !agrees) {
    return fail(Errc::usage,
                "nobody has proposed these candidates yet; leave them waiting if you "
                "do not want them");
  }
  if (chosen.proposals.size() > 1 && agrees) {
    return fail(Errc::usage,
                "only one agreement of a member counts at a time; consent to one "
                "proposal, and to the next when it is decided");
  }
  return chosen;
}

}  // namespace kith::client
