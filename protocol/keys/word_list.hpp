#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace kith {

/// The English word list of BIP-39 as one text: 2,048 sorted words, each ended by LF.
extern const std::string_view word_list_text;

inline constexpr std::size_t word_list_size = 2048;
inline constexpr unsigned word_list_bits = 11;  ///< Each word stands for so many bits.

/// The words by number.
[[nodiscard]] const std::array<std::string_view, word_list_size>& word_list();
/// The number of `word`, in lower case, or nothing if the list lacks it.
[[nodiscard]] std::optional<unsigned> word_number(std::string_view word);

}  // namespace kith
