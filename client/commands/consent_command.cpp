#include <algorithm>
#include <chrono>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/commands/consent_targets.hpp"
#include "client/json_output.hpp"
#include "client/key_store.hpp"
#include "client/layout.hpp"
#include "client/signing.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/space_key.hpp"

namespace kith::client {
namespace {

Consent::Word word_of(const ConsentOptions& options) {
  if (options.object) return Consent::Word::object;
  return options.stand_aside ? Consent::Word::stand_aside : Consent::Word::agree;
}

/// Most who ask for what is not open come too late: then that is the thing to say.
Exit complain_of_nothing(const Error& missing, const ConsentOptions& options, Daemon& daemon,
                         const Console& console) {
  const auto peers = ask<local::MembersAnswer>(daemon, console, local::MembersRequest{});
  if (!peers) return peers.exit;
  for (const std::string& target : options.targets) {
    if (std::ranges::count(peers->members, upper_case(target), &local::MemberRow::code) == 0)
      continue;
    return complain(console, fail(Errc::conflict, upper_case(target) + " is a member already"));
  }
  return complain(console, missing);
}

/// One proposal that admits all the candidates.
Result<Proposal> admit_all(const local::ProposalsAnswer& open, const Chosen& chosen) {
  Proposal proposal;
  proposal.basis = open.basis;
  for (const auto& candidate : chosen.candidates) {
    const std::string& code = candidate.profile.code;
    if (!candidate.warning.empty()) {
      return fail(Errc::conflict, candidate.warning + "; " + other_code_needed);
    }
    // The words that were compared stand for this key: what is signed must be certified by it.
    const auto certificate = verify_certificate(candidate.certificate, candidate.member);
    if (!certificate) return fail(certificate.error(), "checking the certificate of " + code);
    proposal.effects.emplace_back(Admit{candidate.certificate, candidate.profile});
  }
  return proposal;
}

/// Said already, and saying it again would only lengthen the log for good.
std::optional<std::string> given_already(const Chosen& chosen, Consent::Word word) {
  for (const auto& proposal : chosen.proposals) {
    const bool is_repeated =
        word == Consent::Word::agree ? proposal.ours_agreed_now : proposal.our_word == name(word);
    if (!is_repeated) continue;
    return "your organisation's word on " + short_id(proposal.id) + " is \"" + name(word) +
           "\" already; nothing was sent. " + clean_line(proposal.explanation);
  }
  return std::nullopt;
}

/// Of a member's agreements one counts at a time.
void warn_of_another(const local::ProposalsAnswer& open, const Chosen& chosen, Consent::Word word,
                     const Console& console) {
  if (word != Consent::Word::agree) return;
  for (const auto& proposal : open.proposals) {
    if (!proposal.ours_agreed) continue;
    if (std::ranges::count(chosen.proposals, proposal.id, &local::ProposalRow::id) > 0) continue;
    console.err << "kith: your organisation agreed to " << short_id(proposal.id)
                << " before, and only one agreement counts at a time: unless that one is stuck, "
                   "wait until it is decided (kith proposals)\n";
  }
}

/// Shows what the word is about, and asks for the comparison that no program can make.
bool person_agrees(const Chosen& chosen, Consent::Word word, bool is_sure, const Console& console) {
  for (const auto& candidate : chosen.candidates) {
    console.err << "Admit " << clean_line(candidate.profile.code) << "  "
                << clean_line(candidate.profile.name) << "\n  fingerprint  "
                << fingerprint_of(candidate.member) << '\n';
  }
  for (const auto& proposal : chosen.proposals) {
    console.err << short_id(proposal.id) << "  proposed by " << clean_line(proposal.proposer)
                << '\n';
    for (const auto& effect : proposal.effects) console.err << "  " << clean_line(effect) << '\n';
  }
  const bool agrees = word == Consent::Word::agree;
  if (!agrees && std::ranges::any_of(chosen.proposals, &local::ProposalRow::ours_agreed)) {
    console.err << "Your organisation has agreed to it, and that goes on counting: this word is "
                   "only shown beside it.\n";
  }
  if (is_sure) return true;
  const char* question = "Your word is kept for good. Give it?";
  if (!chosen.candidates.empty()) {
    question = "Have they read these words aloud to you, and are they the same?";
  } else if (agrees) {
    question = "If somebody is to be admitted: have the words been compared by voice? Agree?";
  }
  return confirm(console, question);
}

Outgoing consent_record(const RecordId& proposal, std::uint32_t round, Consent::Word word,
                        const local::StatusAnswer& status, const PublicKey& author,
                        const Desk& desk) {
  const Bytes body = encode(Consent{proposal, round, word});
  return {"consent", "", "", make_record("consent", body, status, author, desk)};
}

std::vector<Outgoing> records_of(const Chosen& chosen, const Proposal& admission,
                                 Consent::Word word, const local::StatusAnswer& status,
                                 const PublicKey& author, const Desk& desk) {
  std::vector<Outgoing> records;
  if (!chosen.candidates.empty()) {
    const Bytes proposal = make_record("proposal", encode(admission), status, author, desk);
    records.push_back({"proposal", "", "", proposal});
    records.push_back(consent_record(record_id(proposal), 1, word, status, author, desk));
  }
  for (const auto& proposal : chosen.proposals) {
    records.push_back(consent_record(proposal.id, proposal.our_round, word, status, author, desk));
  }
  return records;
}

/// What has come of the proposals once our word on them was given. `before` is what was open until
/// then.
Answered<std::vector<ProposalOutcome>> outcomes_of(const std::vector<RecordId>& proposals,
                                                   const Chosen& chosen,
                                                   const local::ProposalsAnswer& before,
                                                   Daemon& daemon, const Console& console) {
  using State = ProposalOutcome::State;
  const auto open = ask<local::ProposalsAnswer>(daemon, console, local::ProposalsRequest{});
  if (!open) return {std::nullopt, open.exit};
  const auto peers = ask<local::MembersAnswer>(daemon, console, local::MembersRequest{});
  if (!peers) return {std::nullopt, peers.exit};
  const auto is_member = [&](const local::CandidateRow& candidate) {
    return std::ranges::count(peers->members, candidate.member, &local::MemberRow::member) > 0;
  };
  const auto outcome_of = [&](const RecordId& proposal) -> ProposalOutcome {
    const auto row = std::ranges::find(open->proposals, proposal, &local::ProposalRow::id);
    if (row != open->proposals.end()) return {proposal, State::open, row->explanation};
    if (open->basis == before.basis) return {proposal, State::ignored, ""};
    if (RecordId::from(open->basis.view()) == proposal) return {proposal, State::decided, ""};
    // More was decided since; those who were admitted on the way are members now.
    const bool admitted =
        !chosen.candidates.empty() && std::ranges::all_of(chosen.candidates, is_member);
    return {proposal, admitted ? State::decided : State::closed, ""};
  };
  std::vector<ProposalOutcome> outcomes;
  for (const RecordId& proposal : proposals) outcomes.push_back(outcome_of(proposal));
  return {std::move(outcomes), Exit::ok};
}

/// The others confirm an agreement within a moment if they are there: then there is more to tell.
Answered<std::vector<ProposalOutcome>> settled_outcomes(const std::vector<RecordId>& proposals,
                                                        const Chosen& chosen, Consent::Word word,
                                                        const local::ProposalsAnswer& before,
                                                        const Desk& desk, Daemon& daemon,
                                                        const Console& console) {
  constexpr std::chrono::milliseconds step{100};
  constexpr int steps_max = 15;
  const auto is_open = [](const ProposalOutcome& one) {
    return one.state == ProposalOutcome::State::open;
  };
  ProgressBar bar(console);
  auto outcomes = outcomes_of(proposals, chosen, before, daemon, console);
  for (int steps = 0; word == Consent::Word::agree && steps < steps_max; ++steps) {
    if (!outcomes || std::ranges::none_of(*outcomes, is_open)) break;
    bar.show(static_cast<std::uint64_t>(steps), steps_max, "waiting a moment for the others");
    desk.wait(step);
    outcomes = outcomes_of(proposals, chosen, before, daemon, console);
  }
  bar.clear();
  return outcomes;
}

std::string told(const Chosen& chosen, const ProposalOutcome& outcome) {
  const std::string id = short_id(outcome.id);
  std::vector<std::string> codes;
  for (const auto& candidate : chosen.candidates) {
    codes.push_back(clean_line(candidate.profile.code));
  }
  const bool admits = !codes.empty();
  const std::string all = joined(codes, ", ");
  switch (outcome.state) {
    case ProposalOutcome::State::decided:
      if (!admits) return "decided: " + id + " holds from now on\n";
      return "decided: " + all + (codes.size() == 1 ? " is a member" : " are members") + " now\n";
    case ProposalOutcome::State::open:
      return (admits ? "proposed " + id + "; your word is given\n"
                     : "your word on " + id + " is given\n") +
             "now: " + clean_line(outcome.explanation) +
             "\nThe others see it with: kith proposals\n";
    case ProposalOutcome::State::closed:
      if (!admits) {
        return "your word on " + id +
               " is given, and it is open no more: the members have decided since; kith peers and "
               "kith proposals show where things stand\n";
      }
      return "nothing came of it: the members decided something else meanwhile; type again: kith "
             "consent " +
             joined(codes, " ") + "\n";
    case ProposalOutcome::State::ignored:
      break;
  }
  return "nothing came of it: the proposal counts for nothing as it is; see the log of kithd\n";
}

/// The proposals that the call was about: the one it made, or those it named.
std::vector<RecordId> proposals_of(const Chosen& chosen, const Published& published) {
  if (!chosen.candidates.empty()) return {published.entries.front().id};
  std::vector<RecordId> ids;
  for (const auto& proposal : chosen.proposals) ids.push_back(proposal.id);
  return ids;
}

}  // namespace

Exit consent(const ConsentOptions& options, Daemon& daemon, const Console& console,
             const Desk& desk) {
  if (options.object && options.stand_aside) {
    return complain(console, fail(Errc::usage, "give --object or --stand-aside, not both"));
  }
  const Consent::Word word = word_of(options);
  const auto open = ask<local::ProposalsAnswer>(daemon, console, local::ProposalsRequest{});
  if (!open) return open.exit;
  const auto chosen = choose_all(*open, options.targets, word);
  if (!chosen && chosen.error().code == Errc::not_found) {
    return complain_of_nothing(chosen.error(), options, daemon, console);
  }
  if (!chosen) return complain(console, chosen.error());
  if (!options.yes && !can_ask(console)) {
    return complain(console, fail(Errc::usage,
                                  "there is no terminal to ask on; compare the words "
                                  "of kith proposals first, then add --yes"));
  }
  const auto admission = admit_all(*open, *chosen);
  if (!admission) return complain(console, admission.error());

  if (const auto given = given_already(*chosen, word)) {
    return complain(console, fail(Errc::conflict, *given));
  }
  const auto status = ask_member_status(daemon, console);
  if (!status) return status.exit;
  warn_of_another(*open, *chosen, word, console);
  if (!person_agrees(*chosen, word, options.yes, console)) {
    return complain(console, fail(Errc::unavailable, "nothing was sent"));
  }
  const auto key = open_key(desk);
  if (!key) return complain(console, key.error());

  const auto records = records_of(*chosen, *admission, word, *status, key->public_key(), desk);
  const auto published = send_records(records, *status, *key, daemon, console);
  if (!published) return published.exit;
  if (!published->waiting.empty()) {
    if (console.json) console.out << json_of(*published, {}) << '\n';
    return Exit::ok;
  }
  const auto settled = settled_outcomes(proposals_of(*chosen, *published), *chosen, word, *open,
                                        desk, daemon, quiet(console));
  // The word is logged whatever became of the daemon since: it must not be given twice.
  if (!settled) {
    console.err << "kith: your word is given, but kithd does not say what has come of it; kith "
                   "proposals will\n";
  }
  const auto outcomes = settled ? *settled : std::vector<ProposalOutcome>();
  if (console.json) {
    console.out << json_of(*published, outcomes) << '\n';
    return Exit::ok;
  }
  for (const ProposalOutcome& outcome : outcomes) console.out << told(*chosen, outcome);
  return Exit::ok;
}

}  // namespace kith::client
