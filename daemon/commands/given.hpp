#pragma once

#include <string>

#include "protocol/keys/key_file.hpp"

/// What several commands are given by people, read and checked.
namespace kith::daemon {

/// A `kith-author-…` text, a file that holds one, or an author's key file. usage.
[[nodiscard]] Result<PublicKey> read_steward(const std::string& setting);
/// From a file; it has not expired and says where its maker can be reached. stale if not.
[[nodiscard]] Result<Invitation> read_invitation(const std::string& path);
/// 24 recovery words, from a file that only its owner may read or, if `words_file` is empty, typed
/// at the terminal and not shown. malformed names the word that is wrong.
[[nodiscard]] Result<Seed> read_recovery_words(const std::string& words_file);

}  // namespace kith::daemon
