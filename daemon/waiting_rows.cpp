#include "daemon/waiting_rows.hpp"

#include "protocol/base/limits.hpp"
#include "storage/packing.hpp"

namespace kith::daemon {
namespace {

constexpr std::size_t invitation_bytes = Key32::size + sizeof(Millis) + 1 + DhPublic::size;
constexpr std::size_t candidate_head_bytes = sizeof(Millis) + sizeof(std::uint32_t);

/// Nothing if the flag is neither 0 nor 1, or says that nobody used it beside somebody's key.
std::optional<InvitationState> decode_invitation_item(BytesView item) {
  InvitationState invitation;
  invitation.secret = Key32::from(item.first(Key32::size));
  item = item.subspan(Key32::size);
  invitation.expires = read_integer<Millis>(item);
  const std::uint8_t is_used = item[sizeof(Millis)];
  const auto used_by = DhPublic::from(item.subspan(sizeof(Millis) + 1));
  if (is_used > 1 || (is_used == 0 && !used_by.is_zero())) return std::nullopt;
  if (is_used == 1) invitation.used_by = used_by;
  return invitation;
}

/// One number in the table `meta`.
Bytes encode_number(BytesView key, std::uint64_t number) {
  Bytes row;
  append_integer(row, number);
  return storage::with_checksum(storage::Table::meta, key, std::move(row));
}

std::optional<std::uint64_t> decode_number(BytesView key, BytesView row) {
  const auto value = storage::without_checksum(storage::Table::meta, key, row);
  if (!value || value->size() != sizeof(std::uint64_t)) return std::nullopt;
  return read_integer<std::uint64_t>(*value);
}

}  // namespace

Bytes invitations_key() { return to_bytes(view("invitations")); }

Bytes encode_invitations(const std::vector<InvitationState>& invitations) {
  Bytes row;
  for (const InvitationState& invitation : invitations) {
    append(row, invitation.secret.view());
    append_integer(row, invitation.expires);
    row.push_back(invitation.used_by ? 1 : 0);
    append(row, invitation.used_by.value_or(DhPublic{}).view());
  }
  return storage::with_checksum(storage::Table::waiting, invitations_key(), std::move(row));
}

std::optional<std::vector<InvitationState>> decode_invitations(BytesView row) {
  const auto value = storage::without_checksum(storage::Table::waiting, invitations_key(), row);
  if (!value || value->size() % invitation_bytes != 0 ||
      value->size() / invitation_bytes > limits::invitations_max) {
    return std::nullopt;
  }
  std::vector<InvitationState> invitations;
  for (BytesView rest = *value; !rest.empty(); rest = rest.subspan(invitation_bytes)) {
    const auto invitation = decode_invitation_item(rest.first(invitation_bytes));
    if (!invitation) return std::nullopt;
    invitations.push_back(*invitation);
  }
  return invitations;
}

Bytes candidates_prefix() { return to_bytes(view("candidate/")); }

Bytes candidate_key(const MemberId& member) {
  Bytes key = candidates_prefix();
  append(key, member.view());
  return key;
}

Bytes encode_candidate(const CandidateState& candidate) {
  Bytes row;
  append_integer(row, candidate.since);
  append_integer(row, static_cast<std::uint32_t>(candidate.request.certificate.size()));
  append(row, candidate.request.certificate);
  append(row, encode(candidate.request.profile));
  return storage::with_checksum(storage::Table::waiting,
                                candidate_key(candidate.certificate.member), std::move(row));
}

std::optional<CandidateState> decode_candidate(BytesView key, BytesView row) {
  const auto value = storage::without_checksum(storage::Table::waiting, key, row);
  if (!value || value->size() < candidate_head_bytes) return std::nullopt;
  const BytesView rest = value->subspan(candidate_head_bytes);
  const std::size_t statement_bytes = read_integer<std::uint32_t>(value->subspan(sizeof(Millis)));
  if (statement_bytes > rest.size()) return std::nullopt;

  CandidateState candidate;
  candidate.since = read_integer<Millis>(*value);
  candidate.request.certificate = to_bytes(rest.first(statement_bytes));
  const auto certificate = verify_certificate(candidate.request.certificate);
  auto profile = decode_profile(rest.subspan(statement_bytes));
  if (!certificate || !profile || !equal(candidate_key(certificate->member), key)) {
    return std::nullopt;
  }
  candidate.certificate = *certificate;
  candidate.request.profile = std::move(*profile);
  return candidate;
}

Bytes waiting_publish_prefix() { return to_bytes(view("publish/")); }

Bytes waiting_publish_key(std::uint64_t number) {
  Bytes key = waiting_publish_prefix();
  append_integer(key, number);
  return key;
}

Bytes encode_waiting_publish(std::uint64_t number, const std::vector<Bytes>& texts) {
  Bytes value;
  for (const Bytes& one : texts) {
    append_integer(value, static_cast<std::uint32_t>(one.size()));
    append(value, one);
  }
  return storage::with_checksum(storage::Table::waiting, waiting_publish_key(number),
                                std::move(value));
}

std::optional<KeptPublish> decode_waiting_publish(BytesView key, BytesView row) {
  const std::size_t prefix = waiting_publish_prefix().size();
  const auto value = storage::without_checksum(storage::Table::waiting, key, row);
  if (!value || key.size() != prefix + sizeof(std::uint64_t)) return std::nullopt;
  KeptPublish kept{read_integer<std::uint64_t>(key.subspan(prefix)), {}};
  if (!equal(key, waiting_publish_key(kept.number))) return std::nullopt;
  for (BytesView rest = *value; !rest.empty();) {
    if (rest.size() < sizeof(std::uint32_t)) return std::nullopt;
    const std::size_t size = read_integer<std::uint32_t>(rest);
    rest = rest.subspan(sizeof(std::uint32_t));
    if (size > rest.size() || kept.texts.size() == limits::batch_records_max) return std::nullopt;
    kept.texts.push_back(to_bytes(rest.first(size)));
    rest = rest.subspan(size);
  }
  if (kept.texts.empty()) return std::nullopt;
  return kept;
}

Bytes encode_agreed(const LogId& log, const AgreedState& agreed) {
  Bytes value;
  append_integer(value, agreed.size);
  for (const auto& [witness, size] : agreed.confirmed) {
    append(value, witness.view());
    append_integer(value, size);
  }
  return storage::with_checksum(storage::Table::meta, log.view(), std::move(value));
}

std::optional<AgreedState> decode_agreed(const LogId& log, BytesView row) {
  constexpr std::size_t number_bytes = sizeof(std::uint64_t);
  constexpr std::size_t entry_bytes = MemberId::size + number_bytes;
  const auto value = storage::without_checksum(storage::Table::meta, log.view(), row);
  if (!value || value->size() % entry_bytes != number_bytes) return std::nullopt;
  AgreedState agreed{read_integer<std::uint64_t>(*value), {}};
  for (BytesView rest = value->subspan(number_bytes); !rest.empty();
       rest = rest.subspan(entry_bytes)) {
    const auto witness = MemberId::from(rest.first(MemberId::size));
    const bool in_order = agreed.confirmed.empty() || agreed.confirmed.rbegin()->first < witness;
    if (!in_order) return std::nullopt;
    agreed.confirmed[witness] = read_integer<std::uint64_t>(rest.subspan(MemberId::size));
  }
  return agreed;
}

Bytes waiting_enrolment_prefix() { return to_bytes(view("enrolment/")); }

Bytes waiting_enrolment_key(std::uint64_t number) {
  Bytes key = waiting_enrolment_prefix();
  append_integer(key, number);
  return key;
}

Bytes encode_waiting_enrolment(std::uint64_t number, const Bytes& statement) {
  return storage::with_checksum(storage::Table::waiting, waiting_enrolment_key(number),
                                Bytes(statement));
}

std::optional<Bytes> decode_waiting_enrolment(BytesView key, BytesView row) {
  const auto value = storage::without_checksum(storage::Table::waiting, key, row);
  const bool is_one = storage::begins_with(key, waiting_enrolment_prefix());
  if (!value || !is_one || value->size() > limits::statement_bytes_max) return std::nullopt;
  return to_bytes(*value);
}

Bytes agreed_elsewhere_key(const LogId& log) {
  Bytes key = to_bytes(view("elsewhere/"));
  append(key, log.view());
  return key;
}

Bytes encode_agreed_elsewhere(const LogId& log, std::uint64_t size) {
  return encode_number(agreed_elsewhere_key(log), size);
}

std::optional<std::uint64_t> decode_agreed_elsewhere(const LogId& log, BytesView row) {
  return decode_number(agreed_elsewhere_key(log), row);
}

Bytes confirmed_prefix() { return to_bytes(view("confirmed/")); }

Bytes confirmed_key(const MemberId& member) {
  Bytes key = confirmed_prefix();
  append(key, member.view());
  return key;
}

Bytes encode_confirmed(const ConfirmedNumber& confirmed) {
  return encode_number(confirmed_key(confirmed.member), confirmed.number);
}

std::optional<ConfirmedNumber> decode_confirmed(BytesView key, BytesView row) {
  const Bytes prefix = confirmed_prefix();
  const auto number = decode_number(key, row);
  if (!number || !storage::begins_with(key, prefix) ||
      key.size() != prefix.size() + MemberId::size) {
    return std::nullopt;
  }
  return ConfirmedNumber{MemberId::from(key.subspan(prefix.size())), *number};
}

}  // namespace kith::daemon
