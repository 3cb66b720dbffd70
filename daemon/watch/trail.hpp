#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// The operator's own trail: what people here had the daemon do that somebody may one day have to
/// account for. One line of JSON each, never changed; for nobody but the operator.
namespace kith::daemon {

/// Names, which need no quoting in JSON, and values.
using TrailFields = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::size_t trail_line_bytes_max = 128 * 1024;

/// Adds {"time":…,"act":…, fields} to `file` (0600), durable when it returns. Control characters
/// are replaced. too_large; io, and then nothing was added.
[[nodiscard]] Result<bool> note_in_trail(const std::filesystem::path& file, Millis time,
                                         const std::string& act, const TrailFields& fields);

}  // namespace kith::daemon
