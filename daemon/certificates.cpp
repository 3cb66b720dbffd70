// Whose keys are whose: the certificates that are known of each member, and our own on its way into
// our own log.
#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"

namespace kith::daemon {

std::vector<KnownCertificate> Replica::Impl::known_certificates(const MemberId& member) const {
  std::vector<KnownCertificate> known;
  const auto add = [&](const Certificate& certificate, const Bytes& statement) {
    const bool is_there = std::ranges::any_of(
        known, [&](const KnownCertificate& other) { return *other.statement == statement; });
    if (!is_there) known.push_back({&certificate, &statement});
  };
  if (const auto of_member = heard.find(member); of_member != heard.end()) {
    for (const auto& [_, one] : of_member->second) add(one.certificate, one.statement);
  }
  if (const auto log = logs.find(commons_log(member)); log != logs.end()) {
    auto certificate = log->second.keys.certificates().begin();
    for (const auto& entry : log->second.keys.statements()) {
      if (entry.is_certificate) add((certificate++)->second, entry.statement);
    }
  }
  if (fold) {
    const auto admitted = fold->state().members.find(member);
    if (admitted != fold->state().members.end()) {
      add(admitted->second.certificate, admitted->second.certificate_statement);
    }
  }
  std::ranges::stable_sort(known, std::greater<>(),
                           [](const KnownCertificate& one) { return one.certificate->number; });
  return known;
}

std::vector<Certificate> Replica::Impl::certificates_of(const MemberId& member) const {
  std::vector<Certificate> all;
  for (const KnownCertificate& known : known_certificates(member)) {
    all.push_back(*known.certificate);
  }
  return all;
}

std::vector<Bytes> Replica::Impl::statements_of(const MemberId& member) const {
  std::vector<Bytes> all;
  for (const KnownCertificate& known : known_certificates(member)) all.push_back(*known.statement);
  return all;
}

std::optional<Certificate> Replica::Impl::newest_certificate(const MemberId& member) const {
  const auto known = known_certificates(member);
  if (known.empty()) return std::nullopt;
  return *known.front().certificate;
}

Result<SignedBy> Replica::Impl::who_signed(const LogId& log, const std::string& note) const {
  const auto state = logs.find(log);
  if (state == logs.end()) return fail(Errc::not_found, "a log that is not followed");
  const auto known = known_certificates(state->second.member);
  if (known.empty()) return fail(Errc::not_found, "no certificate of its owner is known");
  Error last = fail(Errc::bad_signature, "no key of its owner signed it");
  for (const KnownCertificate& one : known) {
    auto checkpoint = verify_checkpoint(note, log, one.certificate->log_key);
    if (checkpoint) return SignedBy{std::move(*checkpoint), one};
    last = checkpoint.error();
  }
  return last;
}

Result<Checkpoint> Replica::Impl::verify_note(const LogId& log, const std::string& note) const {
  auto signed_by = who_signed(log, note);
  if (!signed_by) return signed_by.error();
  if (signed_by->by.certificate->number < newest_cut(logs.at(log).member)) {
    // What counts of it stands under the newer key too.
    return fail(Errc::not_found, "it is signed by a key that was cut");
  }
  return std::move(signed_by->checkpoint);
}

Result<bool> Replica::Impl::hear_certificate(const MemberId& owner, const Bytes& statement) {
  // The same statements come with every announcement; checking one costs some signatures' worth.
  for (const KnownCertificate& known : known_certificates(owner)) {
    if (*known.statement == statement) return true;
  }
  const auto certificate = verify_certificate(statement, owner);
  if (!certificate || certificate->network != me.network) {
    return fail(Errc::bad_signature, "a certificate that does not verify");
  }
  compare_certificates(owner, statement);
  auto& of_owner = heard[owner];
  if (!of_owner.try_emplace(certificate->number, *certificate, statement).second) return true;
  while (of_owner.size() > limits::heard_certificates_max) {
    const std::uint64_t cut = newest_cut(owner);
    const auto oldest =
        std::ranges::find_if(of_owner, [&](const auto& one) { return one.first != cut; });
    of_owner.erase(oldest);
  }
  if (owner == me.member && is_outdated()) host.log_line(outdated_text);
  if (certificate->reason == Certificate::Reason::cut && certificate->number == newest_cut(owner)) {
    drop_sessions_of_cut_keys(*certificate);
  }
  refreeze(owner);
  certificate_replaced(owner);
  return true;
}

void Replica::Impl::drop_sessions_of_cut_keys(const Certificate& cut) {
  const auto newest = newest_certificate(cut.member);
  for (const auto& [id, peer] : peers) {
    const bool is_theirs = !peer.candidate && peer.session.member == cut.member;
    if (!is_theirs || peer.session.transport_key == newest->transport_key) continue;
    host.drop(id, fail(Errc::forbidden, "its transport key was cut"));
  }
}

peer::Announce Replica::Impl::announce(const LogId& id) {
  LogState& state = logs.at(id);
  peer::Announce message{id, state.checkpoint.note, {}, {}};
  if (state.signer.first != message.note || state.signer.second.empty()) {
    const auto signed_by = who_signed(id, message.note);
    state.signer = {message.note, signed_by ? *signed_by->by.statement : Bytes()};
  }
  // Until it is known (again) here whose key that is, nobody else can be told either.
  if (state.signer.second.empty()) message.note.clear();
  message.certificates = certificates_to_announce(state);
  for (const auto& [_, cosignature] : state.cosignatures) {
    message.cosignatures.push_back(cosignature);
  }
  return message;
}

std::vector<Bytes> Replica::Impl::certificates_to_announce(const LogState& state) const {
  const auto known = known_certificates(state.member);
  std::vector<Bytes> told;
  const auto add = [&](const Bytes& statement) {
    if (std::ranges::find(told, statement) == told.end()) told.push_back(statement);
  };
  if (!state.signer.second.empty()) add(state.signer.second);
  const auto cut = std::ranges::find_if(known, [](const KnownCertificate& one) {
    return one.certificate->reason == Certificate::Reason::cut;
  });
  if (cut != known.end()) add(*cut->statement);
  if (!known.empty()) add(*known.front().statement);
  return told;
}

// ---- what a certificate cuts away ----

bool Replica::Impl::cut_away(const LogId& id, const std::string& other) {
  LogState& state = logs.at(id);
  const std::uint64_t cut = newest_cut(state.member);
  const auto theirs = who_signed(id, other);
  if (cut == 0 || !theirs || theirs->by.certificate->number < cut) return false;
  const auto ours = who_signed(id, state.checkpoint.note);
  // Two histories of one key, or of two that both count, are a fork as ever.
  if (ours && ours->by.certificate->number >= cut) return false;
  if (state.size > floor_of(id)) {
    host.log_line("the log of " + code_of(state.member) +
                  " was cut: what a replaced key signed beyond is given up");
    set_back(id);
    return true;
  }
  if (!std::exchange(state.said_below_agreed, true)) {
    host.log_line("the log of " + code_of(state.member) + " was cut below " +
                  std::to_string(state.agreed) +
                  " entries, which are agreed here: its new history is refused; ask that member "
                  "to run kithd until it holds them, and kithd cut again");
  }
  return true;
}

bool Replica::Impl::answers_a_cut_key(PeerId from, const peer::Announce& announced) {
  const LogState& state = logs.at(announced.log);
  const std::uint64_t cut = newest_cut(state.member);
  if (cut == 0 || announced.note.empty()) return false;
  const auto theirs = who_signed(announced.log, announced.note);
  const auto ours = who_signed(announced.log, state.checkpoint.note);
  const bool knows_better =
      theirs && theirs->by.certificate->number < cut && ours && ours->by.certificate->number >= cut;
  if (knows_better) host.send(from, peer::encode(announce(announced.log)));
  return knows_better;
}

std::uint64_t Replica::Impl::floor_of(const LogId& id) const {
  const LogState& state = logs.at(id);
  const auto ours = id == own_log ? own_cut() : std::nullopt;
  return std::min(ours ? std::max(ours->size, state.agreed) : state.agreed, state.size);
}

std::optional<CutLog> Replica::Impl::own_cut() const {
  const auto list = decode_cut_list(me.cut_list);
  if (!list) return std::nullopt;
  const auto named = std::ranges::find(list->logs, own_log, &CutLog::log);
  if (named == list->logs.end()) return std::nullopt;
  return *named;
}

// ---- our own ----

bool Replica::Impl::is_outdated() const {
  const auto newest = newest_certificate(me.member);
  return newest && newest->number > own_number;
}

bool Replica::Impl::may_cosign() {
  // Others must be able to know the key: first it is entered in our own log.
  return !has_resumed() && !asking && !certificate_due && !is_outdated();
}

void Replica::Impl::look_for_own_certificate() {
  if (!certificate_due) return;
  const LogState& own = logs.at(own_log);
  if (own.keys.newest_certificate_number() >= own_number) {
    certificate_due = false;
    if (own_range && own_range->size() > own.checkpoint.size) sign_what_is_held();
    return;
  }
  // Only where all of our own log was judged is it known that it is not in there.
  if (own.judged < own.size || own.setting_back || to_set_back.contains(own_log)) return;
  const auto cut = own_cut();
  if (!cut || (own.size == cut->size && known_root(own_log, own.size) == cut->root)) {
    return log_own_certificate();
  }
  if (own.size > cut->size && known_root(own_log, cut->size) == cut->root) {
    host.log_line("this member's log is cut at " + std::to_string(cut->size) +
                  " entries: what lies beyond is given up");
    return set_back(own_log);
  }
  if (std::exchange(said_cut_elsewhere, true)) return;
  host.log_line("this member's log was cut at " + std::to_string(cut->size) +
                " entries, which are not here: waiting for a peer to give them back");
}

void Replica::Impl::log_own_certificate() {
  const bool is_ready = own_range && !why_not_sign() && !is_outdated() && !logs.at(own_log).frozen;
  if (!is_ready || std::exchange(certificate_pending, true)) return;
  // Its time is its number: whenever it has to be entered again, it is the same entry.
  std::vector<Draft> drafts{{LeafClass::clear, encode_text(CertificateText{me.certificate})}};
  if (!me.cut_list.empty()) {
    drafts.push_back({LeafClass::clear, encode_text(CutListText{me.cut_list})});
  }
  append_drafts(drafts, own_number, [this](const Result<Appended>& done) {
    certificate_pending = false;
    if (!done) {
      return host.log_line("the new certificate could not be entered: " + done.error().detail);
    }
    certificate_due = false;
    host.log_line("the new certificate is entry " + std::to_string(done->first) +
                  " of this member's log; the new keys sign from there on");
    cosign_all();
  });
}

}  // namespace kith::daemon
