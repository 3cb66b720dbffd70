#pragma once

#include <iosfwd>

#include "daemon/settings.hpp"

namespace kith::daemon {

/// kithd renew and kithd cut: new keys for a member that has its recovery words. The identity is
/// replaced as a whole; everything else follows when kithd runs.
[[nodiscard]] Exit renew_command(const std::string& dir, const RenewSettings& settings,
                                 std::ostream& out, std::ostream& err);

}  // namespace kith::daemon
