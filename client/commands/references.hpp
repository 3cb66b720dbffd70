#pragma once

#include <string>

#include "client/daemon.hpp"

namespace kith::client {

/// The document with every shortened record id in its reference fields written out, as the daemon
/// knows it: what is signed names an entry for good. `document` has been checked.
[[nodiscard]] Answered<std::string> complete_references(const std::string& document, Daemon& daemon,
                                                        const Console& console);

}  // namespace kith::client
