#include "protocol/governance/fold.hpp"

#include <algorithm>

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/records/record.hpp"

namespace kith {

namespace {

/// What an entry says on a proposal; nothing if it is a proposal itself.
std::optional<Said> said_in(const GovernanceEntry& entry) {
  if (const auto* consent = std::get_if<Consent>(&entry.said)) {
    const auto what = consent->word == Consent::Word::agree         ? Said::What::agree
                      : consent->word == Consent::Word::stand_aside ? Said::What::stand_aside
                                                                    : Said::What::object;
    return Said{what, consent->proposal, consent->round};
  }
  if (const auto* seen = std::get_if<Seen>(&entry.said)) {
    return Said{Said::What::seen, seen->proposal, seen->round};
  }
  return std::nullopt;
}

/// The record of Founding and who signed it, checked as far as it stands alone.
Result<VerifiedRecord> open_founding(BytesView text, NetworkId& network) {
  const auto payload = decode_text(text);
  if (!payload) return fail(payload.error(), "reading Founding");
  const auto* signed_record = std::get_if<SignedRecord>(&*payload);
  if (signed_record == nullptr) return fail(Errc::malformed, "Founding is not a record");

  // Founding names no network and no log: its own id is the network.
  BatchVerifier verifier;
  auto verified = verifier.verify(*signed_record, NetworkId{}, LogId{});
  if (!verified) return fail(verified.error(), "checking Founding");
  if (verified->record.kind != "founding")
    return fail(Errc::malformed, "the first record is no Founding");
  network = NetworkId::from(verified->id.view());
  return verified;
}

}  // namespace

Result<GovernanceFold> GovernanceFold::begin(BytesView founding_text, BytesView founder_certificate,
                                             FoldRules rules) {
  NetworkState state;
  const auto opened = open_founding(founding_text, state.network);
  if (!opened) return opened.error();
  const Record& record = opened->record;
  const auto founding = decode_founding(record.body);
  if (!founding) return fail(founding.error(), "reading Founding");

  // The member id is the recovery key, and Founding is the one record that this key signs.
  const MemberId founder = MemberId::from(record.author.view());
  const auto certificate = verify_certificate(founder_certificate, founder);
  if (!certificate) return fail(certificate.error(), "checking the founder's certificate");
  if (certificate->network != state.network) {
    return fail(Errc::conflict, "the founder's certificate names another network");
  }

  state.decision = DecisionId::from(state.network.view());
  state.charter = founding->charter;
  state.members.emplace(founder, MemberState{founding->profile, *certificate,
                                             to_bytes(founder_certificate), state.decision, false});
  return GovernanceFold(std::move(state), founder, std::move(rules));
}

GovernanceFold::GovernanceFold(NetworkState first, const MemberId& founder, FoldRules rules)
    : rules_(std::move(rules)), founder_(founder) {
  position_.emplace(first.decision, 0);
  states_.push_back(std::move(first));
}

const NetworkState* GovernanceFold::state_after(const DecisionId& decision) const {
  const auto found = position_.find(decision);
  return found == position_.end() ? nullptr : &states_[found->second];
}

std::size_t GovernanceFold::advance(const GovernanceLogs& logs) {
  const std::size_t before = states_.size();
  learn(logs);
  while (decide_one(logs)) {
  }
  return states_.size() - before;
}

void GovernanceFold::learn(const GovernanceLogs& logs) {
  for (const auto& [member, log] : logs) {
    std::size_t& read = read_[member];
    if (log.entries.size() < read) {  // Not what was promised; reading again is always safe.
      read = 0;
      settled_.erase(member);
    }
    for (; read < log.entries.size() && log.entries[read].index < log.complete; ++read) {
      const GovernanceEntry& entry = log.entries[read];
      const auto* proposal = std::get_if<Proposal>(&entry.said);
      if (proposal != nullptr) learn(entry.id, {member, entry.index, *proposal});
    }
  }
}

void GovernanceFold::learn(const RecordId& id, const HeldProposal& held) {
  if (closed_.contains(id)) return;
  const auto basis = position_.find(held.proposal.basis);
  if (basis != position_.end() && basis->second + 1 < states_.size()) {
    closed_.insert(id);
  } else {
    open_.emplace(id, held);
  }
}

void GovernanceFold::judge_new_proposals() {
  for (const auto& [id, held] : open_) {
    if (held.proposal.basis != state().decision || !judged_.insert(id).second) continue;
    if (!rules_.apply(state(), id, held.proposal)) continue;

    Question question{strictest_rule(state().charter, held.proposal), {}};
    for (const Effect& effect : held.proposal.effects) {
      if (const auto* part = std::get_if<Part>(&effect)) question.subjects.insert(part->member);
      if (const auto* pause = std::get_if<Pause>(&effect)) question.subjects.insert(pause->member);
    }
    questions_.emplace(id, std::move(question));
  }
}

bool GovernanceFold::decide_one(const GovernanceLogs& logs) {
  judge_new_proposals();
  if (questions_.empty()) return false;
  remember_witnesses(logs);
  const Outcome outcome = judge(state().electors(), questions_, sayings(logs), rules_.rounds);
  if (outcome.decided.empty()) return false;
  // Whatever the logs say: a second one would have to pass against the locks of the first's Seens.
  KITH_CHECK(outcome.decided.size() == 1 || rules_.rounds != RoundRules{});
  close_basis(logs, *outcome.decided.begin());
  return true;
}

void GovernanceFold::close_basis(const GovernanceLogs& logs, const RecordId& decided) {
  std::map<MemberId, std::uint64_t> agreed;  // On the basis that ends; agreed once is for good.
  for (const MemberId& elector : state().electors()) {
    const auto log = logs.find(elector);
    if (log == logs.end() || first_open(elector) >= log->second.entries.size()) continue;
    agreed.emplace(elector, usable_size(elector, log->second));
  }

  auto after = rules_.apply(state(), decided, open_.at(decided).proposal);
  KITH_CHECK(after.has_value());
  position_.emplace(decided, states_.size());
  states_.push_back(std::move(*after));

  std::erase_if(open_, [&](const auto& held) {
    const auto basis = position_.find(held.second.proposal.basis);
    const bool closed = basis != position_.end() && basis->second + 1 < states_.size();
    if (closed) closed_.insert(held.first);
    return closed;
  });
  judged_.clear();
  questions_.clear();
  witnesses_.clear();

  for (const auto& [elector, size] : agreed) {
    const std::vector<GovernanceEntry>& entries = logs.at(elector).entries;
    std::size_t& settled = settled_[elector];
    for (; settled < entries.size() && entries[settled].index < size; ++settled) {
      const auto said = said_in(entries[settled]);
      if (said && !closed_.contains(said->proposal)) break;
    }
  }
}

void GovernanceFold::remember_witnesses(const GovernanceLogs& logs) {
  for (const MemberId& elector : state().electors()) {
    const auto log = logs.find(elector);
    if (log == logs.end() || first_open(elector) >= log->second.entries.size()) continue;
    if (witnesses_.contains(elector)) continue;
    witnesses_.emplace(elector, state().commons_witnesses(elector));
  }
}

std::size_t GovernanceFold::first_open(const MemberId& member) const {
  const auto settled = settled_.find(member);
  return settled == settled_.end() ? 0 : settled->second;
}

std::uint64_t GovernanceFold::usable_size(const MemberId& member, const GovernanceLog& log) const {
  if (!rules_.agreed_only) return log.complete;
  const auto known = witnesses_.find(member);
  const std::vector<MemberId> witnesses =
      known != witnesses_.end() ? known->second : state().commons_witnesses(member);
  return std::min(log.complete, agreed_size(witnesses, log.cosigned, log.complete));
}

std::vector<Said> GovernanceFold::usable_words(const MemberId& member,
                                               const GovernanceLog& log) const {
  std::vector<Said> words;
  std::size_t next = first_open(member);
  if (next >= log.entries.size()) return words;

  const std::uint64_t size = usable_size(member, log);
  for (; next < log.entries.size() && log.entries[next].index < size; ++next) {
    const auto said = said_in(log.entries[next]);
    if (!said) continue;
    // What it speaks of may be on this basis: what follows can be judged only when it is held.
    if (!closed_.contains(said->proposal) && !open_.contains(said->proposal)) break;
    const bool has_round = said->round >= 1 && said->round <= limits::round_max;
    if (has_round && questions_.contains(said->proposal)) words.push_back(*said);
  }
  return words;
}

Sayings GovernanceFold::sayings(const GovernanceLogs& logs) const {
  Sayings sayings;
  for (const MemberId& elector : state().electors()) {
    const auto log = logs.find(elector);
    if (log == logs.end()) continue;
    auto words = usable_words(elector, log->second);
    if (!words.empty()) sayings.emplace(elector, std::move(words));
  }
  return sayings;
}

}  // namespace kith
