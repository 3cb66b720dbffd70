#pragma once

#include <iosfwd>

#include "daemon/settings.hpp"

namespace kith::daemon {

/// kithd recover: writes the identity of a member whose disk is gone into a new directory, from its
/// recovery words and an invitation. With settings.rehearse it only says whether the words are
/// those of the member, by its exit code too (ok, failed), and notes in the directory's trail that
/// somebody tried.
[[nodiscard]] Exit recover_command(const std::string& dir, const RecoverSettings& settings,
                                   std::ostream& out, std::ostream& err);

}  // namespace kith::daemon
