#include "protocol/audit/disclosed_keys.hpp"

#include <gtest/gtest.h>

#include "protocol/base/text.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/log/payload.hpp"
#include "protocol/records/disclosure_consent.hpp"
#include "tests/support/archive.hpp"

/// What disclosed keys open of an export, and what they do not.
namespace kith {
namespace {

using testing::archive_keys;
using testing::archive_network;
using testing::ArchivedMember;
using testing::ArchiveOptions;
using testing::make_archive;
using testing::MemoryArchive;
using testing::text_by;
using Texts = std::vector<std::pair<LeafClass, Bytes>>;

ArchivedMember member(std::uint8_t seed) { return ArchivedMember(seed, archive_network()); }

/// Of the member's log, as its daemon derives it.
Disclosure head_of(const ArchivedMember& whose) {
  Disclosure disclosure;
  disclosure.network = archive_network();
  disclosure.member = disclosure.discloser = whose.id();
  disclosure.recipient = "auditor";
  disclosure.purpose = "audit";
  disclosure.time = 1;
  return disclosure;
}
Disclosure whole_log(const ArchivedMember& whose) {
  Disclosure disclosure = head_of(whose);
  disclosure.log_keys = {
      {log_key(archive_keys().g, whose.log()), log_key(archive_keys().r, whose.log())}};
  return disclosure;
}

/// The payload of one entry, which lies in a log of at most one bundle.
Bytes payload_of(const MemoryArchive& archive, const std::string& folder, std::uint64_t size,
                 std::uint64_t index) {
  const auto list = archive.open(folder + "/kith/payloads/000.p/" + std::to_string(size));
  std::optional<Bytes> payload;
  for (std::uint64_t i = 0; i <= index; ++i) payload = *next_payload(**list, 1 << 20);
  return *payload;
}

/// The key of one entry of class `r`.
DisclosedRecord record_at(const ArchivedMember& whose, const MemoryArchive& archive,
                          std::uint64_t size, std::uint64_t index) {
  const auto number = whose.identity.seed().bytes.back();  // As ArchivedMember was made with.
  const std::string folder = "commons/ZZ" + std::string(1, static_cast<char>('A' + number - 1));
  const Bytes payload = payload_of(archive, folder, size, index);
  const Key32 of_log = log_key(archive_keys().r, whose.log());
  const auto fitting = fitting_key(std::vector{of_log}, payload);
  const auto text = open_payload(of_log, whose.log(), payload);
  EXPECT_TRUE(fitting && text);
  return {record_id(std::get<SignedRecord>(*decode_text(*text)).record), index, fitting->key};
}

ArchiveReport audit_with(const MemoryArchive& archive, const DisclosedKeys& keys) {
  auto audit = ArchiveAudit::begin(archive, [&](const LogId& log) { return keys.keys_of(log); });
  EXPECT_TRUE(audit);
  EXPECT_TRUE(keys.belong_to(audit->manifest()));
  for (auto log = audit->next_log(); log; log = audit->next_log()) {
    for (std::uint64_t n = 0; n < log->bundles(); ++n) log->absorb(log->check(n));
    audit->end(*log);
  }
  ArchiveReport report = audit->finish();
  keys.tell(report);
  return report;
}
ArchiveReport audit_with(const MemoryArchive& archive, const Disclosure& disclosure) {
  DisclosedKeys keys;
  keys.add("keys", disclosure);
  return audit_with(archive, keys);
}

ArchiveOptions two_logs(std::uint64_t size = 20) {
  ArchiveOptions options;
  options.logs = 2;
  options.size = size;
  return options;
}

TEST(DisclosedKeys, OfALogOpenAllOfItAndNothingOfAnother) {
  const auto archive = make_archive(two_logs(300));
  const auto report = audit_with(archive, whole_log(member(1)));
  EXPECT_EQ(report.verdict(), Verdict::intact);
  EXPECT_EQ(report.logs[0].opened, 298U);
  EXPECT_EQ(report.logs[0].author_signatures, 298U) << "all but certificate and enrolment";
  EXPECT_EQ(report.logs[0].sealed, 0U);
  EXPECT_EQ(report.logs[1].opened, 0U);
  EXPECT_EQ(report.logs[1].author_signatures, 0U);
  EXPECT_EQ(report.logs[1].sealed, 298U);
  ASSERT_EQ(report.disclosures.size(), 1U);
  EXPECT_EQ(report.disclosures[0].opened, 298U);
}

TEST(DisclosedKeys, OfALogFitNoOtherLogWhereverTheyAreTried) {
  // Not because nobody tries: these keys, said to be those of the other log.
  const auto archive = make_archive(two_logs());
  Disclosure mislabelled = whole_log(member(1));
  mislabelled.member = mislabelled.discloser = member(2).id();
  const auto report = audit_with(archive, mislabelled);
  EXPECT_EQ(report.logs[1].opened, 0U);
  EXPECT_EQ(report.logs[1].sealed, 18U);
  EXPECT_EQ(report.verdict(), Verdict::incomplete) << "and it is said";
  EXPECT_NE(report.findings.kept()[0].what.find("open nothing"), std::string::npos);
  EXPECT_EQ(audit_with(archive, whole_log(member(2))).logs[1].opened, 18U) << "the control";
}

TEST(DisclosedKeys, OfOneRecordOpenThatOneAndItsAuthorIsChecked) {
  const auto archive = make_archive(two_logs());
  Disclosure disclosure = head_of(member(1));
  disclosure.records = {record_at(member(1), archive, 20, 5)};
  const auto report = audit_with(archive, disclosure);
  EXPECT_EQ(report.verdict(), Verdict::intact);
  EXPECT_EQ(report.logs[0].opened, 1U);
  EXPECT_EQ(report.logs[0].author_signatures, 1U);
  EXPECT_EQ(report.logs[0].enrolments, 1U) << "against which the author was held";
  EXPECT_EQ(report.logs[0].sealed, 17U);
  EXPECT_EQ(report.logs[1].opened, 0U);
  EXPECT_EQ(report.disclosures[0].opened, 1U);

  // The same key at every other place of both logs.
  for (std::uint64_t index = 2; index < 20; ++index) {
    for (const std::uint8_t seed : {std::uint8_t{1}, std::uint8_t{2}}) {
      if (index == 5 && seed == 1) continue;
      Disclosure moved = disclosure;
      moved.member = moved.discloser = member(seed).id();
      moved.records[0].index = index;
      const auto elsewhere = audit_with(archive, moved);
      EXPECT_EQ(elsewhere.logs[0].opened + elsewhere.logs[1].opened, 0U) << index;
      EXPECT_EQ(elsewhere.verdict(), Verdict::incomplete) << index;
    }
  }
}

TEST(DisclosedKeys, ThatOpenNothingAreSaidSo) {
  const auto archive = make_archive(two_logs());
  Disclosure beyond = head_of(member(1));
  beyond.records = {record_at(member(1), archive, 20, 5)};
  beyond.records[0].index = 20;
  const auto ends_before = audit_with(archive, beyond);
  EXPECT_EQ(ends_before.verdict(), Verdict::incomplete);
  EXPECT_NE(ends_before.findings.kept()[0].what.find("ends before"), std::string::npos);

  ArchiveOptions clear = two_logs();
  clear.is_whole = false;
  const auto without = audit_with(make_archive(clear), whole_log(member(1)));
  EXPECT_EQ(without.verdict(), Verdict::incomplete);
  EXPECT_NE(without.findings.kept()[0].what.find("--with-payloads"), std::string::npos);

  Disclosure renamed = head_of(member(1));
  renamed.records = {record_at(member(1), archive, 20, 5)};
  renamed.records[0].id.bytes[0] ^= 1;
  const auto other_record = audit_with(archive, renamed);
  EXPECT_EQ(other_record.verdict(), Verdict::damaged);
  EXPECT_EQ(other_record.findings.kept()[0].file, "keys");
}

TEST(DisclosedKeys, OfOneEntryMayComeFromSeveralFilesOneOfThemWrong) {
  const auto archive = make_archive(two_logs());
  Disclosure right = head_of(member(1));
  right.records = {record_at(member(1), archive, 20, 5)};
  Disclosure wrong = right;
  wrong.records[0].key.bytes[0] ^= 1;
  DisclosedKeys both;
  both.add("wrong", wrong);
  both.add("right", right);
  const auto report = audit_with(archive, both);
  EXPECT_EQ(report.logs[0].opened, 1U);
  EXPECT_EQ(audit_with(archive, wrong).logs[0].opened, 0U) << "the control";
  EXPECT_EQ(report.disclosures[0].opened, 0U) << "what another's key opened it did not open";
  EXPECT_EQ(report.disclosures[1].opened, 1U);
  EXPECT_EQ(report.verdict(), Verdict::incomplete);
  ASSERT_EQ(report.findings.kept().size(), 1U);
  EXPECT_EQ(report.findings.kept()[0].file, "wrong");
  EXPECT_NE(report.findings.kept()[0].what.find("entry 5 opens nothing"), std::string::npos);
}

TEST(DisclosedKeys, AreEachHeldAgainstWhatTheyThemselvesOpen) {
  const auto archive = make_archive(two_logs());
  Disclosure false_log = whole_log(member(1));
  false_log.log_keys[0].g.bytes[0] ^= 1;
  false_log.log_keys[0].r.bytes[0] ^= 1;
  Disclosure false_record = head_of(member(1));
  false_record.records = {record_at(member(1), archive, 20, 5)};
  false_record.records[0].key.bytes[0] ^= 1;
  Disclosure true_record = head_of(member(1));
  true_record.records = {record_at(member(1), archive, 20, 5)};
  DisclosedKeys all;
  all.add("false log", false_log);
  all.add("false record", false_record);
  all.add("true record", true_record);
  all.add("true log", whole_log(member(1)));
  const auto report = audit_with(archive, all);
  EXPECT_EQ(report.logs[0].opened, 18U);
  std::vector<std::uint64_t> opened;
  for (const auto& told : report.disclosures) opened.push_back(told.opened);
  EXPECT_EQ(opened, (std::vector<std::uint64_t>{0, 0, 1, 18}));
  std::vector<std::string> named;
  for (const auto& finding : report.findings.kept()) named.push_back(finding.file);
  EXPECT_EQ(named, (std::vector<std::string>{"false log", "false record"}));
}

TEST(DisclosedKeys, OfAnEntryInClearOpenNothing) {
  const auto archive = make_archive(two_logs());
  Disclosure of_clear = head_of(member(1));
  of_clear.records = {record_at(member(1), archive, 20, 5)};
  of_clear.records[0].index = 1;
  const auto report = audit_with(archive, of_clear);
  EXPECT_EQ(report.disclosures[0].opened, 0U);
  EXPECT_EQ(report.verdict(), Verdict::incomplete);
}

TEST(DisclosedKeys, OfAnotherNetworkOrLogBelongNowhereHere) {
  const auto archive = make_archive(two_logs());
  const auto manifest = decode_manifest(text(archive.files.at(std::string(manifest_name))));
  const auto refused = [&](const Disclosure& disclosure) {
    DisclosedKeys keys;
    keys.add("keys", disclosure);
    const auto fit = keys.belong_to(*manifest);
    return fit ? std::string() : fit.error().detail;
  };
  EXPECT_EQ(refused(whole_log(member(1))), "");
  Disclosure other = whole_log(member(1));
  other.network.bytes[0] ^= 1;
  EXPECT_NE(refused(other).find("keys holds keys of another network"), std::string::npos);
  EXPECT_NE(refused(whole_log(member(9))).find("not in this export"), std::string::npos);
  other = whole_log(member(1));
  other.space.bytes[0] = 1;
  EXPECT_NE(refused(other), "");
}

/// A log in which the author's right to publish ends at entry 6.
Texts with_withdrawal(const ArchivedMember& whose, std::uint64_t size) {
  Texts texts = testing::usual_texts(whose, 6);
  texts.emplace_back(
      LeafClass::clear,
      encode_text(EnrolmentText{sign_enrolment(
          {whose.network, whose.id(), 2, whose.author.public_key(), 0, whose.steward.public_key()},
          whose.steward)}));
  if (size > 7) {
    texts.emplace_back(LeafClass::record,
                       text_by(whose.author, whose, "document", to_bytes(view("# late\n")), 7));
  }
  return texts;
}

TEST(DisclosedKeys, ShowWhatWasSignedAfterItsAuthorWasWithdrawn) {
  ArchiveOptions options;
  options.texts = with_withdrawal;
  options.size = 8;
  const auto archive = make_archive(options);
  EXPECT_EQ(audit_with(archive, DisclosedKeys()).verdict(), Verdict::intact) << "it is sealed";
  const auto report = audit_with(archive, whole_log(member(1)));
  EXPECT_EQ(report.verdict(), Verdict::forged);
  ASSERT_EQ(report.logs[0].findings.kept().size(), 1U);
  EXPECT_NE(report.logs[0].findings.kept()[0].what.find("entry 7: its author may not publish"),
            std::string::npos)
      << report.logs[0].findings.kept()[0].what;
  EXPECT_EQ(report.logs[0].author_signatures, 4U) << "those before hold";

  Disclosure alone = head_of(member(1));
  alone.records = {record_at(member(1), archive, 8, 7)};
  EXPECT_EQ(audit_with(archive, alone).verdict(), Verdict::forged) << "its own key shows it too";
  alone.records = {record_at(member(1), archive, 8, 5)};
  EXPECT_EQ(audit_with(archive, alone).verdict(), Verdict::intact) << "one before does not";

  options.size = 7;
  EXPECT_EQ(audit_with(make_archive(options), whole_log(member(1))).verdict(), Verdict::intact)
      << "the control: without the late one";
}

/// A log whose keys were replaced twice, the second time by a cut, and whose author is withdrawn.
/// Without the last of these it ends with keys that did not sign it.
Texts with_replaced_keys(const ArchivedMember& whose, std::uint64_t size) {
  Texts texts = with_withdrawal(whose, 7);
  // It names no log of this export, so it says nothing about where the certificate stands.
  const Bytes list = encode(CutList{{{LogId{{1}}, 1, {}}}});
  const auto certificate = [&](std::uint64_t number, Certificate::Reason reason,
                               const PublicKey& log_key) {
    Certificate made = whose.certificate;
    made.number = whose.certificate.number + number;
    made.reason = reason;
    made.log_key = log_key;
    if (reason == Certificate::Reason::cut) made.cut_list = cut_list_hash(list);
    return std::pair(LeafClass::clear,
                     encode_text(CertificateText{sign_certificate(made, whose.identity)}));
  };
  texts[0] = certificate(0, Certificate::Reason::first, member(8).log_key.public_key());
  texts[2] = certificate(1, Certificate::Reason::planned, member(9).log_key.public_key());
  texts.push_back(certificate(2, Certificate::Reason::cut, whose.log_key.public_key()));
  texts.emplace_back(LeafClass::clear, encode_text(CutListText{list}));
  texts.resize(size);
  return texts;
}

TEST(DisclosedKeys, AuditALogCleanThroughEveryKeyThatItHad) {
  ArchiveOptions options;
  options.texts = with_replaced_keys;
  options.size = 9;
  const auto report = audit_with(make_archive(options), whole_log(member(1)));
  EXPECT_EQ(report.verdict(), Verdict::intact);
  EXPECT_EQ(report.logs[0].certificates, 3U);
  EXPECT_EQ(report.logs[0].enrolments, 2U);
  EXPECT_EQ(report.logs[0].author_signatures, 3U);
  options.size = 7;
  EXPECT_EQ(audit_with(make_archive(options), whole_log(member(1))).verdict(), Verdict::forged)
      << "the control: the key that signed it is not in force";
}

TEST(DisclosedKeys, ShowWhoNeverMightHaveSaidIt) {
  // 1: publish, 3: publish and speak. The last text is what is judged.
  const auto verdict = [](Scopes scopes, const SigningKey* by, const std::string& kind,
                          const std::string& body) {
    ArchiveOptions options;
    options.size = 3;
    options.texts = [&](const ArchivedMember& whose, std::uint64_t) {
      Texts texts = testing::usual_texts(whose, 1);
      texts.emplace_back(LeafClass::clear,
                         encode_text(EnrolmentText{sign_enrolment(
                             {whose.network, whose.id(), 1, whose.author.public_key(), scopes,
                              whose.steward.public_key()},
                             whose.steward)}));
      texts.emplace_back(LeafClass::record, text_by(by == nullptr ? whose.author : *by, whose, kind,
                                                    to_bytes(view(body)), 2));
      return texts;
    };
    return audit_with(make_archive(options), whole_log(member(1))).verdict();
  };
  const std::string consent = make_disclosure_consent({"a", "b", true, {}});
  EXPECT_EQ(verdict(1, nullptr, "document", "# x\n"), Verdict::intact);
  const SigningKey stranger(Seed{{99}});
  EXPECT_EQ(verdict(1, &stranger, "document", "# x\n"), Verdict::forged);
  EXPECT_EQ(verdict(3, nullptr, "disclosure_consent", consent), Verdict::intact);
  EXPECT_EQ(verdict(1, nullptr, "disclosure_consent", consent), Verdict::forged)
      << "only who speaks for the member binds it";
}

TEST(DisclosedKeys, HoldNoKeyOfTheSpace) {
  const auto archive = make_archive(two_logs());
  Disclosure records = head_of(member(1));
  records.records = {record_at(member(1), archive, 20, 5)};
  const auto has_space_key = [](BytesView bytes) {
    for (const Key32& key : {archive_keys().g, archive_keys().r}) {
      if (!std::ranges::search(bytes, key.view()).empty()) return true;
    }
    return false;
  };
  for (const Disclosure& disclosure : {whole_log(member(1)), records}) {
    const std::string file = encode_disclosure(disclosure);
    for (const Key32& key : {archive_keys().g, archive_keys().r}) {
      EXPECT_EQ(file.find(to_base32(key.view())), std::string::npos);
      EXPECT_EQ(file.find(to_hex(key.view())), std::string::npos);
      EXPECT_EQ(file.find(to_base64(key.view()).substr(0, 40)), std::string::npos);
    }
    EXPECT_FALSE(has_space_key(view(file)));
  }
  for (const auto& [path, content] : archive.files) EXPECT_FALSE(has_space_key(content)) << path;
  EXPECT_TRUE(has_space_key(archive_keys().r.view())) << "the control";
}

}  // namespace
}  // namespace kith
