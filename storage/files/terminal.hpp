#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "protocol/base/result.hpp"

/// The controlling terminal, for what must not be seen while it is typed.
namespace kith::files {

/// Asks without echo, up to the line that makes `is_enough` true of all that was typed, an empty
/// line, or 1 KiB. not_found if there is no terminal, unavailable if it went away.
[[nodiscard]] Result<std::string> ask_secret(
    const std::string& prompt, const std::function<bool(std::string_view typed)>& is_enough);

}  // namespace kith::files
