#include "protocol/log/leaf.hpp"

#include <limits>

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/log/lines.hpp"

namespace kith {
namespace {

constexpr std::string_view first_line = "kith/leaf/v1";
constexpr std::size_t length_bytes = sizeof(std::uint16_t);

Result<LeafClass> decode_class(std::string_view line) {
  if (line == "c") return LeafClass::clear;
  if (line == "g") return LeafClass::governance;
  if (line == "r") return LeafClass::record;
  return fail(Errc::malformed, "a leaf of an unknown class");
}

Result<Millis> decode_time(std::string_view line) {
  const auto time = parse_decimal(line, std::numeric_limits<Millis>::max());
  // too_large is kept for the payload, so a time that does not fit is merely malformed.
  if (!time) return fail(Errc::malformed, "the time of a leaf: " + time.error().detail);
  return *time;
}

}  // namespace

Leaf make_leaf(LeafClass leaf_class, Millis time, BytesView payload) {
  KITH_CHECK(payload.size() <= limits::payload_bytes_max);
  return {leaf_class, time, payload.size(), blake2b({payload})};
}

std::string encode_leaf(const Leaf& leaf) {
  std::string text(first_line);
  text += '\n';
  text += static_cast<char>(leaf.leaf_class);
  text += '\n' + std::to_string(leaf.time);
  text += '\n' + std::to_string(leaf.payload_bytes);
  text += '\n' + to_base64(leaf.payload_hash.view()) + '\n';
  return text;
}

Result<Leaf> decode_leaf(std::string_view text) {
  if (text.size() > limits::leaf_bytes_max) return fail(Errc::malformed, "a leaf is too long");
  const auto version = take_line(text);
  const auto letter = take_line(text);
  const auto time_line = take_line(text);
  const auto size_line = take_line(text);
  const auto hash_line = take_line(text);
  if (!hash_line || !text.empty()) return fail(Errc::malformed, "a leaf has exactly five lines");
  if (*version != first_line) return fail(Errc::malformed, "not a leaf of version 1");

  const auto leaf_class = decode_class(*letter);
  if (!leaf_class) return leaf_class.error();
  const auto time = decode_time(*time_line);
  if (!time) return time.error();
  const auto payload_bytes = parse_decimal(*size_line, limits::payload_bytes_max);
  if (!payload_bytes) return fail(payload_bytes.error(), "the payload size of a leaf");
  const auto hash = value_from_base64<Hash>(*hash_line);
  if (!hash) return fail(hash.error(), "the payload hash of a leaf");
  return Leaf{*leaf_class, *time, *payload_bytes, *hash};
}

bool commits_to(const Leaf& leaf, BytesView payload) {
  // The length first, so that nobody makes us hash what cannot fit anyway.
  return payload.size() == leaf.payload_bytes && blake2b({payload}) == leaf.payload_hash;
}

void append_to_bundle(Bytes& bundle, BytesView leaf) {
  KITH_CHECK(leaf.size() <= std::numeric_limits<std::uint16_t>::max());
  append_integer(bundle, static_cast<std::uint16_t>(leaf.size()));
  append(bundle, leaf);
}

Result<std::vector<BytesView>> split_bundle(BytesView bundle, std::size_t max) {
  std::vector<BytesView> leaves;
  while (!bundle.empty()) {
    if (leaves.size() == max) return fail(Errc::too_large, "a bundle holds too many leaves");
    if (bundle.size() < length_bytes) return fail(Errc::malformed, "a bundle ends in a length");
    const std::size_t size = read_integer<std::uint16_t>(bundle);
    bundle = bundle.subspan(length_bytes);
    if (bundle.size() < size) return fail(Errc::malformed, "a bundle ends within a leaf");
    leaves.push_back(bundle.first(size));
    bundle = bundle.subspan(size);
  }
  return leaves;
}

}  // namespace kith
