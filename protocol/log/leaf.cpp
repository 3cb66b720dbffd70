#include "protocol/log/leaf.hpp"

#include <algorithm>
#include <limits>

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/log/lines.hpp"

namespace kith {
namespace {

constexpr std::string_view first_line = "kith/leaf/v1";
constexpr Millis time_max = std::numeric_limits<Millis>::max();
constexpr std::size_t length_bytes = sizeof(std::uint16_t);

bool is_class(char letter) { return letter == 'c' || letter == 'g' || letter == 'r'; }

/// Why this is no leaf: for the one in a million, so that reading the others is cheap.
Error why_no_leaf(std::string_view text) {
  const auto version = take_line(text);
  const auto letter = take_line(text);
  const auto time_line = take_line(text);
  const auto size_line = take_line(text);
  const auto hash_line = take_line(text);
  if (!hash_line || !text.empty()) return fail(Errc::malformed, "a leaf has exactly five lines");
  if (*version != first_line) return fail(Errc::malformed, "not a leaf of version 1");
  if (letter->size() != 1 || !is_class(letter->front())) {
    return fail(Errc::malformed, "a leaf of an unknown class");
  }
  // too_large is kept for the payload, so a time that does not fit is merely malformed.
  const auto time = parse_decimal(*time_line, time_max);
  if (!time) return fail(Errc::malformed, "the time of a leaf: " + time.error().detail);
  const auto payload_bytes = parse_decimal(*size_line, limits::payload_bytes_max);
  if (!payload_bytes) return fail(payload_bytes.error(), "the payload size of a leaf");
  const auto hash = value_from_base64<Hash>(*hash_line);
  return fail(hash ? fail(Errc::malformed, "damaged") : hash.error(), "the payload hash of a leaf");
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
  // All lines but those of time and size have one length.
  constexpr std::size_t letter_at = first_line.size() + 1;
  constexpr std::size_t time_at = letter_at + 2;
  constexpr std::size_t hash_line_bytes = 45;
  if (text.size() <= time_at + hash_line_bytes || !text.starts_with(first_line) ||
      text[letter_at - 1] != '\n' || !is_class(text[letter_at]) || text[time_at - 1] != '\n' ||
      text.back() != '\n') {
    return why_no_leaf(text);
  }
  std::string_view numbers = text.substr(time_at, text.size() - hash_line_bytes - time_at);
  const auto time_line = take_line(numbers);
  const auto size_line = take_line(numbers);
  if (!size_line || !numbers.empty()) return why_no_leaf(text);
  const auto time = parse_decimal(*time_line, time_max);
  const auto payload_bytes = parse_decimal(*size_line, limits::payload_bytes_max);
  Leaf leaf;
  const std::string_view hash = text.substr(text.size() - hash_line_bytes, hash_line_bytes - 1);
  if (!time || !payload_bytes || !base64_into(hash, leaf.payload_hash.bytes)) {
    return why_no_leaf(text);
  }
  leaf.leaf_class = static_cast<LeafClass>(text[letter_at]);
  leaf.time = *time;
  leaf.payload_bytes = *payload_bytes;
  return leaf;
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
  leaves.reserve(std::min(max, bundle.size() / length_bytes));
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
