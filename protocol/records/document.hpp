#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// A document is what a person wrote: Markdown, with YAML front matter between "---" lines. The
/// record's body is exactly these bytes; this only reads them.
namespace kith {

struct Field {
  std::string name;
  std::vector<std::string> values;  ///< One, or several for a list.
  std::size_t line = 0;             ///< 1-based, in the file.
  friend bool operator==(const Field&, const Field&) = default;
};

struct Document {
  std::string kind;                ///< From `kind:` in the front matter; "document" without it.
  std::vector<Field> fields;       ///< In the order written, without `kind`.
  std::string_view text;           ///< What follows the front matter; a view into the input.
  std::size_t front_end_line = 0;  ///< Of the closing "---"; 0 without front matter.
  std::string title;  ///< The field, else the first heading, else the first line of text.

  [[nodiscard]] const Field* find(std::string_view name) const;
  /// Its first value; empty if there is no such field or nothing in it.
  [[nodiscard]] std::string_view value(std::string_view name) const;
};

/// One thing wrong with a document.
struct Complaint {
  std::size_t line = 0;  ///< 1-based; 0 if it is about the file as a whole.
  std::string field;     ///< May be empty.
  std::string said;      ///< What is wrong and what to do.
  friend bool operator==(const Complaint&, const Complaint&) = default;
};

/// Reads and checks a document. All complaints are returned, not the first alone. Empty, too large,
/// binary or non-UTF-8 input, broken YAML (with its line), an unknown kind, a field that the kind
/// lacks (with the nearest name), a missing or wrong field are complaints. A Markdown file whose
/// front matter has no `kind:` is a "document" and keeps whatever front matter it has; but a field
/// that looks like a slip for `kind` is a complaint. YAML
/// aliases, tags and nesting deeper than a list are refused in kinds other than "document".
struct Parsed {
  Document document;
  std::vector<Complaint> complaints;  ///< Empty: good.
};
[[nodiscard]] Parsed parse_document(std::string_view file);

/// "file.md:3: results: is missing; say what happened": one line for each complaint.
[[nodiscard]] std::string describe(const std::string& file,
                                   const std::vector<Complaint>& complaints);

/// An empty form for `kind`: front matter with every required field and its help as comments.
[[nodiscard]] std::string make_form(std::string_view kind);

}  // namespace kith
