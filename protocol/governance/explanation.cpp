#include "protocol/governance/explanation.hpp"

#include <algorithm>

namespace kith {

namespace {

constexpr std::size_t names_shown_max = 6;

std::string number(std::size_t value) { return std::to_string(value); }

/// "Ashdown, Calder and Brackenfield", by the names members were admitted with.
std::string names(const NetworkState& state, const std::vector<MemberId>& members) {
  std::string text;
  const std::size_t shown = std::min(members.size(), names_shown_max);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) text += i + 1 == members.size() ? " and " : ", ";
    text += state.members.at(members[i]).profile.name;
  }
  if (members.size() > shown) text += " and " + number(members.size() - shown) + " more";
  return text;
}

std::string passed(const std::vector<MemberId>& electors, const Count& count) {
  const std::uint32_t round = count.passed_in.back();
  const auto seen = count.seen.find(round);
  const std::size_t have = seen == count.seen.end() ? 0 : seen->second.size();
  return "Passed in round " + number(round) + ". It is final once the daemons of " +
         number(electors.size() / 2 + 1) + " of " + number(electors.size()) +
         " members have logged that they saw it pass; " + number(have) + " so far.";
}

/// The round with most agreements, and how many they are; the lowest of equals.
std::pair<std::uint32_t, std::size_t> best_round(const Count& count) {
  std::pair<std::uint32_t, std::size_t> best{1, 0};
  for (const auto& [round, agreed] : count.agreed) {
    if (agreed.size() > best.second) best = {round, agreed.size()};
  }
  return best;
}

std::string majority_wanting(const std::vector<MemberId>& electors, const Count& count) {
  const auto [round, have] = best_round(count);
  const std::size_t need = electors.size() / 2 + 1;
  if (have >= need) return "";
  std::string text = number(have) + " of " + number(electors.size()) + " agree in round " +
                     number(round) + "; more than half, that is " + number(need) +
                     ", are needed in one round.";
  if (count.agreed_ever.size() >= need) {
    text += " Enough members have agreed, but not in one round: they should agree again.";
  }
  return text;
}

std::string rule_wanting(const NetworkState& state, const std::vector<MemberId>& electors,
                         const Question& question, const Count& count) {
  if (rule_holds(electors, question, count)) return "";
  if (question.rule.form == Rule::Form::k_of_n) {
    return " The charter asks that " +
           number(std::min<std::size_t>(question.rule.k, electors.size())) + " agree; " +
           number(count.agreed_ever.size()) + " have.";
  }
  std::vector<MemberId> awaited;
  std::ranges::copy_if(electors, std::back_inserter(awaited), [&](const MemberId& elector) {
    return !count.agreed_ever.contains(elector) && !count.stood_aside.contains(elector) &&
           !question.subjects.contains(elector);
  });
  return " The charter asks that everyone agrees or stands aside; still to do so: " +
         names(state, awaited) + ".";
}

/// Agreements that count in no round.
std::vector<MemberId> without_effect(const Count& count) {
  std::set<MemberId> counted;
  for (const auto& [round, agreed] : count.agreed) counted.insert(agreed.begin(), agreed.end());
  std::vector<MemberId> rest;
  std::ranges::set_difference(count.agreed_ever, counted, std::back_inserter(rest));
  return rest;
}

}  // namespace

std::string explain(const NetworkState& state, const ProposalStanding& standing,
                    const Question& question, const Count& count) {
  const std::vector<MemberId> electors = state.electors();
  if (!count.passed_in.empty()) return passed(electors, count);

  std::string text =
      majority_wanting(electors, count) + rule_wanting(state, electors, question, count);
  if (text.starts_with(' ')) text.erase(0, 1);

  const std::vector<MemberId> idle = without_effect(count);
  if (!idle.empty()) {
    text +=
        " Without effect in its round, because the member had gone on to a higher one, had "
        "agreed to another there, or saw another pass: the agreement of " +
        names(state, idle) + ".";
  }
  std::vector<MemberId> objecting;
  for (const auto& [member, word] : standing.words) {
    if (word == Consent::Word::object) objecting.push_back(member);
  }
  if (!objecting.empty()) text += " Objecting: " + names(state, objecting) + ".";
  return text;
}

}  // namespace kith
