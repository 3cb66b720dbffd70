#include "protocol/log/proof.hpp"

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/log/lines.hpp"

namespace kith {
namespace {

constexpr std::string_view first_line = "c2sp.org/tlog-proof@v1";
constexpr std::string_view extra_start = "extra ";
constexpr std::string_view index_start = "index ";

constexpr std::uint8_t context_version = 1;
constexpr std::size_t length_bytes = sizeof(std::uint16_t);

void append_part(Bytes& to, BytesView part) {
  append_integer(to, static_cast<std::uint16_t>(part.size()));
  append(to, part);
}

std::optional<BytesView> take_part(BytesView& from) {
  if (from.size() < length_bytes) return std::nullopt;
  const std::size_t size = read_integer<std::uint16_t>(from);
  if (size > from.size() - length_bytes) return std::nullopt;
  const BytesView part = from.subspan(length_bytes, size);
  from = from.subspan(length_bytes + size);
  return part;
}

/// The hashes up to the empty line, which is taken off too.
Result<Path> take_path(std::string_view& text) {
  Path path;
  while (const auto line = take_line(text)) {
    if (line->empty()) return path;
    if (path.size() == limits::path_hashes_max)
      return fail(Errc::too_large, "a proof has too many hashes");
    const auto hash = value_from_base64<TreeHash>(*line);
    if (!hash) return fail(hash.error(), "a hash of a proof");
    path.push_back(*hash);
  }
  return fail(Errc::malformed, "a proof without a checkpoint");
}

}  // namespace

std::string encode_proof(const InclusionProof& proof) {
  std::string text = std::string(first_line) + '\n';
  if (!proof.extra.empty()) text += std::string(extra_start) + to_base64(proof.extra) + '\n';
  text.append(index_start).append(std::to_string(proof.index)).append("\n");
  for (const TreeHash& hash : proof.path) text += to_base64(hash.view()) + '\n';
  return text + '\n' + proof.checkpoint;
}

Result<InclusionProof> decode_proof(std::string_view text) {
  if (text.size() > proof_bytes_max) return fail(Errc::too_large, "a proof is too long");
  const auto version = take_line(text);
  if (!version || *version != first_line) return fail(Errc::malformed, "not a proof of version 1");

  auto line = take_line(text);
  Bytes extra;
  if (line && line->starts_with(extra_start)) {
    auto bytes = from_base64(line->substr(extra_start.size()));
    if (!bytes) return fail(bytes.error(), "the extra line of a proof");
    extra = std::move(*bytes);
    line = take_line(text);
  }
  if (!line || !line->starts_with(index_start)) {
    return fail(Errc::malformed, "a proof without an index");
  }
  const auto index = parse_decimal(line->substr(index_start.size()), limits::tree_size_max - 1);
  if (!index) return fail(index.error(), "the index of a proof");
  auto path = take_path(text);
  if (!path) return path.error();
  const auto note = decode_note(text);
  if (!note) return fail(note.error(), "the checkpoint of a proof");
  const auto checkpoint = decode_checkpoint(note->text);
  if (!checkpoint) return fail(checkpoint.error(), "the checkpoint of a proof");
  return InclusionProof{*index, std::move(*path), std::string(text), std::move(extra)};
}

Bytes encode_context(const ProofContext& context) {
  Bytes bytes{context_version};
  append(bytes, context.space.view());
  append_part(bytes, view(context.leaf));
  append_integer(bytes, static_cast<std::uint16_t>(context.certificates.size()));
  for (const Bytes& statement : context.certificates) append_part(bytes, statement);
  return bytes;
}

Result<ProofContext> decode_context(BytesView bytes) {
  const Error malformed = fail(Errc::malformed, "what a proof says of its log is damaged");
  if (bytes.size() > proof_extra_bytes_max) return fail(Errc::too_large, "a proof is too long");
  if (bytes.size() < 1 + SpaceId::size || bytes[0] != context_version) return malformed;
  ProofContext context;
  context.space = SpaceId::from(bytes.subspan(1, SpaceId::size));
  bytes = bytes.subspan(1 + SpaceId::size);
  const auto leaf = take_part(bytes);
  if (!leaf || leaf->size() > limits::leaf_bytes_max) return malformed;
  context.leaf = text(*leaf);
  if (bytes.size() < length_bytes) return malformed;
  const auto count = read_integer<std::uint16_t>(bytes);
  bytes = bytes.subspan(length_bytes);
  for (std::size_t i = 0; i < count; ++i) {
    const auto statement = take_part(bytes);
    if (!statement || statement->size() > limits::statement_bytes_max) return malformed;
    context.certificates.push_back(to_bytes(*statement));
  }
  if (!bytes.empty() || context.certificates.empty()) return malformed;
  return context;
}

Result<Checkpoint> verify_proof(const InclusionProof& proof, BytesView leaf, const NoteKey& key) {
  const auto note = decode_note(proof.checkpoint);
  if (!note) return fail(note.error(), "the checkpoint of a proof");
  auto checkpoint = verify_checkpoint(*note, key);
  if (!checkpoint) return fail(checkpoint.error(), "the checkpoint of a proof");
  if (!verify_inclusion(proof.index, checkpoint->size, leaf_hash(leaf), proof.path,
                        checkpoint->root)) {
    return fail(Errc::bad_proof, "the proof does not lead from this leaf to the signed root");
  }
  return checkpoint;
}

}  // namespace kith
