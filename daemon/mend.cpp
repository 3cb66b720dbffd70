// Leaves of a log that were damaged on our disk: asked for again, and put back.
#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "storage/log_mend.hpp"

namespace kith::daemon {

void Replica::Impl::load_damage(const storage::ReadTxn& txn, const LogId& log, LogState& state) {
  // A gap behind what was judged was made by a repair, unless it is noted as never judged.
  state.judged_gaps = {state.gaps.begin(), state.gaps.lower_bound(state.judged)};
  const auto wanted = storage::log_store::wanted_bundles(txn, log);
  state.wanted = {wanted.begin(), wanted.end()};
  if (wanted.empty()) return;
  host.log_line("leaves of " + std::to_string(wanted.size()) + " bundles of log " +
                to_hex(log.view()) + " are damaged: they are fetched again from peers");
}

void Replica::Impl::carry_out(sync::PutLeaves& action) {
  const auto given = std::make_shared<sync::PutLeaves>(std::move(action));
  const auto put =
      std::make_shared<Result<std::vector<std::uint64_t>>>(std::vector<std::uint64_t>());
  write(
      [=](storage::WriteTxn& txn, storage::HighWaterMarks&) {
        const std::vector<BytesView> leaves(given->leaves.begin(), given->leaves.end());
        *put = storage::log_store::put_leaves(txn, given->log, given->first, leaves);
      },
      [=, this](const std::optional<Error>& failure) {
        using Outcome = sync::LeavesPut::Outcome;
        sync::LeavesPut event{given->log, given->from, given->first, Outcome::put, {}};
        if (failure || !*put) {
          const bool refused = !failure && put->error().code == Errc::bad_proof;
          event.outcome = refused ? Outcome::refused : Outcome::failed;
          if (!failure) host.log_line("damaged leaves do not come back: " + put->error().detail);
          return step(std::move(event));
        }
        event.new_gaps = **put;
        leaves_put(given->log, given->first, **put);
        step(std::move(event));
        if (given->log == own_log) sign_again_if_whole();
        judge_more(given->log);
      });
}

void Replica::Impl::leaves_put(const LogId& log, std::uint64_t first,
                               const std::vector<std::uint64_t>& new_gaps) {
  LogState& state = logs.at(log);
  state.wanted.erase(first / limits::tile_hashes);
  for (const std::uint64_t index : new_gaps) {
    state.gaps.insert(index);
    if (index < state.judged) state.judged_gaps.insert(index);
  }
  host.log_line("damaged leaves from " + std::to_string(first) + " on of the log of " +
                code_of(state.member) + " came back");
}

}  // namespace kith::daemon
