#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "protocol/audit/proof_audit.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/proof.hpp"
#include "protocol/log/witness.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

/// The proof as a file: everything that is needed to check it, and nothing more.
Result<std::pair<std::string, ProofReport>> proof_of(const local::ProveAnswer& answer) {
  ProofContext context{answer.space, answer.leaf, {}};
  std::vector<std::pair<Certificate, Bytes>> certificates;
  for (const Bytes& statement : answer.certificates) {
    const auto certificate = verify_certificate(statement);
    if (certificate) certificates.emplace_back(*certificate, statement);
  }
  // The owner's is the one whose log key signed.
  const auto owner = std::ranges::find_if(certificates, [&](const auto& one) {
    const Certificate& certificate = one.first;
    return log_id(certificate.network, certificate.member, answer.space) == answer.log &&
           verify_checkpoint(answer.checkpoint, answer.log, certificate.log_key).has_value();
  });
  auto note = decode_note(answer.checkpoint);
  if (owner == certificates.end() || !note) {
    return fail(Errc::io, "kithd's answer does not fit together; run kithd check");
  }
  context.certificates.push_back(owner->second);
  note->signatures.resize(1);
  for (const Cosignature& word : answer.cosignatures) {
    const auto by = std::ranges::find_if(certificates, [&](const auto& one) {
      return one.first.member == word.witness && verify_cosignature(word, one.first.witness_key);
    });
    if (by == certificates.end()) continue;
    note->signatures.push_back(to_note_signature(word, by->first.witness_key));
    context.certificates.push_back(by->second);
  }
  const auto index = answer.record.index;
  std::string text =
      encode_proof({index, answer.path, encode_note(*note), encode_context(context)});
  auto checked = audit_proof(text);
  if (!checked) return checked.error();
  if (checked->findings.verdict() != Verdict::intact) {
    return fail(Errc::io, "kithd's answer does not hold (" + checked->findings.kept().front().what +
                              "); run kithd check");
  }
  return std::pair{std::move(text), std::move(*checked)};
}

}  // namespace

Exit prove(const ProveOptions& options, Daemon& daemon, const Console& console, const Desk& desk) {
  const auto answer = ask<local::ProveAnswer>(daemon, console, local::ProveRequest{options.id});
  if (!answer) return answer.exit;
  const auto made = proof_of(*answer);
  if (!made) return complain(console, made.error());
  const auto& [proof, report] = *made;
  if (!options.out.empty()) {
    const auto written = files::write(desk.working_folder / options.out, view(proof), 0644);
    if (!written) return complain(console, written.error());
  }
  const Proven proven{answer->record.id,
                      answer->record.index,
                      static_cast<std::uint32_t>(report.confirmations.size()),
                      answer->witnesses,
                      options.out,
                      proof};
  if (console.json) {
    console.out << json_of(proven) << '\n';
    return Exit::ok;
  }
  if (options.out.empty()) console.out << proof;
  console.err << short_id(answer->record.id) << " is entry " << answer->record.index
              << " of the log of " << clean_line(answer->record.member) << ", "
              << confirmed_by(proven.confirmed, proven.witnesses) << '\n';
  if (!options.out.empty()) {
    console.err << "anyone checks it with: kith verify " << shell_word(options.out) << '\n';
  }
  return Exit::ok;
}

}  // namespace kith::client
