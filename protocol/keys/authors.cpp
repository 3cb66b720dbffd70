#include "protocol/keys/authors.hpp"

#include <algorithm>

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"

namespace kith {

KeyHistory::KeyHistory(const NetworkId& network, const MemberId& member)
    : network_(network), member_(member) {}

Result<bool> KeyHistory::add_certificate(std::uint64_t index, BytesView statement) {
  KITH_CHECK(statements_.empty() || statements_.back().index < index);
  auto certificate = verify_certificate(statement, member_);
  if (!certificate) return certificate.error();
  if (certificate->network != network_) {
    return fail(Errc::forbidden, "the certificate is for another network");
  }
  for (const auto& [at, known] : certificates_) {
    if (certificate->number == known.number && *certificate != known) {
      return fail(Errc::conflict, "another certificate of this number is known");
    }
  }
  if (certificates_.size() >= limits::certificates_max) {
    return fail(Errc::too_large, "a member's log holds more than " +
                                     std::to_string(limits::certificates_max) + " certificates");
  }
  const Certificate* last = certificates_.empty() ? nullptr : &certificates_.back().second;
  if (last != nullptr && certificate->number <= last->number) {
    return fail(Errc::stale, "a certificate of this number or a higher one is known");
  }

  // Naming the same steward again must not undo that steward's withdrawal.
  if (last == nullptr || last->steward != certificate->steward) {
    set_scopes(certificate->steward, index, all_scopes);
  }
  if (certificate->reason == Certificate::Reason::cut) cut_alone_ = index;
  certificates_.emplace_back(index, std::move(*certificate));
  statements_.push_back({index, true, to_bytes(statement)});
  return true;
}

Result<bool> KeyHistory::add_cut_list(std::uint64_t index, BytesView list, const LogId& log,
                                      const TreeHash& root) {
  if (!cut_alone_ || *cut_alone_ + 1 != index) {
    return fail(Errc::unrequested, "a cut list that follows no certificate which cuts");
  }
  const Certificate& certificate = certificates_.back().second;
  if (cut_list_hash(list) != certificate.cut_list) {
    return fail(Errc::bad_proof, "the cut list is not the one that its certificate names");
  }
  const auto decoded = decode_cut_list(list);
  if (!decoded) return decoded.error();
  const auto own = std::ranges::find(decoded->logs, log, &CutLog::log);
  if (own != decoded->logs.end() && (own->size != *cut_alone_ || own->root != root)) {
    return fail(Errc::bad_proof,
                "the cut list names another history of this log: " + std::to_string(own->size) +
                    " entries, but its certificate is "
                    "entry " +
                    std::to_string(*cut_alone_));
  }
  cut_alone_.reset();
  return true;
}

Result<bool> KeyHistory::add_enrolment(std::uint64_t index, BytesView statement) {
  KITH_CHECK(statements_.empty() || statements_.back().index < index);
  const auto enrolment = verify_enrolment(statement);
  if (!enrolment) return enrolment.error();
  if (enrolment->network != network_ || enrolment->member != member_) {
    return fail(Errc::forbidden, "the enrolment is for another network or member");
  }
  if (enrolment->number < next_enrolment()) {
    return fail(Errc::stale, "an enrolment of this number is known");
  }
  if (enrolment->number > next_enrolment()) {
    return fail(Errc::conflict, "the enrolment is out of turn");
  }
  if (!may(enrolment->steward, static_cast<Scopes>(Scope::steward), index)) {
    return fail(Errc::forbidden, "the enrolment is not by a steward");
  }

  set_scopes(enrolment->author, index, enrolment->scopes);
  ++enrolments_;
  statements_.push_back({index, false, to_bytes(statement)});
  return true;
}

void KeyHistory::set_scopes(const PublicKey& author, std::uint64_t index, Scopes scopes) {
  changes_[author].push_back({index, scopes});
}

const Certificate* KeyHistory::certificate_at(std::uint64_t size) const {
  const auto after = std::ranges::partition_point(
      certificates_, [&](const auto& entry) { return entry.first < size; });
  return after == certificates_.begin() ? nullptr : &std::prev(after)->second;
}

bool KeyHistory::may(const PublicKey& author, Scopes scopes, std::uint64_t index) const {
  const auto changes = changes_.find(author);
  if (changes == changes_.end()) return false;
  const auto after = std::ranges::partition_point(
      changes->second, [&](const Change& change) { return change.index <= index; });
  if (after == changes->second.begin()) return false;
  const Scopes held = std::prev(after)->scopes;
  return held != 0 && (held & scopes) == scopes;
}

bool KeyHistory::is_daemon(const PublicKey& author, std::uint64_t index) const {
  const Certificate* certificate = certificate_at(index);
  return certificate != nullptr && certificate->daemon_key == author;
}

std::uint64_t KeyHistory::newest_certificate_number() const {
  return certificates_.empty() ? 0 : certificates_.back().second.number;
}

std::map<PublicKey, Scopes> KeyHistory::authors() const {
  std::map<PublicKey, Scopes> now;
  for (const auto& [author, changes] : changes_) now[author] = changes.back().scopes;
  return now;
}

std::uint64_t KeyHistory::newest_cut_number() const {
  std::uint64_t newest = 0;
  for (const auto& [_, certificate] : certificates_) {
    if (certificate.reason == Certificate::Reason::cut) newest = certificate.number;
  }
  return newest;
}

std::vector<KeyHistory::Span> KeyHistory::spans() const {
  std::vector<Span> spans;
  for (const auto& [author, changes] : changes_) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
      if (changes[i].scopes == 0) continue;
      Span& span = spans.emplace_back(Span{author, changes[i].scopes, changes[i].index, {}});
      if (i + 1 < changes.size()) span.to = changes[i + 1].index;
    }
  }
  std::ranges::sort(spans, {}, [](const Span& span) { return std::pair(span.from, span.author); });
  return spans;
}

}  // namespace kith
