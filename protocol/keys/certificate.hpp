#pragma once

#include "protocol/crypto/crypto.hpp"
#include "protocol/schema/record_codec.hpp"

/// Statements: one canonical segment, then 64 bytes of signature. Bound to no record and no log.
namespace kith {

/// Domain `kith/trust-keys/v1`, by the recovery key (the member id is its public key).
[[nodiscard]] Bytes sign_certificate(const Certificate& certificate, const SigningKey& recovery);
/// Checks the signature before parsing, then that every Ed25519 key is valid and that signer and
/// member are one. bad_signature, malformed.
[[nodiscard]] Result<Certificate> verify_certificate(BytesView statement, const MemberId& member);
/// For a candidate nobody knows yet: the member id is read from the segment, then all is checked.
[[nodiscard]] Result<Certificate> verify_certificate(BytesView statement);
/// H of the bytes that its signature covers.
[[nodiscard]] Hash certificate_hash(const Certificate& certificate);
/// Whose certificate it is, without checking it: for a statement that was verified before.
[[nodiscard]] std::optional<MemberId> read_member(BytesView statement);

/// What a certificate that cuts says of the list that follows it: H(`kith/cut-list/v1` | list).
[[nodiscard]] Hash cut_list_hash(BytesView list);

/// Domain `kith/enrolment/v1`, by the steward whose key the enrolment names.
[[nodiscard]] Bytes sign_enrolment(const Enrolment& enrolment, const SigningKey& steward);
[[nodiscard]] Result<Enrolment> verify_enrolment(BytesView statement);

}  // namespace kith
