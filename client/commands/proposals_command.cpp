#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "protocol/base/text.hpp"

namespace kith::client {
namespace {

/// A line that goes on below itself where the terminal ends.
void print_wide(const Console& console, const std::string& label, const std::string& value) {
  const std::string indent(label.size(), ' ');
  const std::size_t room =
      console.width > label.size() ? console.width - label.size() : value.size();
  std::string lines = folded(value, room);
  for (std::size_t at = 0; (at = lines.find('\n', at)) != std::string::npos; ++at) {
    lines.insert(at + 1, indent);
  }
  console.out << label << lines << '\n';
}

void print_candidate(const Console& console, const local::CandidateRow& candidate) {
  const std::string code = clean_line(candidate.profile.code);
  console.out << '\n'
              << heading(console, code + "  " + clean_line(candidate.profile.name)) << '\n'
              << "  waits since  " << date_of(candidate.since) << '\n'
              << "  fingerprint  " << fingerprint_of(candidate.member) << '\n'
              << "  to propose   kith consent " << shell_word(candidate.profile.code) << '\n';
  if (!candidate.warning.empty()) {
    print_wide(console, "  but          ",
               clean_line(candidate.warning) + ": ask them to begin again with another code");
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
    const auto status = ask_member_status(daemon, console);
    if (!status) return status.exit;
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
