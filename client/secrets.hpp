#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What must never be shared with other members.
namespace kith::client {

/// "a key file", if `text` is a secret that kith itself made: a key file, an invitation, a daemon's
/// identity, disclosed keys, the 24 recovery words. Nothing for all other text.
[[nodiscard]] std::optional<std::string> secret_in(std::string_view text);

}  // namespace kith::client
