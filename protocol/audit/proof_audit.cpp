#include "protocol/audit/proof_audit.hpp"

#include <algorithm>

#include "protocol/keys/certificate.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/witness.hpp"

namespace kith {
namespace {

void find(ProofReport& report, Verdict verdict, std::string what) {
  report.findings.add(verdict, "", std::move(what));
}

/// Every line but the log's, each by a witness whose certificate is there, and each of these
/// needed.
void check_witnesses(const Note& note, const std::vector<Certificate>& certificates,
                     ProofReport& report) {
  std::vector<bool> needed(certificates.size());
  for (const NoteSignature& line : note.signatures) {
    if (line.name == log_origin(report.log)) continue;
    bool is_known = false;
    for (std::size_t i = 1; i < certificates.size() && !is_known; ++i) {
      const MemberId& who = certificates[i].member;
      const NoteKey key = witness_note_key(who, certificates[i].witness_key);
      if (line.name != key.name || line.key_id != key_id(key)) continue;
      is_known = true;
      const bool is_owner = who == report.member;
      const bool is_second =
          std::ranges::count(report.confirmations, who, &Confirmation::witness) > 0;
      if (is_second || is_owner || !verify_note({note.text, {line}}, {key})) {
        find(report, Verdict::forged, "the cosignature of " + line.name + " does not hold");
        continue;
      }
      needed[i] = true;
      report.confirmations.push_back(
          {who, report.size, read_integer<std::uint64_t>(line.signature), key.key});
    }
    if (!is_known) find(report, Verdict::damaged, "a line by nobody whose certificate is there");
  }
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    if (!needed[i]) find(report, Verdict::damaged, "a certificate that nothing needs");
  }
}

}  // namespace

Result<ProofReport> audit_proof(std::string_view bytes) {
  const auto proof = decode_proof(bytes);
  if (!proof) return proof.error();
  if (proof->extra.empty()) {
    return fail(
        Errc::malformed,
        "this proof does not say of which entry it is: check it with the tool that made it");
  }
  const auto context = decode_context(proof->extra);
  if (!context) return context.error();
  if (context->space != commons) {
    return fail(Errc::malformed, "this proof is of a space that this version does not know");
  }
  const auto leaf = decode_leaf(context->leaf);
  if (!leaf) return leaf.error();

  ProofReport report;
  report.index = proof->index;
  report.leaf = *leaf;
  std::vector<Certificate> certificates;
  for (const Bytes& statement : context->certificates) {
    auto certificate = verify_certificate(statement);
    const bool fits = certificate && (certificates.empty() ||
                                      certificate->network == certificates.front().network);
    if (!fits) {
      find(report, Verdict::forged, "a certificate does not verify");
      return report;
    }
    certificates.push_back(std::move(*certificate));
  }
  const Certificate& owner = certificates.front();
  report.network = owner.network;
  report.member = owner.member;
  report.log = log_id(owner.network, owner.member, context->space);
  const auto note = decode_note(proof->checkpoint);
  if (!note) return note.error();
  if (const auto said = decode_checkpoint(note->text)) report.size = said->size;
  const NoteKey key = log_note_key(report.log, owner.log_key);
  const auto verified = verify_proof(*proof, view(context->leaf), key);
  if (!verified) {
    find(report, verified.error().code == Errc::bad_proof ? Verdict::damaged : Verdict::forged,
         verified.error().detail);
    return report;
  }
  if (note->signatures.front().name != key.name ||
      std::ranges::count(note->signatures, key.name, &NoteSignature::name) != 1) {
    find(report, Verdict::damaged, "the log's own line is not the first, or not the only one");
  }
  report.log_key = key;
  check_witnesses(*note, certificates, report);
  return report;
}

}  // namespace kith
