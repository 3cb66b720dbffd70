#pragma once

#include <optional>
#include <random>

#include "protocol/base/types.hpp"

/// What a member that lies sends and says. Nobody honest may take any of it.
namespace kith::simulation {

/// `message` with one entry of another's log changed: its payload, and in half of all cases its
/// leaf too, so that the two fit each other. Nothing if it carries no such payload.
[[nodiscard]] std::optional<Bytes> with_a_changed_entry(BytesView message, const LogId& own_log,
                                                        std::mt19937_64& random);

/// Takes half of the payloads of `own_log` out of `message`, as if they were not held. Returns how
/// many.
[[nodiscard]] std::size_t withhold_payloads(Bytes& message, const LogId& own_log,
                                            std::mt19937_64& random);

}  // namespace kith::simulation
