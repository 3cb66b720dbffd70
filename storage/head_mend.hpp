#pragma once

#include "storage/log_mend.hpp"

namespace kith::storage {

/// The head that follows from bundles and single rows, if what was signed (the mark, the
/// checkpoint, cosignatures) is of this very tree and at least one of them is there. bad_proof
/// otherwise.
[[nodiscard]] Result<LogHead> rebuild_head(const ReadTxn& txn, const LogId& log,
                                           const log_store::MendGrounds& grounds);

}  // namespace kith::storage
