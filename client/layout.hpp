#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "client/console.hpp"
#include "protocol/base/types.hpp"

/// How things look on a terminal. What others wrote reaches it only through clean_line and
/// clean_text: a title must not be able to move the cursor or to forge a line.
namespace kith::client {

/// One line without control characters and without marks that turn the reading direction.
[[nodiscard]] std::string clean_line(std::string_view text);
/// The same line by line; tabs become blanks.
[[nodiscard]] std::string clean_text(std::string_view text);

/// Clean text without blank lines before and blanks behind it.
[[nodiscard]] std::string clean_block(std::string_view text);

/// Columns that clean text takes: one for each character.
[[nodiscard]] std::size_t columns_of(std::string_view text);
/// At most `columns` of clean text, ended by "…" if something was cut off; 0: never cut.
[[nodiscard]] std::string fit(std::string_view text, std::size_t columns);

/// The first eight characters of an id: what people copy.
[[nodiscard]] std::string short_id(const RecordId& id);
[[nodiscard]] std::string full_id(BytesView id);
/// "2026-03-01 14:05" in local time; "no date" for what no calendar holds.
[[nodiscard]] std::string date_of(Millis time);
/// "2026-03-01T14:05:09.123Z"; empty for what no calendar holds.
[[nodiscard]] std::string utc_of(Millis time);
/// "1.5 MiB".
[[nodiscard]] std::string size_of(std::uint64_t bytes);
[[nodiscard]] std::string joined(const std::vector<std::string>& parts, std::string_view between);

/// Clean text as it may stand in a command that a person copies into a shell: quoted if need be.
[[nodiscard]] std::string shell_word(std::string_view text);

/// Bold on a terminal with colour.
[[nodiscard]] std::string heading(const Console& console, std::string_view text);

/// Rows in columns, as wide as their content; the last column gives way to the console's width.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}

  /// As many cells as titles; each is made clean.
  void add(const std::vector<std::string>& cells);
  void print(const Console& console, std::string_view indent = "") const;

 private:
  std::vector<std::string> titles_;  // All empty: no line for them.
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace kith::client
