#pragma once

#include <cstdint>
#include <filesystem>

#include "protocol/audit/log_audit.hpp"

/// Exports as large as a bench wants them, which no daemon wrote.
namespace kith::bench {

struct MadeExport {
  std::uint64_t entries = 0;  ///< A certificate, an enrolment, then records of 1 KiB.
  std::size_t batch = 1;      ///< Records under one author signature.
};
/// Writes one log twice: with all payloads into `whole`, with those in clear alone into `clear`.
/// Returns the bytes of a payload, on average.
std::size_t make_export(const std::filesystem::path& whole, const std::filesystem::path& clear,
                        const MadeExport& made);
/// The keys that open all of it.
[[nodiscard]] LogAudit::Keys made_keys(const LogId& log);

}  // namespace kith::bench
