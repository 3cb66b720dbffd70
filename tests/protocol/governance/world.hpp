#pragma once

#include <random>
#include <unordered_map>

#include "tests/protocol/governance/builders.hpp"

/// A small network at random: members that propose, agree, object and log Seens on partial views,
/// and one liar that writes anything and forks its log.
namespace kith::testing {

struct WorldSettings {
  std::uint64_t seed = 0;
  RoundRules rounds{};             ///< Mutated in negative controls.
  bool agreed_only = true;         ///< The same.
  std::size_t members = 0;         ///< 0: three to six.
  std::size_t proposals_max = 40;  ///< Few make rivals of them.
  double careless = -1;            ///< How often the honest write at random; below 0: it varies.
  /// Five members. The liar keeps two logs and takes part with the first two members in one and
  /// with the other two in the other; neither pair hears of the other.
  bool split = false;
  /// Roles given to the persons in turn. No answer may depend on them.
  std::vector<std::string> roles = {"trust", "trust", "commissioner", "secretary"};
};

/// What one world came to.
struct WorldReport {
  std::vector<DecisionId> chain;     ///< Of everything written, at the end.
  std::vector<std::string> answers;  ///< What duties and standings were, for comparing worlds.
  std::size_t views = 0;
  std::size_t forks = 0;
  bool two_agreed_branches = false;  ///< Too many liars among few witnesses: nothing is promised.
  std::size_t views_off_the_chain = 0;
  std::size_t lagging = 0;           ///< Folds that grew with their view and missed something.
  std::size_t late_word_probes = 0;  ///< P4: words of parted members.
  std::size_t late_word_changes = 0;
  std::size_t go_on_probes = 0;  ///< P5: all but at most one honest member, the liar silent.
  std::size_t stuck = 0;
};

class World {
 public:
  static constexpr std::size_t names = 8;

  explicit World(const WorldSettings& settings);
  [[nodiscard]] WorldReport run();

 private:
  struct Branch {
    std::vector<GovernanceEntry> entries;
    std::map<std::size_t, std::uint64_t> cosigned;
  };
  struct Held {
    std::size_t branch = 0;
    std::uint64_t size = 0;
    std::map<std::size_t, std::uint64_t> cosigned;
  };
  /// What one daemon holds of each member's log.
  using View = std::vector<Held>;

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool chance(double p) { return static_cast<double>(below(1'000'000)) < p * 1'000'000; }

  // What happens.
  void deliver(View& view, std::size_t keep_own);
  /// `face` is 1 for what a splitting liar writes on its second branch.
  void act_honestly(std::size_t who, std::size_t face = 0);
  [[nodiscard]] static std::size_t side_of(std::size_t who) { return who / 2; }
  void act_on_a_side(std::size_t who);
  void act_at_random(std::size_t who, bool may_fork);
  void cosign(std::size_t who);
  [[nodiscard]] RecordId choose(const std::vector<ProposalStanding>& open, std::size_t who,
                                std::size_t face, const GovernanceFold& fold);
  [[nodiscard]] Effect any_effect(const NetworkState& state);

  // What is written.
  RecordId propose(std::size_t who, std::size_t branch, const DecisionId& basis, Effect effect);
  void say(std::size_t who, std::size_t branch, const RecordId& id, Consent::Word word,
           std::uint32_t round);
  void see(std::size_t who, std::size_t branch, const Seen& seen);
  void add(std::size_t who, std::size_t branch, const RecordId& id,
           std::variant<Proposal, Consent, Seen> said);

  // What is seen of it.
  [[nodiscard]] GovernanceLogs logs_of(const View& view) const;
  [[nodiscard]] View whole(std::size_t branch) const;
  [[nodiscard]] GovernanceFold begin() const;
  [[nodiscard]] GovernanceFold folded(const View& view) const;
  [[nodiscard]] GovernanceFold folded_whole() const;
  [[nodiscard]] std::uint64_t common(std::size_t who) const;
  /// Whether a branch of the liar's log is agreed beyond the fork on any decision of `fold`.
  [[nodiscard]] bool is_agreed(std::size_t branch, const GovernanceFold& fold) const;
  [[nodiscard]] bool has_two_agreed_branches(const GovernanceFold& fold) const;

  // What is checked at the end.
  void compare(const std::vector<DecisionId>& chain, WorldReport& report);
  void probe_late_words(WorldReport& report);
  void probe_going_on(WorldReport& report);
  bool go_on(const std::vector<std::size_t>& live, std::size_t decisions);
  void note_answers(WorldReport& report) const;

  WorldSettings settings_;
  std::mt19937_64 random_;
  std::size_t members_ = 0;
  std::size_t liar_ = 0;
  bool careless_ = false;   // Everyone writes at random now and then.
  bool two_faced_ = false;  // The liar behaves well half of the time.
  NetworkState first_;
  std::vector<std::vector<Branch>> logs_;
  std::vector<View> views_;
  std::vector<GovernanceFold> folds_;  // One for each daemon; it advances as its view grows.
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> side_;  // Cosigner, owner: branch.
  std::vector<std::pair<RecordId, DecisionId>> proposals_;
  std::size_t written_ = 0;
  mutable std::unordered_map<RecordId, std::optional<NetworkState>> applied_;
  std::vector<std::vector<DecisionId>> seen_chains_;
};

}  // namespace kith::testing
