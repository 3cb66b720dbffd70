#include "protocol/records/field_check.hpp"

#include <algorithm>
#include <numeric>

#include "protocol/base/text.hpp"
#include "protocol/records/outline.hpp"

namespace kith {
namespace {

constexpr std::size_t prefix_digits_min = 4;  // Of a record id; the client completes it.
constexpr std::size_t id_digits = 52;         // 32 bytes in base32.
constexpr std::size_t shown_bytes_max = 60;   // Of a wrong value, in a complaint.

std::string quoted(std::string_view value) {
  return "\"" + one_line(value, shown_bytes_max) + "\"";
}

std::vector<std::string_view> split_choice(std::string_view words) {
  std::vector<std::string_view> all;
  for (std::size_t at = 0; at <= words.size();) {
    const std::size_t end = std::min(words.find('/', at), words.size());
    all.push_back(words.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

std::string join_choice(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

bool is_one_line(std::string_view value) { return one_line(value, value.size()) == value; }

bool is_date(std::string_view value) {
  if (value.size() != 10 || value[4] != '-' || value[7] != '-') return false;
  const auto digits = [&](std::size_t at, std::size_t count) -> unsigned {
    unsigned number = 0;
    for (const char c : value.substr(at, count)) {
      if (c < '0' || c > '9') return 0;
      number = number * 10 + static_cast<unsigned>(c - '0');
    }
    return number;
  };
  const unsigned year = digits(0, 4);
  const unsigned month = digits(5, 2);
  const unsigned day = digits(8, 2);
  if (year < 1000 || month < 1 || month > 12 || day < 1) return false;
  constexpr unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool is_integer(std::string_view value) {
  if (value.starts_with('-')) value.remove_prefix(1);
  return parse_decimal(value, INT64_MAX).has_value();
}

bool is_reference(std::string_view value) {
  return value.size() >= prefix_digits_min && value.size() <= id_digits &&
         std::ranges::all_of(
             value, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); });
}

/// How many letters must be added, dropped or changed.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

/// The candidate that `name` most likely means, or nothing.
std::optional<std::string_view> nearest(std::string_view name,
                                        const std::vector<std::string_view>& candidates) {
  // A name so long is no slip of the hand, and the table would cost time.
  if (candidates.empty() || name.empty() || name.size() > 64) return std::nullopt;
  const std::string wanted = as_field_name(name);
  const auto best = std::ranges::min_element(
      candidates, {}, [&](std::string_view candidate) { return distance(wanted, candidate); });
  const std::size_t slips = std::max<std::size_t>(2, wanted.size() / 3);
  const std::size_t needed = distance(wanted, *best);
  if (needed > slips || needed >= best->size()) return std::nullopt;
  return *best;
}

std::string suggestion(std::string_view name, const std::vector<std::string_view>& candidates) {
  const auto near = nearest(name, candidates);
  if (near) return "did you mean \"" + std::string(*near) + "\"?";
  return "choose " + join_choice(candidates);
}

}  // namespace

std::optional<std::string> wrong_value(const FieldSpec& spec,
                                       const std::vector<std::string>& values) {
  if (spec.type == FieldType::list) {
    if (std::ranges::all_of(values, is_one_line)) return std::nullopt;
    return "has an item of several lines; keep each item on one line";
  }
  if (values.size() > 1) return "holds a list; write one value";
  if (values.empty()) return std::nullopt;
  const std::string& value = values.front();
  switch (spec.type) {
    case FieldType::markdown:
    case FieldType::list:
      return std::nullopt;
    case FieldType::text:
      if (is_one_line(value)) return std::nullopt;
      return "has several lines; keep it on one";
    case FieldType::word:
      if (std::ranges::count(split_choice(spec.words), value) > 0) return std::nullopt;
      return quoted(value) + " is not one of its words; " +
             suggestion(value, split_choice(spec.words));
    case FieldType::integer:
      if (is_integer(value)) return std::nullopt;
      return quoted(value) + " is not a whole number; write digits alone";
    case FieldType::date:
      if (is_date(value)) return std::nullopt;
      return quoted(value) + " is not a date; write it as YYYY-MM-DD";
    case FieldType::reference:
      if (is_reference(value)) return std::nullopt;
      return quoted(value) + " is not a record id; copy at least its first four characters";
  }
  return std::nullopt;
}

std::string missing(std::string_view help) {
  std::string what(help);
  if (what.ends_with('.')) what.pop_back();
  if (!what.empty() && what[0] >= 'A' && what[0] <= 'Z') what[0] = static_cast<char>(what[0] + 32);
  return "is missing; " + what;
}

std::string unknown_field(const KindSpec& kind, std::string_view name) {
  std::vector<std::string_view> known;
  for (const FieldSpec& spec : kind.fields) known.push_back(spec.name);
  return "is not a field of " + std::string(kind.name) + "; " + suggestion(name, known);
}

std::string unknown_kind(std::string_view name) {
  std::vector<std::string_view> known;
  for (const KindSpec& kind : kinds()) {
    if (kind.is_document) known.push_back(kind.name);
  }
  return quoted(name) + " is not something that people write; " + suggestion(name, known);
}

bool is_slip_of(std::string_view name, std::string_view meant) {
  if (name == meant || name.size() > meant.size() + 1) return false;
  std::string written = as_field_name(name);
  std::string right(meant);
  if (written.empty() || written[0] != right[0]) return false;
  if (distance(written, right) <= 1) return true;
  std::ranges::sort(written);
  std::ranges::sort(right);
  return written == right;
}

std::string word_choice(std::string_view words) { return join_choice(split_choice(words)); }

}  // namespace kith
