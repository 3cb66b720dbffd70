#include "client/commands/references.hpp"

#include "client/layout.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith::client {
namespace {

constexpr std::size_t id_characters = 52;

/// Where line `number` (1-based) begins.
std::size_t line_begin(const std::string& text, std::size_t number) {
  std::size_t at = 0;
  for (std::size_t line = 1; line < number && at != std::string::npos; ++line) {
    at = text.find('\n', at);
    if (at != std::string::npos) ++at;
  }
  return at;
}

/// Replaces what looks like the field's value after its name; it may follow on a later line.
bool replace_value(std::string& text, const Field& field, const std::string& by) {
  const std::string& value = field.values.front();
  const std::size_t begin = line_begin(text, field.line);
  if (begin == std::string::npos) return false;
  const std::size_t colon = text.find(':', begin);
  const std::size_t at = colon == std::string::npos ? colon : text.find(value, colon);
  if (at == std::string::npos) return false;
  text.replace(at, value.size(), by);
  return true;
}

/// A comment, another field or the text may hold the same letters as the value, and YAML can spell
/// it in other ways: only what reads as `wanted`, and as nothing else, is signed.
bool reads_as(const std::string& text, const Document& wanted) {
  const Parsed parsed = parse_document(text);
  return parsed.complaints.empty() && parsed.document.kind == wanted.kind &&
         parsed.document.fields == wanted.fields && parsed.document.text == wanted.text;
}

}  // namespace

Answered<std::string> complete_references(const std::string& document, Daemon& daemon,
                                          const Console& console) {
  std::string completed = document;
  Document wanted = parse_document(document).document;
  const KindSpec* kind = find_kind(wanted.kind);
  if (kind == nullptr) return {completed, Exit::ok};
  for (Field& field : wanted.fields) {
    const FieldSpec* spec = kind->find(field.name);
    const bool is_short = spec != nullptr && spec->type == FieldType::reference &&
                          !field.values.empty() && field.values[0].size() < id_characters;
    if (!is_short) continue;
    const auto shown = ask<local::ShowAnswer>(daemon, console, local::ShowRequest{field.values[0]});
    if (!shown) return {std::nullopt, shown.exit};
    const std::string id = full_id(shown->record.id.view());
    const bool replaced = replace_value(completed, field, id);
    field.values[0] = id;
    if (!replaced || !reads_as(completed, wanted)) {
      const Error odd =
          fail(Errc::usage, "line " + std::to_string(field.line) + ": write " + field.name +
                                ": and the id on one line, and nothing else");
      return {std::nullopt, complain(console, odd)};
    }
  }
  return {completed, Exit::ok};
}

}  // namespace kith::client
