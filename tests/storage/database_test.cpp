#include "storage/database.hpp"

#include <gtest/gtest.h>

#include <random>

#include "storage/lmdb.hpp"
#include "tests/storage/databases.hpp"

namespace kith::storage {
namespace {

using kith::testing::BytesLess;

template <class World>
class AnyDatabase : public ::testing::Test {
 protected:
  World world_;
  Database& database_ = world_.database();
};
TYPED_TEST_SUITE(AnyDatabase, kith::testing::Worlds, kith::testing::WorldNames);

std::string found(const ReadTxn& txn, std::string_view key) {
  const auto value = txn.get(Table::waiting, view(key));
  return value ? std::string(text(*value)) : "(nothing)";
}

TYPED_TEST(AnyDatabase, WhatWasCommittedIsReadAndNothingElse) {
  {
    const auto txn = this->database_.write();
    txn->put(Table::waiting, view("a"), view("1"));
    EXPECT_EQ(found(*txn, "a"), "1");
    EXPECT_EQ(found(*this->database_.read(), "a"), "(nothing)");
    txn->commit();
  }
  {
    const auto txn = this->database_.write();
    txn->put(Table::waiting, view("a"), view("2"));
    txn->erase(Table::waiting, view("a"));
    txn->put(Table::waiting, view("b"), view("3"));
  }
  EXPECT_EQ(found(*this->database_.read(), "a"), "1");
  EXPECT_EQ(found(*this->database_.read(), "b"), "(nothing)");
}

TYPED_TEST(AnyDatabase, AReaderKeepsSeeingWhatItBeganWith) {
  {
    const auto txn = this->database_.write();
    txn->put(Table::waiting, view("a"), view("old"));
    txn->commit();
  }
  const auto reader = this->database_.read();
  const auto txn = this->database_.write();
  txn->put(Table::waiting, view("a"), view("new"));
  txn->commit();
  EXPECT_EQ(found(*reader, "a"), "old");
  EXPECT_EQ(found(*this->database_.read(), "a"), "new");
}

TYPED_TEST(AnyDatabase, AnEmptyValueIsSomethingElseThanNone) {
  const auto txn = this->database_.write();
  txn->put(Table::gaps, view("k"), {});
  txn->commit();
  const auto value = this->database_.read()->get(Table::gaps, view("k"));
  ASSERT_TRUE(value);
  EXPECT_TRUE(value->empty());
}

TYPED_TEST(AnyDatabase, ErasingWhatIsNotThereDoesNothing) {
  const auto txn = this->database_.write();
  txn->erase(Table::waiting, view("a"));
  txn->commit();
  EXPECT_EQ(found(*this->database_.read(), "a"), "(nothing)");
}

TYPED_TEST(AnyDatabase, AnotherWriterMayBeginAfterACommitOrAnAbort) {
  const auto first = this->database_.write();
  first->put(Table::waiting, view("a"), view("1"));
  first->commit();
  {
    const auto aborted = this->database_.write();
  }
  const auto second = this->database_.write();
  second->put(Table::waiting, view("a"), view("2"));
  second->commit();
  EXPECT_EQ(found(*this->database_.read(), "a"), "2");
}

TYPED_TEST(AnyDatabase, OverwritingWhatIsAppendOnlyIsABug) {
  const auto txn = this->database_.write();
  txn->put_new(Table::waiting, view("a"), view("1"));
  EXPECT_DEATH(txn->put_new(Table::waiting, view("a"), view("1")), "internal error");
}

TYPED_TEST(AnyDatabase, ASecondWriterAtOnceIsABug) {
  const auto txn = this->database_.write();
  EXPECT_DEATH(static_cast<void>(this->database_.write()), "internal error");
}

TYPED_TEST(AnyDatabase, AKeyThatIsEmptyOrTooLongIsABug) {
  const auto txn = this->database_.write();
  txn->put(Table::waiting, Bytes(500, 1), view("x"));
  EXPECT_DEATH(txn->put(Table::waiting, Bytes(501, 1), view("x")), "internal error");
  EXPECT_DEATH(txn->put(Table::waiting, {}, view("x")), "internal error");
}

/// Compares every answer of a transaction with an ordered map.
class Model {
 public:
  void expect_same(const ReadTxn& txn, std::mt19937& random) const {
    for (int i = 0; i < 20; ++i) {
      const Bytes key = random_key(random);
      const auto exact = rows_.find(key);
      const auto value = txn.get(Table::waiting, key);
      ASSERT_EQ(value.has_value(), exact != rows_.end());
      if (value) {
        ASSERT_TRUE(equal(*value, exact->second));
      }

      const auto after = rows_.lower_bound(key);
      expect_row(txn.at_or_after(Table::waiting, key), after);
      expect_row(txn.before(Table::waiting, key),
                 after == rows_.begin() ? rows_.end() : std::prev(after));
    }
    expect_row(txn.at_or_after(Table::waiting, {}), rows_.begin());
    EXPECT_FALSE(txn.before(Table::waiting, {}));
  }

  void change(WriteTxn& txn, std::mt19937& random) {
    const Bytes key = random_key(random);
    if (random() % 3 == 0) {
      rows_.erase(key);
      txn.erase(Table::waiting, key);
    } else {
      const Bytes value(random() % 4 == 0 ? 9000 : random() % 100,
                        static_cast<std::uint8_t>(random()));
      rows_[key] = value;
      txn.put(Table::waiting, key, value);
    }
  }

 private:
  using Rows = std::map<Bytes, Bytes, BytesLess>;

  static Bytes random_key(std::mt19937& random) {
    Bytes key(1 + random() % 2);
    for (auto& byte : key) byte = static_cast<std::uint8_t>(random() % 12);
    return key;
  }
  void expect_row(const std::optional<Row>& row, Rows::const_iterator expected) const {
    ASSERT_EQ(row.has_value(), expected != rows_.end());
    if (!row) return;
    EXPECT_TRUE(equal(row->key, expected->first));
    EXPECT_TRUE(equal(row->value, expected->second));
  }

  Rows rows_;
};

TYPED_TEST(AnyDatabase, AnswersAsAnOrderedMapWouldInsideAndAfterATransaction) {
  std::mt19937 random(1);
  Model model;
  for (int round = 0; round < 200; ++round) {
    {
      Model tried = model;
      const auto txn = this->database_.write();
      for (int i = 0; i < 8; ++i) {
        tried.change(*txn, random);
        tried.expect_same(*txn, random);
      }
      if (round % 4 != 0) {
        txn->commit();
        model = tried;
      }
    }
    model.expect_same(*this->database_.read(), random);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace kith::storage
