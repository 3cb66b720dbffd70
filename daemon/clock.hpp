#pragma once

#include "protocol/base/types.hpp"

namespace kith::daemon {

/// The wall clock. Deadlines of connections use the steady clock instead.
[[nodiscard]] Millis wall_now();

}  // namespace kith::daemon
