#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The little of Markdown that records need: headings, and what stands under them.
namespace kith {

struct Heading {
  unsigned level = 1;      ///< Number of '#', 1 to 6.
  std::string_view title;  ///< Without marks and blanks around it.
  std::size_t line = 0;    ///< 1-based, counted from `first_line`.
  std::size_t begin = 0;   ///< Offset of the heading's line in the text.
  std::size_t end = 0;     ///< Offset of the line after it.
};

/// The headings of `text` that begin with '#', outside fenced code. `first_line` is the number of
/// the text's first line.
[[nodiscard]] std::vector<Heading> headings(std::string_view text, std::size_t first_line);

/// The line at `at`, without its LF and CR; `at` moves to the next one.
[[nodiscard]] std::string_view take_line(std::string_view text, std::size_t& at);
/// Without blanks, tabs and line ends around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);
/// A heading or a mistyped name as a field would be called: lower case, '_' for ' ' and '-'.
[[nodiscard]] std::string as_field_name(std::string_view title);

}  // namespace kith
