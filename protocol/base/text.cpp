#include "protocol/base/text.hpp"

#include <algorithm>
#include <array>

#include "protocol/base/limits.hpp"

namespace kith {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base32_digits = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t no_digit = 0xFF;

/// The value of every character: each leaf and note is decoded, so this is met all the time.
constexpr std::array<std::uint8_t, 256> values_of(std::string_view digits) {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr auto hex_values = values_of(hex_digits);
constexpr auto base32_values = values_of(base32_digits);
constexpr auto base64_values = values_of(base64_digits);

/// Length in bytes of the well-formed UTF-8 sequence at `at`, or 0.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
  const auto follows = [&](std::size_t i, std::uint8_t low, std::uint8_t high) {
    return at + i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const std::uint8_t lead = byte(0);
  if (lead == 0) return 0;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const std::uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;   // No overlong form.
    const std::uint8_t high = lead == 0xED ? 0x9F : 0xBF;  // No surrogate.
    return follows(1, low, high) && follows(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const std::uint8_t low = lead == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF) && follows(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

/// Whether the well-formed sequence of `length` bytes at `at` would break or reorder a line:
/// control characters, line and paragraph separators, marks of writing direction.
bool breaks_line(std::string_view text, std::size_t at, std::size_t length) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
  if (length == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  if (length == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
  if (length != 3 || byte(0) != 0xE2) return false;
  const bool in_2000 = byte(1) == 0x80 &&
                       (byte(2) == 0x8E || byte(2) == 0x8F || (byte(2) >= 0xA8 && byte(2) <= 0xAE));
  const bool in_2040 = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
  return in_2000 || in_2040;
}

/// Digits of `bits` each, most significant first, without padding.
std::string encode_digits(BytesView bytes, unsigned bits, std::string_view digits) {
  std::string out;
  out.reserve(bytes.size() * 8 / bits + 4);
  unsigned held = 0;
  unsigned buffer = 0;
  for (const std::uint8_t byte : bytes) {
    buffer = (buffer << 8 | byte) & 0xFFFF;
    held += 8;
    while (held >= bits) {
      held -= bits;
      out.push_back(digits[(buffer >> held) & ((1U << bits) - 1)]);
    }
  }
  if (held > 0) out.push_back(digits[(buffer << (bits - held)) & ((1U << bits) - 1)]);
  return out;
}

Result<Bytes> decode_digits(std::string_view text, unsigned bits,
                            const std::array<std::uint8_t, 256>& values, const char* what) {
  Bytes out;
  out.reserve(text.size() * bits / 8);
  unsigned held = 0;
  unsigned buffer = 0;
  for (const char c : text) {
    const unsigned value = values[static_cast<std::uint8_t>(c)];
    if (value == no_digit) {
      return fail(Errc::malformed, std::string("not ") + what + ": unexpected character");
    }
    buffer = (buffer << bits | value) & 0xFFFF;
    held += bits;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<std::uint8_t>(buffer >> held));
    }
  }
  // Only what we would write ourselves.
  if (held >= bits || (buffer & ((1U << held) - 1)) != 0) {
    return fail(Errc::malformed,
                std::string("not ") + what + ": digits are missing, or spare bits are set");
  }
  return out;
}

}  // namespace

std::string to_hex(BytesView bytes) { return encode_digits(bytes, 4, hex_digits); }

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(Errc::malformed, "not hex: odd number of digits");
  return decode_digits(text, 4, hex_values, "hex");
}

std::string to_base32(BytesView bytes) { return encode_digits(bytes, 5, base32_digits); }

Result<Bytes> from_base32(std::string_view text) {
  return decode_digits(text, 5, base32_values, "base32");
}

std::string to_base64(BytesView bytes) {
  std::string out = encode_digits(bytes, 6, base64_digits);
  while (out.size() % 4 != 0) out.push_back('=');
  return out;
}

Result<Bytes> from_base64(std::string_view text) {
  const std::string_view digits = text.substr(0, text.find('='));
  const std::string_view padding = text.substr(digits.size());
  if (text.size() % 4 != 0 || padding.size() > 2 ||
      padding.find_first_not_of('=') != padding.npos) {
    return fail(Errc::malformed, "not base64: the padding is wrong");
  }
  return decode_digits(digits, 6, base64_values, "base64");
}

bool base64_into(std::string_view text, std::span<std::uint8_t> to) {
  if (text.size() != (to.size() + 2) / 3 * 4) return false;
  const auto digit = [&](std::size_t at) -> unsigned {
    return base64_values[static_cast<std::uint8_t>(text[at])];
  };
  unsigned seen = 0;  // All values together: no digit has a bit above the six.
  std::size_t at = 0;
  std::size_t out = 0;
  for (; out + 3 <= to.size(); out += 3, at += 4) {
    const unsigned a = digit(at);
    const unsigned b = digit(at + 1);
    const unsigned c = digit(at + 2);
    const unsigned d = digit(at + 3);
    seen |= a | b | c | d;
    to[out] = static_cast<std::uint8_t>(a << 2 | b >> 4);
    to[out + 1] = static_cast<std::uint8_t>(b << 4 | c >> 2);
    to[out + 2] = static_cast<std::uint8_t>(c << 6 | d);
  }
  const std::size_t spare = to.size() - out;  // Bytes of the last group, if it is not whole.
  if (spare == 0) return seen < 64;
  const unsigned a = digit(at);
  const unsigned b = digit(at + 1);
  const unsigned c = spare == 2 ? digit(at + 2) : 0;
  const bool is_padded = text[at + 3] == '=' && (spare == 2 || text[at + 2] == '=');
  to[out] = static_cast<std::uint8_t>(a << 2 | b >> 4);
  if (spare == 2) to[out + 1] = static_cast<std::uint8_t>(b << 4 | c >> 2);
  // Only what we would write ourselves.
  const unsigned unused = spare == 2 ? c & 0x3 : b & 0xF;
  return is_padded && (seen | a | b | c) < 64 && unused == 0;
}

Result<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) {
  constexpr std::size_t digits_safe = 19;  // So many fit into 64 bits whatever they are.
  if (text.empty() || text.size() > digits_safe + 1 || (text.size() > 1 && text[0] == '0')) {
    return fail(Errc::malformed, "not a decimal number");
  }
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return fail(Errc::malformed, "not a decimal number");
    const auto digit = static_cast<std::uint64_t>(c - '0');
    const bool is_safe = text.size() <= digits_safe;
    if (!is_safe && (digit > max || value > (max - digit) / 10)) {
      return fail(Errc::too_large, "the number is too large");
    }
    value = value * 10 + digit;
  }
  if (value > max) return fail(Errc::too_large, "the number is too large");
  return value;
}

bool is_utf8(std::string_view text) { return !first_bad_utf8_line(text).has_value(); }

std::optional<std::size_t> first_bad_utf8_line(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    // Most of most texts is ASCII. (NUL is UTF-8, but no text.)
    if (const auto byte = static_cast<std::uint8_t>(text[at]); byte != 0 && byte < 0x80) {
      ++at;
      continue;
    }
    const std::size_t length = sequence_length(text, at);
    if (length == 0) {
      return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, at), '\n'));
    }
    at += length;
  }
  return std::nullopt;
}

bool is_member_code(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= limits::code_bytes_max &&
         std::ranges::all_of(text, fits) && !text.starts_with('-') && !text.ends_with('-');
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string one_line(std::string_view text, std::size_t bytes_max) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    const std::size_t step = length == 0 ? 1 : length;
    const bool control = length == 0 || breaks_line(text, at, length);
    if (out.size() + (control ? 1 : step) > bytes_max) break;
    if (control) {
      if (!out.empty() && out.back() != ' ') out.push_back(' ');
    } else {
      out.append(text.substr(at, step));
    }
    at += step;
  }
  return out;
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + ' ' + std::string(count == 1 ? one : many);
}

std::string folded(std::string_view text, std::size_t columns) {
  const auto width = [](std::string_view word) {
    const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    return static_cast<std::size_t>(std::ranges::count_if(word, starts));
  };
  std::string out;
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const std::size_t needed = width(word);
    const bool breaks = used > 0 && used + 1 + needed > columns;
    if (used > 0) out.push_back(breaks ? '\n' : ' ');
    out += word;
    used = breaks || used == 0 ? needed : used + 1 + needed;
    if (end < text.size() && text[end] == '\n') {
      out.push_back('\n');
      used = 0;
    }
    at = end + 1;
  }
  return out;
}

}  // namespace kith
