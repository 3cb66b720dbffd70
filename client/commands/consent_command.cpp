#include <algorithm>
#include <chrono>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/json_output.hpp"
#include "client/key_store.hpp"
#include "client/layout.hpp"
#include "client/signing.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/space_key.hpp"

namespace kith::client {
namespace {

constexpr std::size_t prefix_characters_min = 4;

/// What the arguments of one call mean: candidates, or proposals, never both.
struct Chosen {
  std::vector<local::CandidateRow> candidates;
  std::vector<local::ProposalRow> proposals;
};

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

/// The open proposal that already asks to admit this candidate, or null.
const local::ProposalRow* proposed_already(const local::ProposalsAnswer& open,
                                           const local::CandidateRow& candidate) {
  for (const auto& proposal : open.proposals) {
    if (std::ranges::count(proposal.admits, candidate.member) > 0) return &proposal;
  }
  return nullptr;
}

Result<bool> choose(const local::ProposalsAnswer& open, const std::string& target, Chosen& chosen) {
  std::vector<local::CandidateRow> candidates;
  for (const auto& candidate : open.candidates) {
    if (candidate.profile.code == upper_case(target)) candidates.push_back(candidate);
  }
  const auto proposals = with_prefix(open, target);
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
  chosen.candidates.insert(chosen.candidates.end(), candidates.begin(), candidates.end());
  chosen.proposals.insert(chosen.proposals.end(), proposals.begin(), proposals.end());
  return true;
}

Result<Chosen> choose_all(const local::ProposalsAnswer& open, const ConsentOptions& options) {
  Chosen chosen;
  std::vector<std::string> targets = options.targets;
  std::ranges::sort(targets);
  targets.erase(std::ranges::unique(targets).begin(), targets.end());
  for (const std::string& target : targets) {
    const auto fits = choose(open, target, chosen);
    if (!fits) return fits.error();
  }
  const bool agrees = !options.stand_aside && !options.object;
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

/// One proposal that admits all the candidates.
Result<Proposal> admit_all(const local::ProposalsAnswer& open, const Chosen& chosen) {
  Proposal proposal;
  proposal.basis = open.basis;
  for (const auto& candidate : chosen.candidates) {
    const std::string& code = candidate.profile.code;
    if (const auto* earlier = proposed_already(open, candidate)) {
      return fail(Errc::conflict,
                  code + " is proposed already; type: kith consent " + short_id(earlier->id));
    }
    if (!candidate.warning.empty()) {
      return fail(Errc::conflict,
                  candidate.warning + ": ask them to begin again with another code");
    }
    // The words that were compared stand for this key: what is signed must be certified by it.
    const auto certificate = verify_certificate(candidate.certificate, candidate.member);
    if (!certificate) return fail(certificate.error(), "checking the certificate of " + code);
    proposal.effects.emplace_back(Admit{candidate.certificate, candidate.profile});
  }
  return proposal;
}

/// Shows what the word is about, and asks for the comparison that no program can make.
bool person_agrees(const Chosen& chosen, const ConsentOptions& options, const Console& console) {
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
  if (options.yes) return true;
  const char* question = "Your word is kept for good. Give it?";
  if (!chosen.candidates.empty()) {
    question = "Have they read these words aloud to you, and are they the same?";
  } else if (!options.stand_aside && !options.object) {
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

/// What has come of a proposal once our word on it was given.
Answered<ProposalOutcome> outcome_of(const RecordId& proposal, Daemon& daemon,
                                     const Console& console) {
  const auto open = ask<local::ProposalsAnswer>(daemon, console, local::ProposalsRequest{});
  if (!open) return {std::nullopt, open.exit};
  const auto row = std::ranges::find(open->proposals, proposal, &local::ProposalRow::id);
  if (row != open->proposals.end()) {
    return {ProposalOutcome{proposal, "open", row->explanation}, Exit::ok};
  }
  const bool decided = RecordId::from(open->basis.view()) == proposal;
  return {ProposalOutcome{proposal, decided ? "decided" : "closed", ""}, Exit::ok};
}

/// The others confirm our word within a moment if they are there: then there is more to tell.
Answered<ProposalOutcome> settled_outcome(const RecordId& proposal, const Desk& desk,
                                          Daemon& daemon, const Console& console) {
  constexpr std::chrono::milliseconds step{100};
  constexpr int steps_max = 15;
  auto outcome = outcome_of(proposal, daemon, console);
  for (int steps = 0; outcome && outcome->state == "open" && steps < steps_max; ++steps) {
    desk.wait(step);
    outcome = outcome_of(proposal, daemon, console);
  }
  return outcome;
}

void tell(const Console& console, const Chosen& chosen, const ProposalOutcome& outcome) {
  const std::string id = short_id(outcome.id);
  std::vector<std::string> codes;
  for (const auto& candidate : chosen.candidates)
    codes.push_back(clean_line(candidate.profile.code));
  if (outcome.state == "decided" && !codes.empty()) {
    console.out << "decided: " << joined(codes, ", ")
                << (codes.size() == 1 ? " is a member" : " are members") << " now\n";
  } else if (outcome.state == "decided") {
    console.out << "decided: " << id << " holds from now on\n";
  } else if (outcome.state == "open") {
    console.out << (codes.empty() ? "your word on " + id + " is given\n"
                                  : "proposed " + id + "; your word is given\n")
                << "now: " << clean_line(outcome.explanation)
                << "\nThe others see it with: kith proposals\n";
  } else {
    console.out
        << "your word on " << id
        << " is given, and the proposal is open no more: the members have decided since; kith "
           "peers and kith proposals show where things stand\n";
  }
}

/// The proposals that the call was about: the one it made, or those it named.
std::vector<RecordId> proposals_of(const Chosen& chosen, const Published& published) {
  if (!chosen.candidates.empty()) return {published.entries.front().id};
  std::vector<RecordId> ids;
  for (const auto& proposal : chosen.proposals) ids.push_back(proposal.id);
  return ids;
}

Consent::Word word_of(const ConsentOptions& options) {
  if (options.object) return Consent::Word::object;
  return options.stand_aside ? Consent::Word::stand_aside : Consent::Word::agree;
}

}  // namespace

Exit consent(const ConsentOptions& options, Daemon& daemon, const Console& console,
             const Desk& desk) {
  if (options.object && options.stand_aside) {
    return complain(console, fail(Errc::usage, "give --object or --stand-aside, not both"));
  }
  const auto open = ask<local::ProposalsAnswer>(daemon, console, local::ProposalsRequest{});
  if (!open) return open.exit;
  const auto chosen = choose_all(*open, options);
  if (!chosen) return complain(console, chosen.error());
  if (!options.yes && !can_ask(console)) {
    return complain(console, fail(Errc::usage,
                                  "there is no terminal to ask on; compare the words "
                                  "of kith proposals first, then add --yes"));
  }
  const auto admission = admit_all(*open, *chosen);
  if (!admission) return complain(console, admission.error());

  const auto status = ask_member_status(daemon, console);
  if (!status) return status.exit;
  if (!person_agrees(*chosen, options, console)) {
    return complain(console, fail(Errc::unavailable, "nothing was sent"));
  }
  const auto key = open_key(desk);
  if (!key) return complain(console, key.error());

  const auto records =
      records_of(*chosen, *admission, word_of(options), *status, key->public_key(), desk);
  const auto published = send_records(records, *status, *key, daemon, console);
  if (!published) return published.exit;
  const bool agreed_elsewhere =
      !chosen->candidates.empty() &&
      std::ranges::any_of(open->proposals, &local::ProposalRow::ours_given);
  std::vector<ProposalOutcome> outcomes;
  for (const RecordId& proposal : proposals_of(*chosen, *published)) {
    const auto outcome = settled_outcome(proposal, desk, daemon, console);
    if (!outcome) return outcome.exit;
    outcomes.push_back(*outcome);
  }
  if (console.json) {
    console.out << json_of(*published, outcomes) << '\n';
    return Exit::ok;
  }
  for (const ProposalOutcome& outcome : outcomes) tell(console, *chosen, outcome);
  if (agreed_elsewhere) {
    console.err << "kith: your organisation has agreed to another open proposal before, and only "
                   "the first agreement counts until the members ask again; kith proposals shows "
                   "where things stand\n";
  }
  return Exit::ok;
}

}  // namespace kith::client
