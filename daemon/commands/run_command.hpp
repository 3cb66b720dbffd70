#pragma once

#include <iosfwd>

#include "daemon/settings.hpp"

namespace kith::daemon {

/// kithd run: serves until it is told to end.
[[nodiscard]] Exit run_command(const std::string& dir, const RunSettings& settings,
                               std::ostream& err);

}  // namespace kith::daemon
