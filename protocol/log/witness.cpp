#include "protocol/log/witness.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/log/merkle.hpp"

namespace kith {
namespace {

/// What is signed, built from the values alone and never from a text that somebody sent.
std::string message_of(const Cosignature& cosignature) {
  return cosigned_message(
      cosignature.time_s,
      encode_checkpoint({log_origin(cosignature.log), cosignature.size, cosignature.root}));
}

/// Whether a strict checkpoint and a note line can say this at all.
bool can_be_said(const Cosignature& cosignature) {
  return cosignature.time_s <= cosignature_time_s_max &&
         cosignature.size <= limits::tree_size_max &&
         (cosignature.size != 0 || cosignature.root == empty_root());
}

}  // namespace

std::string witness_name(const MemberId& witness) {
  return "kith/witness/" + to_hex(witness.view());
}

NoteKey witness_note_key(const MemberId& witness, const PublicKey& key) {
  return {witness_name(witness), KeyType::cosignature_v1, key};
}

Cosignature cosign(const LogId& log, std::uint64_t size, const TreeHash& root,
                   const MemberId& witness, std::uint64_t time_s, const SigningKey& witness_key) {
  Cosignature cosignature{log, size, root, witness, time_s, {}};
  KITH_CHECK(can_be_said(cosignature));
  cosignature.signature = witness_key.sign(view(message_of(cosignature)));
  return cosignature;
}

bool verify_cosignature(const Cosignature& cosignature, const PublicKey& key) {
  return can_be_said(cosignature) &&
         verify(key, view(message_of(cosignature)), cosignature.signature);
}

NoteSignature to_note_signature(const Cosignature& cosignature, const PublicKey& key) {
  NoteSignature line;
  const NoteKey by = witness_note_key(cosignature.witness, key);
  line.name = by.name;
  line.key_id = key_id(by);
  append_integer(line.signature, cosignature.time_s);
  append(line.signature, cosignature.signature.view());
  return line;
}

std::vector<MemberId> witnesses_of(const LogId& log, std::vector<WitnessCandidate> others) {
  std::vector<std::pair<Hash, MemberId>> ranked;
  ranked.reserve(others.size());
  for (const WitnessCandidate& other : others) {
    ranked.emplace_back(blake2b({view("kith/witness/v1\n"), log.view(), other.member.view(),
                                 other.admitted_by.view()}),
                        other.member);
  }
  std::ranges::sort(ranked);
  std::vector<MemberId> witnesses;
  for (const auto& [rank, member] : ranked) {
    if (witnesses.size() == limits::witnesses_max) break;
    witnesses.push_back(member);
  }
  return witnesses;
}

std::uint64_t agreed_size(std::span<const MemberId> witnesses,
                          const std::map<MemberId, std::uint64_t>& cosigned, std::uint64_t held) {
  if (witnesses.empty()) return held;
  std::vector<std::uint64_t> sizes;
  for (const MemberId& witness : witnesses) {
    const auto found = cosigned.find(witness);
    sizes.push_back(found == cosigned.end() ? 0 : found->second);
  }
  std::ranges::sort(sizes, std::greater<>());
  // More than half of two would be both, and one that is away would stop a space of three.
  const std::size_t needed = sizes.size() == 2 ? 1 : sizes.size() / 2 + 1;
  return std::min(sizes[needed - 1], held);
}

}  // namespace kith
