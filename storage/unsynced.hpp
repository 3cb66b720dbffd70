#pragma once

#include <filesystem>

/// A folder whose files are written without syncing survives the death of the process (the kernel
/// holds the bytes) but not that of the machine. A marker tells the two apart.
namespace kith::storage {

/// Says that writing without syncing begins; durable when it returns. Throws StorageError.
void mark_unsynced(const std::filesystem::path& folder);
/// Says that everything was synced.
void mark_synced(const std::filesystem::path& folder);
/// Whether the machine went down since mark_unsynced() without mark_synced(): nothing in the folder
/// can be believed.
[[nodiscard]] bool lost_power(const std::filesystem::path& folder);

}  // namespace kith::storage
