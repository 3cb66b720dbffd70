#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "protocol/base/text.hpp"

namespace kith::client {
namespace {

void print_candidate(const Console& console, const local::CandidateRow& candidate,
                     const local::ProposalRow* proposed_in, bool is_only_one) {
  const std::string code = clean_line(candidate.profile.code);
  const std::string id = full_id(candidate.member.view()).substr(0, 8);
  console.out << '\n'
              << heading(console, code + "  " + clean_line(candidate.profile.name)) << '\n'
              << "  waits since  " << date_of(candidate.since) << '\n'
              << "  fingerprint  " << fingerprint_of(candidate.member) << '\n';
  if (proposed_in != nullptr) {
    console.out << "  is proposed  " << short_id(proposed_in->id) << '\n';
  } else if (candidate.warning.empty()) {
    console.out << "  to propose   kith consent "
                << (is_only_one ? shell_word(candidate.profile.code) : id) << '\n';
  } else {
    print_wide(console, "  but          ",
               clean_line(candidate.warning) + "; " + other_code_needed);
  }
}

const char* word_text(Consent::Word word) {
  switch (word) {
    case Consent::Word::agree:
      return " agrees";
    case Consent::Word::stand_aside:
      return " stands aside";
    case Consent::Word::object:
      break;
  }
  return " objects";
}

std::string words_text(const local::ProposalRow& proposal) {
  if (proposal.words.empty()) return "none yet";
  std::vector<std::string> words;
  words.reserve(proposal.words.size());
  for (const auto& word : proposal.words) {
    words.push_back(clean_line(word.code) + word_text(word.word));
  }
  return joined(words, ", ");
}

void print_proposal(const Console& console, const local::ProposalRow& proposal) {
  const std::string id = short_id(proposal.id);
  console.out << '\n'
              << heading(console, id + "  proposed by " + clean_line(proposal.proposer)) << '\n';
  for (const std::string& effect : proposal.effects) {
    print_wide(console, "  effect       ", clean_line(effect));
  }
  console.out << "  needs        " << clean_line(proposal.rule) << "; "
              << counted(proposal.electors, "member is", "members are") << " asked\n"
              << "  words        " << words_text(proposal) << '\n';
  if (!proposal.explanation.empty()) {
    print_wide(console, "  now          ", clean_line(proposal.explanation));
  }
  if (!proposal.our_word.empty()) {
    console.out << "  your word    is given: " << clean_line(proposal.our_word) << '\n';
  }
  if (!proposal.ours_agreed_now) {
    console.out << "  to agree     kith consent " << id << "  (or --stand-aside, --object)\n";
  }
}

}  // namespace

Exit proposals(Daemon& daemon, const Console& console) {
  const auto answer = ask<local::ProposalsAnswer>(daemon, console, local::ProposalsRequest{});
  if (!answer) return answer.exit;
  const bool is_nothing = answer->candidates.empty() && answer->proposals.empty();
  if (is_nothing) {
    const auto status = ask_member_status(daemon, console);
    if (!status) return status.exit;
  }
  if (console.json) {
    console.out << json_of(*answer) << '\n';
    return Exit::ok;
  }
  if (is_nothing) {
    console.out << "Nobody waits to join, and nothing waits for a decision.\n";
    return Exit::ok;
  }
  if (!answer->candidates.empty()) {
    console.out << counted(answer->candidates.size(), "organisation", "organisations")
                << " with your invitation. Before you consent, ring up and\n"
                   "compare the words.\n";
  }
  for (const auto& candidate : answer->candidates) {
    const auto alike = std::ranges::count_if(answer->candidates, [&](const auto& other) {
      return other.profile.code == candidate.profile.code;
    });
    print_candidate(console, candidate, proposed_already(*answer, candidate), alike == 1);
  }
  if (!answer->candidates.empty() && !answer->proposals.empty()) console.out << '\n';
  if (!answer->proposals.empty()) {
    console.out << counted(answer->proposals.size(), "proposal", "proposals") << " open.\n";
  }
  for (const auto& proposal : answer->proposals) print_proposal(console, proposal);
  return Exit::ok;
}

}  // namespace kith::client
