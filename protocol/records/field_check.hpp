#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"

/// Whether what a person wrote fits the kind table, and what to tell them if it does not.
namespace kith {

/// What is wrong with the values of `field` and what to do, or nothing. Blank values are not judged
/// here: they count as absent.
[[nodiscard]] std::optional<std::string> wrong_value(const FieldSpec& spec,
                                                     const std::vector<std::string>& values);
/// "is missing; say what happened …".
[[nodiscard]] std::string missing(std::string_view help);
/// "is not a field of practice; did you mean …".
[[nodiscard]] std::string unknown_field(const KindSpec& kind, std::string_view name);
/// "… is not something that people write; …".
[[nodiscard]] std::string unknown_kind(std::string_view name);
/// Whether `name` is most likely `meant` with a slip of the hand: other case, one letter added,
/// dropped or changed behind the first, or letters in another order.
[[nodiscard]] bool is_slip_of(std::string_view name, std::string_view meant);
/// The words of a FieldType::word, for people: "idea, testing or stopped".
[[nodiscard]] std::string word_choice(std::string_view words);

}  // namespace kith
