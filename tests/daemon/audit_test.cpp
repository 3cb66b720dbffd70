#include "protocol/base/text.hpp"
#include "storage/log_store.hpp"
#include "tests/daemon/support/doors.hpp"

/// kith audit on a log of our own that this machine damaged.
namespace kith::daemon {
namespace {

class Audited : public Doors {
 protected:
  Audited() {
    // An enrolment in the middle, and somebody who publishes by it.
    publish_some(100);
    enrolled_at_ = log_size();
    const auto enrolled = ask(local::EnrolRequest{sign_enrolment(
        {me_.network, me_.member, 1, author_.public_key(), 1, steward_.public_key()}, steward_)});
    EXPECT_TRUE(std::holds_alternative<local::EnrolAnswer>(enrolled));
    Record record;
    record.kind = "document";
    record.body = to_bytes(view("# By the author\n\ntext\n"));
    record.author = author_.public_key();
    record.network = me_.network;
    record.log = log();
    const auto batch = sign_batch(me_.network, log(), {encode(record)}, author_);
    EXPECT_TRUE(published({encode_text(batch.front())}));
    publish_some(200);
  }
  void publish_some(int count) {
    std::vector<Bytes> records;
    for (int i = 0; i < count; ++i) records.push_back(record("t" + std::to_string(i)));
    EXPECT_TRUE(published(signed_texts(records)));
  }
  [[nodiscard]] local::AuditRow audit() {
    return std::get<local::AuditAnswer>(ask(local::AuditRequest{"ZZA"})).logs.at(0);
  }
  /// The same log with other leaves and payloads here and there, behind the back of the daemon,
  /// which goes on with its checkpoint; nothing for a payload leaves it out.
  void rewrite(
      const std::function<void(std::uint64_t, std::string&, std::optional<Bytes>&)>& change) {
    struct Entry {
      std::string leaf;
      std::optional<Bytes> payload;
    };
    std::vector<Entry> entries;
    const auto before = desk_.log().read();
    const std::uint64_t size = storage::log_store::head(*before, log())->size();
    for (std::uint64_t i = 0; i < size; ++i) {
      Entry entry{std::string(text(*storage::log_store::leaf(*before, log(), i))),
                  storage::log_store::payload(*before, log(), i)};
      change(i, entry.leaf, entry.payload);
      entries.push_back(std::move(entry));
    }
    const auto txn = desk_.disk().write();
    for (const auto table : {storage::Table::heads, storage::Table::recent, storage::Table::bundles,
                             storage::Table::tiles, storage::Table::payloads, storage::Table::large,
                             storage::Table::gaps}) {
      while (const auto row = txn->at_or_after(table, {})) txn->erase(table, to_bytes(row->key));
    }
    storage::log_store::create(*txn, log(), me_.member, commons);
    std::vector<storage::NewEntry> given;
    for (const Entry& entry : entries) {
      given.push_back({view(entry.leaf),
                       entry.payload ? std::optional<BytesView>(*entry.payload) : std::nullopt});
    }
    EXPECT_TRUE(storage::log_store::append(*txn, log(), 0, given));
    txn->commit();
  }
  [[nodiscard]] LogId log() const { return log_id(me_.network, me_.member, commons); }

  SigningKey author_{Seed{{6}}};
  std::uint64_t enrolled_at_ = 0;
};

TEST_F(Audited, AWholeLogIsIntact) {
  const local::AuditRow row = audit();
  EXPECT_TRUE(row.intact) << (row.faults.empty() ? "" : row.faults[0].what);
  EXPECT_EQ(row.size, log_size());
  EXPECT_EQ(row.statements, 2U) << "the certificate and the enrolment";
  EXPECT_EQ(row.records, row.size - row.statements);
  EXPECT_EQ(row.authors, 4U) << "founder, daemon, steward, author";
  EXPECT_EQ(row.verdict, Verdict::intact);
  EXPECT_EQ(row.signatures, row.records);
  ASSERT_EQ(row.keys.size(), 2U);
  EXPECT_TRUE(row.keys[0].is_certificate);
  EXPECT_EQ(row.keys[1].index, enrolled_at_);
  EXPECT_TRUE(row.are_keys_known);
  EXPECT_GT(row.first_time, 0U);
  EXPECT_GE(row.last_time, row.first_time);
}

TEST_F(Audited, ADamagedPayloadIsNamedOnce) {
  rewrite([](std::uint64_t index, const std::string&, std::optional<Bytes>& payload) {
    if (index == 100) payload->back() ^= 1;
  });
  const local::AuditRow row = audit();
  EXPECT_FALSE(row.intact);
  EXPECT_EQ(
      row.faults,
      (std::vector<local::AuditFault>{{Verdict::damaged, "entry 100: the payload is damaged"}}));
  EXPECT_EQ(row.verdict, Verdict::damaged);
}

TEST_F(Audited, AnotherLeafDoesNotFitWhatWasSigned) {
  rewrite([](std::uint64_t index, std::string& leaf, const std::optional<Bytes>&) {
    if (index == 100) leaf.replace(leaf.find("\n18"), 3, "\n19");
  });
  const local::AuditRow row = audit();
  ASSERT_EQ(row.faults.size(), 1U);
  EXPECT_NE(row.faults[0].what.find("the checkpoint at size"), std::string::npos)
      << row.faults[0].what;
}

TEST_F(Audited, WithoutAnEnrolmentNobodyIsAccused) {
  rewrite([&](std::uint64_t index, const std::string&, std::optional<Bytes>& payload) {
    if (index == enrolled_at_ || index == 50) payload.reset();
  });
  const local::AuditRow row = audit();
  EXPECT_FALSE(row.intact);
  EXPECT_EQ(row.missing, 2U);
  ASSERT_EQ(row.faults.size(), 1U) << "that the author may not publish is not known";
  EXPECT_TRUE(row.faults[0].what.starts_with("entry " + std::to_string(enrolled_at_) + ": "));
}

TEST_F(Audited, WithoutItsLeafNeither) {
  // The first byte of the leaf, and its class: then it reads as a leaf, but not as the true one.
  const std::size_t class_at = std::string_view("kith/leaf/v1\n").size();
  for (const auto& [byte, what] : {std::pair{std::size_t{0}, "the leaf is missing or damaged"},
                                   {class_at, "the leaf or its hash is damaged"}}) {
    const auto txn = desk_.disk().write();
    const auto row = txn->at_or_after(storage::Table::bundles, {});
    ASSERT_TRUE(row);
    const Bytes whole = to_bytes(row->value);
    const Bytes key = to_bytes(row->key);
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < enrolled_at_; ++i) {
      at += 2 + read_integer<std::uint16_t>(BytesView(whole).subspan(at));
    }
    Bytes bundle = whole;
    bundle[at + 2 + byte] ^= 4;  // c becomes g.
    txn->put(storage::Table::bundles, key, bundle);
    txn->commit();
    const local::AuditRow found = audit();
    ASSERT_EQ(found.faults.size(), 2U);
    EXPECT_EQ(found.faults[0].what, "entry " + std::to_string(enrolled_at_) + ": " + what);
    EXPECT_NE(found.faults[1].what.find("another root"), std::string::npos);
    const auto mended = desk_.disk().write();
    mended->put(storage::Table::bundles, key, whole);
    mended->commit();
  }
}

TEST_F(Audited, AMissingDocumentIsNoFaultButNotIntactEither) {
  rewrite([](std::uint64_t index, const std::string&, std::optional<Bytes>& payload) {
    if (index == 50) payload.reset();
  });
  const local::AuditRow row = audit();
  EXPECT_TRUE(row.faults.empty());
  EXPECT_EQ(row.missing, 1U);
  EXPECT_FALSE(row.intact);
}

}  // namespace
}  // namespace kith::daemon
