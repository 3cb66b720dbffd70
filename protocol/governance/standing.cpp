// How open proposals stand, and what a member's daemon and its people should say next.
#include <algorithm>

#include "protocol/base/limits.hpp"
#include "protocol/governance/explanation.hpp"
#include "protocol/governance/fold.hpp"

namespace kith {

namespace {

/// A liar may write any round. Only what lies this little above one's own is followed at once.
constexpr std::uint32_t round_leap_max = 50;

/// Where one elector stands.
struct Place {
  std::uint32_t top = 0;            // Highest round of its agreements and Seens.
  bool agrees_to_proposal = false;  // In that round.
};

Place place_of(const std::vector<Said>& log, const RecordId& proposal) {
  Place place;
  for (const Said& said : log) {
    const bool agrees = said.what == Said::What::agree;
    if (!agrees && said.what != Said::What::seen) continue;
    if (said.round > place.top) place = {said.round, false};
    if (said.round == place.top && agrees && said.proposal == proposal) {
      place.agrees_to_proposal = true;
    }
  }
  return place;
}

/// The highest round that others went to: any within reach, or one that more than half reached.
std::uint32_t round_reached(std::vector<std::uint32_t> tops, std::uint32_t reach) {
  std::ranges::sort(tops, std::greater<>());
  std::uint32_t reached = tops[tops.size() / 2];  // So many, plus itself, are there or above.
  for (const std::uint32_t top : tops) {
    if (top <= reach) reached = std::max(reached, top);
  }
  return reached;
}

/// Each elector's newest word on `proposal`, and the newest round in which it agreed.
void fill_words(const Sayings& sayings, ProposalStanding& standing) {
  for (const auto& [elector, log] : sayings) {
    for (const Said& said : log) {
      if (said.proposal != standing.id) continue;
      if (said.what == Said::What::agree) {
        standing.words[elector] = Consent::Word::agree;
        std::uint32_t& newest = standing.agreed_in[elector];
        newest = std::max(newest, said.round);
      }
      if (said.what == Said::What::stand_aside) {
        standing.words[elector] = Consent::Word::stand_aside;
      }
      if (said.what == Said::What::object) standing.words[elector] = Consent::Word::object;
    }
  }
}

}  // namespace

bool GovernanceFold::is_on_newest(const RecordId& proposal) const {
  const auto held = open_.find(proposal);
  return held != open_.end() && held->second.proposal.basis == state().decision;
}

std::vector<ProposalStanding> GovernanceFold::open_proposals(const GovernanceLogs& logs) const {
  const Sayings said = sayings(logs);
  const Outcome outcome = judge(state().electors(), questions_, said, rules_.rounds);

  std::vector<ProposalStanding> standings;
  for (const auto& [id, held] : open_) {
    if (held.proposal.basis != state().decision) continue;
    ProposalStanding standing;
    standing.id = id;
    standing.proposer = held.proposer;
    standing.proposal = held.proposal;
    standing.rule = strictest_rule(state().charter, held.proposal);
    const auto log = logs.find(held.proposer);
    standing.agreed = log != logs.end() && held.index < usable_size(held.proposer, log->second);

    const auto question = questions_.find(id);
    standing.valid = question != questions_.end();
    if (standing.valid) {
      const Count& count = outcome.counts.at(id);
      fill_words(said, standing);
      standing.passed_in = count.passed_in;
      for (const auto& [round, seen] : count.seen)
        standing.seen_by.insert(seen.begin(), seen.end());
      standing.explanation = explain(state(), standing, question->second, count);
      // Whoever saw the later one pass is bound to it, so waiting for this one may be for ever.
      const std::uint32_t newest = outcome.passed.empty() ? 0 : outcome.passed.rbegin()->first;
      if (!count.passed_in.empty() && count.passed_in.back() < newest) {
        standing.explanation += " Another proposal passed after it, in round " +
                                std::to_string(newest) + ": agree to that one.";
      }
    } else {
      standing.explanation =
          "Void: it would change nothing, names a member wrongly or twice, carries a certificate "
          "that does not verify, or would leave nobody with a vote.";
    }
    standings.push_back(std::move(standing));
  }
  return standings;
}

GovernanceFold::OwnWords GovernanceFold::own_words(const GovernanceLogs& logs,
                                                   const MemberId& self) const {
  OwnWords own;
  const auto log = logs.find(self);
  if (log == logs.end()) return own;
  // All that was ever written binds its writer, whether the others have cosigned it yet or not.
  const std::vector<GovernanceEntry>& entries = log->second.entries;
  for (std::size_t next = first_open(self); next < entries.size(); ++next) {
    if (const auto* consent = std::get_if<Consent>(&entries[next].said)) {
      if (!is_on_newest(consent->proposal) || consent->word != Consent::Word::agree) continue;
      own.top = std::max(own.top, consent->round);
      own.agreed_in.emplace(consent->round, consent->proposal);
    }
    if (const auto* seen = std::get_if<Seen>(&entries[next].said)) {
      if (!is_on_newest(seen->proposal)) continue;
      own.top = std::max(own.top, seen->round);
      own.seen.emplace(seen->proposal, seen->round);
    }
  }
  return own;
}

std::optional<Seen> GovernanceFold::seen_due(const GovernanceLogs& logs,
                                             const MemberId& self) const {
  const std::vector<MemberId> electors = state().electors();
  if (!std::ranges::binary_search(electors, self)) return std::nullopt;

  const OwnWords own = own_words(logs, self);
  const Outcome outcome = judge(electors, questions_, sayings(logs), rules_.rounds);
  for (auto passed = outcome.passed.rbegin(); passed != outcome.passed.rend(); ++passed) {
    const auto& [round, proposal] = *passed;
    if (round >= own.top && !own.seen.contains({proposal, round})) return Seen{proposal, round};
  }
  return std::nullopt;
}

std::uint32_t GovernanceFold::round_for(const GovernanceLogs& logs, const MemberId& self,
                                        const RecordId& proposal) const {
  const OwnWords own = own_words(logs, self);
  const Sayings said = sayings(logs);
  const Outcome outcome = judge(state().electors(), questions_, said, rules_.rounds);

  std::uint32_t lock = 0;
  for (const auto& [other, round] : own.seen) {
    if (other != proposal) lock = std::max(lock, round);
  }
  std::uint32_t lowest = std::max<std::uint32_t>(own.top, 1);
  std::uint32_t due = 0;
  bool free = lock == 0;
  for (const auto& [round, passed] : outcome.passed) {
    if (passed != proposal) continue;
    if (round >= own.top && !own.seen.contains({proposal, round})) due = round;
    // Only a round above one in which this proposal passed, above the lock, frees the agreement.
    if (!free && round > lock) lowest = std::max(lowest, round + 1);
    free = free || round > lock;
  }
  if (due != 0) return due;  // To go up before that Seen is logged would make it worthless.

  std::vector<std::uint32_t> tops;
  std::map<std::uint32_t, std::size_t> company;  // By round: who agrees to it there now.
  for (const MemberId& elector : state().electors()) {
    const auto log = said.find(elector);
    const Place place = log == said.end() ? Place{} : place_of(log->second, proposal);
    tops.push_back(elector == self ? own.top : place.top);
    const bool joinable = elector != self && place.agrees_to_proposal && place.top >= lowest &&
                          place.top - lowest <= round_leap_max;
    if (joinable && !own.agreed_in.contains(place.top)) ++company[place.top];
  }

  std::uint32_t best = 0;
  for (const auto& [round, others] : company) {
    if (best == 0 || others > company.at(best)) best = round;  // The lowest of equals.
  }
  if (best != 0) return best;
  const std::uint32_t reached = round_reached(std::move(tops), lowest + round_leap_max);
  std::uint32_t round = std::max(lowest, reached);
  const auto spent = own.agreed_in.find(round);
  if (spent != own.agreed_in.end() && spent->second != proposal) ++round;  // It is stuck there.
  return std::min<std::uint32_t>(round, limits::round_max);
}

OwnStanding GovernanceFold::own_standing(const GovernanceLogs& logs, const MemberId& self,
                                         const ProposalStanding& standing) const {
  OwnStanding own;
  own.round = round_for(logs, self, standing.id);
  const auto log = logs.find(self);
  if (log != logs.end()) {
    for (const GovernanceEntry& entry : log->second.entries) {
      const auto* consent = std::get_if<Consent>(&entry.said);
      if (consent == nullptr || consent->proposal != standing.id) continue;
      const bool agrees = consent->word == Consent::Word::agree;
      if (agrees) own.agreed_in = std::max(own.agreed_in, consent->round);
      own.word.reset();
      if (!agrees || consent->round >= own.round) own.word = consent->word;
    }
  }
  // On a branch that loses, its words behind a proposal would be of no use to anybody.
  const bool is_safe = standing.agreed || standing.proposer == self;
  const bool has_given = own.has_agreed_now() || own.word == Consent::Word::stand_aside;
  // Whoever agreed before is asked again when others have gone on; who went highest waits for them.
  const bool others_went_on = std::ranges::any_of(standing.agreed_in, [&](const auto& agreed) {
    return agreed.first != self && agreed.second > own.agreed_in;
  });
  own.is_asked = is_safe && !has_given && (own.agreed_in == 0 || others_went_on);
  return own;
}

}  // namespace kith
