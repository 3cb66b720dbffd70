// Joining: invitations, those who come with one, and our own way into a network.
#include "daemon/replica_impl.hpp"
#include "daemon/transport/address.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/keys/space_key.hpp"
#include "storage/packing.hpp"

namespace kith::daemon {
namespace {

/// Of what a sponsor says while one waits.
constexpr std::size_t said_bytes_max = 300;
/// Lines of the log about it, in one run: who lets others wait does not fill their disk.
constexpr std::size_t said_lines_max = 32;

}  // namespace

// ---- the sponsor's side ----

void Replica::Impl::candidate_message(PeerId id, peer::Message& message) {
  PeerState& peer = peers.at(id);
  peer.heard = host.now();
  if (std::holds_alternative<peer::Ping>(message)) return;
  if (peer.session.we_dialled) return sponsor_message(id, message);
  const auto* request = std::get_if<peer::JoinRequest>(&message);
  if (request == nullptr || !peer.session.invitation) {
    return host.drop(id, fail(Errc::unrequested, "not what a candidate says"));
  }
  const auto certificate = verify_certificate(request->certificate);
  if (!certificate || certificate->network != me.network ||
      certificate->transport_key != peer.session.transport_key) {
    return host.drop(id, fail(Errc::bad_signature, "a candidate whose certificate does not fit"));
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
  if (const auto why = why_not_taken_in(*request, *certificate)) {
    return refuse_candidate(id, *request, *why);
  }
  peer.candidate_member = certificate->member;
  const bool is_new = !invitation->used_by.has_value();
  invitation->used_by = peer.session.transport_key;
  const bool is_member = fold && fold->state().members.contains(certificate->member);
  if (is_member && !take_rebuilt(id, *certificate, request->certificate)) return;
  if (!is_member && !candidates.contains(certificate->member)) {
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

std::optional<NotTakenIn> Replica::Impl::why_not_taken_in(const peer::JoinRequest& request,
                                                          const Certificate& certificate) const {
  if (fold && fold->state().members.contains(certificate.member)) {
    return why_not_rebuilt(certificate);
  }
  // Whoever waits already is not turned away for what others did since.
  if (candidates.contains(certificate.member)) return std::nullopt;
  if (certificate.reason != Certificate::Reason::first) {
    return NotTakenIn{"no member with these recovery words is known here",
                      "rehearse the words (kithd recover --rehearse --member ID), and if they are "
                      "right, try again once this daemon knows all decisions"};
  }
  if (!holder_of(request.profile.code)) return std::nullopt;
  return NotTakenIn{"the code " + request.profile.code + " is taken",
                    "stop this daemon and begin again in a new directory with another --code"};
}

void Replica::Impl::refuse_candidate(PeerId id, const peer::JoinRequest& request,
                                     const NotTakenIn& no) {
  // The invitation does not count as used: it serves again. But it is no list of codes to try.
  PeerState& peer = peers.at(id);
  if (std::exchange(peer.refused, true)) {
    return host.drop(id, fail(Errc::conflict, "a candidate that was refused asks again"));
  }
  if (refused_with.insert(*peer.session.invitation).second) {
    host.log_line("a candidate was refused: " + one_line(request.profile.name, 80) + ": " + no.why);
  }
  host.send(id, peer::encode(peer::JoinWaiting{"you are not taken in: " + no.why + "; " +
                                               no.what_to_do + "; the invitation is still good"}));
}

void Replica::Impl::grant_candidates() {
  if (!fold) return;
  for (const auto& [id, peer] : peers) {
    if (!peer.candidate_member) continue;
    const auto& members = fold->state().members;
    if (!members.contains(*peer.candidate_member)) {
      const auto candidate = candidates.find(*peer.candidate_member);
      const bool is_taken = candidate != candidates.end() &&
                            holder_of(candidate->second.request.profile.code).has_value();
      host.send(id, peer::encode(peer::JoinWaiting{
                        is_taken ? "your code was given to another member meanwhile: ask the "
                                   "sponsor for a new invitation, and begin again with another code"
                                 : "the sponsor knows you; the members have not decided yet"}));
    } else if (me.network_secret && !space_keys.empty()) {
      host.send(id, peer::encode(peer::JoinGranted{fold->state().decision, *me.network_secret,
                                                   space_keys.front().g, space_keys.front().r}));
    }
  }
  forget_candidates();
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
  forget_candidates();
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
  // Those of members who may still have to come for their keys give way.
  const auto expired = std::ranges::find_if(
      invitations, [&](const InvitationState& one) { return one.expires <= host.now(); });
  const bool is_full = invitations.size() >= limits::invitations_max;
  if (is_full && expired != invitations.end()) invitations.erase(expired);
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

bool Replica::Impl::is_open(const InvitationState& invitation) const {
  if (invitation.expires > host.now()) return true;
  // Who was admitted in time may still have to come for the keys.
  const auto is_of_user = [&](const auto& member) {
    const auto newest = newest_certificate(member.first);
    return newest && newest->transport_key == invitation.used_by;
  };
  return invitation.used_by && invitation.expires + limits::invitation_ms > host.now() && fold &&
         std::ranges::any_of(fold->state().members, is_of_user);
}

void Replica::Impl::forget_candidates() {
  if (!fold) return;
  const auto forget = [&](const auto& is_gone) {
    std::erase_if(candidates, [&](const auto& candidate) {
      const bool gone = is_gone(candidate.second);
      if (gone) candidates_gone.push_back(candidate_key(candidate.first));
      return gone;
    });
  };
  forget([&](const CandidateState& candidate) {
    return fold->state().members.contains(candidate.certificate.member);
  });
  // Who was not admitted is known only once everything that is here has been judged.
  if (!fold_complete() || judging > 0 || !to_judge.empty()) return;
  std::erase_if(invitations, [&](const InvitationState& one) { return !is_open(one); });
  forget([&](const CandidateState& candidate) {
    // Without its invitation it cannot come back for what it waits for.
    return std::ranges::none_of(invitations, [&](const InvitationState& one) {
      return one.used_by == candidate.certificate.transport_key;
    });
  });
}

void Replica::Impl::save_invitations(std::function<void(const std::optional<Error>&)> done) {
  forget_candidates();
  std::vector<std::pair<Bytes, Bytes>> rows;
  rows.emplace_back(invitations_key(), encode_invitations(invitations));
  for (const auto& [member, candidate] : candidates) {
    rows.emplace_back(candidate_key(member), encode_candidate(candidate));
  }
  write(
      [rows = std::move(rows), gone = std::exchange(candidates_gone, {})](
          storage::WriteTxn& txn, storage::HighWaterMarks&) {
        for (const Bytes& key : gone) txn.erase(storage::Table::waiting, key);
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

// ---- the candidate's side ----

void Replica::Impl::sponsor_message(PeerId id, const peer::Message& message) {
  if (const auto* granted = std::get_if<peer::JoinGranted>(&message)) return joined(*granted, id);
  if (const auto* waiting = std::get_if<peer::JoinWaiting>(&message)) {
    return told_to_wait(one_line(waiting->said, said_bytes_max));
  }
  host.drop(id, fail(Errc::unrequested, "not what a sponsor says"));
}

void Replica::Impl::told_to_wait(const std::string& said) {
  if (said == sponsor_said) return;
  sponsor_said = said;
  if (sponsor_lines++ < said_lines_max) host.log_line("joining: " + said);
}

std::string Replica::Impl::joining_detail() const {
  if (me.network_secret) return "admitted; fetching the network's history";
  const std::string said = sponsor_said.empty() ? "has not reached its sponsor yet"
                                                : one_line(sponsor_said, said_bytes_max);
  const auto failed = dial_errors.find(me.invitation->sponsor);
  if (failed == dial_errors.end()) return said;
  const bool is_new = sponsor_said.empty();
  return said + "; it cannot be reached now: " + failed->second +
         (is_new ? " (if that goes on: has somebody else used the invitation, or has it expired?)"
                 : "");
}

void Replica::Impl::joined(const peer::JoinGranted& granted, PeerId from) {
  if (me.network_secret) return;  // Said twice.
  me.network_secret = granted.network_secret;
  me.commons_keys = SpaceKeys{granted.space_key_g, granted.space_key_r};
  me.decision = granted.decision;
  host.save(me);
  host.log_line(rebuilding ? "let in again: fetching this member's log and all others"
                           : "admitted: taking over the network's logs");
  add_space_keys(*me.commons_keys);
  follow(commons_log(me.founder), me.founder);
  host.drop(from, fail(Errc::unavailable, "the join conversation is over"));
  host.wake_dialer();
}

}  // namespace kith::daemon
