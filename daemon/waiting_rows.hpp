#pragma once

#include <map>
#include <optional>
#include <vector>

#include "protocol/keys/certificate.hpp"
#include "protocol/schema/peer_codec.hpp"

/// Rows of the log environment that belong to the daemon itself (docs/STORAGE, "What the daemon
/// keeps"): who was invited, who asks to join, what was agreed, and
/// which peers know our certificate. Decoders give nothing for a
/// damaged row.
namespace kith::daemon {

/// An invitation that was made here and has not expired.
struct InvitationState {
  Key32 secret;
  Millis expires = 0;
  std::optional<DhPublic> used_by;  ///< The first transport key that used it: no other may.
  friend bool operator==(const InvitationState&, const InvitationState&) = default;
};
/// Who used one and waits for the members' decision.
struct CandidateState {
  peer::JoinRequest request;
  Certificate certificate;  ///< What the request's statement says.
  Millis since = 0;
};

[[nodiscard]] Bytes invitations_key();
[[nodiscard]] Bytes encode_invitations(const std::vector<InvitationState>& invitations);
[[nodiscard]] std::optional<std::vector<InvitationState>> decode_invitations(BytesView row);

/// The key of each candidate begins with the prefix.
[[nodiscard]] Bytes candidates_prefix();
[[nodiscard]] Bytes candidate_key(const MemberId& member);
[[nodiscard]] Bytes encode_candidate(const CandidateState& candidate);
/// Verifies the certificate again; `key` must be that of its member.
[[nodiscard]] std::optional<CandidateState> decode_candidate(BytesView key, BytesView row);

/// What was published while nothing may be signed; each key begins with the prefix.
struct KeptPublish {
  std::uint64_t number = 0;  ///< In the order in which it came.
  std::vector<Bytes> texts;
  friend bool operator==(const KeptPublish&, const KeptPublish&) = default;
};
[[nodiscard]] Bytes waiting_publish_prefix();
[[nodiscard]] Bytes waiting_publish_key(std::uint64_t number);
[[nodiscard]] Bytes encode_waiting_publish(std::uint64_t number, const std::vector<Bytes>& texts);
[[nodiscard]] std::optional<KeptPublish> decode_waiting_publish(BytesView key, BytesView row);

/// What was agreed of a log, in the table `meta` under the log's id.
struct AgreedState {
  std::uint64_t size = 0;
  /// What witnesses confirmed though the cosignature that said so is of a history given up since.
  std::map<MemberId, std::uint64_t> confirmed;
  friend bool operator==(const AgreedState&, const AgreedState&) = default;
};
[[nodiscard]] Bytes encode_agreed(const LogId& log, const AgreedState& agreed);
[[nodiscard]] std::optional<AgreedState> decode_agreed(const LogId& log, BytesView row);

/// An enrolment or withdrawal that our own log gave up, in the table `waiting`; in the order in
/// which they stood, each key beginning with the prefix.
[[nodiscard]] Bytes waiting_enrolment_prefix();
[[nodiscard]] Bytes waiting_enrolment_key(std::uint64_t number);
[[nodiscard]] Bytes encode_waiting_enrolment(std::uint64_t number, const Bytes& statement);
/// Not verified.
[[nodiscard]] std::optional<Bytes> decode_waiting_enrolment(BytesView key, BytesView row);

/// How much of our own frozen log witnesses proved to be agreed while it was not here, in the table
/// `meta`: it must come before the log is cut.
[[nodiscard]] Bytes agreed_elsewhere_key(const LogId& log);
[[nodiscard]] Bytes encode_agreed_elsewhere(const LogId& log, std::uint64_t size);
[[nodiscard]] std::optional<std::uint64_t> decode_agreed_elsewhere(const LogId& log, BytesView row);

/// Which of our certificates a member said it knows, in the table `meta`; each key begins with the
/// prefix.
struct ConfirmedNumber {
  MemberId member;
  std::uint64_t number = 0;
  friend bool operator==(const ConfirmedNumber&, const ConfirmedNumber&) = default;
};
[[nodiscard]] Bytes confirmed_prefix();
[[nodiscard]] Bytes confirmed_key(const MemberId& member);
[[nodiscard]] Bytes encode_confirmed(const ConfirmedNumber& confirmed);
[[nodiscard]] std::optional<ConfirmedNumber> decode_confirmed(BytesView key, BytesView row);

}  // namespace kith::daemon
