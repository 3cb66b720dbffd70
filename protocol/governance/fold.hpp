#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "protocol/keys/certificate.hpp"
#include "protocol/log/witness.hpp"
#include "protocol/schema/record_codec.hpp"

/// History folded to members and decisions: one chain from Founding (docs/GOVERNANCE). Pure: no
/// clock, no order of arrival; the chain only grows, and is the same from the same logs.
namespace kith {

struct MemberState {
  Profile profile;           ///< As admitted; a later Profile record may replace it in views.
  Certificate certificate;   ///< As admitted; later ones are in the member's own log.
  Bytes certificate_statement;
  DecisionId admitted_by;    ///< Founding for the founder.
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

/// How one proposal on the newest decision stands, for people and for the daemon's duties.
struct ProposalStanding {
  RecordId id;
  MemberId proposer;
  Proposal proposal;
  bool valid = true;           ///< Has an effect and leaves an elector.
  Rule rule;                   ///< The strictest of its effects.
  std::map<MemberId, Consent::Word> words;  ///< Each elector's newest word that counts.
  std::uint32_t highest_round = 0;
  std::vector<std::uint32_t> passed_in;     ///< Rounds, ascending.
  std::set<MemberId> seen_by;
  std::string explanation;     ///< Why it has not passed yet, in a board secretary's words.
};

class GovernanceFold {
 public:
  /// `founder_certificate` is the statement at leaf 1 of the founder's commons. Errors if Founding's
  /// record or the certificate does not verify (bad_signature) or do not belong together.
  [[nodiscard]] static Result<GovernanceFold> begin(BytesView founding_text,
                                                    BytesView founder_certificate);

  /// Decides as far as `logs` allow. Returns how many decisions were added.
  std::size_t advance(const GovernanceLogs& logs);

  [[nodiscard]] const NetworkState& state() const { return states_.back(); }
  /// The decisions from Founding on.
  [[nodiscard]] const std::vector<NetworkState>& history() const { return states_; }
  [[nodiscard]] const NetworkState* state_after(const DecisionId& decision) const;
  [[nodiscard]] const MemberId& founder() const { return founder_; }

  /// The proposals on the newest decision, in order of id.
  [[nodiscard]] std::vector<ProposalStanding> open_proposals(const GovernanceLogs& logs) const;
  /// What `self`'s daemon must log by itself now: one Seen at most (docs/GOVERNANCE).
  [[nodiscard]] std::optional<Seen> seen_due(const GovernanceLogs& logs,
                                             const MemberId& self) const;
  /// The round in which `self` should agree to `proposal` now: 1, or higher if it is stuck.
  [[nodiscard]] std::uint32_t round_for(const GovernanceLogs& logs, const MemberId& self,
                                        const RecordId& proposal) const;

 private:
  std::vector<NetworkState> states_;
  MemberId founder_;
};

/// The state after `proposal` on `before`. Nothing if it is void there: no effect, an unknown or
/// repeated subject, a certificate that fails, no elector left.
[[nodiscard]] std::optional<NetworkState> apply(const NetworkState& before, const RecordId& id,
                                                const Proposal& proposal);
/// The strictest rule of a proposal's effects under `charter`.
[[nodiscard]] Rule strictest_rule(const Charter& charter, const Proposal& proposal);

}  // namespace kith
