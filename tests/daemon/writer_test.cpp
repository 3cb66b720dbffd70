#include "daemon/writer.hpp"

#include <gtest/gtest.h>

#include <future>

#include "tests/daemon/support/loop.hpp"
#include "tests/support/memory_database.hpp"

namespace kith::daemon {
namespace {

using storage::StorageError;
using storage::Table;

using Stuck = std::vector<std::optional<StorageError::Kind>>;

constexpr auto nothing = [](storage::WriteTxn&, storage::HighWaterMarks&) {};

/// A writer over databases in memory; its answers run when the test asks for them.
class WriterTest : public ::testing::Test {
 protected:
  Writer::Events events() {
    return {
        .post =
            [this](std::function<void()> answer) {
              if (on_post_) on_post_();
              asio::post(loop_.io, std::move(answer));
            },
        .failed = [this](const std::string& why) { failed_.push_back(why); },
        .disk_stuck = [this](std::optional<StorageError::Kind> why) { stuck_.push_back(why); },
    };
  }

  /// Keeps the writer busy with one job until release(), so that what follows queues up.
  void block() {
    auto entered = std::make_shared<std::promise<void>>();
    auto has_entered = entered->get_future();
    writer_.write({[this, entered](storage::WriteTxn&, storage::HighWaterMarks&) {
                     entered->set_value();
                     released_.get_future().wait();
                   },
                   [this](const std::optional<Error>&) { ++blocked_done_; }});
    has_entered.wait();
  }
  void release() { released_.set_value(); }

  /// Writes one row; counts and keeps the answer.
  WriteJob put(std::uint8_t key) {
    return {[key](storage::WriteTxn& txn, storage::HighWaterMarks&) {
              txn.put(Table::meta, Bytes{key}, Bytes{1});
            },
            [this](const std::optional<Error>& failure) { answers_.push_back(failure); }};
  }
  [[nodiscard]] bool has(std::uint8_t key) {
    return log_.read()->get(Table::meta, Bytes{key}).has_value();
  }

  testing::TemporaryDir dir_;
  testing::Loop loop_;
  testing::MemoryDatabase log_;
  testing::MemoryDatabase views_;
  storage::HighWaterFile high_water_{dir_.path() + "/high-water"};
  std::function<void()> on_post_;  ///< On the writer's thread, when it gives an answer away.
  std::promise<void> released_;
  int blocked_done_ = 0;
  std::vector<std::optional<Error>> answers_;
  std::vector<std::string> failed_;
  std::vector<std::optional<StorageError::Kind>> stuck_;
  Writer writer_{log_, views_, high_water_, events()};
};

TEST_F(WriterTest, WhatIsQueuedTogetherSharesOneCommit) {
  block();
  for (std::uint8_t i = 0; i < 10; ++i) writer_.write(put(i));
  release();
  ASSERT_TRUE(loop_.until([&] { return answers_.size() == 10; }));
  writer_.stop();
  EXPECT_EQ(log_.commits(), 2U);
  EXPECT_EQ(blocked_done_, 1);
  for (std::uint8_t i = 0; i < 10; ++i) {
    EXPECT_EQ(answers_[i], std::nullopt);
    EXPECT_TRUE(has(i));
  }
}

TEST_F(WriterTest, NothingIsAnsweredBeforeTheCommitAndTheHighWaterFile) {
  const LogId log{{7}};
  const std::vector<std::uint8_t> sizes{3, 5, 4};
  const auto is_durable = [&] {
    const storage::HighWaterFile stored(dir_.path() + "/high-water");
    const auto mark = stored.marks().find(log);
    // The largest mark of the commit counts.
    return std::ranges::all_of(sizes, [this](std::uint8_t size) { return has(size); }) &&
           mark != stored.marks().end() && mark->second.size == 5;
  };
  block();
  // Where the answer is given away, since until it arrives a writer that hurries would be done,
  // too.
  std::vector<bool> durable_when_posted;
  on_post_ = [&] { durable_when_posted.push_back(is_durable()); };
  for (const std::uint8_t size : sizes) {
    writer_.write({[log, size](storage::WriteTxn& txn, storage::HighWaterMarks& to_sign) {
                     txn.put(Table::meta, Bytes{size}, Bytes{1});
                     to_sign[log] = {size, TreeHash{{size}}};
                   },
                   [&](const std::optional<Error>& failure) {
                     answers_.push_back(failure);
                     EXPECT_EQ(failure, std::nullopt);
                     EXPECT_TRUE(is_durable()) << "when it is answered";
                   }});
  }
  EXPECT_TRUE(answers_.empty());
  release();
  ASSERT_TRUE(loop_.until([&] { return answers_.size() == 3; }));
  writer_.stop();
  EXPECT_EQ(durable_when_posted, (std::vector<bool>{false, true})) << "the job before, and these";
  EXPECT_EQ(high_water_.marks().at(log).root, TreeHash{{5}});
}

TEST_F(WriterTest, AFullDiskRefusesTheWholeCommitAndTheWriterGoesOn) {
  block();
  writer_.write(put(1));
  writer_.write(put(2));
  log_.fail_commit(2, StorageError::Kind::full);
  release();
  ASSERT_TRUE(loop_.until([&] { return answers_.size() == 2; }));
  for (const auto& answer : answers_) {
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->code, Errc::unavailable);
    EXPECT_NE(answer->detail.find("the disk is full"), std::string::npos);
  }
  writer_.write(put(3));
  ASSERT_TRUE(loop_.until([&] { return answers_.size() == 3; }));
  writer_.stop();
  EXPECT_EQ(answers_[2], std::nullopt);
  EXPECT_FALSE(has(1));
  EXPECT_FALSE(has(2));
  EXPECT_TRUE(has(3));
  EXPECT_EQ(stuck_, (Stuck{StorageError::Kind::full, std::nullopt}));
  EXPECT_TRUE(failed_.empty());
}

TEST_F(WriterTest, AReadOnlyDiskRefusesTooAndSaysWhatToDo) {
  block();
  writer_.write(put(1));
  log_.fail_commit(2, StorageError::Kind::read_only);
  release();
  ASSERT_TRUE(loop_.until([&] { return answers_.size() == 1; }));
  writer_.write(put(2));
  ASSERT_TRUE(loop_.until([&] { return answers_.size() == 2; }));
  writer_.stop();
  ASSERT_TRUE(answers_[0].has_value());
  EXPECT_EQ(answers_[0]->code, Errc::unavailable);
  EXPECT_NE(answers_[0]->detail.find("read-only"), std::string::npos);
  EXPECT_EQ(answers_[1], std::nullopt);
  EXPECT_FALSE(has(1));
  EXPECT_EQ(stuck_, (Stuck{StorageError::Kind::read_only, std::nullopt}));
  EXPECT_TRUE(failed_.empty());
}

TEST_F(WriterTest, AnyOtherFailureEndsWritingForGood) {
  block();
  writer_.write(put(1));
  log_.fail_commit(2, StorageError::Kind::other);
  release();
  ASSERT_TRUE(loop_.until([&] { return answers_.size() == 1; }));
  writer_.write(put(2));
  ASSERT_TRUE(loop_.until([&] { return answers_.size() == 2; }));
  writer_.stop();
  for (const auto& answer : answers_) {
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->code, Errc::io);
  }
  EXPECT_EQ(failed_.size(), 1U);
  EXPECT_FALSE(has(2)) << "after an unexpected failure nothing may be written or signed";
}

TEST_F(WriterTest, AJobThatMeetsAFailingDiskEndsWritingToo) {
  writer_.write({[](storage::WriteTxn&, storage::HighWaterMarks&) {
                   throw StorageError(StorageError::Kind::other, "input/output error");
                 },
                 [this](const std::optional<Error>& failure) { answers_.push_back(failure); }});
  ASSERT_TRUE(loop_.until([&] { return !failed_.empty() && !answers_.empty(); }));
  writer_.stop();
  EXPECT_EQ(failed_, std::vector<std::string>{"input/output error"});
}

TEST_F(WriterTest, ViewsFollowInTheirOwnDatabase) {
  int done = 0;
  writer_.write_views([](storage::WriteTxn& txn) { txn.put(Table::cursors, Bytes{1}, Bytes{2}); },
                      [&] { ++done; });
  ASSERT_TRUE(loop_.until([&] { return done == 1; }));
  writer_.stop();
  EXPECT_TRUE(views_.read()->get(Table::cursors, Bytes{1}).has_value());
  EXPECT_EQ(log_.commits(), 0U);
}

TEST_F(WriterTest, ViewsThatMetAFullDiskAreWrittenLaterInOrder) {
  block();
  views_.fail_commit(1, StorageError::Kind::full);
  std::vector<int> done;
  for (const int i : {1, 2}) {
    writer_.write_views(
        [i](storage::WriteTxn& txn) {
          txn.put(Table::cursors, Bytes{1}, Bytes{static_cast<std::uint8_t>(i)});
        },
        [&, i] { done.push_back(i); });
  }
  release();
  ASSERT_TRUE(loop_.until([&] { return done.size() == 2; }));
  writer_.stop();
  EXPECT_EQ(done, (std::vector<int>{1, 2}));
  EXPECT_TRUE(failed_.empty());
  EXPECT_EQ(to_bytes(*views_.read()->get(Table::cursors, Bytes{1})), Bytes{2});
}

TEST_F(WriterTest, StoppingFinishesWhatIsQueued) {
  block();
  for (std::uint8_t i = 0; i < 5; ++i) writer_.write(put(i));
  EXPECT_FALSE(writer_.idle());
  release();
  writer_.stop();
  EXPECT_TRUE(writer_.idle());
  for (std::uint8_t i = 0; i < 5; ++i) EXPECT_TRUE(has(i));
  ASSERT_TRUE(loop_.until([&] { return answers_.size() == 5; }));
}

}  // namespace
}  // namespace kith::daemon
