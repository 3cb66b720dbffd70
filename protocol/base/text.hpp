#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

namespace kith {

[[nodiscard]] std::string to_hex(BytesView bytes);
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

/// RFC 4648 base32, lower case, without padding: how ids are shown to people.
[[nodiscard]] std::string to_base32(BytesView bytes);
[[nodiscard]] Result<Bytes> from_base32(std::string_view text);

/// RFC 4648 base64 with padding.
[[nodiscard]] std::string to_base64(BytesView bytes);
/// Strict: what does not re-encode to the same characters is refused.
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);
/// Whether `text` is strict base64 of exactly as many bytes as `to` has, which are written there:
/// for the many values of one known length.
[[nodiscard]] bool base64_into(std::string_view text, std::span<std::uint8_t> to);

/// Decimal digits, no sign, no leading zero, at most `max`.
[[nodiscard]] Result<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max);

/// Whether `text` is well-formed UTF-8 (no surrogates, no overlong forms, no NUL).
[[nodiscard]] bool is_utf8(std::string_view text);
/// 1-based line of the first byte that is not well-formed UTF-8, or nothing.
[[nodiscard]] std::optional<std::size_t> first_bad_utf8_line(std::string_view text);

/// Whether `text` can be a member's code: 1 to 16 capital letters, digits and hyphens, no hyphen at
/// its ends. People say codes aloud and type them: no two may look alike for their case or blanks.
[[nodiscard]] bool is_member_code(std::string_view text);
/// `text` with a to z as A to Z: as people may type a code.
[[nodiscard]] std::string upper_case(std::string_view text);
/// `text` with A to Z as a to z: as people may type an id.
[[nodiscard]] std::string lower_case(std::string_view text);

/// One line of at most `bytes_max` bytes, without control characters: fit for a table.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t bytes_max);

/// "1 entry", "2 entries".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

/// `text` in lines of at most `columns` characters, broken at blanks; a longer word keeps its line.
[[nodiscard]] std::string folded(std::string_view text, std::size_t columns);

}  // namespace kith
