#include <algorithm>

#include "protocol/base/limits.hpp"
#include "protocol/governance/fold.hpp"
#include "protocol/keys/space_key.hpp"

namespace kith {

namespace {

/// Does one effect after the other. Each answers whether it had its effect.
class Doing {
 public:
  Doing(NetworkState& state, const RecordId& decision) : state_(state), decision_(decision) {}

  bool operator()(const Admit& admit) {
    const auto certificate = verify_certificate(admit.certificate);
    if (!certificate || certificate->network != state_.network) return false;
    const MemberId& member = certificate->member;
    if (!first_touch(member) || state_.members.contains(member)) return false;
    state_.parted.erase(member);
    state_.members.emplace(
        member, MemberState{admit.profile, *certificate, admit.certificate, decision_, false});
    return true;
  }

  bool operator()(const Part& part) {
    if (!first_touch(part.member) || state_.members.erase(part.member) == 0) return false;
    state_.parted.insert(part.member);
    return true;
  }

  bool operator()(const Pause& pause) { return set_paused(pause.member, true); }
  bool operator()(const Resume& resume) { return set_paused(resume.member, false); }

  bool operator()(const ChangeCharter& change) {
    if (charter_changed_ || change.charter == state_.charter) return false;
    charter_changed_ = true;
    state_.charter = change.charter;
    return true;
  }

 private:
  bool first_touch(const MemberId& member) { return touched_.insert(member).second; }

  bool set_paused(const MemberId& member, bool paused) {
    const auto found = state_.members.find(member);
    if (!first_touch(member) || found == state_.members.end()) return false;
    if (found->second.paused == paused) return false;
    found->second.paused = paused;
    return true;
  }

  NetworkState& state_;
  const RecordId& decision_;
  std::set<MemberId> touched_;
  bool charter_changed_ = false;
};

Rule rule_of(const Charter& charter, const Effect& effect) {
  if (std::holds_alternative<Admit>(effect)) return charter.admit;
  if (std::holds_alternative<Part>(effect)) return charter.part;
  if (std::holds_alternative<ChangeCharter>(effect)) return charter.charter;
  return Rule{};  // Pausing and resuming: nobody silent may block them.
}

bool is_stricter(const Rule& a, const Rule& b) {
  if (a.form == Rule::Form::k_of_n && b.form == Rule::Form::k_of_n) return a.k > b.k;
  return a.form > b.form;  // all > k_of_n > majority, as they are declared.
}
static_assert(Rule::Form::all > Rule::Form::k_of_n && Rule::Form::k_of_n > Rule::Form::majority);

}  // namespace

std::vector<MemberId> NetworkState::electors() const {
  std::vector<MemberId> electors;
  for (const auto& [id, member] : members) {
    if (!member.paused) electors.push_back(id);
  }
  return electors;
}

std::vector<MemberId> NetworkState::commons_witnesses(const MemberId& member) const {
  std::vector<WitnessCandidate> others;
  for (const auto& [id, other] : members) {
    if (id != member && !other.paused) others.push_back({id, other.admitted_by});
  }
  return witnesses_of(log_id(network, member, commons), std::move(others));
}

std::optional<NetworkState> apply(const NetworkState& before, const RecordId& id,
                                  const Proposal& proposal) {
  if (proposal.basis != before.decision) return std::nullopt;
  if (proposal.effects.empty() || proposal.effects.size() > limits::effects_max) {
    return std::nullopt;
  }

  NetworkState after = before;
  after.decision = id;
  Doing doing(after, id);
  for (const Effect& effect : proposal.effects) {
    if (!std::visit(doing, effect)) return std::nullopt;
  }
  if (after.electors().empty() || after.members.size() > limits::members_max) return std::nullopt;
  return after;
}

Rule strictest_rule(const Charter& charter, const Proposal& proposal) {
  Rule strictest;
  for (const Effect& effect : proposal.effects) {
    const Rule rule = rule_of(charter, effect);
    if (is_stricter(rule, strictest)) strictest = rule;
  }
  return strictest;
}

}  // namespace kith
