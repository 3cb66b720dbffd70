#pragma once

#include <cstdint>

#include "client/desk.hpp"

namespace kith::client {

/// The sequence that this person saw last on the front page of this daemon; 0 if none or
/// unreadable: the worst that a lost state does is to show things twice.
[[nodiscard]] std::uint64_t last_seen(const Desk& desk);
/// Failures are of no consequence and are told so that the command may ignore them.
Result<bool> remember_seen(const Desk& desk, std::uint64_t sequence);

}  // namespace kith::client
