#pragma once

#include <optional>

#include "protocol/audit/judge.hpp"
#include "storage/views.hpp"

namespace kith::daemon {

/// What lists show of an entry that was judged; its sequence is the views' to give. Nothing for
/// what people do not read: what is not good, statements, and governance that only the fold reads.
/// Pure and slow (it parses the document): for the pool.
[[nodiscard]] std::optional<storage::RecordRow> describe(const JudgeContext& context,
                                                         std::uint64_t index, const Judged& judged);

}  // namespace kith::daemon
