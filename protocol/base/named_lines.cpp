#include "protocol/base/named_lines.hpp"

namespace kith {

bool NamedLines::next_is(std::string_view name) const {
  const std::string_view line = peek();
  return line.starts_with(name) && (line.size() == name.size() || line[name.size()] == ' ');
}

Result<std::string_view> NamedLines::value(std::string_view name) {
  if (rest_.find('\n') == std::string_view::npos || !next_is(name) ||
      peek().size() < name.size() + 2) {
    return fail(Errc::malformed, "the line \"" + std::string(name) + "\" is missing");
  }
  const std::string_view line = take();
  return line.substr(name.size() + 1);
}

Result<bool> NamedLines::exactly(std::string_view expected) {
  if (rest_.find('\n') == std::string_view::npos || peek() != expected) {
    return fail(Errc::malformed, "the first line is not \"" + std::string(expected) + "\"");
  }
  take();
  return true;
}

std::string_view NamedLines::peek() const {
  std::string_view line = rest_.substr(0, rest_.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view NamedLines::take() {
  const std::string_view line = peek();
  rest_.remove_prefix(rest_.find('\n') + 1);
  return line;
}

Result<bool> read_number(NamedLines& lines, std::string_view name, std::uint64_t& to) {
  const auto value = lines.value(name);
  if (!value) return value.error();
  const auto number = parse_decimal(*value, UINT64_MAX);
  if (!number) return number.error();
  to = *number;
  return true;
}

Result<bool> read_words(NamedLines& lines, std::string_view name, std::size_t bytes_max,
                        std::string& to) {
  const auto value = lines.value(name);
  if (!value) return value.error();
  if (one_line(*value, bytes_max) != *value) {
    return fail(Errc::malformed,
                "the line \"" + std::string(name) + "\" is too long or no line of text");
  }
  to = *value;
  return true;
}

void add_line(std::string& to, std::string_view name, std::string_view value) {
  to.append(name).append(" ").append(value).append("\n");
}

}  // namespace kith
