#pragma once

#include <string>

#include "protocol/base/types.hpp"

namespace kith::daemon {

/// The wall clock. Deadlines of connections use the steady clock instead.
[[nodiscard]] Millis wall_now();
/// "2026-03-01T14:05:09Z".
[[nodiscard]] std::string utc_text(Millis time);

}  // namespace kith::daemon
