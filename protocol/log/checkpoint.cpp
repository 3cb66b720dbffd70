#include "protocol/log/checkpoint.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/log/lines.hpp"
#include "protocol/log/merkle.hpp"

namespace kith {
namespace {

constexpr std::string_view origin_start = "kith/";

bool is_origin(std::string_view line) {
  return !line.empty() && is_utf8(line) &&
         std::ranges::none_of(line, [](char c) { return static_cast<std::uint8_t>(c) < 0x20; });
}

}  // namespace

std::string log_origin(const LogId& log) { return std::string(origin_start) + to_hex(log.view()); }

NoteKey log_note_key(const LogId& log, const PublicKey& log_key) {
  return {log_origin(log), KeyType::ed25519, log_key};
}

Result<LogId> log_of_origin(std::string_view origin) {
  if (!origin.starts_with(origin_start) || origin.size() != origin_start.size() + 2 * LogId::size) {
    return fail(Errc::malformed, "not the origin of a log");
  }
  const auto id = from_hex(origin.substr(origin_start.size()));
  if (!id) return fail(id.error(), "the origin of a log");
  return LogId::from(*id);
}

std::string encode_checkpoint(const Checkpoint& checkpoint) {
  KITH_CHECK(is_origin(checkpoint.origin));
  return checkpoint.origin + '\n' + std::to_string(checkpoint.size) + '\n' +
         to_base64(checkpoint.root.view()) + '\n';
}

Result<Checkpoint> decode_checkpoint(std::string_view text) {
  if (text.size() > limits::note_bytes_max) {
    return fail(Errc::too_large, "a checkpoint is too long");
  }
  const auto origin = take_line(text);
  const auto size_line = take_line(text);
  const auto root_line = take_line(text);
  if (!root_line || !text.empty()) {
    return fail(Errc::malformed, "a checkpoint has exactly three lines");
  }
  if (!is_origin(*origin)) return fail(Errc::malformed, "a checkpoint without a proper origin");
  const auto size = parse_decimal(*size_line, limits::tree_size_max);
  if (!size) return fail(size.error(), "the size of a checkpoint");
  const auto root = value_from_base64<TreeHash>(*root_line);
  if (!root) return fail(root.error(), "the root of a checkpoint");
  if (*size == 0 && *root != empty_root()) {
    return fail(Errc::malformed, "a checkpoint of size 0 with the root of another tree");
  }
  return Checkpoint{std::string(*origin), *size, *root};
}

std::string sign_checkpoint(const LogId& log, std::uint64_t size, const TreeHash& root,
                            const SigningKey& log_key) {
  KITH_CHECK(size <= limits::tree_size_max && (size != 0 || root == empty_root()));
  const std::string origin = log_origin(log);
  const std::string text = encode_checkpoint({origin, size, root});
  const std::uint32_t id = key_id(log_note_key(log, log_key.public_key()));
  const Signature signature = log_key.sign(view(text));
  return encode_note({text, {{origin, id, to_bytes(signature.view())}}});
}

Result<Checkpoint> verify_checkpoint(std::string_view note, const LogId& log,
                                     const PublicKey& log_key) {
  const auto decoded = decode_note(note);
  if (!decoded) return fail(decoded.error(), "a checkpoint");
  return verify_checkpoint(*decoded, log_note_key(log, log_key));
}

Result<Checkpoint> verify_checkpoint(const Note& note, const NoteKey& log_key) {
  // The signature before what it covers is looked at.
  const auto signers = verify_note(note, {log_key});
  if (!signers) return fail(signers.error(), "a checkpoint");
  auto checkpoint = decode_checkpoint(note.text);
  if (!checkpoint) return checkpoint.error();
  if (log_key.type != KeyType::ed25519 || checkpoint->origin != log_key.name) {
    return fail(Errc::malformed, "a checkpoint of another log");
  }
  return checkpoint;
}

}  // namespace kith
