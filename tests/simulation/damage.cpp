// Rows of a store that change by themselves, and what an operator does about it.
#include <array>

#include "storage/log_mend.hpp"
#include "storage/packing.hpp"
#include "storage/views.hpp"
#include "tests/simulation/node.hpp"

namespace kith::simulation {

using storage::Table;
namespace log_store = storage::log_store;

bool World::held_by_another(std::size_t victim, const LogId& log, std::uint64_t index) {
  return std::ranges::any_of(nodes_, [&](const auto& node) {
    if (node->index_ == victim || !node->has_identity()) return false;
    const auto txn = node->log().read();
    const auto kept = log_store::checkpoint(*txn, log);
    return kept && kept->size > index && log_store::wanted_bundles(*txn, log).empty() &&
           log_store::payload(*txn, log, index).has_value();
  });
}

void World::damage(std::size_t victim) {
  Node& node = *nodes_[victim];
  constexpr std::array tables{Table::recent, Table::recent,      Table::recent,
                              Table::heads,  Table::checkpoints, Table::cosignatures};
  const Table table = tables[pick(tables.size())];
  std::vector<Bytes> keys;
  const auto txn = node.disk().write();
  for (auto row = txn->at_or_after(table, {}); row;) {
    keys.push_back(to_bytes(row->key));
    row = txn->at_or_after(table, storage::successor(keys.back()));
  }
  if (keys.empty()) return;
  const Bytes& key = keys[pick(keys.size())];
  const LogId log = LogId::from(BytesView(key).first(LogId::size));
  if (table == Table::recent) {
    // What nobody else holds does not come back: a backup is all there is then.
    const auto index = read_integer<std::uint64_t>(BytesView(key).subspan(LogId::size));
    if (!held_by_another(victim, log, index)) return;
    if (storage::views::judged(*node.views().read(), log) <= index) return;
  }
  Bytes value = to_bytes(*txn->get(table, key));
  value[pick(value.size())] ^= static_cast<std::uint8_t>(1U << pick(8));
  txn->put(table, key, value);

  log_store::MendGrounds grounds{node.identity().network, {}, {}};
  for (const auto& other : nodes_) {
    if (other->has_identity()) grounds.members.push_back(other->member_id());
  }
  if (const auto mark = node.marks().find(log); mark != node.marks().end()) {
    grounds.mark = mark->second;
  }
  if (log_store::check(*txn, log, {}).faults.empty()) return violation("damage was not found");
  const auto mended = log_store::mend(*txn, log, grounds);
  if (!mended) return;  // A head that nothing signed proves: the copy is put back.
  try {
    txn->commit();
  } catch (const storage::StorageError&) {
    return;  // The disk is full: nothing happened.
  }
  node.disk().sync();
  ++damages_;
  damaged_leaves_ += mended->wanted_bundles.empty() ? 0 : 1;
  trace(node.code() + " had damage in table " + std::to_string(static_cast<int>(table)));
}

bool World::is_holed(Node& node) {
  const auto txn = node.log().read();
  for (const storage::LogHead& head : log_store::heads(*txn)) {
    const bool lacks_leaves = !log_store::wanted_bundles(*txn, head.log).empty();
    if (lacks_leaves || (head.member == node.member_id() && head.gaps != 0)) return true;
  }
  return false;
}

bool World::is_mended(Node& node) {
  const auto txn = node.log().read();
  for (const LogId& log : log_store::logs(*txn)) {
    if (!log_store::check(*txn, log, {}).faults.empty()) return false;
  }
  return true;
}

}  // namespace kith::simulation
