// Decisions, and what this daemon must log by itself: Seen and KeyGrant.
#include "daemon/replica_impl.hpp"
#include "protocol/base/check.hpp"
#include "protocol/keys/space_key.hpp"

namespace kith::daemon {

bool Replica::Impl::fold_complete() const {
  return fold && fold->state_after(me.decision) != nullptr;
}

void Replica::Impl::govern() {
  if (!fold) {
    const auto log = logs.find(commons_log(me.founder));
    if (log == logs.end() || log->second.founding_text.empty() ||
        log->second.first_certificate.empty()) {
      return;
    }
    auto begun = GovernanceFold::begin(log->second.founding_text, log->second.first_certificate,
                                       options.fold_rules);
    if (!begun) {
      host.log_line("the founder's log does not found this network: " + begun.error().detail);
      return;
    }
    fold = std::move(*begun);
    members_changed();
  }
  const std::size_t decided = fold->advance(governance);
  if (decided != 0) members_changed();
  end_asking_if_answered();
  do_duties();
}

void Replica::Impl::members_changed() {
  name_members();
  for (const auto& [member, _] : fold->state().members) follow(commons_log(member), member);
  for (const MemberId& member : fold->state().parted) follow(commons_log(member), member);
  std::vector<LogId> ids;
  ids.reserve(logs.size());
  for (const auto& [id, _] : logs) ids.push_back(id);
  for (const LogId& id : ids) recompute_agreed(id);
  if (fold_complete()) save_agreed();
  cosign_all();
  grant_candidates();
  for (const auto& [id, peer] : peers) {
    const bool parted = peer.session.member && fold->state().parted.contains(*peer.session.member);
    if (parted) host.drop(id, fail(Errc::forbidden, "a member that has parted"));
  }
  host.wake_dialer();
}

void Replica::Impl::do_duties() {
  if (duty_pending || why_not_append() || !fold_complete() ||
      !fold->state().members.contains(me.member)) {
    return;
  }
  // Only what is judged can be counted: our own last word must be among it.
  const LogState& own = logs.at(own_log);
  if (own.judged < own.size) return;
  if (const auto seen = fold->seen_due(governance, me.member)) {
    return append_by_daemon(LeafClass::governance, "seen", encode(*seen));
  }
  if (const auto grant = grant_due()) {
    append_by_daemon(LeafClass::clear, "keygrant", encode(*grant));
  }
}

void Replica::Impl::append_by_daemon(LeafClass leaf_class, const std::string& kind, Bytes body) {
  Record record;
  host.random(record.nonce.bytes);
  record.kind = kind;
  record.body = std::move(body);
  record.author = daemon_key.public_key();
  record.time = host.now();
  record.network = me.network;
  record.log = own_log;
  const auto batch = sign_batch(me.network, own_log, {encode(record)}, daemon_key);
  duty_pending = true;
  append_own({{leaf_class, encode_text(batch.front())}}, [this](const Result<Appended>& done) {
    duty_pending = false;
    if (!done) host.log_line("could not log what this daemon must: " + done.error().detail);
  });
}

std::optional<KeyGrant> Replica::Impl::grant_due() {
  if (space_keys.empty()) return std::nullopt;
  const SpaceKeys& keys = space_keys.front();
  const Hash key_id = space_key_id(me.network, commons, 'g', keys.g);
  const GovernanceLog& own = governance[me.member];
  const auto& history = fold->history();
  for (std::size_t i = 1; i < history.size(); ++i) {
    const NetworkState& state = history[i];
    const auto ours = std::ranges::any_of(own.entries, [&](const GovernanceEntry& entry) {
      return entry.id == state.decision && std::holds_alternative<Proposal>(entry.said);
    });
    if (!ours || logs.at(own_log).grants.contains({state.decision, key_id})) continue;
    std::vector<GrantReceiver> receivers;
    for (const auto& [member, now] : state.members) {
      if (now.admitted_by == state.decision) {
        receivers.push_back({member, now.certificate.sealing_key});
      }
    }
    if (receivers.empty()) continue;
    std::vector<Seed> ephemerals(receivers.size());
    for (Seed& seed : ephemerals) host.random(seed.bytes);
    return make_key_grant(me.network, commons, state.decision, keys, std::move(receivers),
                          ephemerals);
  }
  return grant_due_again();
}

std::optional<KeyGrant> Replica::Impl::grant_due_again() const {
  // Whoever let a rebuilt member in gave it the keys, and says so: one grant for each certificate.
  const SpaceKeys& keys = space_keys.front();
  const Hash key_id = space_key_id(me.network, commons, 'g', keys.g);
  for (const auto& [member, now] : fold->state().members) {
    const auto newest = newest_certificate(member);
    if (!newest || newest->number <= now.certificate.number) continue;
    const bool came_to_us = std::ranges::any_of(invitations, [&](const InvitationState& one) {
      return one.used_by == newest->transport_key;
    });
    const DecisionId basis = DecisionId::from(certificate_hash(*newest).view());
    if (!came_to_us || logs.at(own_log).grants.contains({basis, key_id})) continue;
    Seed ephemeral;
    host.random(ephemeral.bytes);
    return make_key_grant(me.network, commons, basis, keys, {{member, newest->sealing_key}},
                          {&ephemeral, 1});
  }
  return std::nullopt;
}

void Replica::Impl::add_space_keys(const SpaceKeys& keys) {
  if (std::ranges::find(space_keys, keys) != space_keys.end()) return;
  space_keys.insert(space_keys.begin(), keys);
  std::vector<LogId> ids;
  ids.reserve(logs.size());
  for (const auto& [id, _] : logs) ids.push_back(id);
  // In a moment: this may run in the middle of absorbing a batch.
  host.post([this, ids] {
    for (const LogId& id : ids) judge_more(id);
  });
}

}  // namespace kith::daemon
