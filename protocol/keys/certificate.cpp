#include "protocol/keys/certificate.hpp"

#include "protocol/base/limits.hpp"

namespace kith {
namespace {

constexpr std::string_view certificate_domain = "kith/trust-keys/v1\n";
constexpr std::string_view cut_list_domain = "kith/cut-list/v1\n";
constexpr std::string_view enrolment_domain = "kith/enrolment/v1\n";

struct Statement {
  BytesView segment;
  Signature signature;
};

Bytes sign_statement(std::string_view domain, Bytes segment, const SigningKey& signer) {
  const Signature signature = signer.sign({view(domain), segment});
  append(segment, signature.view());
  return segment;
}

Result<Statement> split(BytesView statement) {
  if (statement.size() > limits::statement_bytes_max) {
    return fail(Errc::too_large, "the statement is too long");
  }
  if (statement.size() <= Signature::size) {
    return fail(Errc::malformed, "the statement is too short");
  }
  const std::size_t size = statement.size() - Signature::size;
  return Statement{statement.first(size), Signature::from(statement.subspan(size))};
}

/// X25519 gives nothing for a low-order point whatever the secret is, and sealing to such a key
/// cannot work: no one may certify it.
bool is_usable(const DhPublic& key) {
  static const DhSecret any = DhSecret::from(Bytes(DhSecret::size, 1));
  return dh(any, key).has_value();
}

Result<Certificate> checked(Certificate certificate, const MemberId& member) {
  if (certificate.member != member) {
    return fail(Errc::bad_signature, "the certificate is another member's");
  }
  const PublicKey identity = PublicKey::from(member.view());
  for (const PublicKey& key : {identity, certificate.log_key, certificate.witness_key,
                               certificate.daemon_key, certificate.steward}) {
    if (!is_valid_public_key(key)) {
      return fail(Errc::malformed, "the certificate names a key that is no valid Ed25519 key");
    }
  }
  bool usable = is_usable(certificate.transport_key) && is_usable(certificate.sealing_key);
  for (const DhPublic& relay : certificate.relays) usable = usable && is_usable(relay);
  if (!usable) {
    return fail(Errc::malformed, "the certificate names a key that is no valid X25519 key");
  }
  return certificate;
}

}  // namespace

Bytes sign_certificate(const Certificate& certificate, const SigningKey& recovery) {
  return sign_statement(certificate_domain, encode(certificate), recovery);
}

Result<Certificate> verify_certificate(BytesView statement, const MemberId& member) {
  const auto parts = split(statement);
  if (!parts) return parts.error();
  const PublicKey identity = PublicKey::from(member.view());
  if (!verify(identity, {view(certificate_domain), parts->segment}, parts->signature)) {
    return fail(Errc::bad_signature, "the certificate is not signed by the member's recovery key");
  }
  auto certificate = decode_certificate(parts->segment);
  if (!certificate) return certificate;
  return checked(std::move(*certificate), member);
}

Result<Certificate> verify_certificate(BytesView statement) {
  const auto parts = split(statement);
  if (!parts) return parts.error();
  auto unchecked = decode_certificate(parts->segment);
  if (!unchecked) return unchecked;
  return verify_certificate(statement, unchecked->member);
}

Hash certificate_hash(const Certificate& certificate) {
  return blake2b({view(certificate_domain), encode(certificate)});
}

std::optional<MemberId> read_member(BytesView statement) {
  const auto parts = split(statement);
  const auto unchecked = parts ? decode_certificate(parts->segment) : parts.error();
  if (!unchecked) return std::nullopt;
  return unchecked->member;
}

Hash cut_list_hash(BytesView list) { return blake2b({view(cut_list_domain), list}); }

Bytes sign_enrolment(const Enrolment& enrolment, const SigningKey& steward) {
  return sign_statement(enrolment_domain, encode(enrolment), steward);
}

Result<Enrolment> verify_enrolment(BytesView statement) {
  const auto parts = split(statement);
  if (!parts) return parts.error();
  // The segment itself names who signed it, so it must be read first.
  auto enrolment = decode_enrolment(parts->segment);
  if (!enrolment) return enrolment;
  if (!is_valid_public_key(enrolment->author) || !is_valid_public_key(enrolment->steward)) {
    return fail(Errc::malformed, "the enrolment names a key that is no valid Ed25519 key");
  }
  if (!verify(enrolment->steward, {view(enrolment_domain), parts->segment}, parts->signature)) {
    return fail(Errc::bad_signature, "the enrolment is not signed by the steward it names");
  }
  return enrolment;
}

}  // namespace kith
