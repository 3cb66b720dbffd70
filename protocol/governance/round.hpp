#pragma once

#include <map>
#include <set>
#include <vector>

#include "protocol/schema/record_codec.hpp"

/// The rounds of one basis: which words count, what passed and what is decided. Pure, and the same
/// from the same words; docs/GOVERNANCE states the rules.
namespace kith {

/// One thing an elector said on the basis.
struct Said {
  enum class What : std::uint8_t { object, stand_aside, agree, seen };
  What what = What::object;
  RecordId proposal;
  std::uint32_t round = 1;  ///< From 1.
};
/// What each elector said in the usable part of its log, in the order of the log.
using Sayings = std::map<MemberId, std::vector<Said>>;

/// What the rounds must know of a proposal that is valid on the basis.
struct Question {
  Rule rule;
  std::set<MemberId> subjects;  ///< Of its partings and pauses: the rule `all` waits for none.
};
using Questions = std::map<RecordId, Question>;

/// How one question stands.
struct Count {
  std::map<std::uint32_t, std::set<MemberId>>
      agreed;                                        ///< By round: the agreements that count there.
  std::map<std::uint32_t, std::set<MemberId>> seen;  ///< By round: the Seens that count there.
  std::set<MemberId> agreed_ever;  ///< In any round, whether it counts there or not.
  std::set<MemberId> stood_aside;
  std::vector<std::uint32_t> passed_in;  ///< Ascending.
};

struct Outcome {
  std::map<RecordId, Count> counts;          ///< One for each question.
  std::map<std::uint32_t, RecordId> passed;  ///< By round: never two in one.
  std::set<RecordId> decided;                ///< Never more than one under the full rules.
};

/// Rules that a negative control switches off. A daemon never does.
struct RoundRules {
  bool seen_locks = true;        ///< A Seen holds back a later agreement to another proposal.
  bool rounds_only_rise = true;  ///< What is added in a lower round counts no more.
  bool seen_decides = true;      ///< What passed is not final before more than half saw it pass.
  friend bool operator==(const RoundRules&, const RoundRules&) = default;
};

/// Counts. `sayings` holds electors only and names only `questions`.
[[nodiscard]] Outcome judge(const std::vector<MemberId>& electors, const Questions& questions,
                            const Sayings& sayings, const RoundRules& rules = {});

/// Whether the charter's rule holds for a question; more than half in one round is asked besides.
[[nodiscard]] bool rule_holds(const std::vector<MemberId>& electors, const Question& question,
                              const Count& count);

}  // namespace kith
