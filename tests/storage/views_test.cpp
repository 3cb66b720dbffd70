#include "storage/views.hpp"

#include <gtest/gtest.h>

#include "protocol/base/text.hpp"
#include "tests/storage/databases.hpp"

namespace kith::storage {
namespace {

const LogId log_id{{1}};
const LogId next_log{{2}};

RecordRow row(std::uint8_t id, const std::string& kind = "Note", std::uint8_t member = 1) {
  RecordRow made;
  made.id = RecordId{{id, 0xAB}};
  made.log = log_id;
  made.index = id;
  made.member = MemberId{{member}};
  made.kind = kind;
  made.author = PublicKey{{3}};
  made.time = 1'700'000'000'000;
  made.title = "title " + std::to_string(id);
  made.body_bytes = 42;
  return made;
}

template <class World>
class Views : public ::testing::Test {
 protected:
  World world_;
  std::unique_ptr<WriteTxn> txn_ = world_.views().write();
};
TYPED_TEST_SUITE(Views, kith::testing::Worlds, kith::testing::WorldNames);

std::vector<std::uint8_t> ids(const std::vector<RecordRow>& rows) {
  std::vector<std::uint8_t> found;
  for (const auto& each : rows) found.push_back(each.id.bytes[0]);
  return found;
}

TYPED_TEST(Views, ACursorBeginsAtZeroAndIsKeptForEachLog) {
  EXPECT_EQ(views::judged(*this->txn_, log_id), 0U);
  views::set_judged(*this->txn_, log_id, 7);
  views::set_judged(*this->txn_, log_id, 9);
  EXPECT_EQ(views::judged(*this->txn_, log_id), 9U);
  EXPECT_EQ(views::judged(*this->txn_, next_log), 0U);
  EXPECT_EQ(views::shown(*this->txn_, log_id), 0U);
  views::set_shown(*this->txn_, log_id, 8);
  EXPECT_EQ(views::shown(*this->txn_, log_id), 8U);
  EXPECT_EQ(views::judged(*this->txn_, log_id), 9U);
}

TYPED_TEST(Views, TextsComeBackInTheOrderOfTheLog) {
  for (const std::uint64_t index : {300U, 2U, 70'000U}) {
    views::put_text(*this->txn_, log_id, index, view("text " + std::to_string(index)));
  }
  views::put_text(*this->txn_, next_log, 1, view("other"));
  std::string all;
  views::each_text(*this->txn_, log_id, [&](std::uint64_t index, BytesView content) {
    all += std::to_string(index) + "=" + std::string(text(content)) + ";";
  });
  EXPECT_EQ(all, "2=text 2;300=text 300;70000=text 70000;");
}

TYPED_TEST(Views, ARecordIsKeptAsItWasGivenAndOnlyOnce) {
  EXPECT_EQ(views::last_sequence(*this->txn_), 0U);
  RecordRow given = row(1);
  given.to = RecordId{{9}};
  given.title = "Gr\xC3\xBC\xC3\x9F";
  EXPECT_TRUE(views::put_record(*this->txn_, given));
  given.sequence = 1;
  EXPECT_EQ(views::record(*this->txn_, given.id), given);

  RecordRow again = given;
  again.title = "another";
  EXPECT_FALSE(views::put_record(*this->txn_, again));
  EXPECT_EQ(views::record(*this->txn_, given.id), given);
  EXPECT_EQ(views::record_count(*this->txn_), 1U);
  EXPECT_FALSE(views::record(*this->txn_, RecordId{{77}}));
}

TYPED_TEST(Views, AreListedNewestFirstByKindAndMember) {
  for (std::uint8_t id = 1; id <= 9; ++id) {
    views::put_record(*this->txn_, row(id, id % 2 == 0 ? "Plan" : "Note", id % 3));
  }
  EXPECT_EQ(ids(views::list(*this->txn_, {})),
            (std::vector<std::uint8_t>{9, 8, 7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(ids(views::list(*this->txn_, {.kind = "Plan", .limit = 2})),
            (std::vector<std::uint8_t>{8, 6}));
  EXPECT_EQ(ids(views::list(*this->txn_, {.kind = "", .member = MemberId{{2}}})),
            (std::vector<std::uint8_t>{8, 5, 2}));
  EXPECT_EQ(ids(views::list(*this->txn_, {.kind = "Note", .after_sequence = 5})),
            (std::vector<std::uint8_t>{9, 7}));
  EXPECT_EQ(ids(views::list(*this->txn_, {.kind = "", .member = {}, .before_sequence = 4})),
            (std::vector<std::uint8_t>{3, 2, 1}));
  EXPECT_TRUE(views::list(*this->txn_, {.kind = "None"}).empty());
  EXPECT_TRUE(views::list(*this->txn_, {.kind = "", .limit = 0}).empty());
  EXPECT_EQ(views::last_sequence(*this->txn_), 9U);
}

TYPED_TEST(Views, MoreThanTwoHundredFiftySixArrivalsStayInOrder) {
  for (int i = 0; i < 600; ++i) {
    RecordRow given = row(static_cast<std::uint8_t>(i));
    given.id.bytes[5] = static_cast<std::uint8_t>(i >> 8);
    ASSERT_TRUE(views::put_record(*this->txn_, given));
  }
  std::uint64_t expected = 600;
  for (const auto& each : views::list(*this->txn_, {.kind = "", .limit = 1000}))
    EXPECT_EQ(each.sequence, expected--);
  EXPECT_EQ(expected, 0U);
}

TYPED_TEST(Views, RepliesComeInOrderOfArrival) {
  const RecordRow asked = row(1);
  views::put_record(*this->txn_, asked);
  for (const std::uint8_t id : std::vector<std::uint8_t>{9, 4, 7}) {
    RecordRow reply = row(id);
    reply.to = asked.id;
    views::put_record(*this->txn_, reply);
  }
  RecordRow other = row(5);
  other.to = row(9).id;
  views::put_record(*this->txn_, other);
  EXPECT_EQ(ids(views::replies(*this->txn_, asked.id, 10)), (std::vector<std::uint8_t>{9, 4, 7}));
  EXPECT_EQ(ids(views::replies(*this->txn_, asked.id, 2)), (std::vector<std::uint8_t>{9, 4}));
  EXPECT_TRUE(views::replies(*this->txn_, row(4).id, 10).empty());
}

TYPED_TEST(Views, AnIdIsFoundByAnyPrefixThatFitsItAlone) {
  RecordRow a = row(1);
  RecordRow b = row(1);
  b.id.bytes[4] = 0x80;  // Differs from the seventh character on.
  RecordRow c = row(200);
  for (const auto& each : {a, b, c}) ASSERT_TRUE(views::put_record(*this->txn_, each));

  const std::string shown = to_base32(c.id.view());
  for (std::size_t size = 4; size <= shown.size(); ++size) {
    const auto found = views::find(*this->txn_, shown.substr(0, size));
    ASSERT_TRUE(found) << size;
    EXPECT_EQ(found->id, c.id);
  }
  const std::string both = to_base32(a.id.view());
  for (std::size_t size = 4; size <= both.size(); ++size) {
    const auto found = views::find(*this->txn_, both.substr(0, size));
    const bool fits_both = to_base32(b.id.view()).starts_with(both.substr(0, size));
    ASSERT_EQ(found.has_value(), !fits_both) << size;
    if (found) {
      EXPECT_EQ(found->id, a.id);
    } else {
      EXPECT_EQ(found.error().code, Errc::conflict);
      EXPECT_NE(found.error().detail.find(both), std::string::npos);
      EXPECT_NE(found.error().detail.find(to_base32(b.id.view())), std::string::npos);
    }
  }
}

TYPED_TEST(Views, APrefixThatFitsNothingIsNotFound) {
  views::put_record(*this->txn_, row(1));
  const std::string shown = to_base32(row(1).id.view());
  for (const std::string& prefix :
       {std::string("zzzz"), std::string("AAAA"), std::string("a1a1"), std::string("aaa!"),
        shown + "a", shown.substr(0, 51) + "b", std::string(500, 'a')}) {
    EXPECT_EQ(views::find(*this->txn_, prefix).error().code, Errc::not_found) << prefix;
  }
  EXPECT_EQ(views::find(*this->txn_, shown.substr(0, 3)).error().code, Errc::usage);
  EXPECT_EQ(views::find(*this->txn_, "").error().code, Errc::usage);
}

TYPED_TEST(Views, AManyfoldPrefixNamesOnlyAFew) {
  for (std::uint8_t i = 0; i < 20; ++i) {
    RecordRow given = row(1);
    given.id.bytes[9] = i;
    views::put_record(*this->txn_, given);
  }
  const auto found = views::find(*this->txn_, to_base32(row(1).id.view()).substr(0, 6));
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().detail.find("and more"), std::string::npos);
  EXPECT_LT(found.error().detail.size(), 300U);
}

TYPED_TEST(Views, WhatIsNotShownIsCountedWithItsReason) {
  views::put_bad(*this->txn_, log_id, 300, "bad signature");
  views::put_bad(*this->txn_, log_id, 4, "not for us");
  views::put_bad(*this->txn_, next_log, 1, "other");
  using Bad = std::vector<std::pair<std::uint64_t, std::string>>;
  EXPECT_EQ(views::bad(*this->txn_, log_id, 0, 10),
            (Bad{{4, "not for us"}, {300, "bad signature"}}));
  EXPECT_EQ(views::bad(*this->txn_, log_id, 0, 1), (Bad{{4, "not for us"}}));
  EXPECT_EQ(views::bad(*this->txn_, log_id, 5, 10), (Bad{{300, "bad signature"}}));
  views::erase_bad(*this->txn_, log_id, 300);
  EXPECT_EQ(views::bad(*this->txn_, log_id, 5, 10), Bad{});
}

TYPED_TEST(Views, WhatALogGaveUpIsGoneAndNothingElse) {
  WriteTxn& txn = *this->txn_;
  for (std::uint8_t id = 1; id <= 4; ++id) views::put_record(txn, row(id));
  RecordRow reply = row(5);
  reply.to = RecordId{{1, 0xAB}};
  views::put_record(txn, reply);
  RecordRow elsewhere = row(9);
  elsewhere.log = next_log;
  views::put_record(txn, elsewhere);
  for (const std::uint64_t index : {1, 3}) {
    views::put_text(txn, log_id, index, view("text"));
    views::put_bad(txn, log_id, index, "why");
    views::put_text(txn, next_log, index, view("text"));
  }
  views::set_judged(txn, log_id, 6);
  views::set_shown(txn, log_id, 2);
  views::set_judged(txn, next_log, 6);

  views::set_back(txn, log_id, 3);
  EXPECT_EQ(views::judged(txn, log_id), 3U);
  EXPECT_EQ(views::shown(txn, log_id), 2U);
  EXPECT_EQ(views::judged(txn, next_log), 6U);
  EXPECT_EQ(ids(views::list(txn, {})), (std::vector<std::uint8_t>{9, 2, 1}));
  EXPECT_TRUE(views::replies(txn, RecordId{{1, 0xAB}}, 10).empty());
  EXPECT_EQ(views::record_count(txn), 3U);
  EXPECT_EQ(views::last_sequence(txn), 6U) << "no number is given twice";
  EXPECT_EQ(views::bad(txn, log_id, 0, 10).size(), 1U);
  std::size_t texts = 0;
  for (const LogId& log : {log_id, next_log}) {
    views::each_text(txn, log, [&](std::uint64_t, BytesView) { ++texts; });
  }
  EXPECT_EQ(texts, 3U);

  EXPECT_TRUE(views::put_record(txn, row(3))) << "it may come again";
  EXPECT_EQ(views::record(txn, row(3).id)->sequence, 7U);
  EXPECT_EQ(views::record_count(txn), 4U);
  RecordFilter after;
  after.after_sequence = 2;
  EXPECT_EQ(ids(views::list(txn, after)), (std::vector<std::uint8_t>{3, 9}));
}

TYPED_TEST(Views, ADamagedRowSaysHowToRebuild) {
  views::put_record(*this->txn_, row(1));
  const Bytes whole = to_bytes(*this->txn_->get(Table::records, row(1).id.view()));
  for (const std::size_t size : {0UL, 10UL, whole.size() - 1, whole.size() + 1}) {
    Bytes damaged = whole;
    damaged.resize(size);
    this->txn_->put(Table::records, row(1).id.view(), damaged);
    EXPECT_THROW(static_cast<void>(views::record(*this->txn_, row(1).id)), StorageError) << size;
    EXPECT_THROW(static_cast<void>(views::list(*this->txn_, {})), StorageError) << size;
  }
  for (const int which : {1, 2}) {
    Bytes key = to_bytes(log_id.view());
    key.push_back(static_cast<std::uint8_t>(which));
    this->txn_->put(Table::cursors, key, view("x"));
  }
  EXPECT_THROW(static_cast<void>(views::judged(*this->txn_, log_id)), StorageError);
  EXPECT_THROW(static_cast<void>(views::shown(*this->txn_, log_id)), StorageError);
}

}  // namespace
}  // namespace kith::storage
