#include "protocol/records/mistaken_form.hpp"

#include <algorithm>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/records/field_check.hpp"
#include "protocol/records/kind_table.hpp"
#include "protocol/records/outline.hpp"

namespace kith {
namespace {

constexpr std::size_t telling_fields = 2;  // So many are no coincidence.
constexpr std::size_t lines_looked_at = 20;

bool is_required(const KindSpec& kind, std::string_view name) {
  const FieldSpec* field = kind.find(name);
  return field != nullptr && field->required;
}

std::optional<Complaint> mistyped_kind(std::span<const NamedLine> fields) {
  const auto slip = [](const NamedLine& field) { return is_slip_of(field.name, "kind"); };
  const auto at = std::ranges::find_if(fields, slip);
  if (at == fields.end()) return std::nullopt;
  return Complaint{at->line, one_line(at->name, limits::name_bytes_max),
                   "stands here and no \"kind\"; write \"kind:\" if it says what this is; if not, "
                   "write \"kind: document\" above it"};
}

std::optional<Complaint> missing_kind(std::span<const NamedLine> fields) {
  for (const KindSpec& kind : kinds()) {
    const auto fitting = std::ranges::count_if(fields, [&](const NamedLine& field) {
      return field.name != "title" && is_required(kind, field.name);
    });
    if (static_cast<std::size_t>(fitting) < telling_fields) continue;
    return Complaint{1, "kind",
                     "is missing; these are fields of a form: write \"kind: " +
                         std::string(kind.name) + "\" among them, or \"kind: document\""};
  }
  return std::nullopt;
}

std::string_view without_quotes(std::string_view value) {
  const bool is_quoted = value.size() > 1 && (value[0] == '"' || value[0] == '\'');
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

std::optional<Complaint> missing_fences(std::string_view text) {
  const KindSpec* kind = nullptr;
  std::size_t kind_line = 0;
  std::vector<std::string_view> names;
  std::size_t at = 0;
  for (std::size_t number = 1; number <= lines_looked_at && at < text.size(); ++number) {
    const std::string_view line = take_line(text, at);
    if (line.starts_with("```") || line.starts_with("~~~")) break;  // An example of one.
    const std::size_t colon = line.find(':');
    const bool is_field = colon != std::string_view::npos && trimmed(line.substr(0, 1)) != "";
    if (!is_field) continue;
    names.push_back(trimmed(line.substr(0, colon)));
    if (names.back() != "kind" || kind != nullptr) continue;
    const KindSpec* named = find_kind(without_quotes(trimmed(line.substr(colon + 1))));
    if (named == nullptr || !named->is_document) continue;
    kind = named;
    kind_line = number;
  }
  const auto fits = [&](std::string_view name) { return is_required(*kind, name); };
  if (kind == nullptr || std::ranges::none_of(names, fits)) return std::nullopt;
  return Complaint{
      kind_line, "kind",
      "stands in no front matter; begin the file with a line of three dashes and write "
      "another after the last field (or, if this is no form, begin it with front matter "
      "that says \"kind: document\")"};
}

}  // namespace

std::optional<Complaint> mistaken_form(std::span<const NamedLine> fields, std::string_view text) {
  if (auto mistyped = mistyped_kind(fields)) return mistyped;
  if (auto missing = missing_kind(fields)) return missing;
  return missing_fences(text);
}

}  // namespace kith
