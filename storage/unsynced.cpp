#include "storage/unsynced.hpp"

#include "storage/database.hpp"
#include "storage/files/file.hpp"

namespace kith::storage {
namespace {

constexpr std::size_t boot_bytes_max = 64;

std::filesystem::path marker(const std::filesystem::path& folder) { return folder / "unsynced"; }

/// Another text after each start of the machine.
std::string boot() {
  const auto id = files::read("/proc/sys/kernel/random/boot_id", boot_bytes_max);
  return id ? *id : std::string();
}

}  // namespace

void mark_unsynced(const std::filesystem::path& folder) {
  const auto written = files::write(marker(folder), view(boot()), 0600);
  if (!written) throw StorageError(StorageError::Kind::other, written.error().detail);
}

void mark_synced(const std::filesystem::path& folder) {
  // If it stays nothing worse happens than that the folder is built anew.
  std::error_code ignored;
  std::filesystem::remove(marker(folder), ignored);
}

bool lost_power(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(marker(folder))) return false;
  const auto marked = files::read(marker(folder), boot_bytes_max);
  // A machine that does not tell its starts apart is taken for one that went down.
  return !marked || marked->empty() || *marked != boot();
}

}  // namespace kith::storage
