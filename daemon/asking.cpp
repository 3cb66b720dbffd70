// Before anything is signed: what the others hold of our own log. A restored backup or a resumed
// snapshot of this machine knows less than they do, and would sign a second history.
#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"

namespace kith::daemon {

void Replica::Impl::begin_asking() {
  // Who is not a member yet has said nothing that others hold.
  if (!me.network_secret && !rebuilding) return;
  // Without a mark of what was signed, nothing but the others' word tells.
  if (!options.ask_before_signing && signed_before) return;
  asking = Asking();
  engine.forget_common();
}

bool Replica::Impl::has_resumed() {
  constexpr std::int64_t jump_ms = 60'000;
  const std::uint64_t ahead = host.now() - host.monotonic_ms();
  const auto before = std::exchange(clock_ahead, ahead);
  // As good as constant, modulo 2^64, but where this process stood still without noticing it.
  if (!before || static_cast<std::int64_t>(ahead - *before) < jump_ms) return false;
  host.log_line(
      "the clock ran ahead: this machine was asleep, or is a copy of one; before anything more is "
      "signed, the others are asked what they hold of this member's log");
  begin_asking();
  const auto connections = peers;
  for (const auto& [id, peer] : connections) {
    if (!peer.candidate) host.drop(id, fail(Errc::unavailable, "everybody is asked anew"));
  }
  return true;
}

void Replica::Impl::carry_out(sync::OwnLogAnswered& action) {
  const auto peer = peers.find(action.peer);
  if (asking && peer != peers.end() && peer->second.session.member) {
    asking->answered.insert(*peer->second.session.member);
  }
}

AnswerCount Replica::Impl::count_answers() const {
  AnswerCount count;
  if (!fold) return count;
  bool all_named = true;
  bool all_in_reach = true;
  for (const MemberId& witness : fold->state().commons_witnesses(me.member)) {
    ++count.witnesses;
    if (asking->answered.contains(witness)) {
      ++count.answered;
      continue;
    }
    all_named = all_named && std::ranges::count(options.not_asked, code_of(witness)) > 0;
    all_in_reach = all_in_reach && !connected(witness);
  }
  // Where nobody else is, the mark alone says what was signed.
  count.most =
      count.witnesses == 0 ? signed_before.has_value() : 2 * count.answered > count.witnesses;
  count.enough = count.most || all_named;
  count.all_in_reach = all_in_reach;
  return count;
}

void Replica::Impl::end_asking_if_answered() {
  if (!asking || !fold_complete()) return;
  const auto is_judged = [&](const auto& entry) {
    return entry.second.judged == entry.second.size || is_held_up(entry.first);
  };
  // Our own log must be here as far as anybody who answered knows of it.
  if (engine.is_fetching_own() || !is_judged(*logs.find(own_log))) return;
  const AnswerCount count = count_answers();
  if (!count.enough || (!signed_before && !count.most)) return;
  // What is learnt of governance from the answers is folded before they are counted, and who is in
  // reach is heard, also where the operator thinks that nobody is; but not for ever.
  if (!asking->enough_ms) asking->enough_ms = host.monotonic_ms();
  const bool is_settled =
      count.most && count.all_in_reach && engine.idle() && std::ranges::all_of(logs, is_judged);
  if (!is_settled && host.monotonic_ms() - *asking->enough_ms < limits::asking_patience_ms) return;
  if (!count.most && !write_down_who_was_not_asked()) return;
  asking.reset();
  if (count.answered != 0) host.log_line("enough of the others have answered: signing goes on");
  if (!no_signing && own_range && own_range->size() > 0) sign_what_is_held();
  cosign_all();
}

bool Replica::Impl::write_down_who_was_not_asked() {
  std::string named;
  for (const MemberId& witness : fold->state().commons_witnesses(me.member)) {
    if (asking->answered.contains(witness)) continue;
    named += (named.empty() ? "" : " ") + code_of(witness);
    unasked.push_back(witness);
  }
  const auto noted = host.note_in_trail("signing_unasked", {{"not_waited_for", named}});
  if (!noted) {
    unasked.clear();
    host.log_line(
        "nothing is signed, as it could not be written down in the trail who was not asked: " +
        noted.error().detail);
    asking->enough_ms = host.monotonic_ms();
    return false;
  }
  host.log_line("as the operator says, signing goes on without the answers of " + named +
                ": should one of them hold more of this member's log, its history divides there");
  for (const auto& [id, peer] : peers) tell_unasked(id);
  return true;
}

void Replica::Impl::tell_unasked(PeerId id) {
  const auto peer = peers.find(id);
  if (unasked.empty() || peer == peers.end() || peer->second.candidate) return;
  host.send(id, peer::encode(peer::Unasked{unasked}));
}

void Replica::Impl::hear_unasked(PeerId from, const peer::Unasked& said) {
  PeerState& peer = peers.at(from);
  const bool is_first = peer.unasked.empty();
  peer.unasked = said.members;
  if (!is_first || said.members.empty()) return;
  std::string named;
  for (const MemberId& member : said.members) {
    named += (named.empty() ? "" : " ") + code_of(member);
  }
  host.log_line(code_of(*peer.session.member) + " signs without having heard what " + named +
                " may hold of its log");
}

std::optional<std::vector<MemberId>> Replica::Impl::unasked_by(const MemberId& member) const {
  for (const auto& [_, peer] : peers) {
    if (peer.session.member == member && !peer.candidate) return peer.unasked;
  }
  return std::nullopt;
}

std::optional<std::string> Replica::Impl::why_not_sign() const {
  if (no_signing) return no_signing;
  if (!asking) return std::nullopt;
  const AnswerCount count = count_answers();
  if (!signed_before && fold && count.witnesses == 0) {
    return "the high-water file does not say what was signed last, and no other member knows: stop "
           "kithd, put the file back as it was, and start it again";
  }
  return "before anything more is signed, the others are asked what they hold of this member's "
         "log: " +
         std::to_string(count.answered) + " of " + std::to_string(count.witnesses) +
         " have answered, and more than half must";
}

}  // namespace kith::daemon
