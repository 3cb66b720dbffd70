// A member whose disk is gone and comes back with its recovery words: what the member that invited
// it does, what it does itself, and what becomes of the daemon it had before.
#include "daemon/replica_impl.hpp"
#include "protocol/base/text.hpp"

namespace kith::daemon {
namespace {

/// Lines of the log about one rebuilding: it may go back and forth while others publish.
constexpr std::size_t stage_lines_max = 32;

}  // namespace

// ---- at the member that made the invitation ----

std::optional<NotTakenIn> Replica::Impl::why_not_rebuilt(const Certificate& certificate) const {
  if (certificate.member == me.member) {
    return NotTakenIn{"this invitation was made by the very member that is to be rebuilt",
                      "its daemon runs here, so nothing of it is lost"};
  }
  const auto newest = newest_certificate(certificate.member);
  // With the one that is known it comes back for what it was granted.
  if (!newest || *newest == certificate) return std::nullopt;
  // Each costs an entry in our log: an invitation is worth one.
  if (newest->transport_key == certificate.transport_key) {
    return NotTakenIn{"this certificate names keys that another one has named before",
                      "run kithd recover, in a new directory"};
  }
  if (newest->number < certificate.number) return std::nullopt;
  const std::string known = std::to_string(newest->number);
  return NotTakenIn{
      "a certificate of this member with the number " + known +
          " is known, and this one's is not higher",
      "if another daemon of this member was made since, use that one; if the clock here is wrong, "
      "set it, and in any case run kithd recover again, in a new directory, with --above " +
          known};
}

bool Replica::Impl::take_rebuilt(PeerId id, const Certificate& certificate,
                                 const Bytes& statement) {
  const auto newest = newest_certificate(certificate.member);
  if (newest && *newest == certificate) return true;
  // The transport key that it names is the one that this connection proved to hold: so it was made
  // by whoever has the recovery key, for whoever is here.
  if (const auto good = hear_certificate(certificate.member, statement); !good) {
    host.drop(id, good.error());
    return false;
  }
  host.log_line(code_of(certificate.member) +
                " is being rebuilt with its recovery words: its daemon before this counts no more");
  return true;
}

// ---- at everyone ----

void Replica::Impl::certificate_replaced(const MemberId& owner) {
  const auto newest = newest_certificate(owner);
  const bool is_elsewhere = newest && newest->reason == Certificate::Reason::lost;
  if (!is_elsewhere || owner == me.member) return;
  // A daemon that still runs with the keys before hears why it is left alone.
  for (const auto& [id, peer] : peers) {
    if (peer.candidate || peer.session.member != owner || is_of_newest_keys(peer.session)) continue;
    host.send(id, peer::encode(announce(commons_log(owner))));
    replaced.insert(id);
  }
}

void Replica::Impl::drop_replaced() {
  for (const PeerId id : std::exchange(replaced, {})) {
    if (!peers.contains(id)) continue;
    host.drop(id, fail(Errc::stale, "a daemon with keys that its member has replaced"));
  }
}

bool Replica::Impl::is_of_newest_keys(const PeerSession& session) const {
  const auto newest = session.member ? newest_certificate(*session.member) : std::nullopt;
  return newest && newest->transport_key == session.transport_key;
}

// ---- at the member itself ----

std::string Replica::Impl::rebuilding_detail() const {
  const std::string so_far = "rebuilding this member: ";
  if (!me.network_secret) return so_far + joining_detail();
  std::uint64_t known = 0;
  std::uint64_t held = 0;
  std::uint64_t judged = 0;
  std::uint64_t gaps = 0;
  for (const auto& [id, state] : logs) {
    held += state.size;
    known += std::max(state.size, engine.known_size(id));
    judged += state.judged;
    gaps += state.gaps.size();
  }
  const std::string of_logs = " of " + std::to_string(logs.size()) + " logs";
  if (held < known || held == 0) {
    return so_far + "fetching what the others hold, " + std::to_string(held) + " of " +
           std::to_string(known) + " entries" + of_logs + " so far";
  }
  if (judged < held) {
    return so_far + "checking what was fetched, " + std::to_string(judged) + " of " +
           std::to_string(held) + " entries" + of_logs +
           (gaps == 0 ? "" : "; " + std::to_string(gaps) + " contents are still missing");
  }
  const auto why = why_not_sign();
  return so_far + std::to_string(held) + " entries" + of_logs + " are here; " +
         why.value_or("the new certificate goes into this member's log");
}

void Replica::Impl::tend_rebuilding() {
  learn_own_profile();
  if (!rebuilding) return;
  const KeyHistory& keys = logs.at(own_log).keys;
  if (keys.newest_certificate_number() >= own_number) {
    rebuilding = false;
    host.log_line("this member is rebuilt: its log has " + std::to_string(logs.at(own_log).size) +
                  " entries, and publishing goes on");
    return;
  }
  // What grows by the second is for kith status.
  const std::string now = rebuilding_detail();
  std::string told;
  for (const char c : now) {
    if (c < '0' || c > '9') told.push_back(c);
  }
  if (std::exchange(stage, told) != told && stage_lines++ < stage_lines_max) host.log_line(now);
}

void Replica::Impl::learn_own_profile() {
  if (me.profile.code != rebuilt_code || !fold || !fold->state().members.contains(me.member))
    return;
  me.profile = profile_of(me.member);
  host.save(me);
}

}  // namespace kith::daemon
