#pragma once

#include <iosfwd>

#include "daemon/settings.hpp"

namespace kith::daemon {

/// kithd init: makes the keys, the first entries and the data directory of a member, and shows the
/// recovery words once.
[[nodiscard]] Exit init_command(const std::string& dir, const InitSettings& settings,
                                std::ostream& out, std::ostream& err);

}  // namespace kith::daemon
