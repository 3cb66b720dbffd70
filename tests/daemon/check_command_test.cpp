#include "daemon/commands/check_command.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "daemon/commands/init_command.hpp"
#include "daemon/data_dir.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/key_file.hpp"
#include "storage/lmdb.hpp"
#include "tests/daemon/support/loop.hpp"

namespace kith::daemon {
namespace {

using storage::Table;

/// A data directory with a founder's log of a few entries.
class CheckCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    InitSettings init;
    init.found = true;
    init.network_name = "Test";
    init.aim = "To learn.";
    init.code = "ZZA";
    init.member_name = "Ashdown";
    init.role = "trust";
    init.steward = encode_author(SigningKey(Seed{{5}}).public_key());
    init.words_file = above_.path() + "/words";
    std::ostringstream out;
    ASSERT_EQ(init_command(dir(), init, out, out), Exit::ok) << out.str();
  }
  [[nodiscard]] std::string dir() const { return above_.path() + "/data"; }
  [[nodiscard]] storage::LmdbDatabase database() const {
    return storage::LmdbDatabase(dir() + "/log", storage::log_tables(),
                                 storage::LmdbDatabase::Durability::full);
  }
  /// Flips a bit in the last byte of the first row of a table, or in another byte from the end.
  void damage(Table table, std::size_t from_end = 1) const {
    auto opened = database();
    const auto txn = opened.write();
    const auto row = txn->at_or_after(table, {});
    ASSERT_TRUE(row.has_value());
    const Bytes key = to_bytes(row->key);
    Bytes value = to_bytes(row->value);
    value[value.size() - from_end] ^= 1;
    txn->put(table, key, value);
    txn->commit();
  }
  Exit check(bool repair) {
    std::ostringstream out;
    const Exit exit = check_command(dir(), {repair}, false, out, out);
    said_ = out.str();
    return exit;
  }
  [[nodiscard]] bool says(const std::string& text) const {
    return said_.find(text) != std::string::npos;
  }

  testing::TemporaryDir above_;
  std::string said_;
};

TEST_F(CheckCommand, FindsNothingInAWholeStore) {
  EXPECT_EQ(check(false), Exit::ok);
  EXPECT_TRUE(says("1 log, all intact")) << said_;
  EXPECT_EQ(check(true), Exit::ok);
  EXPECT_FALSE(says("repaired")) << said_;
}

TEST_F(CheckCommand, NamesADamagedPayloadAndMakesAGapOfItOnlyWhenToldTo) {
  damage(Table::recent);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(check(false), Exit::failed);
    EXPECT_TRUE(says("payload at 0: the payload is damaged; after --repair it is fetched again"))
        << said_;
    EXPECT_TRUE(says("kithd check --repair")) << said_;
  }
  EXPECT_EQ(check(true), Exit::ok);
  EXPECT_TRUE(says("to be fetched from peers: 1 payload and the leaves of 0 bundles")) << said_;
  EXPECT_TRUE(says("Start kithd")) << said_;
  EXPECT_EQ(check(false), Exit::ok);
  EXPECT_TRUE(says("1 missing: intact")) << said_;
}

TEST_F(CheckCommand, KeepsNamingADamagedLeafThatNoPeerGaveBack) {
  auto size = std::size_t();
  {
    auto opened = database();
    size = opened.read()->at_or_after(Table::recent, {})->value.size();
  }
  damage(Table::recent, size - 20);
  EXPECT_EQ(check(true), Exit::failed);
  EXPECT_TRUE(says("leaf at 0")) << said_;
  EXPECT_TRUE(says("0 payloads and the leaves of 1 bundle")) << said_;
  EXPECT_TRUE(says("Nothing is signed over damaged leaves")) << said_;
  EXPECT_EQ(check(false), Exit::failed);
  EXPECT_TRUE(says("leaf at 0")) << said_;
}

TEST_F(CheckCommand, BuildsADamagedHeadAgainFromWhatTheHighWaterFileSays) {
  damage(Table::heads);
  EXPECT_EQ(check(false), Exit::failed);
  EXPECT_TRUE(says("head at 3")) << said_;
  EXPECT_EQ(check(true), Exit::ok);
  EXPECT_TRUE(says("repaired: 1 row computed")) << said_;
  EXPECT_EQ(check(false), Exit::ok);
}

TEST_F(CheckCommand, SaysWhereAHeadCannotBeProven) {
  damage(Table::heads);
  damage(Table::recent);
  {
    auto opened = database();
    const auto txn = opened.write();
    const auto row = txn->before(Table::recent, Bytes(40, 0xFF));
    txn->erase(Table::recent, to_bytes(row->key));
    txn->commit();
  }
  EXPECT_EQ(check(true), Exit::failed);
  EXPECT_TRUE(says("not repaired: its head is damaged: its leaves do not come to the root"))
      << said_;
  EXPECT_TRUE(says("cannot be mended here: keep a copy")) << said_;
}

}  // namespace
}  // namespace kith::daemon
