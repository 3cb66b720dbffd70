#include <gtest/gtest.h>

#include "protocol/base/text.hpp"
#include "protocol/keys/certificate.hpp"
#include "tests/support/archive.hpp"

/// Evidence in an export.
namespace kith {
namespace {

using testing::add_evidence;
using testing::ArchivedMember;
using testing::ArchiveOptions;
using testing::audit_of;
using testing::fork_by;
using testing::make_archive;
using testing::MemoryArchive;
using testing::two_words_of;

const std::string first_piece = "kith-evidence/001.kith-evidence";

MemoryArchive two_logs(const std::string& evidence) {
  ArchiveOptions options;
  options.logs = 2;
  MemoryArchive archive = make_archive(options);
  add_evidence(archive, evidence);
  return archive;
}
ArchivedMember member(std::uint8_t seed) {
  return ArchivedMember(seed, testing::archive_network());
}
/// What is said of the first piece, if nothing else is said.
std::string said_of_evidence(const MemoryArchive& archive) {
  const auto report = audit_of(archive, false);
  EXPECT_TRUE(report);
  std::string all;
  const auto add = [&](const Findings& findings) {
    for (const Finding& finding : findings.kept()) {
      EXPECT_EQ(finding.file, first_piece);
      all += std::string(name(finding.verdict)) + ": " + finding.what + '\n';
    }
  };
  add(report->findings);
  for (const LogReport& log : report->logs) add(log.findings);
  return all;
}

TEST(ArchiveEvidence, OfTwoHistoriesMakesThatLogForkedAndNoOther) {
  const auto report = audit_of(two_logs(fork_by(member(1))), false);
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->verdict(), Verdict::forked);
  ASSERT_EQ(report->logs[0].findings.kept().size(), 1U);
  const Finding& finding = report->logs[0].findings.kept()[0];
  EXPECT_EQ(finding.file, first_piece);
  EXPECT_EQ(finding.what, "member " + to_base32(member(1).id().view()) +
                              " signed two histories of its log, of size 13, that cannot both be "
                              "true");
  ASSERT_EQ(report->logs[0].evidence.size(), 1U);
  EXPECT_TRUE(report->logs[0].evidence[0].counts);
  EXPECT_EQ(report->logs[1].findings.verdict(), Verdict::intact);
  EXPECT_TRUE(report->logs[1].evidence.empty());
}

TEST(ArchiveEvidence, OfAWitnessIsToldWhereItsWordIs) {
  EXPECT_TRUE(said_of_evidence(two_logs(two_words_of(member(100), member(2).log())))
                  .starts_with("forked: member " + to_base32(member(100).id().view()) +
                               " confirmed two histories of one log"));
  const auto elsewhere = two_logs(two_words_of(member(100), member(50).log()));
  EXPECT_TRUE(said_of_evidence(elsewhere).starts_with("forked: "));
  EXPECT_EQ(audit_of(elsewhere, false)->evidence.size(), 1U) << "about no log of the export";
}

TEST(ArchiveEvidence, ThatProvesNothingIsDamage) {
  std::string changed = fork_by(member(1));
  changed.replace(changed.rfind("note "), 9, "note AAAA");
  EXPECT_TRUE(said_of_evidence(two_logs(changed)).starts_with("damaged: it proves nothing"));
  EXPECT_TRUE(
      said_of_evidence(two_logs("no evidence\n")).starts_with("damaged: it proves nothing"));
  EXPECT_EQ(said_of_evidence(two_logs(fork_by(member(50)))),
            "damaged: it is about nothing in the export\n");
  NetworkId other;
  other.bytes.fill(9);
  EXPECT_EQ(said_of_evidence(two_logs(fork_by(ArchivedMember(1, other)))),
            "damaged: it is of another network\n");
}

TEST(ArchiveEvidence, CannotBeChangedRemovedOrAdded) {
  const MemoryArchive whole = two_logs(fork_by(member(1)));
  for (std::size_t i = 0; i < whole.files.at(first_piece).size(); ++i) {
    MemoryArchive changed = whole;
    changed.files.at(first_piece)[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
    ASSERT_EQ(said_of_evidence(changed), "damaged: it is not what the list of contents says\n")
        << i;
  }
  MemoryArchive removed = whole;
  removed.files.erase(first_piece);
  EXPECT_EQ(said_of_evidence(removed), "damaged: it is missing\n");
  MemoryArchive longer = whole;
  longer.files.at(first_piece).resize(limits::evidence_bytes_max + 1);
  EXPECT_EQ(said_of_evidence(longer), "damaged: it is too long\n");
  MemoryArchive added = make_archive({});
  added.files[first_piece] = whole.files.at(first_piece);
  EXPECT_EQ(said_of_evidence(added), "damaged: it does not belong to the export\n");
}

/// A log whose second entry is a certificate that cuts.
std::vector<std::pair<LeafClass, Bytes>> texts_with_cut(const ArchivedMember& owner,
                                                        std::uint64_t size) {
  auto texts = testing::usual_texts(owner, size);
  Certificate later = owner.certificate;
  ++later.number;
  later.reason = Certificate::Reason::cut;
  // The list names no log of this export: then it says nothing about where the certificate stands.
  const Bytes list = encode(CutList{{{LogId{{1}}, 1, {}}}});
  later.cut_list = cut_list_hash(list);
  texts[2] = {LeafClass::clear,
              encode_text(CertificateText{sign_certificate(later, owner.identity)})};
  texts[3] = {LeafClass::clear, encode_text(CutListText{list})};
  return texts;
}

TEST(ArchiveEvidence, AccusesNobodyOnceALaterCertificateCuts) {
  ArchiveOptions options;
  options.texts = texts_with_cut;
  MemoryArchive archive = make_archive(options);
  add_evidence(archive, fork_by(member(1)));
  const auto report = audit_of(archive, false);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->verdict(), Verdict::intact);
  ASSERT_EQ(report->logs[0].evidence.size(), 1U);
  EXPECT_FALSE(report->logs[0].evidence[0].counts);
}

TEST(ArchiveEvidence, IsListedOnceAndWithinLimits) {
  auto manifest = *decode_manifest(text(two_logs(fork_by(member(1))).files.at("kith-export")));
  manifest.evidence.push_back(manifest.evidence[0]);
  EXPECT_FALSE(decode_manifest(encode_manifest(manifest)));
  manifest.evidence.clear();
  for (std::size_t i = 0; i <= limits::evidence_pieces_max; ++i) {
    Hash hash;
    hash.bytes[0] = static_cast<std::uint8_t>(i);
    hash.bytes[1] = static_cast<std::uint8_t>(i / 256);
    manifest.evidence.push_back(hash);
  }
  EXPECT_FALSE(decode_manifest(encode_manifest(manifest)));
  manifest.evidence.pop_back();
  EXPECT_TRUE(decode_manifest(encode_manifest(manifest)));
}

}  // namespace
}  // namespace kith
