#pragma once

#include <string>

#include "protocol/base/result.hpp"

namespace kith::client {

/// Lets the person edit `initial` with `command` (a shell command; empty: the system's "editor") in
/// a private temporary file, which is removed again. Returns the text as saved.
[[nodiscard]] Result<std::string> edit_text(const std::string& command, const std::string& initial);

}  // namespace kith::client
