#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/log/leaf.hpp"

/// One table of what can be recorded: parser, validation, forms, help and docs are derived from it.
namespace kith {

enum class FieldType : std::uint8_t {
  text,      ///< One line.
  markdown,  ///< Several lines with light mark-up.
  word,      ///< One of `words`, separated by '/'.
  integer,
  date,       ///< YYYY-MM-DD.
  list,       ///< Several one-line texts.
  reference,  ///< A record id (or a unique prefix, which the client completes).
};

struct FieldSpec {
  std::string_view name;
  FieldType type = FieldType::text;
  bool required = false;
  std::string_view help;    ///< One sentence for the person who fills it in.
  std::string_view source;  ///< The standard it comes from, or empty.
  std::string_view words;   ///< For FieldType::word.
};

struct KindSpec {
  std::string_view name;
  LeafClass leaf_class = LeafClass::record;  ///< A closed space's keygrant is `governance`.
  bool is_document = false;  ///< Body is Markdown with front matter that people write.
  std::string_view help;
  std::span<const FieldSpec> fields;  ///< Only for documents.
  bool open_front_matter = false;     ///< Unknown fields are kept, not refused ("document").
  std::string_view text_help;  ///< Not empty: the text is required, and this says what it is.
  bool needs_speak = false;    ///< It binds the member: scope *speak*, not *publish*.

  /// The field of that name, or null.
  [[nodiscard]] const FieldSpec* find(std::string_view field) const;
};

/// All kinds of this version. Documents: practice, reply, document, disclosure_consent. Others:
/// founding, profile, proposal, consent, seen, keygrant.
[[nodiscard]] std::span<const KindSpec> kinds();
[[nodiscard]] const KindSpec* find_kind(std::string_view name);

}  // namespace kith
