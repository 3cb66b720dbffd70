#include "protocol/audit/evidence.hpp"

#include <algorithm>
#include <array>

#include "protocol/base/named_lines.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/note.hpp"
#include "protocol/log/witness.hpp"

namespace kith {
namespace {

constexpr std::size_t notes_count = 2;

Result<Bytes> read_base64(NamedLines& lines, std::string_view name, std::size_t bytes_max) {
  const auto value = lines.value(name);
  if (!value) return value.error();
  auto bytes = from_base64(*value);
  if (!bytes || bytes->size() > bytes_max) {
    return fail(Errc::malformed, "the line \"" + std::string(name) + "\" is damaged");
  }
  return bytes;
}

Result<TreeHash> read_hash(NamedLines& lines, std::string_view name) {
  const auto bytes = read_base64(lines, name, TreeHash::size);
  if (bytes && bytes->size() == TreeHash::size) return TreeHash::from(*bytes);
  return fail(Errc::malformed, "the line \"" + std::string(name) + "\" is damaged");
}

Result<bool> read_lines(NamedLines& lines, Evidence& to) {
  auto read = lines.exactly(evidence_header);
  if (read) read = read_octets(lines, "space", to.space);
  if (!read) return read;
  while (lines.next_is("certificate") && to.certificates.size() < notes_count) {
    auto statement = read_base64(lines, "certificate", limits::statement_bytes_max);
    if (!statement) return statement.error();
    to.certificates.push_back(std::move(*statement));
  }
  while (lines.next_is("note") && to.notes.size() < notes_count) {
    const auto note = read_base64(lines, "note", limits::note_bytes_max);
    if (!note) return note.error();
    to.notes.emplace_back(text(*note));
  }
  if (lines.next_is("root")) {
    const auto root = read_hash(lines, "root");
    if (!root) return root.error();
    to.root = *root;
    while (lines.next_is("path") && to.path.size() < limits::path_hashes_max) {
      const auto hash = read_hash(lines, "path");
      if (!hash) return hash.error();
      to.path.push_back(*hash);
    }
  }
  if (lines.finished()) return true;
  return fail(Errc::malformed, "evidence goes on after its end");
}

/// One side of it, verified.
struct Side {
  Certificate certificate;
  Checkpoint checkpoint;
  Liar liar = Liar::log_key;
  std::uint64_t time_s = 0;
};

Result<Side> verify_side(const Evidence& evidence, const Bytes& statement,
                         const std::string& bytes) {
  auto certificate = verify_certificate(statement);
  if (!certificate) return certificate.error();
  const auto note = decode_note(bytes);
  if (!note) return note.error();
  auto checkpoint = decode_checkpoint(note->text);
  if (!checkpoint) return checkpoint.error();
  const auto log = log_of_origin(checkpoint->origin);
  if (!log) return log.error();
  if (note->signatures.size() != 1) {
    return fail(Errc::malformed, "a note of evidence has one signature line");
  }
  const bool by_witness = note->signatures.front().name == witness_name(certificate->member);
  const LogId own = log_id(certificate->network, certificate->member, evidence.space);
  if (!by_witness && *log != own) {
    return fail(Errc::malformed, "a checkpoint is of another log than the certificate's");
  }
  if (by_witness && !evidence.space.is_zero()) {
    return fail(Errc::malformed, "a witness's word is bound to no space");
  }
  const NoteKey key = by_witness ? witness_note_key(certificate->member, certificate->witness_key)
                                 : log_note_key(own, certificate->log_key);
  const auto signed_by = verify_note(*note, {key});
  if (!signed_by) return signed_by.error();
  // That of a witness begins with its time.
  const Bytes& signature = note->signatures.front().signature;
  return Side{std::move(*certificate), std::move(*checkpoint),
              by_witness ? Liar::witness_key : Liar::log_key,
              by_witness ? read_integer<std::uint64_t>(signature) : 0};
}

Result<Contradiction> verify_certificates(const Evidence& evidence) {
  if (evidence.certificates.size() != notes_count || !evidence.space.is_zero() ||
      evidence.root != TreeHash{} || evidence.certificates[0] >= evidence.certificates[1]) {
    return fail(Errc::malformed, "evidence of certificates has two, in order, and nothing else");
  }
  const auto first = verify_certificate(evidence.certificates[0]);
  const auto second = verify_certificate(evidence.certificates[1]);
  if (!first) return first.error();
  if (!second) return second.error();
  if (*first == *second || first->member != second->member || first->network != second->network ||
      first->number != second->number) {
    return fail(Errc::bad_proof, "these two certificates do not contradict each other");
  }
  Contradiction proven;
  proven.liar = Liar::recovery_key;
  proven.network = first->network;
  proven.member = first->member;
  proven.numbers = {first->number, second->number};
  return proven;
}

/// Whether both cannot be true.
bool contradict(const Evidence& evidence, const Checkpoint& smaller, const Checkpoint& larger) {
  if (smaller.size == larger.size) {
    return smaller.root < larger.root && evidence.root == TreeHash{} && evidence.path.empty();
  }
  return smaller.size > 0 && smaller.size < larger.size && evidence.root != smaller.root &&
         verify_consistency(smaller.size, larger.size, evidence.path, evidence.root, larger.root);
}

}  // namespace

std::string note_of(const Cosignature& cosignature, const PublicKey& witness_key) {
  return encode_note(
      {encode_checkpoint({log_origin(cosignature.log), cosignature.size, cosignature.root}),
       {to_note_signature(cosignature, witness_key)}});
}

Evidence make_evidence(const SpaceId& space, SignedTree one, SignedTree other, const TreeHash& root,
                       Path path) {
  const auto order = [](const SignedTree& tree) { return std::tie(tree.size, tree.root); };
  if (order(other) < order(one)) std::swap(one, other);
  Evidence evidence{{}, space, {std::move(one.note), std::move(other.note)}, {}, {}};
  const bool one_key = one.certificate == other.certificate;
  evidence.certificates.push_back(std::move(one.certificate));
  if (!one_key) evidence.certificates.push_back(std::move(other.certificate));
  if (one.size != other.size) {
    evidence.root = root;
    evidence.path = std::move(path);
  }
  return evidence;
}

Evidence make_evidence(Bytes one, Bytes other) {
  if (other < one) std::swap(one, other);
  Evidence evidence;
  evidence.certificates = {std::move(one), std::move(other)};
  return evidence;
}

std::string encode_evidence(const Evidence& evidence) {
  std::string text = std::string(evidence_header) + "\n";
  add_line(text, "space", to_base32(evidence.space.view()));
  for (const Bytes& statement : evidence.certificates) {
    add_line(text, "certificate", to_base64(statement));
  }
  for (const std::string& note : evidence.notes) add_line(text, "note", to_base64(view(note)));
  if (evidence.root != TreeHash{}) {
    add_line(text, "root", to_base64(evidence.root.view()));
    for (const TreeHash& hash : evidence.path) add_line(text, "path", to_base64(hash.view()));
  }
  return text;
}

Result<Evidence> decode_evidence(std::string_view text) {
  if (text.size() > limits::evidence_bytes_max)
    return fail(Errc::too_large, "evidence is too long");
  NamedLines lines(text);
  Evidence evidence;
  const auto read = read_lines(lines, evidence);
  if (!read) return read.error();
  if (encode_evidence(evidence) == text) return evidence;
  return fail(Errc::malformed, "evidence is not written as it must be");
}

Result<Contradiction> verify_evidence(const Evidence& evidence) {
  if (evidence.notes.empty()) return verify_certificates(evidence);
  if (evidence.notes.size() != notes_count || evidence.certificates.empty()) {
    return fail(Errc::malformed, "evidence has two notes and who signed them");
  }
  const bool one_key = evidence.certificates.size() == 1;
  const auto first = verify_side(evidence, evidence.certificates.front(), evidence.notes[0]);
  if (!first) return first.error();
  const auto second = verify_side(evidence, evidence.certificates.back(), evidence.notes[1]);
  if (!second) return second.error();
  const bool same_signer = first->certificate.member == second->certificate.member &&
                           first->certificate.network == second->certificate.network &&
                           first->liar == second->liar &&
                           first->checkpoint.origin == second->checkpoint.origin;
  // Two certificates stand for two keys: of one key the first that named it will do.
  const auto key_of = [](const Side& side) {
    return side.liar == Liar::log_key ? side.certificate.log_key : side.certificate.witness_key;
  };
  if (!same_signer || one_key != (key_of(*first) == key_of(*second))) {
    return fail(Errc::bad_proof, "these two were not signed by one member about one log");
  }
  if (!contradict(evidence, first->checkpoint, second->checkpoint)) {
    return fail(Errc::bad_proof, "these two can both be true");
  }
  Contradiction proven;
  proven.liar = first->liar;
  proven.network = first->certificate.network;
  proven.member = first->certificate.member;
  proven.log = *log_of_origin(first->checkpoint.origin);
  proven.numbers = {first->certificate.number, second->certificate.number};
  proven.said = {first->checkpoint, second->checkpoint};
  proven.times_s = {first->time_s, second->time_s};
  return proven;
}

std::string in_words(const Contradiction& proven) {
  const std::string who = to_base32(proven.member.view());
  if (proven.liar == Liar::recovery_key) {
    return "member " + who + " signed two certificates of one number";
  }
  const std::string sizes = proven.said[0].size == proven.said[1].size
                                ? "of size " + std::to_string(proven.said[0].size)
                                : "of sizes " + std::to_string(proven.said[0].size) + " and " +
                                      std::to_string(proven.said[1].size);
  if (proven.liar == Liar::log_key) {
    return "member " + who + " signed two histories of its log, " + sizes +
           ", that cannot both be true";
  }
  return "member " + who + " confirmed two histories of one log, " + sizes +
         ", that cannot both be true";
}

bool still_counts(const Contradiction& proven, std::uint64_t newest, std::uint64_t newest_cut) {
  if (proven.liar == Liar::log_key) return proven.number() >= newest_cut;
  return newest <= proven.number();
}

bool excused_by_cut(const Contradiction& proven, const KeyHistory& keys) {
  if (proven.liar != Liar::witness_key) return false;
  constexpr std::uint64_t second_ms = 1'000;
  const std::uint64_t smaller = std::min(proven.said[0].size, proven.said[1].size);
  const std::uint64_t earlier_s = std::min(proven.times_s[0], proven.times_s[1]);
  return std::ranges::any_of(keys.certificates(), [&](const auto& entry) {
    const auto& [index, certificate] = entry;
    return certificate.reason == Certificate::Reason::cut && smaller > index &&
           earlier_s <= certificate.number / second_ms + cut_news_s;
  });
}

}  // namespace kith
