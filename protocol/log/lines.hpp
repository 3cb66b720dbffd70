#pragma once

#include <optional>
#include <string_view>

#include "protocol/base/result.hpp"
#include "protocol/base/text.hpp"
#include "protocol/base/types.hpp"

/// What the line-based formats of this folder (leaf, note, checkpoint, proof) parse with.
namespace kith {

/// Takes the next line off the front of `text`, without its LF. Nothing if no LF is left.
[[nodiscard]] inline std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

/// The value whose strict base64 is `text`. malformed if it has another length.
template <class Value>
[[nodiscard]] Result<Value> value_from_base64(std::string_view text) {
  Value value;
  if (base64_into(text, value.bytes)) return value;
  const auto bytes = from_base64(text);
  if (!bytes) return bytes.error();
  return fail(Errc::malformed, "base64 of the wrong length");
}

}  // namespace kith
