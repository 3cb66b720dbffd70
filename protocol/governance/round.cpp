#include "protocol/governance/round.hpp"

#include <algorithm>

#include "protocol/base/check.hpp"

namespace kith {

namespace {

/// An agreement that is the elector's first in its round and not in a round it had left.
struct Agreement {
  MemberId elector;
  RecordId proposal;
  std::uint32_t lock = 0;  // Highest round of its earlier Seens for other proposals; 0 for none.
};

struct Round {
  std::vector<Agreement> agreements;
  std::vector<std::pair<MemberId, RecordId>> seens;
};
using Rounds = std::map<std::uint32_t, Round>;

/// The Seens of one elector so far. Two numbers are enough to answer for every proposal, so a log
/// of a million Seens is still read in one pass.
class Locks {
 public:
  void add(const RecordId& proposal, std::uint32_t round) {
    if (proposal == highest_) {
      round_ = std::max(round_, round);
    } else if (round > round_) {
      round_of_others_ = round_;
      highest_ = proposal;
      round_ = round;
    } else {
      round_of_others_ = std::max(round_of_others_, round);
    }
  }
  [[nodiscard]] std::uint32_t against(const RecordId& proposal) const {
    return proposal == highest_ ? round_of_others_ : round_;
  }

 private:
  RecordId highest_;  // The proposal with the Seen of the highest round ...
  std::uint32_t round_ = 0;
  std::uint32_t round_of_others_ = 0;  // ... and the highest round of any other's.
};

/// Sorts what one elector said into rounds, leaving out what can count in none.
void read_log(const MemberId& elector, const std::vector<Said>& log, const RoundRules& rules,
              Rounds& rounds) {
  std::uint32_t top = 0;
  std::set<std::uint32_t> agreed_in;
  Locks locks;
  for (const Said& said : log) {
    const bool binds = said.what == Said::What::agree || said.what == Said::What::seen;
    if (!binds) continue;  // To object or to stand aside neither leaves a round nor opens one.

    const bool in_order = said.round >= top || !rules.rounds_only_rise;
    if (said.what == Said::What::agree) {
      // The first one takes the place even if it cannot count.
      const bool first = agreed_in.insert(said.round).second;
      const std::uint32_t lock = rules.seen_locks ? locks.against(said.proposal) : 0;
      if (first && in_order) {
        rounds[said.round].agreements.push_back({elector, said.proposal, lock});
      }
    } else {
      if (in_order) rounds[said.round].seens.emplace_back(elector, said.proposal);
      locks.add(said.proposal, said.round);
    }
    top = std::max(top, said.round);
  }
}

bool more_than_half(std::size_t some, const std::vector<MemberId>& electors) {
  return 2 * some > electors.size();
}

/// One round, all lower ones being finished: a lock looks at lower rounds only.
void finish_round(std::uint32_t number, const Round& round, const std::vector<MemberId>& electors,
                  const Questions& questions, const RoundRules& rules, Outcome& outcome) {
  std::set<RecordId> agreed_to;
  for (const Agreement& agreement : round.agreements) {
    Count& count = outcome.counts.at(agreement.proposal);
    const bool free = agreement.lock == 0 ||
                      (!count.passed_in.empty() && count.passed_in.back() > agreement.lock);
    if (!free) continue;
    count.agreed[number].insert(agreement.elector);
    agreed_to.insert(agreement.proposal);
  }

  for (const RecordId& proposal : agreed_to) {
    Count& count = outcome.counts.at(proposal);
    if (!more_than_half(count.agreed.at(number).size(), electors)) continue;
    if (!rule_holds(electors, questions.at(proposal), count)) continue;
    count.passed_in.push_back(number);
    // One agreement for each elector in a round, so two cannot both have more than half.
    KITH_CHECK(outcome.passed.emplace(number, proposal).second);
  }

  const auto passed = outcome.passed.find(number);
  if (passed == outcome.passed.end()) return;
  Count& count = outcome.counts.at(passed->second);
  for (const auto& [elector, proposal] : round.seens) {
    if (proposal == passed->second) count.seen[number].insert(elector);
  }
  const auto seen = count.seen.find(number);
  const bool is_seen = seen != count.seen.end() && more_than_half(seen->second.size(), electors);
  if (is_seen || !rules.seen_decides) {
    outcome.decided.insert(passed->second);
  }
}

}  // namespace

bool rule_holds(const std::vector<MemberId>& electors, const Question& question,
                const Count& count) {
  switch (question.rule.form) {
    case Rule::Form::majority:
      return true;
    case Rule::Form::k_of_n:
      return count.agreed_ever.size() >= std::min<std::size_t>(question.rule.k, electors.size());
    case Rule::Form::all:
      break;
  }
  return std::ranges::all_of(electors, [&](const MemberId& elector) {
    return count.agreed_ever.contains(elector) || count.stood_aside.contains(elector) ||
           question.subjects.contains(elector);
  });
}

Outcome judge(const std::vector<MemberId>& electors, const Questions& questions,
              const Sayings& sayings, const RoundRules& rules) {
  Outcome outcome;
  for (const auto& [id, question] : questions) outcome.counts[id];

  Rounds rounds;
  for (const auto& [elector, log] : sayings) {
    for (const Said& said : log) {
      Count& count = outcome.counts.at(said.proposal);
      if (said.what == Said::What::agree) count.agreed_ever.insert(elector);
      if (said.what == Said::What::stand_aside) count.stood_aside.insert(elector);
    }
    read_log(elector, log, rules, rounds);
  }
  for (const auto& [number, round] : rounds) {
    finish_round(number, round, electors, questions, rules, outcome);
  }
  return outcome;
}

}  // namespace kith
