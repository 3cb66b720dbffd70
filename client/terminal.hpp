#pragma once

#include <string>

#include "client/console.hpp"
#include "client/desk.hpp"

namespace kith::client {

/// The console of this process: what is a terminal, how wide, and whether colour is wanted
/// (NO_COLOR and TERM=dumb say no).
[[nodiscard]] Console process_console(const Environment& environment);

/// Asks on the controlling terminal without echo. unavailable if there is none.
[[nodiscard]] Result<std::string> ask_secret(const std::string& prompt);

}  // namespace kith::client
