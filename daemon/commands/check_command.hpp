#pragma once

#include <iosfwd>

#include "daemon/settings.hpp"

namespace kith::daemon {

/// kithd check: re-hashes every log of this directory, one line for each. `progress` shows how far
/// it is (a terminal).
[[nodiscard]] Exit check_command(const std::string& dir, bool progress, std::ostream& out,
                                 std::ostream& err);

}  // namespace kith::daemon
