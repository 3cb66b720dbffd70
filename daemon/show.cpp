// From verified records to what people read, where that was not done with the judging (absorb.cpp):
// while a log catches up, and after a start.
#include "daemon/describe.hpp"
#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"

namespace kith::daemon {
namespace {

constexpr std::size_t show_entries_max = 128;
constexpr std::size_t show_bytes_max = limits::mi;
/// A log that has more leaves than this to be judged is catching up ...
constexpr std::uint64_t catching_up_entries = 1'024;
/// ... and is shown later, unless more than this waits to be shown.
constexpr std::uint64_t show_lag_max = 262'144;

}  // namespace

/// Verified entries of one log on their way into the views.
struct ShowBatch {
  struct Item {
    std::uint64_t index = 0;
    LeafClass leaf_class = LeafClass::record;
    Bytes payload;
  };
  std::uint64_t next = 0;           // What is shown afterwards.
  std::vector<std::uint64_t> late;  // Of the items: they were missing before.
  std::vector<Item> items;
  std::vector<storage::RecordRow> rows;
};

void Replica::Impl::show_more(const LogId& id) {
  LogState& state = logs.at(id);
  if (state.showing || state.setting_back) return;
  // Whoever catches up wants to know first that all is true.
  const bool behind = state.size - state.judged > catching_up_entries || engine.fetching(id);
  if (behind && !state.batches.empty() && state.judged - state.shown < show_lag_max) return;
  const auto batch = next_to_show(id, state);
  if (!batch) return;
  state.showing = true;
  ++jobs;
  host.compute_later(
      [batch, context = context_of(id)] {
        BatchVerifier unused;
        for (const ShowBatch::Item& item : batch->items) {
          // Its signature was checked when it was judged.
          const Judged judged =
              judge(context, item.index, item.leaf_class, item.payload, true, unused);
          if (auto row = describe(context, item.index, judged)) {
            batch->rows.push_back(std::move(*row));
          }
        }
        batch->items.clear();
      },
      [=, this] {
        --jobs;
        show(id, batch);
      });
}

std::shared_ptr<ShowBatch> Replica::Impl::next_to_show(const LogId& id, LogState& state) {
  auto batch = std::make_shared<ShowBatch>();
  batch->next = state.shown;
  const auto txn = host.log().read();
  std::size_t bytes = 0;
  const auto add = [&](std::uint64_t index, LeafClass leaf_class, BytesView payload) {
    if (leaf_class == LeafClass::clear) return;
    bytes += payload.size();
    batch->items.push_back({index, leaf_class, to_bytes(payload)});
  };
  while (!state.late_to_show.empty() && batch->items.size() < show_entries_max &&
         bytes < show_bytes_max) {
    const std::uint64_t index = *state.late_to_show.begin();
    state.late_to_show.erase(state.late_to_show.begin());
    const auto leaf = storage::log_store::leaves(*txn, id, index, index + 1);
    const auto payload = storage::log_store::payload(*txn, id, index);
    batch->late.push_back(index);
    if (!leaf.empty() && payload) add(index, leaf.front().leaf_class, *payload);
  }
  if (!batch->items.empty()) return batch;
  if (state.shown >= state.judged) return nullptr;

  const std::uint64_t last = std::min(state.judged, state.shown + show_entries_max);
  const auto leaves = storage::log_store::leaves(*txn, id, state.shown, last);
  storage::log_store::each_payload(*txn, id, state.shown, state.shown + leaves.size(),
                                   [&](std::uint64_t index, std::optional<BytesView> payload) {
                                     batch->next = index + 1;
                                     if (payload && !state.not_shown.contains(index)) {
                                       add(index, leaves[index - state.shown].leaf_class, *payload);
                                     }
                                     return bytes < show_bytes_max;
                                   });
  if (batch->next == state.shown) return nullptr;  // A damaged leaf: `kithd check` names it.
  return batch;
}

void Replica::Impl::show(const LogId& id, const std::shared_ptr<ShowBatch>& batch) {
  LogState& state = logs.at(id);
  state.showing = false;
  shown_up_to(state, batch->next);
  ++jobs;
  host.write_views(
      [=](storage::WriteTxn& txn) {
        for (const auto& row : batch->rows) storage::views::put_record(txn, row);
        for (const std::uint64_t index : batch->late) storage::views::erase_bad(txn, id, index);
        storage::views::set_shown(txn, id, batch->next);
      },
      [this, batch] {
        --jobs;
        rows_written(batch->rows);
      });
  show_more(id);
}

void Replica::Impl::shown_up_to(LogState& state, std::uint64_t next) {
  state.shown = next;
  state.not_shown.erase(state.not_shown.begin(), state.not_shown.lower_bound(next));
}

void Replica::Impl::rows_written(const std::vector<storage::RecordRow>& rows) {
  for (const auto& row : rows) door_ids.erase(row.id);
  if (!rows.empty()) notify_watchers();
}

}  // namespace kith::daemon
