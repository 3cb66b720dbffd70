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
  [[nodiscard]] static std::size_t rows(Machine& machine, storage::Table table) {
    std::size_t count = 0;
    const auto txn = machine.host.log().read();
    for (auto row = txn->at_or_after(table, {}); row; ++count) {
      Bytes next = to_bytes(row->key);
      next.push_back(0);
      row = txn->at_or_after(table, next);
    }
    return count;
  }
  [[nodiscard]] TreeHash root(Machine& machine, std::uint64_t size) {
    return storage::log_store::root_at(*machine.host.log().read(), log(), size);
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

TEST_F(Mend, ADamagedLeafOfTheOwnLogStopsSigningUntilAPeerGivesItBack) {
  // A leaf in a bundle and a single one.
  for (const auto table : {storage::Table::bundles, storage::Table::recent}) {
    Machine machine;
    begin(machine);
    flip(machine, table, 0, 8 * 20);
    EXPECT_GT(faults(machine), 0U);
    repair(machine);
    EXPECT_GT(faults(machine), 0U) << "it stays named";

    const auto marks = machine.host.marks;
    machine.start(me_);
    EXPECT_FALSE(publishes(machine));
    EXPECT_NE(status(machine).state_detail.find("damaged"), std::string::npos);
    machine.start(me_);
    EXPECT_FALSE(publishes(machine)) << "nor after a restart";
    EXPECT_EQ(machine.host.marks, marks) << "nothing was signed";
    EXPECT_EQ(status(machine).records, status(whole_).records) << "the rest can be read";

    meets(machine, whole_);
    EXPECT_EQ(faults(machine), 0U);
    EXPECT_TRUE(machine.host.dropped.empty());
    EXPECT_TRUE(publishes(machine));
    EXPECT_EQ(root(machine, whole_.log_size()), root(whole_, whole_.log_size()));
  }
}

TEST_F(Mend, APeerWithTheSameDamageHelpsNothingAndAnotherDoes) {
  Machine machine;
  Machine damaged;
  for (Machine* one : {&machine, &damaged}) {
    begin(*one);
    flip(*one, storage::Table::bundles, 0, 8 * 20);
    repair(*one);
    one->start(me_);
  }
  meets(machine, damaged);
  EXPECT_GT(faults(machine), 0U);
  EXPECT_GT(faults(damaged), 0U);
  EXPECT_TRUE(machine.host.dropped.empty()) << "its store is damaged, it does not lie";
  EXPECT_FALSE(publishes(machine));
  meets(machine, whole_);
  EXPECT_EQ(faults(machine), 0U);
  meets(damaged, machine);
  EXPECT_EQ(faults(damaged), 0U);
}

TEST_F(Mend, ALogOfAnotherHealsWhileOurOwnGoesOn) {
  const LogId others{{0}};  // Its rows come before those of our own.
  Machine machine;
  Machine holder;
  for (Machine* one : {&machine, &holder}) {
    begin(*one);
    const auto txn = one->host.disk().write();
    storage::log_store::create(*txn, others, MemberId{{8}}, commons);
    const Bytes payload(72 + 64);
    const std::string leaf = encode_leaf(make_leaf(LeafClass::record, 1, payload));
    const std::vector<storage::NewEntry> entries(600, {view(leaf), BytesView(payload)});
    ASSERT_TRUE(storage::log_store::append(*txn, others, 0, entries));
    ASSERT_TRUE(storage::log_store::put_checkpoint(
        *txn, others, {600, storage::log_store::root_at(*txn, others, 600), "note"}));
    txn->commit();
    one->start(me_);
  }
  for (const auto table :
       {storage::Table::bundles, storage::Table::tiles, storage::Table::payloads}) {
    flip(machine, table, 0, 8 * 70);
  }
  const auto faults_of = [&](Machine& of) {
    return storage::log_store::check(*of.host.log().read(), others, {}).faults.size();
  };
  EXPECT_GT(faults_of(machine), 0U);
  const auto txn = machine.host.disk().write();
  ASSERT_TRUE(storage::log_store::mend(*txn, others, {me_.network, {}, {}}));
  txn->commit();
  machine.start(me_);
  EXPECT_TRUE(publishes(machine)) << "another's log is no reason to stop";
  holder.start(me_);
  meets(machine, holder);
  EXPECT_EQ(faults_of(machine), 0U);
  EXPECT_EQ(storage::log_store::head(*machine.host.log().read(), others)->gaps, 0U);
}

/// What blind trust would do: the hashes are computed again from the damaged leaves.
TEST_F(Mend, ATreeComputedFromDamagedLeavesIsNeverSigned) {
  std::vector<std::string> leaves;
  std::vector<Bytes> payloads;
  std::vector<storage::NewEntry> entries;
  const std::uint64_t size = whole_.log_size();
  {
    const auto txn = whole_.host.log().read();
    for (std::uint64_t i = 0; i < size; ++i) {
      leaves.emplace_back(text(*storage::log_store::leaf(*txn, log(), i)));
      payloads.push_back(*storage::log_store::payload(*txn, log(), i));
    }
    auto changed = decode_leaf(leaves[40]);
    ++changed->time;
    leaves[40] = encode_leaf(*changed);
    for (std::uint64_t i = 0; i < size; ++i) entries.push_back({view(leaves[i]), payloads[i]});
  }
  Machine machine;
  const auto txn = machine.host.disk().write();
  storage::log_store::create(*txn, log(), me_.member, commons);
  ASSERT_TRUE(storage::log_store::append(*txn, log(), 0, entries));
  const TreeHash other_root = storage::log_store::root_at(*txn, log(), size);
  txn->commit();
  EXPECT_EQ(faults(machine), 0U) << "its hashes fit together";

  machine.host.marks = whole_.host.marks;
  machine.start(me_);
  EXPECT_FALSE(publishes(machine));
  EXPECT_EQ(machine.host.marks, whole_.host.marks);

  // The control: believed blindly, it signs, and a peer sees two histories.
  machine.host.marks[log()] = {size, other_root};
  machine.start(me_);
  EXPECT_TRUE(publishes(machine));
  meets(machine, whole_);
  const auto forked = [](const std::string& line) {
    return line.find("conflicting histories") != std::string::npos;
  };
  EXPECT_TRUE(std::ranges::any_of(whole_.host.lines, forked));
}

}  // namespace
}  // namespace kith::daemon
