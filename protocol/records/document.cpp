#include "protocol/records/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/records/field_check.hpp"
#include "protocol/records/kind_table.hpp"
#include "protocol/records/outline.hpp"

namespace kith {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t front_matter_bytes_max = 64 * limits::ki;
constexpr std::size_t nesting_max = 16;

/// A field as the front matter gives it, before anybody asks whether it is right.
struct RawField {
  Field field;
  bool is_list = false;
  bool is_nested = false;  // Named parts, or a list within a list.
  bool is_plain = true;    // No alias, anchor or tag.
};

/// Takes YAML as a stream of events: nothing is expanded, so aliases cannot grow.
class FieldReader : public YAML::EventHandler {
 public:
  explicit FieldReader(std::size_t first_line) : first_line_(first_line) {}

  std::vector<RawField> fields;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) refuse(mark, "there is a second YAML document");
    started_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    scalar(mark, std::nullopt);
    note("", anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    if (at_key()) refuse(mark, "a field's name is an alias");
    fields.back().is_plain = false;
    if (depth_ == 1) key_next_ = true;
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    scalar(mark, value);
    note(tag, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, false);
    note(tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, true);
    note(tag, anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  /// Unwinds through the parser, which reports its own errors in the same way.
  [[noreturn]] static void refuse(const YAML::Mark& mark, const std::string& why) {
    throw YAML::ParserException(mark, why);
  }
  [[nodiscard]] bool at_key() const { return depth_ == 0 || (depth_ == 1 && key_next_); }

  void scalar(const YAML::Mark& mark, const std::optional<std::string>& value) {
    if (depth_ == 0) refuse(mark, "these are no fields; write each as \"name: value\"");
    if (at_key()) {
      const auto line = first_line_ + static_cast<std::size_t>(std::max(mark.line, 0));
      fields.push_back({{value.value_or(""), {}, line}});
      key_next_ = false;
      return;
    }
    if (depth_ <= 2 && value) fields.back().field.values.push_back(*value);
    if (depth_ == 1) key_next_ = true;
  }

  void begin(const YAML::Mark& mark, bool is_map) {
    if (depth_ == 0 && !is_map) refuse(mark, "these are no fields; write each as \"name: value\"");
    if (depth_ > 0 && at_key()) refuse(mark, "a field's name is not a word");
    if (depth_ >= nesting_max) refuse(mark, "the nesting is too deep");
    if (depth_ == 1) (is_map ? fields.back().is_nested : fields.back().is_list) = true;
    if (depth_ == 2) fields.back().is_nested = true;
    ++depth_;
  }
  void end() {
    --depth_;
    if (depth_ == 1) key_next_ = true;
  }

  /// "?" and "!" only say plain and quoted.
  void note(const std::string& tag, YAML::anchor_t anchor) {
    const bool plain = anchor == 0 && (tag.empty() || tag == "?" || tag == "!");
    if (!plain && !fields.empty()) fields.back().is_plain = false;
  }

  std::size_t first_line_;
  std::size_t depth_ = 0;
  bool key_next_ = true;
  bool started_ = false;
};

/// The file cut in two. Lines are 1-based.
struct Parts {
  std::string_view front;
  std::size_t front_line = 2;
  std::size_t end_line = 1;  // Of the closing "---"; 1 without front matter.
  std::string_view text;
  std::size_t text_line = 1;
  bool unclosed = false;  // Begins like front matter, and a `kind:` says that it is meant so.
};

bool has_kind_line(std::string_view front) {
  for (std::size_t at = 0; at < front.size();) {
    const std::string_view line = take_line(front, at);
    if (line.starts_with("kind") && trimmed(line.substr(4)).starts_with(':')) return true;
  }
  return false;
}

Parts cut(std::string_view file) {
  if (file.starts_with(byte_order_mark)) file.remove_prefix(byte_order_mark.size());
  const auto is_fence = [](std::string_view line) {
    return line.starts_with("---") && trimmed(line.substr(3)).empty();
  };
  Parts parts;
  parts.text = file;
  std::size_t at = 0;
  if (!is_fence(take_line(file, at))) return parts;

  const std::size_t begin = at;
  for (std::size_t number = 2; at < file.size(); ++number) {
    const std::size_t line_begin = at;
    if (!is_fence(take_line(file, at))) continue;
    parts.front = file.substr(begin, line_begin - begin);
    parts.end_line = number;
    parts.text = file.substr(at);
    parts.text_line = number + 1;
    return parts;
  }
  // A text may begin with a line of dashes that means nothing.
  parts.unclosed = has_kind_line(file.substr(begin));
  return parts;
}

std::optional<Complaint> unreadable(std::string_view file) {
  if (trimmed(file).empty()) return Complaint{0, "", "is empty; write something"};
  if (file.size() > limits::document_bytes_max) {
    return Complaint{0, "",
                     "is larger than " + std::to_string(limits::document_bytes_max / limits::ki) +
                         " KiB; shorten it"};
  }
  if (file.find('\0') != std::string_view::npos) {
    return Complaint{0, "", "is not a text file; write it as plain text or Markdown"};
  }
  if (const auto line = first_bad_utf8_line(file)) {
    return Complaint{*line, "", "holds bytes that are not UTF-8; save the file as UTF-8"};
  }
  return std::nullopt;
}

struct FrontMatter {
  std::vector<RawField> fields;
  std::optional<Complaint> broken;
};

FrontMatter read_front_matter(const Parts& parts) {
  if (parts.front.size() > front_matter_bytes_max) {
    return {{}, Complaint{1, "", "the front matter is larger than 64 KiB; move text below it"}};
  }
  FieldReader reader(parts.front_line);
  // The parser overlooks a quote that is never closed if a line end is the last thing it reads.
  const std::size_t end = parts.front.find_last_not_of(" \t\r\n") + 1;
  if (end == 0) return {};  // Most documents have none, and starting the parser is not free.
  try {
    std::istringstream stream{std::string(parts.front.substr(0, end))};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(reader)) {
    }
  } catch (const YAML::Exception& broken) {
    const auto below = static_cast<std::size_t>(std::max(broken.mark.line, 0));
    const std::size_t line = std::min(parts.front_line + below, parts.end_line);
    return {{},
            Complaint{line, "",
                      "the front matter cannot be read (" + broken.msg +
                          "); put the value in quotes, or write it on indented "
                          "lines after \"name: |\""}};
  }
  return {std::move(reader.fields), std::nullopt};
}

/// Adds what stands under headings that name a Markdown field which the front matter lacks.
void add_sections(const KindSpec& kind, const Parts& parts, Document& document) {
  const auto all = headings(parts.text, parts.text_line);
  const auto field_of = [&](const Heading& heading) -> const FieldSpec* {
    const FieldSpec* spec = kind.find(as_field_name(heading.title));
    return spec != nullptr && spec->type == FieldType::markdown ? spec : nullptr;
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const FieldSpec* spec = field_of(all[i]);
    if (spec == nullptr || document.find(spec->name) != nullptr) continue;
    std::size_t next = i + 1;
    while (next < all.size() && all[next].level > all[i].level && field_of(all[next]) == nullptr) {
      ++next;
    }
    const std::size_t end = next < all.size() ? all[next].begin : parts.text.size();
    const auto content = trimmed(parts.text.substr(all[i].end, end - all[i].end));
    if (content.empty()) continue;
    document.fields.push_back({std::string(spec->name), {std::string(content)}, all[i].line});
  }
}

std::string title_of(const Document& document) {
  constexpr std::size_t bytes_max = limits::name_bytes_max;
  const Field* field = document.find("title");
  if (field != nullptr && !field->values.empty()) return one_line(field->values[0], bytes_max);
  for (const Heading& heading : headings(document.text, 1)) {
    if (!heading.title.empty()) return one_line(heading.title, bytes_max);
  }
  std::size_t at = 0;
  return one_line(trimmed(take_line(trimmed(document.text), at)), bytes_max);
}

/// In order of line; those of one line in the order in which they are found.
void complain(Parsed& parsed, Complaint complaint) {
  auto& all = parsed.complaints;
  all.insert(std::ranges::upper_bound(all, complaint.line, {}, &Complaint::line),
             std::move(complaint));
}

/// Blank values count as not given.
void tidy(Field& field) {
  for (std::string& value : field.values) value = std::string(trimmed(value));
  std::erase(field.values, "");
}

/// Judges one field of a kind whose fields are all known.
std::optional<std::string> wrong_field(const KindSpec& kind, const Document& so_far,
                                       const RawField& raw) {
  const FieldSpec* spec = kind.find(raw.field.name);
  if (spec == nullptr) return unknown_field(kind, raw.field.name);
  if (const Field* earlier = so_far.find(raw.field.name)) {
    return "is given twice, also in line " + std::to_string(earlier->line) + "; keep one";
  }
  if (!raw.is_plain) return "uses a YAML alias, anchor or tag; write the value itself";
  if (raw.is_nested) return "has named parts or a list within a list; write a plain value";
  if (raw.is_list && spec->type != FieldType::list) return "holds a list; write one value";
  return wrong_value(*spec, raw.field.values);
}

void check_fields(const KindSpec& kind, const Parts& parts, std::vector<RawField> raw,
                  Parsed& parsed) {
  Document& document = parsed.document;
  std::vector<Field> wrong;  // Already complained about: not missing as well.
  std::vector<Field> blank;
  for (RawField& one : raw) {
    tidy(one.field);
    if (const auto said = wrong_field(kind, document, one)) {
      complain(parsed, {one.field.line, one.field.name, *said});
      wrong.push_back(one.field);
    } else if (one.field.values.empty()) {
      blank.push_back(one.field);
    } else {
      document.fields.push_back(one.field);
    }
  }
  add_sections(kind, parts, document);

  for (const FieldSpec& spec : kind.fields) {
    const bool answered = document.find(spec.name) != nullptr ||
                          std::ranges::count(wrong, spec.name, &Field::name) > 0;
    if (!spec.required || answered) continue;
    const auto at = std::ranges::find(blank, spec.name, &Field::name);
    const std::size_t line = at == blank.end() ? parts.end_line : at->line;
    complain(parsed, {line, std::string(spec.name), missing(spec.help)});
  }
}

/// "document" keeps what it has; only plain values can be shown as fields.
void keep_fields(std::vector<RawField> raw, Document& document) {
  for (RawField& one : raw) {
    tidy(one.field);
    if (one.is_plain && !one.is_nested) document.fields.push_back(std::move(one.field));
  }
}

/// Takes `kind` out of the fields: its value, or nothing if it is not there.
std::optional<RawField> take_kind(std::vector<RawField>& fields) {
  const auto at = std::ranges::find(fields, "kind", [](const RawField& f) { return f.field.name; });
  if (at == fields.end()) return std::nullopt;
  RawField kind = std::move(*at);
  fields.erase(at);
  tidy(kind.field);
  return kind;
}

void check_content(const Parts& parts, FrontMatter front, Parsed& parsed) {
  Document& document = parsed.document;
  const auto kind_field = take_kind(front.fields);
  if (kind_field) {
    const auto& values = kind_field->field.values;
    document.kind = values.size() == 1 && !kind_field->is_nested && kind_field->is_plain
                        ? one_line(values[0], limits::name_bytes_max)
                        : "";
  }
  const KindSpec* kind = find_kind(document.kind);
  if (kind == nullptr || !kind->is_document) {
    complain(parsed, {kind_field->field.line, "kind", unknown_kind(document.kind)});
    keep_fields(std::move(front.fields), document);
    return;
  }
  if (kind->open_front_matter) {
    keep_fields(std::move(front.fields), document);
  } else {
    check_fields(*kind, parts, std::move(front.fields), parsed);
  }
  if (!kind->text_help.empty() && trimmed(parts.text).empty()) {
    complain(parsed, {parts.end_line, "text", missing(kind->text_help)});
  }
}

}  // namespace

const Field* Document::find(std::string_view name) const {
  const auto at = std::ranges::find(fields, name, &Field::name);
  return at == fields.end() ? nullptr : &*at;
}

Parsed parse_document(std::string_view file) {
  Parsed parsed;
  parsed.document.kind = "document";
  parsed.document.text = file;
  if (const auto complaint = unreadable(file)) {
    parsed.complaints.push_back(*complaint);
    return parsed;
  }

  const Parts parts = cut(file);
  parsed.document.text = parts.text;
  FrontMatter front = read_front_matter(parts);
  if (parts.unclosed) {
    parsed.complaints.push_back(
        {1, "", "the front matter has no end; write a line of three dashes after its last field"});
  } else if (front.broken && has_kind_line(parts.front)) {
    parsed.complaints.push_back(*front.broken);
  } else {
    check_content(parts, std::move(front), parsed);
  }
  parsed.document.title = title_of(parsed.document);
  return parsed;
}

}  // namespace kith
