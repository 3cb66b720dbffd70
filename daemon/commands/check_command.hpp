#pragma once

#include <iosfwd>

#include "daemon/settings.hpp"

namespace kith::daemon {

/// kithd check: re-hashes every log of this directory, one line for each, and names each fault with
/// what mends it; with settings.repair it does. `progress` shows how far it is (a terminal).
[[nodiscard]] Exit check_command(const std::string& dir, const CheckSettings& settings,
                                 bool progress, std::ostream& out, std::ostream& err);

}  // namespace kith::daemon
