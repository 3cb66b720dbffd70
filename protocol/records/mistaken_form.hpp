#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "protocol/records/document.hpp"

/// Any Markdown file is a document, so a slip of the hand would share a form as plain text, for
/// good.
namespace kith {

/// The name of a front matter's field, and its line.
struct NamedLine {
  std::string_view name;
  std::size_t line = 0;
};
/// Why a file without `kind` looks like a form; nothing if it does not. `fields` are those of its
/// front matter; `text` is the whole of a file without any, else empty. docs/PROTOCOL.md,
/// "Documents".
[[nodiscard]] std::optional<Complaint> mistaken_form(std::span<const NamedLine> fields,
                                                     std::string_view text);

}  // namespace kith
