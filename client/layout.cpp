#include "client/layout.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "protocol/base/check.hpp"
#include "protocol/base/text.hpp"

namespace kith::client {
namespace {

constexpr std::size_t short_id_characters = 8;
constexpr Millis calendar_end = 253'402'300'800'000;  // The year 10000.

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

/// Characters of two or three bytes that show nothing but change how the rest is shown: soft
/// hyphen, zero widths and directions (U+200B to U+200F), separators and embeddings (U+2028 to
/// U+202E), word joiner to isolates (U+2060 to U+206F), U+FEFF. 0 if there is none at `at`.
std::size_t invisible(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  if (byte(0) == 0xC2 && byte(1) == 0xAD) return 2;
  if (byte(0) == 0xEF && byte(1) == 0xBB && byte(2) == 0xBF) return 3;
  if (byte(0) != 0xE2) return 0;
  const unsigned last = byte(2);
  if (byte(1) == 0x80 && ((last >= 0x8B && last <= 0x8F) || (last >= 0xA8 && last <= 0xAE))) {
    return 3;
  }
  return byte(1) == 0x81 && last >= 0xA0 && last <= 0xAF ? 3 : 0;
}

}  // namespace

std::string clean_line(std::string_view text) {
  // First only whole characters are left, then some of them are dropped: the other way round, what
  // is left could join to a character that should have been dropped.
  const std::string line = one_line(text, text.size());
  std::string visible;
  for (std::size_t at = 0; at < line.size();) {
    if (const std::size_t skipped = invisible(line, at)) {
      at += skipped;
    } else {
      visible.push_back(line[at++]);
    }
  }
  return visible;
}

std::string clean_text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line;
    for (const char c : text.substr(at, end - at)) {
      if (c == '\t') {
        line.append(4, ' ');
      } else {
        line.push_back(c);
      }
    }
    if (line.ends_with('\r')) line.pop_back();
    out += clean_line(line);
    if (end < text.size()) out.push_back('\n');
    at = end + 1;
  }
  return out;
}

std::string clean_block(std::string_view text) {
  std::string block = clean_text(text);
  while (block.ends_with('\n') || block.ends_with(' ')) block.pop_back();
  block.erase(0, block.find_first_not_of('\n'));
  return block;
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

std::string fit(std::string_view text, std::size_t columns) {
  if (columns == 0 || columns_of(text) <= columns) return std::string(text);
  std::size_t at = 0;
  for (std::size_t shown = 0; at < text.size(); ++at) {
    if (starts_character(text[at]) && ++shown == columns) break;
  }
  return std::string(text.substr(0, at)) + "…";
}

std::string short_id(const RecordId& id) {
  return to_base32(id.view()).substr(0, short_id_characters);
}

std::string full_id(BytesView id) { return to_base32(id); }

std::string date_of(Millis time) {
  if (time >= calendar_end) return "no date";
  const auto seconds = static_cast<std::time_t>(time / 1000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &parts);
  return text.data();
}

std::string utc_of(Millis time) {
  if (time >= calendar_end) return "";
  const auto seconds = static_cast<std::time_t>(time / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03uZ", static_cast<unsigned>(time % 1000));
  return std::string(text.data()) + fraction.data();
}

std::string size_of(std::uint64_t bytes) {
  constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text.data();
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) out += between;
    out += part;
  }
  return out;
}

std::string shell_word(std::string_view text) {
  const std::string word = clean_line(text);
  const auto is_harmless = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  if (!word.empty() && word[0] != '-' && std::ranges::all_of(word, is_harmless)) return word;
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "'";
}

std::string heading(const Console& console, std::string_view text) {
  return console.colour ? "\x1b[1m" + std::string(text) + "\x1b[0m" : std::string(text);
}

void Table::add(const std::vector<std::string>& cells) {
  KITH_CHECK(cells.size() == titles_.size());
  std::vector<std::string> row;
  for (const std::string& cell : cells) row.push_back(clean_line(cell));
  rows_.push_back(std::move(row));
}

void Table::print(const Console& console, std::string_view indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < titles_.size(); ++column) {
    std::size_t width = columns_of(titles_[column]);
    for (const auto& row : rows_) width = std::max(width, columns_of(row[column]));
    widths.push_back(width);
  }
  const auto line_of = [&](const std::vector<std::string>& cells) {
    std::string line(indent);
    for (std::size_t column = 0; column < cells.size(); ++column) {
      line += cells[column];
      line.append(widths[column] - columns_of(cells[column]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return fit(line, console.width);
  };
  const bool titled =
      std::ranges::any_of(titles_, [](const auto& title) { return !title.empty(); });
  if (titled) console.out << heading(console, line_of(titles_)) << '\n';
  for (const auto& row : rows_) console.out << line_of(row) << '\n';
}

}  // namespace kith::client
