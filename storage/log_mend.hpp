#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/high_water.hpp"
#include "storage/log_store.hpp"

/// Mending a log whose rows were damaged (docs/STORAGE, "Damage"). What is right is decided from
/// above: by the head, and by what was signed where the head itself is damaged. What is proven
/// stays or is computed again; what cannot be computed is noted as missing, so that peers give it.
namespace kith::storage::log_store {

/// What may be believed beside the log's rows.
struct MendGrounds {
  NetworkId network{};
  std::vector<MemberId> members;      ///< Whose log it may be, where its head cannot tell.
  std::optional<HighWaterMark> mark;  ///< What was signed last, of an own log.
};

struct Mended {
  std::vector<std::uint64_t> new_gaps;        ///< Payloads that are to be fetched again.
  std::vector<std::uint64_t> wanted_bundles;  ///< Bundles with leaves that are to be fetched again.
  std::uint64_t rows_computed = 0;  ///< Tiles, bundles' lengths, the head: proven, then written.
  std::uint64_t rows_dropped = 0;   ///< Checkpoint, cosignatures, and rows that do not belong.
};

/// Every log of which there are rows, also where its head cannot be read.
[[nodiscard]] std::vector<LogId> logs(const ReadTxn& txn);

/// Its head, unless that cannot be read or is not there.
[[nodiscard]] std::optional<LogHead> readable_head(const ReadTxn& txn, const LogId& log);

/// Mends what can be mended and throws away nothing that is good. `bad_proof` if the head is
/// damaged and what was signed does not prove another: then nothing was changed.
[[nodiscard]] Result<Mended> mend(WriteTxn& txn, const LogId& log, const MendGrounds& grounds);

/// Bundles of 256 leaves, by number, of which some are damaged: to be fetched again from any peer.
[[nodiscard]] std::vector<std::uint64_t> wanted_bundles(const ReadTxn& txn, const LogId& log);
[[nodiscard]] bool is_wanted(const ReadTxn& txn, const LogId& log, std::uint64_t bundle);
/// Replaces that list.
void set_wanted_bundles(WriteTxn& txn, const LogId& log, const std::vector<std::uint64_t>& bundles);

/// Puts the leaves of a wanted bundle back, from its first on, if with them and what is held of the
/// rest the tree comes to the head. Returns what became a gap by it, as its payload is not what its
/// leaf commits to. bad_proof if that is not so; unavailable if the tree above is damaged as well;
/// nothing was changed then.
[[nodiscard]] Result<std::vector<std::uint64_t>> put_leaves(WriteTxn& txn, const LogId& log,
                                                            std::uint64_t first,
                                                            std::span<const BytesView> leaves);

}  // namespace kith::storage::log_store
