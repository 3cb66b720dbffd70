#pragma once

#include <optional>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

namespace kith::peer {

/// The payload list of Entries, Push and Payloads: one more at its end, or that it is not held.
void append_payload(Bytes& list, std::optional<BytesView> payload);
/// Views into `list`; at most `max` items.
[[nodiscard]] Result<std::vector<std::optional<BytesView>>> split_payloads(BytesView list,
                                                                           std::size_t max);

}  // namespace kith::peer
