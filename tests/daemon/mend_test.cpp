#include "protocol/log/leaf.hpp"
#include "storage/log_mend.hpp"
#include "tests/daemon/support/own_log.hpp"

/// A store that was damaged and repaired: what is missing comes back from peers.
namespace kith::daemon {
namespace {

class Mend : public OwnLog {
 protected:
  Mend() {
    // More than a bundle, and some single rows behind it.
    const auto many = whole_.ask(act("document", to_bytes(view("# Title\n\ntext\n")), 300));
    EXPECT_TRUE(std::holds_alternative<local::PublishAnswer>(many));
  }

  /// A machine as it was before the damage: everything judged and shown.
  void begin(Machine& machine) {
    restore(machine, whole_.log_size());
    machine.host.marks = whole_.host.marks;
    machine.start(me_);
    ASSERT_EQ(status(machine).records, status(whole_).records);
  }
  [[nodiscard]] local::StatusAnswer status(Machine& machine) {
    return std::get<local::StatusAnswer>(machine.ask(local::StatusRequest{}));
  }
  static void flip(Machine& machine, storage::Table table, std::size_t row_number,
                   std::size_t bit) {
    machine.replica.reset();
    const auto txn = machine.host.disk().write();
    auto row = txn->at_or_after(table, {});
    for (std::size_t i = 0; row && i < row_number; ++i) {
      Bytes next = to_bytes(row->key);
      next.push_back(0);
      row = txn->at_or_after(table, next);
    }
    ASSERT_TRUE(row.has_value());
    const Bytes key = to_bytes(row->key);
    Bytes value = to_bytes(row->value);
    value.at(bit / 8) ^= static_cast<std::uint8_t>(1U << (bit % 8));
    txn->put(table, key, value);
    txn->commit();
  }
  /// What `kithd check --repair` does.
  void repair(Machine& machine) {
    const auto txn = machine.host.disk().write();
    const auto mended = storage::log_store::mend(
        *txn, log(), {me_.network, {me_.member}, machine.host.marks.at(log())});
    ASSERT_TRUE(mended) << mended.error().detail;
    txn->commit();
  }
  [[nodiscard]] std::size_t faults(Machine& machine) {
    return storage::log_store::check(*machine.host.log().read(), log(), {}).faults.size();
  }
  [[nodiscard]] std::uint64_t gaps(Machine& machine) {
    return storage::log_store::head(*machine.host.log().read(), log())->gaps;
  }
};

TEST_F(Mend, ADamagedPayloadBecomesAGapAndComesBackFromAPeer) {
  for (const auto table : {storage::Table::payloads, storage::Table::recent}) {
    Machine machine;
    begin(machine);
    const std::uint64_t bad =
        std::get<local::StatusAnswer>(machine.ask(local::StatusRequest{})).bad;
    // The last byte of a row of either table is that of a payload.
    const auto txn = machine.host.log().read();
    flip(machine, table, 1, txn->at_or_after(table, {})->value.size() * 8 - 1);
    EXPECT_EQ(faults(machine), 1U);
    repair(machine);
    EXPECT_EQ(faults(machine), 0U);
    EXPECT_EQ(gaps(machine), 1U);

    machine.start(me_);
    EXPECT_TRUE(publishes(machine)) << "its leaves are whole";
    Machine other;
    begin(other);
    meets(machine, other);
    EXPECT_EQ(gaps(machine), 0U);
    EXPECT_EQ(faults(machine), 0U);
    EXPECT_EQ(status(machine).bad, bad) << "it was judged before";
    EXPECT_EQ(status(machine).records, status(whole_).records + 1);
  }
}

}  // namespace
}  // namespace kith::daemon
