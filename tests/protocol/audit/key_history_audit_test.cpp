#include <gtest/gtest.h>

#include "tests/support/archive.hpp"

/// A log whose keys were replaced, once in time and once after a theft, and one of whose authors
/// was withdrawn: checked from its first entry, from its bytes alone.
namespace kith {
namespace {

using testing::ArchivedMember;
using testing::ArchiveOptions;
using testing::audit_of;
using testing::make_archive;
using testing::root_of;
using testing::text_by;
using testing::usual_texts;
using Texts = std::vector<std::pair<LeafClass, Bytes>>;
using Reason = Certificate::Reason;

SigningKey log_key_number(std::uint8_t number) {
  Seed seed;
  seed.bytes.fill(number);
  return SigningKey(seed);
}

Bytes certificate(const ArchivedMember& member, Reason reason, std::uint8_t number,
                  const Bytes& list = {}) {
  Certificate next = member.certificate;
  next.number += number;
  next.reason = reason;
  next.log_key = log_key_number(number).public_key();
  if (reason == Reason::cut) next.cut_list = cut_list_hash(list);
  return sign_certificate(next, member.identity);
}

/// What is wrong with the cut, if anything.
struct Cut {
  std::uint64_t size_off = 0;
  bool other_root = false;
  bool other_hash = false;
  bool no_list = false;
  bool list_late = false;
  bool no_certificate = false;
  bool said_after_withdrawal = false;
};

/// The usual entries up to `cut_at`, with a planned certificate among them; then the cut, the
/// withdrawal of the author, and what the steward says.
Texts texts_with(const ArchivedMember& member, std::uint64_t cut_at, const Cut& cut) {
  constexpr std::uint64_t planned_at = 9;
  Texts texts = usual_texts(member, cut_at);
  texts[planned_at] = {LeafClass::clear,
                       encode_text(CertificateText{certificate(member, Reason::planned, 2)})};
  TreeHash root = root_of(member, texts);
  if (cut.other_root) root.bytes[0] ^= 1;
  const Bytes list = encode(CutList{{{member.log(), cut_at + cut.size_off, root}}});
  const Bytes hashed = cut.other_hash ? Bytes(8, 1) : list;
  const auto say = [&](const SigningKey& author) {
    texts.emplace_back(
        LeafClass::record,
        text_by(author, member, "document", to_bytes(view("# More\n\ntext\n")), texts.size()));
  };
  if (!cut.no_certificate) {
    texts.emplace_back(LeafClass::clear,
                       encode_text(CertificateText{certificate(member, Reason::cut, 3, hashed)}));
  }
  if (cut.list_late) say(member.steward);
  if (!cut.no_list) texts.emplace_back(LeafClass::clear, encode_text(CutListText{list}));
  texts.emplace_back(LeafClass::clear,
                     encode_text(EnrolmentText{
                         sign_enrolment({member.network, member.id(), 2, member.author.public_key(),
                                         0, member.steward.public_key()},
                                        member.steward)}));
  say(member.steward);
  if (cut.said_after_withdrawal) say(member.author);
  return texts;
}

Result<ArchiveReport> audited(std::uint64_t cut_at, const Cut& cut, std::uint8_t signer = 3,
                              bool with_keys = true) {
  ArchiveOptions options;
  const ArchivedMember member(1, testing::archive_network());
  options.size = texts_with(member, cut_at, cut).size();
  options.texts = [&](const ArchivedMember& of, std::uint64_t) {
    return texts_with(of, cut_at, cut);
  };
  options.signer = [&](const ArchivedMember&) { return log_key_number(signer); };
  return audit_of(make_archive(options), with_keys);
}

std::string said(const ArchiveReport& report) {
  std::string all;
  for (const LogReport& log : report.logs) {
    for (const Finding& finding : log.findings.kept()) {
      all += std::string(name(finding.verdict)) + ' ' + finding.file + ": " + finding.what + '\n';
    }
  }
  return all;
}

TEST(KeyHistoryAudit, HoldsFromTheFirstEntryOnWhereverTheBundlesEnd) {
  for (const std::uint64_t cut_at : {20, 254, 255, 256, 257}) {
    for (const bool with_keys : {true, false}) {
      const auto report = audited(cut_at, {}, 3, with_keys);
      ASSERT_TRUE(report) << report.error().detail;
      EXPECT_EQ(report->verdict(), Verdict::intact) << cut_at << '\n' << said(*report);
      EXPECT_EQ(report->logs[0].certificates, 3U);
      EXPECT_EQ(report->logs[0].enrolments, 2U);
    }
  }
}

TEST(KeyHistoryAudit, AReplacedKeySignsNoMore) {
  const auto report = audited(20, {}, 2);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->verdict(), Verdict::forged);
  EXPECT_NE(said(*report).find("the log key in force at this size"), std::string::npos);
}

TEST(KeyHistoryAudit, ACutThatDoesNotFitItsListIsForgedAndSaysWhy) {
  const auto forged = [](const Cut& cut, const std::string& why) {
    for (const std::uint64_t cut_at : {20, 255}) {
      const auto report = audited(cut_at, cut);
      ASSERT_TRUE(report) << report.error().detail;
      EXPECT_EQ(report->verdict(), Verdict::forged) << why;
      EXPECT_NE(said(*report).find(why), std::string::npos) << said(*report);
    }
  };
  Cut cut;
  cut.size_off = 1;
  forged(cut, "another history of this log");
  cut = {};
  cut.other_root = true;
  forged(cut, "another history of this log");
  cut = {};
  cut.other_hash = true;
  forged(cut, "not the one that its certificate names");
  cut = {};
  cut.no_list = true;
  forged(cut, "is not the entry after it");
  cut = {};
  cut.list_late = true;
  forged(cut, "is not the entry after it");
}

TEST(KeyHistoryAudit, AListThatFollowsNoCutIsForged) {
  Cut cut;
  cut.no_certificate = true;
  const auto report = audited(20, cut, 2);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->verdict(), Verdict::forged);
  EXPECT_NE(said(*report).find("follows no certificate which cuts"), std::string::npos)
      << said(*report);
}

TEST(KeyHistoryAudit, WhatIsSaidAfterAWithdrawalIsForged) {
  Cut cut;
  cut.said_after_withdrawal = true;
  const auto report = audited(20, cut);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->verdict(), Verdict::forged);
  EXPECT_NE(said(*report).find("its author may not publish there"), std::string::npos)
      << said(*report);
}

}  // namespace
}  // namespace kith
