// Joining, decisions, and what this daemon must log by itself: Seen and KeyGrant.
#include "daemon/replica_impl.hpp"
#include "daemon/transport/address.hpp"
#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/keys/space_key.hpp"
#include "storage/packing.hpp"

namespace kith::daemon {
namespace {

/// Of what a sponsor says while one waits.
constexpr std::size_t said_bytes_max = 300;

}  // namespace

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

// ---- joining: the sponsor's side
// -----------------------------------------------------------------

void Replica::Impl::candidate_message(PeerId id, peer::Message& message) {
  PeerState& peer = peers.at(id);
  peer.heard = host.now();
  if (const auto* granted = std::get_if<peer::JoinGranted>(&message)) return joined(*granted, id);
  if (const auto* waiting = std::get_if<peer::JoinWaiting>(&message)) {
    if (const std::string said = one_line(waiting->said, said_bytes_max); said != joining_detail) {
      host.log_line("joining: " + said);
      joining_detail = said;
    }
    return;
  }
  const auto* request = std::get_if<peer::JoinRequest>(&message);
  if (std::holds_alternative<peer::Ping>(message) || std::holds_alternative<peer::Pong>(message)) {
    return;
  }
  if (request == nullptr || !peer.session.invitation) {
    return host.drop(id, fail(Errc::unrequested, "not what a join conversation holds"));
  }
  const auto certificate = verify_certificate(request->certificate);
  if (!certificate || certificate->network != me.network ||
      certificate->transport_key != peer.session.transport_key) {
    return host.drop(id, fail(Errc::bad_signature, "a candidate whose certificate does not fit"));
  }
  // Before the invitation counts as used: the same one serves again once they have another code.
  if (const std::string taken = code_taken(request->profile, certificate->member); !taken.empty()) {
    host.send(id, peer::encode(peer::JoinWaiting{
                      "the sponsor cannot propose you: " + taken +
                      ". Stop this daemon, and begin again in a new directory with another --code; "
                      "the invitation is still good"}));
    return;
  }
  const auto invitation =
      std::ranges::find(invitations, *peer.session.invitation, &InvitationState::secret);
  if (invitation == invitations.end() ||
      (invitation->used_by && *invitation->used_by != peer.session.transport_key)) {
    return host.drop(id, fail(Errc::stale, "an invitation that somebody else used"));
  }
  // One invitation, one candidate: who holds it must not fill our memory and disk with members.
  const auto other = std::ranges::find_if(candidates, [&](const auto& candidate) {
    return candidate.first != certificate->member &&
           candidate.second.certificate.transport_key == certificate->transport_key;
  });
  if (other != candidates.end() ||
      (peer.candidate_member && *peer.candidate_member != certificate->member)) {
    return host.drop(id, fail(Errc::conflict, "a second candidate with one invitation"));
  }
  peer.candidate_member = certificate->member;
  const bool is_new = !invitation->used_by.has_value();
  invitation->used_by = peer.session.transport_key;
  if (!candidates.contains(certificate->member)) {
    candidates[certificate->member] = {*request, *certificate, host.now()};
    host.log_line("a candidate waits for a proposal: " + one_line(request->profile.code, 16) + " " +
                  one_line(request->profile.name, 80));
  }
  const auto answer = [this](const std::optional<Error>&) { grant_candidates(); };
  if (is_new) {
    save_invitations(answer);
  } else {
    answer(std::nullopt);
  }
}

void Replica::Impl::grant_candidates() {
  if (!fold) return;
  for (const auto& [id, peer] : peers) {
    if (!peer.candidate_member) continue;
    const auto& members = fold->state().members;
    if (!members.contains(*peer.candidate_member)) {
      host.send(id, peer::encode(peer::JoinWaiting{
                        "the sponsor knows you; the members have not decided yet"}));
    } else if (me.network_secret && !space_keys.empty()) {
      host.send(id, peer::encode(peer::JoinGranted{fold->state().decision, *me.network_secret,
                                                   space_keys.front().g, space_keys.front().r}));
    }
  }
  std::erase_if(candidates, [&](const auto& candidate) {
    return fold->state().members.contains(candidate.first);
  });
}

void Replica::Impl::invite(const local::InviteRequest& request,
                           std::function<void(local::Answer)> answer) {
  if (!fold || !fold->state().members.contains(me.member)) {
    return answer(
        local::Refusal{Errc::unavailable, "this daemon is not a member yet: only members invite"});
  }
  if (space_keys.empty()) {
    return answer(local::Refusal{Errc::unavailable, "this daemon has no key of the commons yet"});
  }
  const std::vector<std::string> addresses =
      request.addresses.empty() ? profile_of(me.member).addresses : request.addresses;
  for (const std::string& address : addresses) {
    const auto parsed = transport::parse_host_port(address);
    if (!parsed) return answer(local::Refusal{parsed.error().code, parsed.error().detail});
    if (parsed->port == 0) {
      return answer(local::Refusal{Errc::usage, address + ": others cannot dial port 0"});
    }
  }
  if (addresses.empty()) {
    return answer(local::Refusal{
        Errc::usage,
        "your daemon's profile names no address, so whoever is invited could not reach it: name "
        "the one at which it listens, kith invite --address HOST:PORT"});
  }
  std::erase_if(invitations, [&](const InvitationState& one) { return one.expires <= host.now(); });
  if (invitations.size() >= limits::invitations_max) {
    return answer(local::Refusal{Errc::too_large,
                                 "64 invitations are open: wait until one expires (30 days each)"});
  }
  InvitationState made;
  host.random(made.secret.bytes);
  made.expires = host.now() + limits::invitation_ms;
  invitations.push_back(made);
  const Invitation invitation{me.network,     fold->state().charter.name,
                              me.member,      dh_public(me.transport_key),
                              addresses,      made.secret,
                              made.expires,   fold->state().decision,
                              fold->founder()};
  save_invitations([=](const std::optional<Error>& failure) {
    if (failure) return answer(local::Refusal{failure->code, failure->detail});
    answer(local::InviteAnswer{encode_invitation(invitation), invitation.expires});
  });
}

void Replica::Impl::save_invitations(std::function<void(const std::optional<Error>&)> done) {
  std::erase_if(invitations, [&](const InvitationState& invitation) {
    return invitation.expires <= host.now();
  });
  std::vector<std::pair<Bytes, Bytes>> rows;
  rows.emplace_back(invitations_key(), encode_invitations(invitations));
  for (const auto& [member, candidate] : candidates) {
    rows.emplace_back(candidate_key(member), encode_candidate(candidate));
  }
  write(
      [rows = std::move(rows)](storage::WriteTxn& txn, storage::HighWaterMarks&) {
        for (const auto& [key, value] : rows) txn.put(storage::Table::waiting, key, value);
      },
      std::move(done));
}

void Replica::Impl::load_invitations(const storage::ReadTxn& txn) {
  // A damaged row costs one invitation or one candidate, who will ask again.
  if (const auto row = txn.get(storage::Table::waiting, invitations_key())) {
    if (auto kept = decode_invitations(*row)) invitations = std::move(*kept);
  }
  const Bytes prefix = candidates_prefix();
  Bytes key = prefix;
  while (const auto row = txn.at_or_after(storage::Table::waiting, key)) {
    if (!storage::begins_with(row->key, prefix)) break;
    if (auto candidate = decode_candidate(row->key, row->value)) {
      candidates[candidate->certificate.member] = std::move(*candidate);
    }
    key = to_bytes(row->key);
    key.push_back(0);
  }
}

// ---- joining: the candidate's side
// ---------------------------------------------------------------

void Replica::Impl::joined(const peer::JoinGranted& granted, PeerId from) {
  if (me.network_secret) return;  // Said twice.
  me.network_secret = granted.network_secret;
  me.commons_keys = SpaceKeys{granted.space_key_g, granted.space_key_r};
  me.decision = granted.decision;
  host.save(me);
  host.log_line("admitted: taking over the network's logs");
  add_space_keys(*me.commons_keys);
  follow(commons_log(me.founder), me.founder);
  host.drop(from, fail(Errc::unavailable, "the join conversation is over"));
  host.wake_dialer();
}

}  // namespace kith::daemon
