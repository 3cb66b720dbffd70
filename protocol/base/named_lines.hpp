#pragma once

#include <string>
#include <string_view>

#include "protocol/base/result.hpp"
#include "protocol/base/text.hpp"
#include "protocol/base/types.hpp"

/// Small text files of lines "name value": key files, invitations, the contents of an export.
namespace kith {

/// Such lines, read strictly in order. A CR before the LF is dropped: mail programs and editors add
/// it.
class NamedLines {
 public:
  /// What `text` views must outlive this.
  explicit NamedLines(std::string_view text) : rest_(text) {}

  /// Whether the next line is `name` alone or begins with `name` and a blank.
  [[nodiscard]] bool next_is(std::string_view name) const;
  /// The value of the next line, which must have this name. malformed otherwise.
  [[nodiscard]] Result<std::string_view> value(std::string_view name);
  /// Takes the next line, which must be `expected`. malformed otherwise.
  [[nodiscard]] Result<bool> exactly(std::string_view expected);
  [[nodiscard]] bool finished() const { return rest_.empty(); }

 private:
  [[nodiscard]] std::string_view peek() const;
  std::string_view take();

  std::string_view rest_;
};

/// The value of the next line: decimal digits.
[[nodiscard]] Result<bool> read_number(NamedLines& lines, std::string_view name, std::uint64_t& to);
/// The value of the next line: a line of text of at most `bytes_max`.
[[nodiscard]] Result<bool> read_words(NamedLines& lines, std::string_view name,
                                      std::size_t bytes_max, std::string& to);

/// Appends "name value" and LF.
void add_line(std::string& to, std::string_view name, std::string_view value);

/// The bytes that base32 `text` stands for, of exactly the length of `to`; false otherwise.
template <class Tag, std::size_t N>
[[nodiscard]] bool octets_from_base32(std::string_view text, Octets<Tag, N>& to) {
  const auto bytes = from_base32(text);
  if (!bytes || bytes->size() != N) return false;
  to = Octets<Tag, N>::from(*bytes);
  return true;
}

/// The value of the next line: base32 of exactly the length of `to`.
template <class Tag, std::size_t N>
[[nodiscard]] Result<bool> read_octets(NamedLines& lines, std::string_view name,
                                       Octets<Tag, N>& to) {
  const auto value = lines.value(name);
  if (!value) return value.error();
  if (octets_from_base32(*value, to)) return true;
  return fail(Errc::malformed, "the line \"" + std::string(name) + "\" is damaged");
}

}  // namespace kith
