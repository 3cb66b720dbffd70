#include "protocol/records/document.hpp"
#include "protocol/records/field_check.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith {
namespace {

void add_help(std::string& form, const FieldSpec& spec) {
  form.append("# ").append(spec.help);
  if (!spec.words.empty()) form += " One of: " + word_choice(spec.words) + ".";
  if (!spec.source.empty()) form.append(" (").append(spec.source).append(")");
  form += "\n";
}

/// How an empty field is written so that whatever is filled in stays valid YAML.
std::string_view empty_value(FieldType type) {
  switch (type) {
    case FieldType::markdown:
      return " |\n  \n";
    case FieldType::list:
      return "\n  - \"\"\n";
    case FieldType::text:
      return " \"\"\n";
    case FieldType::word:
    case FieldType::integer:
    case FieldType::date:
    case FieldType::reference:
      return "\n";
  }
  return "\n";
}

bool has_markdown_fields(const KindSpec& kind) {
  for (const FieldSpec& spec : kind.fields) {
    if (spec.type == FieldType::markdown) return true;
  }
  return false;
}

}  // namespace

std::string describe(const std::string& file, const std::vector<Complaint>& complaints) {
  std::string text;
  for (const Complaint& complaint : complaints) {
    text += file + ":";
    if (complaint.line > 0) text += std::to_string(complaint.line) + ":";
    if (!complaint.field.empty()) text += " " + complaint.field + ":";
    text += " " + complaint.said + "\n";
  }
  return text;
}

std::string make_form(std::string_view name) {
  const KindSpec* kind = find_kind(name);
  if (kind == nullptr || !kind->is_document) return "";

  std::string form = "---\n# " + std::string(kind->help) + "\nkind: " + std::string(name) + "\n";
  bool any_optional = false;
  for (const FieldSpec& spec : kind->fields) {
    any_optional = any_optional || !spec.required;
    if (!spec.required) continue;
    form += "\n";
    add_help(form, spec);
    form.append(spec.name).append(":").append(empty_value(spec.type));
  }
  if (has_markdown_fields(*kind)) {
    form +=
        "\n# Write after a \"|\" on lines that begin with two blanks. Or leave it out here and "
        "write\n"
        "# below the dashes under a heading with the field's name, for instance \"## Results\".\n";
  }
  if (any_optional)
    form += "\n# What follows may stay away. Remove the # before what you fill in.\n";
  for (const FieldSpec& spec : kind->fields) {
    if (spec.required) continue;
    form += "\n";
    add_help(form, spec);
    form.append("#").append(spec.name).append(":\n");
  }
  form += "---\n\n";
  return form;
}

}  // namespace kith
