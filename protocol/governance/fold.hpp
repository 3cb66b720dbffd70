#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include "protocol/governance/round.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/log/witness.hpp"
#include "protocol/schema/record_codec.hpp"

/// History folded to members and decisions: one chain from Founding (docs/GOVERNANCE). Pure: no
/// clock, no order of arrival; the chain only grows, and is the same from the same logs.
namespace kith {

struct MemberState {
  Profile profile;          ///< As admitted; a later Profile record may replace it in views.
  Certificate certificate;  ///< As admitted; later ones are in the member's own log.
  Bytes certificate_statement;
  DecisionId admitted_by;  ///< Founding for the founder.
  bool paused = false;
};

/// The network after one decision.
struct NetworkState {
  NetworkId network;
  DecisionId decision;  ///< The newest; Founding at first.
  Charter charter;
  std::map<MemberId, MemberState> members;  ///< With the paused.
  std::set<MemberId> parted;                ///< Were members, are no more.

  [[nodiscard]] std::vector<MemberId> electors() const;  ///< The members without the paused.
  /// The witnesses of `member`'s commons log for what is based on this decision.
  [[nodiscard]] std::vector<MemberId> commons_witnesses(const MemberId& member) const;
};

/// What one member's commons log says in matters of governance, in order of index. Everything here
/// has passed class, network, log, signature and scope; what failed is void and left out.
struct GovernanceEntry {
  std::uint64_t index = 0;
  RecordId id;
  std::variant<Proposal, Consent, Seen> said;
};
struct GovernanceLog {
  MemberId member;
  /// Every `c` and `g` payload before this index is held and judged.
  std::uint64_t complete = 0;
  std::vector<GovernanceEntry> entries;
  /// The largest size of this log that each witness cosigned.
  std::map<MemberId, std::uint64_t> cosigned;
};
using GovernanceLogs = std::map<MemberId, GovernanceLog>;

/// The state after `proposal` on `before`. Nothing if it is void there: no effect, an unknown or
/// repeated subject, a certificate that fails, no elector left.
[[nodiscard]] std::optional<NetworkState> apply(const NetworkState& before, const RecordId& id,
                                                const Proposal& proposal);
/// The strictest rule of a proposal's effects under `charter`.
[[nodiscard]] Rule strictest_rule(const Charter& charter, const Proposal& proposal);

/// How one proposal on the newest decision stands, for people and for the daemon's duties.
struct ProposalStanding {
  RecordId id;
  MemberId proposer;
  Proposal proposal;
  bool valid = true;    ///< Has an effect and leaves an elector.
  bool agreed = false;  ///< Its own entry lies below the agreed size of its log: safe to speak on.
  Rule rule;            ///< The strictest of its effects.
  std::map<MemberId, Consent::Word> words;  ///< Each elector's newest word that counts.
  /// The newest round in which each agreed, whatever they said since.
  std::map<MemberId, std::uint32_t> agreed_in;
  std::vector<std::uint32_t> passed_in;  ///< Rounds, ascending.
  std::set<MemberId> seen_by;
  std::string explanation;  ///< Why it has not passed yet, in a board secretary's words.
};

/// One member's own words on a proposal, whether the others have cosigned them yet or not.
struct OwnStanding {
  std::uint32_t round = 1;      ///< In which its agreement should be given now.
  std::uint32_t agreed_in = 0;  ///< The newest in which it agreed; 0: never.
  /// Its newest word: an agreement belongs to its round and is none in a later one, the other words
  /// to none.
  std::optional<Consent::Word> word;
  bool is_asked = false;  ///< Whether people should be asked for a word now.

  [[nodiscard]] bool has_agreed_now() const { return agreed_in != 0 && agreed_in >= round; }
};

/// What a negative control in a test may switch off or replace. A daemon takes the defaults.
struct FoldRules {
  RoundRules rounds;
  bool agreed_only = true;  ///< What no more than half of the witnesses hold does not count.
  std::function<std::optional<NetworkState>(const NetworkState&, const RecordId&, const Proposal&)>
      apply = kith::apply;
};

/// The chain of decisions, and what was learnt on the way so that advance() reads only what is new.
///
/// Between two calls logs only grow: entries are appended, `complete` and `cosigned` rise. When a
/// log was cut and continued otherwise, begin anew. Not thread-safe.
class GovernanceFold {
 public:
  /// `founder_certificate` is the statement at leaf 1 of the founder's commons. Errors if
  /// Founding's record or the certificate does not verify (bad_signature) or do not belong together
  /// (conflict).
  [[nodiscard]] static Result<GovernanceFold> begin(BytesView founding_text,
                                                    BytesView founder_certificate,
                                                    FoldRules rules = {});
  /// Begins at any state. For tests.
  GovernanceFold(NetworkState first, const MemberId& founder, FoldRules rules = {});

  /// Decides as far as `logs` allow. Returns how many decisions were added. Costs what lies on the
  /// newest decision and what is new, not all of history.
  std::size_t advance(const GovernanceLogs& logs);

  [[nodiscard]] const NetworkState& state() const { return states_.back(); }
  /// The decisions from Founding on.
  [[nodiscard]] const std::vector<NetworkState>& history() const { return states_; }
  /// Nothing if `decision` is not in the chain.
  [[nodiscard]] const NetworkState* state_after(const DecisionId& decision) const;
  [[nodiscard]] const MemberId& founder() const { return founder_; }

  // `logs` below are those of the last advance().

  /// The proposals on the newest decision, in order of id.
  [[nodiscard]] std::vector<ProposalStanding> open_proposals(const GovernanceLogs& logs) const;
  /// What `self`'s daemon must log by itself now: one Seen at most (docs/GOVERNANCE).
  [[nodiscard]] std::optional<Seen> seen_due(const GovernanceLogs& logs,
                                             const MemberId& self) const;
  /// The round in which `self` should agree to `proposal` now: 1, or higher if it is stuck. A round
  /// in which it has agreed to it already means that it has nothing to add: others have.
  [[nodiscard]] std::uint32_t round_for(const GovernanceLogs& logs, const MemberId& self,
                                        const RecordId& proposal) const;
  /// What `self` said of a proposal, and whether it should be asked. `standing` is of
  /// open_proposals().
  [[nodiscard]] OwnStanding own_standing(const GovernanceLogs& logs, const MemberId& self,
                                         const ProposalStanding& standing) const;

 private:
  struct HeldProposal {
    MemberId proposer;
    std::uint64_t index = 0;  // In the proposer's log.
    Proposal proposal;
  };
  struct OwnWords {
    std::uint32_t top = 0;                        // Highest round of an agreement or a Seen.
    std::map<std::uint32_t, RecordId> agreed_in;  // The first of each round.
    std::set<std::pair<RecordId, std::uint32_t>> seen;
  };

  void learn(const GovernanceLogs& logs);
  void learn(const RecordId& id, const HeldProposal& held);
  void judge_new_proposals();
  bool decide_one(const GovernanceLogs& logs);
  void close_basis(const GovernanceLogs& logs, const RecordId& decided);
  void remember_witnesses(const GovernanceLogs& logs);

  [[nodiscard]] std::size_t first_open(const MemberId& member) const;
  [[nodiscard]] std::uint64_t usable_size(const MemberId& member, const GovernanceLog& log) const;
  [[nodiscard]] std::vector<Said> usable_words(const MemberId& member,
                                               const GovernanceLog& log) const;
  [[nodiscard]] Sayings sayings(const GovernanceLogs& logs) const;
  [[nodiscard]] bool is_on_newest(const RecordId& proposal) const;
  [[nodiscard]] OwnWords own_words(const GovernanceLogs& logs, const MemberId& self) const;

  FoldRules rules_;
  MemberId founder_;
  std::vector<NetworkState> states_;
  std::map<DecisionId, std::size_t> position_;  // Of each decision in states_.

  // Proposals are content-addressed: once held, known for good.
  std::map<RecordId, HeldProposal> open_;    // Their basis is the newest decision or not known yet.
  std::unordered_set<RecordId> closed_;      // Their basis has its decision.
  std::map<MemberId, std::size_t> read_;     // Entries searched for proposals, of each log.
  std::map<MemberId, std::size_t> settled_;  // Agreed entries that speak of closed bases only.

  // On the newest decision.
  std::set<RecordId> judged_;
  Questions questions_;  // The valid ones among the judged.
  std::map<MemberId, std::vector<MemberId>> witnesses_;
};

}  // namespace kith
