#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/base/types.hpp"

namespace kith::fuzz {

/// What a decoder accepts must be exactly what the encoder makes of it. Aborts otherwise.
template <class Decode, class Encode>
int round_trip(const std::uint8_t* data, std::size_t size, Decode decode, Encode encode_again) {
  const BytesView bytes(data, size);
  const auto value = decode(bytes);
  if (value && !equal(encode_again(*value), bytes)) std::abort();
  return 0;
}

/// The text with LF alone: a CR before it is dropped on reading.
inline std::string without_cr(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') plain.push_back(text[i]);
  }
  return plain;
}

}  // namespace kith::fuzz
