#include "protocol/records/document.hpp"

#include <yaml.h>

#include <algorithm>
#include <optional>

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/records/field_check.hpp"
#include "protocol/records/kind_table.hpp"
#include "protocol/records/mistaken_form.hpp"
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
class FieldReader {
 public:
  std::vector<RawField> fields;

  /// Why the front matter is none, or nothing.
  [[nodiscard]] std::optional<std::string> take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        return std::exchange(started_, true) ? refusal("there is a second YAML document")
                                             : std::nullopt;
      case YAML_ALIAS_EVENT:
        return alias();
      case YAML_SCALAR_EVENT:
        return scalar(event);
      case YAML_SEQUENCE_START_EVENT:
        return begin(false, event.data.sequence_start.tag, event.data.sequence_start.anchor);
      case YAML_MAPPING_START_EVENT:
        return begin(true, event.data.mapping_start.tag, event.data.mapping_start.anchor);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        --depth_;
        if (depth_ == 1) key_next_ = true;
        return std::nullopt;
      default:
        return std::nullopt;
    }
  }

 private:
  static std::optional<std::string> refusal(const char* why) { return why; }
  static std::optional<std::string> no_fields() {
    return "these are no fields; write each as \"name: value\"";
  }
  [[nodiscard]] bool at_key() const { return depth_ == 0 || (depth_ == 1 && key_next_); }

  std::optional<std::string> alias() {
    if (at_key()) return "a field's name is an alias";
    fields.back().is_plain = false;
    if (depth_ == 1) key_next_ = true;
    return std::nullopt;
  }

  std::optional<std::string> scalar(const yaml_event_t& event) {
    const auto& given = event.data.scalar;
    const std::string value(text_of(given));
    if (depth_ == 0) return no_fields();
    if (at_key()) {
      fields.push_back({{is_null(event) ? "" : value, {}, event.start_mark.line}});
      key_next_ = false;
    } else {
      if (depth_ <= 2 && !is_null(event)) fields.back().field.values.push_back(value);
      if (depth_ == 1) key_next_ = true;
    }
    note(given.tag, given.anchor);
    return std::nullopt;
  }

  std::optional<std::string> begin(bool is_map, const yaml_char_t* tag, const yaml_char_t* anchor) {
    if (depth_ == 0 && !is_map) return no_fields();
    if (depth_ > 0 && at_key()) return "a field's name is not a word";
    if (depth_ >= nesting_max) return "the nesting is too deep";
    if (depth_ == 1) (is_map ? fields.back().is_nested : fields.back().is_list) = true;
    if (depth_ == 2) fields.back().is_nested = true;
    ++depth_;
    note(tag, anchor);
    return std::nullopt;
  }

  static std::string_view text_of(const decltype(yaml_event_t::data.scalar)& scalar) {
    // libyaml's bytes are unsigned.
    return {reinterpret_cast<const char*>(scalar.value), scalar.length};
  }

  /// YAML's words for "nothing here", unless they stand in quotes.
  static bool is_null(const yaml_event_t& event) {
    const auto& given = event.data.scalar;
    if (given.style != YAML_PLAIN_SCALAR_STYLE) return false;
    const std::string_view value = text_of(given);
    return value.empty() || value == "~" || value == "null" || value == "Null" || value == "NULL";
  }

  void note(const yaml_char_t* tag, const yaml_char_t* anchor) {
    if ((tag != nullptr || anchor != nullptr) && !fields.empty()) fields.back().is_plain = false;
  }

  std::size_t depth_ = 0;
  bool key_next_ = true;
  bool started_ = false;
};

/// libyaml's parser over one text.
class Yaml {
 public:
  explicit Yaml(std::string_view text) : text_(text) {
    KITH_CHECK(yaml_parser_initialize(&parser_) == 1);
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    // Also for an empty text the parser wants to see an address.
    const char* begin = text.empty() ? "" : text.data();
    // libyaml's bytes are unsigned.
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(begin),
                                 text.size());
  }
  ~Yaml() { yaml_parser_delete(&parser_); }
  Yaml(const Yaml&) = delete;
  Yaml& operator=(const Yaml&) = delete;

  struct Broken {
    std::size_t line = 0;  // From 0.
    std::string why;
  };
  /// Gives every event to the reader; what is wrong with the text, or nothing.
  [[nodiscard]] std::optional<Broken> read(FieldReader& reader) {
    for (bool end = false; !end;) {
      yaml_event_t event;
      if (yaml_parser_parse(&parser_, &event) == 0) return broken();
      end = event.type == YAML_STREAM_END_EVENT;
      const std::size_t line = event.start_mark.line;
      auto refused = reader.take(event);
      yaml_event_delete(&event);
      if (refused) return Broken{line, std::move(*refused)};
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] Broken broken() const {
    const char* why = parser_.problem == nullptr ? "it is no YAML" : parser_.problem;
    if (parser_.error != YAML_READER_ERROR) return {parser_.problem_mark.line, why};
    // A character that YAML does not allow: only its place in the text is known.
    const auto before = text_.substr(0, parser_.problem_offset);
    return {static_cast<std::size_t>(std::ranges::count(before, '\n')), why};
  }

  std::string_view text_;
  yaml_parser_t parser_{};
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
  // Most documents have none, and starting the parser is not free.
  if (trimmed(parts.front).empty()) return {};
  FieldReader reader;
  if (const auto broken = Yaml(parts.front).read(reader)) {
    const std::size_t line = std::min(parts.front_line + broken->line, parts.end_line);
    return {{},
            Complaint{line, "",
                      "the front matter cannot be read (" + broken->why +
                          "); put the value in quotes, or write it on indented "
                          "lines after \"name: |\""}};
  }
  for (RawField& one : reader.fields) one.field.line += parts.front_line;
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
  const std::string_view title = document.value("title");
  if (!title.empty()) return one_line(title, bytes_max);
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
  if (!kind_field) {
    std::vector<NamedLine> names;
    for (const RawField& raw : front.fields) names.push_back({raw.field.name, raw.field.line});
    auto mistake = mistaken_form(names, parts.end_line == 1 ? parts.text : std::string_view());
    if (mistake) {
      keep_fields(std::move(front.fields), document);
      return complain(parsed, std::move(*mistake));
    }
  }
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

std::string_view Document::value(std::string_view name) const {
  const Field* field = find(name);
  if (field == nullptr || field->values.empty()) return {};
  return field->values.front();
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
  parsed.document.front_end_line = parts.text_line - 1;
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
