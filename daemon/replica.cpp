// Logs that are followed, peers, and the loop from an event to its actions.
#include "daemon/replica.hpp"

#include "daemon/replica_impl.hpp"
#include "protocol/base/check.hpp"
#include "protocol/base/text.hpp"

namespace kith::daemon {
namespace {

// Tags of candidates(): how a static key may come in.
constexpr int by_table = 0;
constexpr int by_certificate = 1;
constexpr int by_invitation = 2;  // And more: the number of the invitation.

}  // namespace

LogId Replica::Impl::commons_log(const MemberId& member) const {
  return log_id(me.network, member, commons);
}

void Replica::Impl::follow(const LogId& log, const MemberId& member) {
  if (logs.contains(log)) return;
  LogState& state = logs[log];
  state.member = member;
  state.keys = KeyHistory(me.network, member);
  governance[state.member].member = member;
  create_log(log);
}

void Replica::Impl::create_log(const LogId& log) {
  const MemberId member = logs.at(log).member;
  uncreated.erase(log);
  write([=](storage::WriteTxn& txn,
            storage::HighWaterMarks&) { storage::log_store::create(txn, log, member, commons); },
        [=, this](const std::optional<Error>& failure) {
          if (failure) {
            uncreated.insert(log);
          } else {
            begin_following(log);
          }
        });
}

void Replica::Impl::tick() {
  constexpr std::uint64_t tend_every_ms = 5'000;
  step(sync::Tick{host.monotonic_ms()});
  (void)has_resumed();
  end_asking_if_answered();
  drop_replaced();
  tend_rebuilding();
  report_audits();
  report_publishing();
  if (host.monotonic_ms() - tended_ms < tend_every_ms) return;
  tended_ms = host.monotonic_ms();
  for (const LogId& log : std::exchange(uncreated, {})) create_log(log);
  const bool unsigned_tail = own_range && own_range->size() > logs.at(own_log).checkpoint.size;
  if (unsigned_tail && !why_not_sign() && !flush_pending) sign_what_is_held();
  look_for_own_certificate();
  enrol_again();
  publish_what_waited();
  ++tended;
  forget_candidates();
  if (!candidates_gone.empty()) save_invitations([](const std::optional<Error>&) {});
  set_back_when_quiet();
  for (const auto& [log, _] : logs) fetch_what_is_agreed(log);
  remind_owners();
  ask_for_cosignatures();
  cosign_all();
  if (fold) do_duties();
}

sync::LogFollowed Replica::Impl::followed(const LogId& id) const {
  const LogState& state = logs.at(id);
  const auto txn = host.log().read();
  const auto head = storage::log_store::head(*txn, id);
  KITH_CHECK(head.has_value());
  sync::LogFollowed now;
  now.log = id;
  now.own = id == own_log;
  now.held = head->range;
  now.checkpoint = {state.checkpoint.size, state.checkpoint.root, state.checkpoint.note};
  now.agreed = std::min(state.agreed, head->size());
  if (state.frozen) now.agreed_root = known_root(id, now.agreed).value_or(TreeHash{});
  now.gaps = {state.gaps.begin(), state.gaps.end()};
  now.frozen = state.frozen;
  now.wanted = {state.wanted.begin(), state.wanted.end()};
  return now;
}

void Replica::Impl::begin_following(const LogId& id) {
  // A member that is rebuilt begins without a log of its own.
  if (id == own_log && !own_range) own_range = CompactRange();
  step(followed(id));
  // Before anyone else admitted us, our own word is all there is.
  recompute_agreed(id);
}

void Replica::Impl::run(std::vector<sync::Action> actions) {
  for (sync::Action& action : actions) {
    std::visit([&](auto& one) { carry_out(one); }, action);
  }
}

bool Replica::Impl::connected(const MemberId& member) const {
  return std::ranges::any_of(
      peers, [&](const auto& entry) { return entry.second.session.member == member; });
}

void Replica::Impl::confirm_number(const MemberId& member, std::uint64_t number) {
  if (std::exchange(confirmed_numbers[member], number) == number) return;
  // Kept over a restart: a peer that knows us need not be told again, which is most of a handshake.
  write(
      [=](storage::WriteTxn& txn, storage::HighWaterMarks&) {
        txn.put(storage::Table::meta, confirmed_key(member), encode_confirmed({member, number}));
      },
      [](const std::optional<Error>&) {});
}

void Replica::Impl::peer_message(PeerId id, peer::Message message) {
  PeerState& peer = peers.at(id);
  peer.heard = host.now();
  if (auto* welcome = std::get_if<peer::Welcome>(&message)) {
    // From who dialled us none is due, and the engine drops it.
    if (peer.session.member && peer.session.we_dialled) {
      confirm_number(*peer.session.member, welcome->your_certificate_number);
    }
  } else if (auto* announced = std::get_if<peer::Announce>(&message)) {
    const auto log = logs.find(announced->log);
    if (log == logs.end()) return;
    for (const Bytes& statement : announced->certificates) {
      const auto is_true = hear_certificate(log->second.member, statement);
      if (!is_true) return host.drop(id, is_true.error());
    }
    (void)answers_a_cut_key(id, *announced);
    const auto cosignatures = std::move(announced->cosignatures);
    announced->cosignatures.clear();
    step(sync::MessageReceived{id, std::move(message)});
    // One of each witness, and none behind a false one: checking them takes its time here.
    std::set<MemberId> witnesses;
    for (const Cosignature& cosignature : cosignatures) {
      if (witnesses.insert(cosignature.witness).second && !cosigned_by(id, cosignature)) return;
    }
    return;
  } else if (auto* cosigned = std::get_if<peer::Cosigned>(&message)) {
    (void)cosigned_by(id, cosigned->cosignature);
    return;
  } else if (const auto* proof = std::get_if<peer::Evidence>(&message)) {
    return hear_evidence(id, proof->text);
  } else if (const auto* agreed = std::get_if<peer::Agreed>(&message)) {
    return hear_agreed(*agreed);
  } else if (const auto* unasked_there = std::get_if<peer::Unasked>(&message)) {
    return hear_unasked(id, *unasked_there);
  }
  step(sync::MessageReceived{id, std::move(message)});
  end_asking_if_answered();
}

// ---- the public face
// -----------------------------------------------------------------------------

PeerSession dialled_session(PeerId peer, const DialTarget& target) {
  PeerSession session{peer, true, target.member, std::nullopt, target.transport_key, target.hello};
  if (target.joining) session.invitation = target.psk;
  return session;
}

Replica::Replica(Identity identity, Options options, const storage::HighWaterMarks& marks,
                 Host& host)
    : impl_(std::make_unique<Impl>(std::move(identity), std::move(options), marks, host)) {
  impl_->load();
}

Replica::~Replica() = default;

std::vector<channel::Candidate> Replica::candidates(const DhPublic& remote) {
  std::vector<channel::Candidate> out;
  const Impl& in = *impl_;
  if (in.me.network_secret) {
    out.push_back({*in.me.network_secret, by_table, false});
    out.push_back({*in.me.network_secret, by_certificate, true});
  }
  int number = by_invitation;
  for (const auto& invitation : in.invitations) {
    const bool open =
        in.is_open(invitation) && (!invitation.used_by || *invitation.used_by == remote);
    if (open) out.push_back({invitation.secret, number, false});
    ++number;
  }
  return out;
}

bool Replica::admit(const DhPublic& remote, const channel::Candidate& candidate,
                    const channel::Hello& hello) {
  Impl& in = *impl_;
  if (candidate.tag >= by_invitation) return true;
  if (candidate.tag == by_table) {
    if (!in.fold) return false;
    return std::ranges::any_of(in.fold->state().members, [&](const auto& member) {
      const auto certificate = in.newest_certificate(member.first);
      return member.first != in.me.member && certificate && certificate->transport_key == remote;
    });
  }
  if (hello.certificate.empty()) return false;
  const auto certificate = verify_certificate(hello.certificate);
  if (!certificate || certificate->network != in.me.network ||
      certificate->transport_key != remote || !in.fold ||
      !in.fold->state().members.contains(certificate->member)) {
    return false;
  }
  const auto known = in.newest_certificate(certificate->member);
  if (known && known->number > certificate->number) return false;
  return in.hear_certificate(certificate->member, hello.certificate).has_value();
}

PeerSession Replica::session_of(PeerId peer, const DhPublic& remote,
                                const channel::Candidate& accepted, const channel::Hello& hello) {
  PeerSession session{peer, false, std::nullopt, std::nullopt, remote, hello};
  Impl& in = *impl_;
  if (accepted.tag >= by_invitation) {
    session.invitation = accepted.psk;
    return session;
  }
  for (const auto& [member, _] : in.fold->state().members) {
    const auto certificate = in.newest_certificate(member);
    if (certificate && certificate->transport_key == remote) session.member = member;
  }
  return session;
}

std::vector<DialTarget> Replica::dial_targets() {
  Impl& in = *impl_;
  std::vector<DialTarget> targets;
  // In a moment our own log has its checkpoint again: a digest without it says what is not so.
  if (in.signing_held) return targets;
  channel::Hello hello;
  hello.certificate_number = in.own_number;
  hello.digest = in.engine.digest();

  const auto add = [&](const MemberId& member, const std::string& called, const DhPublic& key,
                       const std::vector<std::string>& addresses, const Key32& psk, bool joining) {
    DialTarget target{member, called, key, addresses, psk, joining, in.connected(member), hello};
    for (const auto& [code, address] : in.options.extra_peers) {
      if (code == called) target.addresses.push_back(address);
    }
    target.hello.last_common =
        decltype(hello.last_common)::from(in.engine.last_common(member).view());
    const auto confirmed = in.confirmed_numbers.find(member);
    if (confirmed == in.confirmed_numbers.end() || confirmed->second != in.own_number) {
      target.hello.certificate = in.me.certificate;
    }
    targets.push_back(std::move(target));
  };

  if (!in.me.network_secret) {
    const Invitation& invitation = *in.me.invitation;
    add(invitation.sponsor, "sponsor", invitation.sponsor_transport, invitation.addresses,
        invitation.secret, true);
    return targets;
  }
  if (in.fold) {
    for (const auto& [member, _] : in.fold->state().members) {
      if (member == in.me.member) continue;
      const auto certificate = in.newest_certificate(member);
      add(member, in.code_of(member), certificate->transport_key, in.profile_of(member).addresses,
          *in.me.network_secret, false);
    }
  }
  const bool complete = in.fold && in.fold->state_after(in.me.decision) != nullptr;
  if (!complete && in.me.invitation) {
    const Invitation& invitation = *in.me.invitation;
    const bool there = std::ranges::any_of(
        targets, [&](const DialTarget& target) { return target.member == invitation.sponsor; });
    if (!there) {
      add(invitation.sponsor, "sponsor", invitation.sponsor_transport, invitation.addresses,
          *in.me.network_secret, false);
    }
  }
  return targets;
}

void Replica::dial_failed(const MemberId& member, const std::string& why) {
  Impl& in = *impl_;
  std::string& before = in.dial_errors[member];
  if (!in.me.network_secret && why != before) {
    // There is one to dial, and somebody sits and waits for it.
    in.host.log_line("joining: the sponsor cannot be reached: " + why);
  }
  before = why;
}

void Replica::refused(const MemberId& member, const std::string& why) {
  impl_->confirm_number(member, 0);
  dial_failed(member, why);
}

void Replica::peer_connected(const PeerSession& session) {
  Impl& in = *impl_;
  if (session.member && !in.me.network_secret) {
    // Our sponsor: the join conversation, and nothing else.
    in.dial_errors.erase(*session.member);
    in.peers[session.peer] = {session, in.host.now(), true, std::nullopt, false};
    in.host.send(session.peer, peer::encode(peer::JoinRequest{in.me.certificate, in.me.profile}));
    return;
  }
  if (!session.member) {
    // One conversation for each invitation, the newest: so there are never more than invitations.
    for (const auto& [id, peer] : in.peers) {
      if (!peer.candidate || peer.session.invitation != session.invitation) continue;
      in.host.drop(id, fail(Errc::conflict, "a newer connection with this invitation is kept"));
    }
    in.peers[session.peer] = {session, in.host.now(), true, std::nullopt, false};
    return;
  }
  in.dial_errors.erase(*session.member);
  for (const auto& [id, peer] : in.peers) {
    if (peer.session.member != session.member || peer.candidate) continue;
    // Both dialled at once: both sides keep the one that the lower member id dialled, else the
    // newer.
    const bool we_are_lower = in.me.member < *session.member;
    // With keys that were replaced, it is what is left of a machine that is gone.
    const bool same_keys = peer.session.transport_key == session.transport_key;
    const bool keep_old = same_keys ? peer.session.we_dialled != session.we_dialled &&
                                          peer.session.we_dialled == we_are_lower
                                    : in.is_of_newest_keys(peer.session);
    if (keep_old) {
      in.host.drop(session.peer, fail(Errc::conflict, "another connection with it is kept"));
      return;
    }
    in.host.drop(id, fail(Errc::conflict, "a newer connection with it is kept"));
  }
  in.peers[session.peer] = {session, in.host.now(), false, std::nullopt, false};
  in.peers[session.peer].knows_us = session.we_dialled || in.has_first_keys;
  in.step(sync::PeerConnected{session.peer, *session.member, session.we_dialled,
                              session.hello.digest,
                              DigestHalf::from(session.hello.last_common.view())});
  in.send_evidence(session.peer);
  in.tell_unasked(session.peer);
  in.end_asking_if_answered();
}

void Replica::peer_lost(PeerId peer) {
  if (impl_->peers.erase(peer) == 0) return;
  impl_->step(sync::PeerLost{peer});
}

void Replica::message(PeerId id, BytesView bytes) {
  const auto peer = impl_->peers.find(id);
  if (peer == impl_->peers.end()) return;
  auto message = peer::decode_message(bytes);
  if (!message) return impl_->host.drop(id, message.error());
  if (peer->second.candidate) return impl_->candidate_message(id, *message);
  impl_->peer_message(id, std::move(*message));
}

void Replica::tick() { impl_->tick(); }

void Replica::handle(ClientId client, local::Request request,
                     std::function<void(local::Answer)> answer) {
  impl_->handle(client, request, std::move(answer));
}

void Replica::end_watches() {
  for (auto& [_, watcher] : std::exchange(impl_->watchers, {})) {
    watcher.answer(local::Refusal{Errc::unavailable,
                                  "this daemon is ending; watch again once it has been started"});
  }
}

void Replica::client_lost(ClientId client) { impl_->watchers.erase(client); }

void Replica::client_caught_up(ClientId client) {
  const auto watcher = impl_->watchers.find(client);
  if (watcher != impl_->watchers.end()) impl_->notify(client, watcher->second);
}

const Identity& Replica::identity() const { return impl_->me; }

bool Replica::is_member() const {
  return impl_->fold && impl_->fold->state().members.contains(impl_->me.member);
}

bool Replica::idle() const { return impl_->jobs == 0 && impl_->engine.idle(); }

std::size_t Replica::waiting_acts() const { return impl_->waiting_acts.size(); }

}  // namespace kith::daemon
