#include "protocol/records/outline.hpp"

#include <algorithm>

namespace kith {
namespace {

constexpr std::size_t indent_max = 3;  // More makes it code.

std::string_view unindented(std::string_view line) {
  const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
  return indent > indent_max ? std::string_view{} : line.substr(indent);
}

std::size_t run_length(std::string_view line, char mark) {
  return std::min(line.find_first_not_of(mark), line.size());
}

/// Follows ``` and ~~~ from line to line.
class Fence {
 public:
  /// Whether `line` belongs to fenced code (its fences included).
  bool covers(std::string_view line) {
    const std::string_view marks = unindented(line);
    const char mark = marks.empty() ? ' ' : marks.front();
    const std::size_t run = mark == '`' || mark == '~' ? run_length(marks, mark) : 0;
    if (length_ == 0) {
      if (run < 3) return false;
      mark_ = mark;
      length_ = run;
    } else if (mark == mark_ && run >= length_ && trimmed(marks.substr(run)).empty()) {
      length_ = 0;
    }
    return true;
  }

 private:
  char mark_ = ' ';
  std::size_t length_ = 0;  // 0: outside.
};

std::string_view heading_title(std::string_view rest) {
  rest = trimmed(rest);
  const std::size_t last = rest.find_last_not_of('#');
  if (last == std::string_view::npos) return {};
  const bool closing = last + 1 < rest.size() && (rest[last] == ' ' || rest[last] == '\t');
  return closing ? trimmed(rest.substr(0, last)) : rest;
}

}  // namespace

std::string_view take_line(std::string_view text, std::size_t& at) {
  const std::size_t end = std::min(text.find('\n', at), text.size());
  std::string_view line = text.substr(at, end - at);
  if (line.ends_with('\r')) line.remove_suffix(1);
  at = std::min(end + 1, text.size());
  return line;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string as_field_name(std::string_view title) {
  std::string name;
  for (const char c : title) {
    const bool upper = c >= 'A' && c <= 'Z';
    name.push_back(c == ' ' || c == '-' ? '_' : upper ? static_cast<char>(c + 32) : c);
  }
  return name;
}

std::vector<Heading> headings(std::string_view text, std::size_t first_line) {
  std::vector<Heading> found;
  Fence fence;
  std::size_t number = first_line;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const std::size_t begin = at;
    const std::string_view line = take_line(text, at);
    if (fence.covers(line)) continue;
    const std::string_view marks = unindented(line);
    const std::size_t level = run_length(marks, '#');
    if (level < 1 || level > 6) continue;
    const std::string_view rest = marks.substr(level);
    if (!rest.empty() && rest.front() != ' ' && rest.front() != '\t') continue;
    found.push_back({static_cast<unsigned>(level), heading_title(rest), number, begin, at});
  }
  return found;
}

}  // namespace kith
