#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"

namespace kith::client {
namespace {

void print_candidate(const Console& console, const local::CandidateRow& candidate) {
  const std::string code = clean_line(candidate.profile.code);
  console.out << '\n'
              << heading(console, code + "  " + clean_line(candidate.profile.name)) << '\n'
              << "  waits since  " << date_of(candidate.since) << '\n'
              << "  fingerprint  " << fingerprint_of(candidate.member) << '\n'
              << "  to propose   kith consent " << shell_word(candidate.profile.code) << '\n';
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
    console.out << "  effect       " << clean_line(effect) << '\n';
  }
  console.out << "  needs        " << clean_line(proposal.rule) << "; "
              << counted(proposal.electors, "member is", "members are") << " asked\n"
              << "  words        " << words_text(proposal) << '\n';
  if (!proposal.explanation.empty()) {
    console.out << "  now          " << clean_line(proposal.explanation) << '\n';
  }
  console.out << (proposal.ours_given
                      ? "  your word    is given\n"
                      : "  your word    kith consent " + id + "  (or --stand-aside, --object)\n");
}

}  // namespace

Exit proposals(Daemon& daemon, const Console& console) {
  const auto answer = ask<local::ProposalsAnswer>(daemon, console, local::ProposalsRequest{});
  if (!answer) return answer.exit;
  if (console.json) {
    console.out << json_of(*answer) << '\n';
    return Exit::ok;
  }
  if (answer->candidates.empty() && answer->proposals.empty()) {
    console.out << "Nobody waits to join, and nothing waits for a decision.\n";
    return Exit::ok;
  }
  if (!answer->candidates.empty()) {
    console.out << counted(answer->candidates.size(), "organisation", "organisations")
                << " with your invitation. Before you consent, ring up and\n"
                   "compare the words.\n";
  }
  for (const auto& candidate : answer->candidates) print_candidate(console, candidate);
  if (!answer->candidates.empty() && !answer->proposals.empty()) console.out << '\n';
  if (!answer->proposals.empty()) {
    console.out << counted(answer->proposals.size(), "proposal", "proposals") << " open.\n";
  }
  for (const auto& proposal : answer->proposals) print_proposal(console, proposal);
  return Exit::ok;
}

}  // namespace kith::client
