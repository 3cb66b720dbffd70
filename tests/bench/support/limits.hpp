#pragma once

#include <chrono>
#include <filesystem>

/// What this machine can do at all, measured in the run that measures kith: a figure is a ratio to
/// one of these. All rates are per second, of entries of 1 KiB.
namespace kith::bench {

/// Ed25519 signatures of `threads` threads together that libsodium verifies, over so many bytes.
[[nodiscard]] double verify_rate(unsigned threads, std::size_t message_bytes = 1024);
/// `count` leaves as a log has them, hashed by `threads` threads into RFC 6962 trees of 256 leaves,
/// from memory; with BLAKE2b over `payload_bytes` for each, unless that is 0.
[[nodiscard]] double leaf_tree_rate(unsigned threads, std::uint64_t count,
                                    std::size_t payload_bytes);
/// Leaves of 1 KiB hashed into an RFC 6962 tree, interior nodes included.
[[nodiscard]] double tree_rate();
/// Entries (body and signature) through ChaCha20-Poly1305 frames of 16 KiB and one loopback
/// connection, encrypted by one thread and decrypted by another.
[[nodiscard]] double stream_rate();
/// Entries that LMDB alone commits, `batch` to a transaction, with default durability.
[[nodiscard]] double lmdb_rate(const std::filesystem::path& folder, std::size_t entries,
                               std::size_t batch);
/// Stream, tree and LMDB in batches of 1,000 one after the other: what a sync that checks no author
/// could reach with no protocol around it.
[[nodiscard]] double tree_only_bound(const std::filesystem::path& folder);

/// Seconds, each the median of many that begin after a pause: a disk, a network and a processor
/// that were idle answer more slowly than busy ones.
struct LiveParts {
  double commit = 0;      ///< LMDB alone, one entry, durable.
  double round_trip = 0;  ///< One byte there and back over loopback.
  double verify = 0;      ///< One Ed25519 signature.
};
[[nodiscard]] LiveParts parts_after_pauses(const std::filesystem::path& folder,
                                           std::chrono::milliseconds pause);

}  // namespace kith::bench
