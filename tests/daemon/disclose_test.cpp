#include "protocol/base/text.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/payload.hpp"
#include "protocol/records/disclosure_consent.hpp"
#include "storage/log_store.hpp"
#include "tests/daemon/support/doors.hpp"
#include "tests/support/archive.hpp"

/// Who gets which keys from a daemon, and what is written down first.
namespace kith::daemon {
namespace {

constexpr const char* to = "Regional auditor";
constexpr const char* what_for = "audit 2026";

std::string id_of(const RecordId& id) { return to_base32(id.view()); }

/// From the ids of another member's records: whether somebody who speaks for it said it, and what.
using Consents = std::function<std::vector<std::pair<bool, DisclosureConsent>>(
    const std::vector<RecordId>& theirs)>;

class Disclosing : public Doors {
 protected:
  Disclosing() {
    for (const char* title : {"one", "two", "three"}) records_.push_back(record(title));
    EXPECT_TRUE(published(signed_texts(records_)));
    own_log_ = log_id(me_.network, me_.member, commons);
  }

  [[nodiscard]] std::vector<RecordId> own_ids() const {
    std::vector<RecordId> ids;
    for (const Bytes& record : records_) ids.push_back(record_id(record));
    return ids;
  }
  [[nodiscard]] local::Answer disclose(std::vector<std::string> ids, bool preview = false) {
    return ask(local::DiscloseRequest{std::move(ids), "", to, what_for, preview});
  }
  [[nodiscard]] Disclosure disclosed(std::vector<std::string> ids) {
    const auto answer = disclose(std::move(ids));
    const auto* given = std::get_if<local::DiscloseAnswer>(&answer);
    if (given == nullptr) {
      ADD_FAILURE() << std::get<local::Refusal>(answer).said;
      return {};
    }
    const auto disclosure = decode_disclosure(given->file);
    EXPECT_TRUE(disclosure);
    return disclosure ? *disclosure : Disclosure();
  }
  [[nodiscard]] local::Refusal refusal_of(const local::Answer& answer) {
    const auto* refused = std::get_if<local::Refusal>(&answer);
    EXPECT_NE(refused, nullptr);
    return refused == nullptr ? local::Refusal{} : *refused;
  }
  [[nodiscard]] std::string noted(const std::string& name) {
    for (const auto& [field, value] : desk_.trail.back().second) {
      if (field == name) return value;
    }
    return "";
  }
  [[nodiscard]] std::optional<Bytes> payload(const LogId& log, std::uint64_t index) {
    return storage::log_store::payload(*desk_.log().read(), log, index);
  }

  /// Another member's log as the store holds it: certificate, one author who may publish and one
  /// who may speak, three records, then what `said` adds. The daemon starts anew with it.
  void hear_another(const Consents& said) {
    other_ = std::make_unique<testing::ArchivedMember>(std::uint8_t{7}, me_.network);
    const SigningKey speaker(Seed{{8}});
    const auto enrolment = [&](std::uint32_t number, const SigningKey& who, Scopes scopes) {
      return encode_text(
          EnrolmentText{sign_enrolment({me_.network, other_->id(), number, who.public_key(), scopes,
                                        other_->steward.public_key()},
                                       other_->steward)});
    };
    std::vector<std::pair<LeafClass, Bytes>> texts = {
        {LeafClass::clear, encode_text(CertificateText{other_->statement})},
        {LeafClass::clear, enrolment(1, other_->author, 1)},
        {LeafClass::clear, enrolment(2, speaker, 2)}};
    for (std::uint64_t i = 0; i < 3; ++i) {
      texts.emplace_back(
          LeafClass::record,
          testing::text_by(other_->author, *other_, "document",
                           to_bytes(view("# theirs " + std::to_string(i) + "\n")), i));
    }
    for (std::size_t i = 3; i < texts.size(); ++i) other_ids_.push_back(id_in(texts[i].second));
    for (const auto& [speaks, consent] : said(other_ids_)) {
      texts.emplace_back(
          LeafClass::record,
          testing::text_by(speaks ? speaker : other_->author, *other_, "disclosure_consent",
                           to_bytes(view(make_disclosure_consent(consent))), texts.size()));
      consents_.push_back(id_in(texts.back().second));
    }
    const auto txn = desk_.disk().write();
    storage::log_store::create(*txn, other_->log(), other_->id(), commons);
    const Key32 key = log_key(me_.commons_keys->r, other_->log());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      Bytes payload = texts[i].second;
      Nonce24 nonce;
      nonce.bytes[0] = static_cast<std::uint8_t>(i);
      if (texts[i].first == LeafClass::record) {
        payload = *seal_payload(key, other_->log(), nonce, payload);
      }
      const std::string leaf = encode_leaf(make_leaf(texts[i].first, now_ms, payload));
      const storage::NewEntry entry{view(leaf), BytesView(payload)};
      ASSERT_TRUE(storage::log_store::append(*txn, other_->log(), i, {&entry, 1}));
    }
    txn->commit();
    replica_ = std::make_unique<Replica>(me_, Replica::Options{}, desk_.marks, desk_);
    desk_.run();
  }
  [[nodiscard]] static RecordId id_in(const Bytes& text) {
    return record_id(std::get<SignedRecord>(*decode_text(text)).record);
  }

  std::vector<Bytes> records_;
  LogId own_log_;
  std::unique_ptr<testing::ArchivedMember> other_;
  std::vector<RecordId> other_ids_;
  std::vector<RecordId> consents_;
};

TEST_F(Disclosing, GivesTheLogKeysOfTheOwnLogAndNeverASpaceKey) {
  const Disclosure disclosure = disclosed({});
  EXPECT_EQ(disclosure.network, me_.network);
  EXPECT_EQ(disclosure.member, me_.member);
  EXPECT_EQ(disclosure.discloser, me_.member);
  EXPECT_EQ(disclosure.recipient, to);
  EXPECT_EQ(disclosure.purpose, what_for);
  EXPECT_FALSE(disclosure.consent);
  EXPECT_EQ(disclosure.log_keys, (std::vector<LogKeys>{{log_key(me_.commons_keys->g, own_log_),
                                                        log_key(me_.commons_keys->r, own_log_)}}));
  const std::string file = encode_disclosure(disclosure);
  EXPECT_EQ(file.find(to_base32(me_.commons_keys->g.view())), std::string::npos);
  EXPECT_EQ(file.find(to_base32(me_.commons_keys->r.view())), std::string::npos);
  EXPECT_NE(file.find(to_base32(log_key(me_.commons_keys->r, own_log_).view())), std::string::npos)
      << "the control";
}

TEST_F(Disclosing, GivesTheKeysOfTheRecordsThatAreNamedAndNoOther) {
  const auto ids = own_ids();
  const Disclosure disclosure =
      disclosed({id_of(ids[2]), id_of(ids[0]).substr(0, 12), id_of(ids[2])});
  ASSERT_EQ(disclosure.records.size(), 2U) << "in the order of the log, each once";
  EXPECT_EQ(disclosure.records[0].id, ids[0]);
  EXPECT_EQ(disclosure.records[1].id, ids[2]);
  EXPECT_TRUE(disclosure.log_keys.empty());
  std::size_t opened = 0;
  for (std::uint64_t i = 0; i < log_size(); ++i) {
    const auto sealed = payload(own_log_, i);
    ASSERT_TRUE(sealed);
    for (const DisclosedRecord& record : disclosure.records) {
      const bool opens = open_with_payload_key(record.key, own_log_, *sealed).has_value();
      EXPECT_EQ(opens, i == record.index);
      opened += opens ? 1 : 0;
    }
  }
  EXPECT_EQ(opened, 2U);
}

TEST_F(Disclosing, WritesDownWhatItDoesBeforeItDoesIt) {
  static_cast<void>(disclosed({}));
  ASSERT_EQ(desk_.trail.size(), 1U);
  EXPECT_EQ(desk_.trail[0].first, "disclosure");
  EXPECT_EQ(noted("recipient"), to);
  EXPECT_EQ(noted("purpose"), what_for);
  EXPECT_EQ(noted("member"), to_base32(me_.member.view()));
  EXPECT_EQ(noted("code"), "ZZA");
  EXPECT_EQ(noted("opens"), "log");
  EXPECT_EQ(noted("asked_by"), "client 1");
  EXPECT_EQ(noted("consent"), "");
  static_cast<void>(disclosed({id_of(own_ids()[1])}));
  EXPECT_EQ(noted("opens"), "records");
  EXPECT_EQ(noted("records"), id_of(own_ids()[1]));

  desk_.trail_fails = true;
  const local::Refusal refused = refusal_of(disclose({}));
  EXPECT_EQ(refused.code, Errc::io);
  EXPECT_NE(refused.said.find("nothing was disclosed"), std::string::npos);
  EXPECT_EQ(desk_.trail.size(), 2U);
}

TEST_F(Disclosing, APreviewGivesNoKeyAndLeavesNoTrace) {
  const auto preview = std::get<local::DiscloseAnswer>(disclose({id_of(own_ids()[0])}, true));
  EXPECT_EQ(preview.file, "");
  EXPECT_EQ(preview.code, "ZZA");
  EXPECT_EQ(preview.size, log_size());
  ASSERT_EQ(preview.records.size(), 1U);
  EXPECT_EQ(preview.records[0].title, "one");
  EXPECT_TRUE(desk_.trail.empty());
}

TEST_F(Disclosing, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal_of(disclose({"zzzzzzzz"})).code, Errc::not_found);
  EXPECT_EQ(refusal_of(disclose({"a"})).code, Errc::usage);
  EXPECT_EQ(refusal_of(ask(local::DiscloseRequest{{}, "NONE", to, what_for, false})).code,
            Errc::not_found);
  for (const char* words : {"", " x", "a\nb"}) {
    EXPECT_EQ(refusal_of(ask(local::DiscloseRequest{{}, "", words, what_for, false})).code,
              Errc::usage);
    EXPECT_EQ(refusal_of(ask(local::DiscloseRequest{{}, "", to, words, false})).code, Errc::usage);
  }
  EXPECT_TRUE(desk_.trail.empty());
}

TEST_F(Disclosing, NeedsTheConsentOfWhoseRecordsTheyAre) {
  hear_another([](const auto&) { return std::vector<std::pair<bool, DisclosureConsent>>(); });
  const local::Refusal refused = refusal_of(disclose({id_of(other_ids_[0])}));
  EXPECT_EQ(refused.code, Errc::forbidden);
  EXPECT_NE(refused.said.find("kith disclose --allow"), std::string::npos) << refused.said;
  EXPECT_EQ(refusal_of(disclose({id_of(other_ids_[0])}, true)).code, Errc::forbidden)
      << "a preview says so, too";
  EXPECT_EQ(refusal_of(disclose({id_of(other_ids_[0]), id_of(own_ids()[0])})).code, Errc::usage)
      << "of two members";
  EXPECT_TRUE(desk_.trail.empty());
}

TEST_F(Disclosing, ADamagedViewIsSaidAndEndsNothing) {
  hear_another([](const auto&) { return std::vector<std::pair<bool, DisclosureConsent>>(); });
  desk_.write_views(
      [](storage::WriteTxn& txn) {
        Bytes first;
        append_integer(first, std::uint64_t{1});
        txn.put(storage::Table::arrivals, first, Bytes(RecordId::size, 0));
      },
      [] {});
  desk_.run();
  const auto refused = refusal_of(disclose({id_of(other_ids_[0])}));
  EXPECT_EQ(refused.code, Errc::io);
  EXPECT_NE(refused.said.find("a view is damaged"), std::string::npos) << refused.said;
}

TEST_F(Disclosing, ADamagedLogIsSaidAndEndsNothing) {
  const auto txn = desk_.disk().write();
  txn->put(storage::Table::heads, own_log_.view(), Bytes{1});
  txn->commit();
  const auto refused = refusal_of(disclose({id_of(own_ids()[0])}));
  EXPECT_EQ(refused.code, Errc::io);
  EXPECT_NE(refused.said.find("kithd check"), std::string::npos) << refused.said;
  EXPECT_TRUE(desk_.trail.empty());
}

TEST_F(Disclosing, ADamagedRowOfTheViewsIsSaidAndEndsNothing) {
  desk_.write_views(
      [&](storage::WriteTxn& txn) {
        txn.put(storage::Table::records, own_ids()[0].view(), Bytes{1});
      },
      [] {});
  desk_.run();
  EXPECT_EQ(refusal_of(disclose({id_of(own_ids()[0])})).code, Errc::io);
  EXPECT_TRUE(std::holds_alternative<local::DiscloseAnswer>(disclose({id_of(own_ids()[1])})))
      << "all else goes on";
}

TEST_F(Disclosing, ReadsAndDerivesWhereNobodyWaitsForIt) {
  bool is_answered = false;
  const auto ask_now = [&](const std::string& recipient) {
    replica_->handle(1,
                     local::DiscloseRequest{{id_of(own_ids()[0])}, "", recipient, what_for, true},
                     [&](const local::Answer&) { is_answered = true; });
  };
  ask_now("");
  EXPECT_TRUE(is_answered) << "the control: nothing has to be read";
  is_answered = false;
  ask_now(to);
  EXPECT_FALSE(is_answered);
  desk_.run();
  EXPECT_TRUE(is_answered);
}

TEST_F(Disclosing, TakesAConsentThatCoversRecordsRecipientAndPurpose) {
  hear_another([](const std::vector<RecordId>& theirs) {
    return std::vector<std::pair<bool, DisclosureConsent>>{
        {true, {to, what_for, false, {theirs[0], theirs[1]}}},
        {true, {"Court", what_for, true, {}}},
        {false, {"Anybody", what_for, true, {}}}};
  });
  const Disclosure disclosure = disclosed({id_of(other_ids_[1]), id_of(other_ids_[0])});
  EXPECT_EQ(disclosure.member, other_->id());
  EXPECT_EQ(disclosure.discloser, me_.member);
  EXPECT_EQ(disclosure.consent, consents_[0]);
  ASSERT_EQ(disclosure.records.size(), 2U);
  for (const DisclosedRecord& record : disclosure.records) {
    EXPECT_TRUE(
        open_with_payload_key(record.key, other_->log(), *payload(other_->log(), record.index)));
  }
  EXPECT_EQ(noted("consent"), id_of(consents_[0]));
  EXPECT_EQ(noted("member"), to_base32(other_->id().view()));
  EXPECT_EQ(disclosed({id_of(other_ids_[0])}).consent, consents_[0]) << "less is covered, too";

  const auto code = [&](std::size_t which, const char* recipient, const char* purpose) {
    const auto answer =
        ask(local::DiscloseRequest{{id_of(other_ids_[which])}, "", recipient, purpose, false});
    if (const auto* given = std::get_if<local::DiscloseAnswer>(&answer)) {
      EXPECT_EQ(given->consent, consents_[1]);
      return Errc::unavailable;  // It was given.
    }
    return std::get<local::Refusal>(answer).code;
  };
  EXPECT_EQ(code(2, to, what_for), Errc::forbidden) << "that record is not named";
  EXPECT_EQ(code(0, "regional auditor", what_for), Errc::forbidden);
  EXPECT_EQ(code(0, to, "audit 2027"), Errc::forbidden);
  EXPECT_EQ(code(2, "Court", what_for), Errc::unavailable) << "the whole log covers it";
  EXPECT_EQ(code(2, "Anybody", what_for), Errc::forbidden)
      << "its author may publish, but does not speak for the member";
}

TEST_F(Disclosing, AConsentNeedsWhoSpeaksAndAFormThatSaysSomething) {
  const std::string good = make_disclosure_consent({to, what_for, true, {}});
  const auto consent = [&](const std::string& body) {
    return signed_texts({record("disclosure_consent", to_bytes(view(body)))});
  };
  EXPECT_EQ(refusal(consent("---\nkind: disclosure_consent\nrecipient: a\npurpose: b\nopens: "
                            "records\n---\nx\n")),
            Errc::malformed)
      << "it names no records";
  EXPECT_TRUE(published(consent(good))) << "the steward speaks";

  const SigningKey colleague(Seed{{77}});
  const auto enrol = [&](std::uint32_t number, Scopes scopes) {
    return std::holds_alternative<local::EnrolAnswer>(ask(local::EnrolRequest{sign_enrolment(
        {me_.network, me_.member, number, colleague.public_key(), scopes, steward_.public_key()},
        steward_)}));
  };
  ASSERT_TRUE(enrol(1, 1));
  const auto by_colleague = [&] {
    Record said = *decode_record(record("disclosure_consent", to_bytes(view(good))));
    said.author = colleague.public_key();
    return encode_text(sign_batch(me_.network, own_log_, {encode(said)}, colleague).front());
  };
  EXPECT_EQ(refusal({by_colleague()}), Errc::forbidden) << "only publish";
  ASSERT_TRUE(enrol(2, 2));
  EXPECT_TRUE(published({by_colleague()})) << "the control: speak";
}

}  // namespace
}  // namespace kith::daemon
