#include "protocol/audit/archive_audit.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "protocol/keys/certificate.hpp"
#include "protocol/log/witness.hpp"
#include "tests/support/archive.hpp"

namespace kith {
namespace {

using testing::ArchivedMember;
using testing::ArchiveOptions;
using testing::audit_of;
using testing::list_anew;
using testing::make_archive;
using testing::MemoryArchive;

ArchiveOptions twenty() {
  ArchiveOptions options;
  options.logs = 2;
  options.further = 1;
  return options;
}

/// Whether an accident to this file is told as such: damaged, and no other file is blamed.
::testing::AssertionResult names(const MemoryArchive& archive, const std::string& file) {
  const auto report = audit_of(archive, false);
  if (!report) {
    if (report.error().detail.find(file) != std::string::npos) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << "refused for " << report.error().detail;
  }
  if (report->verdict() != Verdict::damaged) {
    return ::testing::AssertionFailure() << name(report->verdict());
  }
  std::string others;
  bool is_named = false;
  const auto look = [&](const Findings& findings) {
    for (const Finding& finding : findings.kept()) {
      if (finding.file == file) is_named = true;
      if (finding.file != file) others += finding.file + ": " + finding.what + '\n';
    }
  };
  look(report->findings);
  for (const LogReport& log : report->logs) look(log.findings);
  if (is_named && others.empty()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << (is_named ? "also" : "only") << " named are:\n" << others;
}

std::string said(const ArchiveReport& report) {
  std::string all;
  const auto add = [&](const Findings& findings) {
    for (const Finding& finding : findings.kept()) {
      all += std::string(name(finding.verdict)) + ' ' + finding.file + ": " + finding.what + '\n';
    }
  };
  add(report.findings);
  for (const LogReport& log : report.logs) add(log.findings);
  return all;
}

TEST(ArchiveAudit, FindsNothingInWhatHolds) {
  for (const std::uint64_t size : {1, 2, 3, 20, 255, 256, 257, 511, 512, 513}) {
    ArchiveOptions options = twenty();
    options.size = size;
    const auto report = audit_of(make_archive(options), false);
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->verdict(), Verdict::intact) << size << '\n' << said(*report);
    ASSERT_EQ(report->logs.size(), 2U);
    EXPECT_EQ(report->logs[0].confirmations.size(), 3U);
    EXPECT_EQ(report->logs[0].sealed, size - std::min<std::uint64_t>(size, 2));
    EXPECT_EQ(report->logs[0].certificates, 1U);
    EXPECT_EQ(report->logs[0].enrolments, size > 1 ? 1U : 0U);
    EXPECT_FALSE(report->has_founding);
  }
}

TEST(ArchiveAudit, ReadsWhatTheKeysThatWereGivenOpen) {
  ArchiveOptions options = twenty();
  options.size = 300;
  const auto report = audit_of(make_archive(options), true);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->verdict(), Verdict::intact) << said(*report);
  EXPECT_EQ(report->logs[0].opened, 298U);
  EXPECT_EQ(report->logs[0].sealed, 0U);

  options.is_whole = false;
  const auto clear = audit_of(make_archive(options), true);
  ASSERT_TRUE(clear);
  EXPECT_EQ(clear->verdict(), Verdict::intact) << said(*clear);
  EXPECT_EQ(clear->logs[0].opened, 0U);
  EXPECT_EQ(clear->logs[0].sealed, 298U);
}

TEST(ArchiveAudit, RefusesEveryFlippedBit) {
  const bool every_bit = std::getenv("KITH_FULL") != nullptr;
  ArchiveOptions options = twenty();
  options.logs = 1;
  if (every_bit) options.size = 300;
  const MemoryArchive whole = make_archive(options);
  for (const auto& [path, content] : whole.files) {
    MemoryArchive changed = whole;
    Bytes& bytes = changed.files.at(path);
    for (std::size_t i = 0; i < content.size(); ++i) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        if (!every_bit && bit != i % 8) continue;
        bytes[i] ^= static_cast<std::uint8_t>(1U << bit);
        ASSERT_TRUE(names(changed, path)) << path << " at byte " << i << ", bit " << bit;
        bytes[i] = content[i];
      }
    }
  }
}

TEST(ArchiveAudit, RefusesWhatIsCutOffRemovedAddedOrExchanged) {
  const MemoryArchive whole = make_archive(twenty());
  for (const auto& [path, content] : whole.files) {
    for (const std::size_t size : {std::size_t{0}, content.size() / 2, content.size() - 1}) {
      MemoryArchive changed = whole;
      changed.files.at(path).resize(size);
      EXPECT_TRUE(names(changed, path)) << path << " cut off at " << size;
    }
    MemoryArchive longer = whole;
    longer.files.at(path).push_back('\n');
    EXPECT_TRUE(names(longer, path)) << path << " goes on";
    MemoryArchive without = whole;
    without.files.erase(path);
    EXPECT_TRUE(names(without, path)) << path << " removed";
    for (const auto& [other, other_content] : whole.files) {
      if (other_content == content) continue;
      MemoryArchive exchanged = whole;
      std::swap(exchanged.files.at(path), exchanged.files.at(other));
      const auto report = audit_of(exchanged, false);
      EXPECT_TRUE(!report || report->verdict() == Verdict::damaged)
          << path << " exchanged with " << other << '\n'
          << said(*report);
    }
  }
  for (const std::string added : {"more", "commons/ZZA/tile/0/001.p/1", "commons/ZZC/checkpoint"}) {
    MemoryArchive changed = whole;
    changed.files[added] = Bytes(32);
    EXPECT_TRUE(names(changed, added));
  }
}

TEST(ArchiveAudit, TellsAFalseBundleFromAFalseTile) {
  ArchiveOptions options;
  options.size = 70'000;  // Tiles at three levels.
  options.is_whole = false;
  const MemoryArchive whole = make_archive(options);
  for (const std::string path :
       {"tile/0/000", "tile/0/272", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17",
        "tile/2/000.p/1", "tile/entries/000", "tile/entries/272", "tile/entries/273.p/112"}) {
    MemoryArchive changed = whole;
    const std::string file = "commons/ZZA/" + path;
    Bytes& bytes = changed.files.at(file);
    bytes[bytes.size() / 2] ^= 1;
    const auto report = audit_of(changed, false);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->verdict(), Verdict::damaged) << path;
    for (const Finding& finding : report->logs[0].findings.kept()) {
      EXPECT_EQ(finding.file, file) << finding.what;
    }
  }
}

TEST(ArchiveAudit, BlamesTheFalsePairsAndNoTileAboveThem) {
  ArchiveOptions options;
  options.size = 70'000;
  options.is_whole = false;
  MemoryArchive changed = make_archive(options);
  const std::string folder = "commons/ZZA/";
  std::set<std::string> exchanged;
  for (const std::string kind : {"tile/0/", "tile/entries/", "kith/payloads/"}) {
    std::swap(changed.files.at(folder + kind + "005"), changed.files.at(folder + kind + "006"));
    if (kind == "kith/payloads/") continue;  // They fit their entries.
    exchanged.insert({folder + kind + "005", folder + kind + "006"});
  }
  std::set<std::string> blamed;
  const auto report = audit_of(changed, false);
  for (const Finding& finding : report->logs[0].findings.kept()) blamed.insert(finding.file);
  EXPECT_EQ(blamed, exchanged) << said(*report);
}

TEST(ArchiveAudit, AListThatClaimsMoreThanThereIsEndsTheCheck) {
  MemoryArchive archive = make_archive({});
  auto manifest = decode_manifest(text(archive.files.at(std::string(manifest_name))));
  ASSERT_TRUE(manifest);
  manifest->logs[0].size = limits::tree_size_max;
  archive.files[std::string(manifest_name)] = to_bytes(view(encode_manifest(*manifest)));
  const auto report = audit_of(archive, false);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::not_found);
}

TEST(ArchiveAudit, NobodyIsItsOwnWitnessNorAnyoneTwice) {
  ArchiveOptions options = twenty();
  options.logs = 1;
  options.own_witness = true;
  const auto own = audit_of(make_archive(options), false);
  ASSERT_TRUE(own);
  EXPECT_EQ(own->verdict(), Verdict::forged) << said(*own);

  // In the checkpoint, and beside it.
  const MemoryArchive whole = make_archive(twenty());
  MemoryArchive twice = whole;
  auto note = decode_note(text(whole.files.at("commons/ZZA/checkpoint")));
  note->signatures.push_back(note->signatures[1]);
  twice.files["commons/ZZA/checkpoint"] = to_bytes(view(encode_note(*note)));
  list_anew(twice);
  auto report = audit_of(twice, false);
  EXPECT_EQ(report->verdict(), Verdict::damaged);
  EXPECT_NE(said(*report).find("two cosignatures of"), std::string::npos) << said(*report);
  const auto beside = [&](const ArchivedMember& witness) {
    const ArchivedMember owner(1, testing::archive_network());
    const auto checkpoint = decode_checkpoint(note->text);
    MemoryArchive changed = whole;
    auto& file = changed.files.at("commons/ZZA/kith/cosignatures");
    auto words = decode_cosignatures(text(file), owner.log());
    words->push_back(cosign(owner.log(), checkpoint->size, checkpoint->root, witness.id(), 7,
                            witness.witness_key));
    file = to_bytes(view(encode_cosignatures(*words)));
    list_anew(changed);
    return *audit_of(changed, false);
  };
  report = beside(ArchivedMember(100, testing::archive_network()));
  EXPECT_EQ(report->verdict(), Verdict::damaged);
  EXPECT_NE(said(*report).find("a second cosignature of"), std::string::npos) << said(*report);
  report = beside(ArchivedMember(1, testing::archive_network()));
  EXPECT_EQ(report->verdict(), Verdict::forged);
  EXPECT_NE(said(*report).find("the log's owner is its own witness"), std::string::npos);

  MemoryArchive archive = whole;
  auto manifest = decode_manifest(text(archive.files.at(std::string(manifest_name))));
  manifest->logs[1].member = manifest->logs[0].member;
  archive.files[std::string(manifest_name)] = to_bytes(view(encode_manifest(*manifest)));
  EXPECT_FALSE(audit_of(archive, false)) << "one log under two names";
}

TEST(ArchiveAudit, OneWitnessHasSoManyCertificatesAndNoMore) {
  const auto with = [](std::size_t count) {
    MemoryArchive archive = make_archive({});
    auto& file = archive.files.at(std::string(certificates_name));
    auto statements = *decode_certificates(text(file));
    ArchivedMember witness(100, testing::archive_network());
    while (statements.size() < count + 1) {  // The other witness has one.
      ++witness.certificate.number;
      statements.push_back(sign_certificate(witness.certificate, witness.identity));
    }
    file = to_bytes(view(encode_certificates(statements)));
    list_anew(archive);
    return said(*audit_of(archive, false));
  };
  EXPECT_NE(with(limits::certificates_max + 1).find("more than 64 certificates of member"),
            std::string::npos);
  const std::string most = with(limits::certificates_max);
  EXPECT_EQ(most.find("more than"), std::string::npos) << most;
  EXPECT_NE(most.find("is needed by no cosignature"), std::string::npos) << "read to their end";
}

TEST(ArchiveAudit, ForkedIsOnlyWhatAWitnessSigned) {
  const std::string file = "commons/ZZA/kith/cosignatures";
  ArchiveOptions options = twenty();
  options.logs = 1;
  const MemoryArchive whole = make_archive(options);
  const ArchivedMember owner(1, testing::archive_network());
  const ArchivedMember witness(102, testing::archive_network());
  auto words = decode_cosignatures(text(whole.files.at(file)), owner.log());
  ASSERT_TRUE(words);
  Cosignature word = words->front();
  word.root.bytes[0] ^= 1;
  MemoryArchive changed = whole;
  changed.files[file] = to_bytes(view(encode_cosignatures({word})));
  list_anew(changed);
  EXPECT_EQ(audit_of(changed, false)->verdict(), Verdict::forged) << "nobody signed that";
  const Cosignature other =
      cosign(owner.log(), word.size, word.root, witness.id(), word.time_s, witness.witness_key);
  changed.files[file] = to_bytes(view(encode_cosignatures({other})));
  list_anew(changed);
  EXPECT_EQ(audit_of(changed, false)->verdict(), Verdict::forked);
}

/// A true checkpoint with its cosignatures, over entries that somebody made up.
MemoryArchive invented_under_a_true_checkpoint() {
  const MemoryArchive whole = make_archive({});
  ArchiveOptions options;
  options.texts = [](const ArchivedMember& member, std::uint64_t size) {
    auto texts = testing::usual_texts(member, size);
    texts[10].second = testing::text_by(member.author, member, "document",
                                        to_bytes(view("# Never said\n\ntext\n")), 10);
    return texts;
  };
  MemoryArchive invented = make_archive(options);
  invented.files["commons/ZZA/checkpoint"] = whole.files.at("commons/ZZA/checkpoint");
  list_anew(invented);
  return invented;
}
/// Marks the content of one entry as not held.
void leave_out(MemoryArchive& archive, std::uint64_t index,
               const std::string& file = "commons/ZZA/kith/payloads/000.p/20") {
  Bytes& list = archive.files.at(file);
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < index; ++i) {
    at += 4 + read_integer<std::uint32_t>(BytesView(list).subspan(at));
  }
  const auto length = read_integer<std::uint32_t>(BytesView(list).subspan(at));
  const auto begin = list.begin() + static_cast<std::ptrdiff_t>(at);
  list.erase(begin + 4, begin + 4 + static_cast<std::ptrdiff_t>(length));
  std::fill(begin, begin + 4, std::uint8_t{0xFF});
}

TEST(ArchiveAudit, InventedEntriesUnderATrueCheckpointAreDamageWhateverElseIsMissing) {
  MemoryArchive invented = invented_under_a_true_checkpoint();
  EXPECT_EQ(audit_of(invented, false)->verdict(), Verdict::damaged);
  leave_out(invented, 12);
  const auto report = audit_of(invented, false);
  EXPECT_EQ(report->verdict(), Verdict::damaged) << said(*report);
  EXPECT_FALSE(report->logs[0].tree_holds);
}

TEST(ArchiveAudit, ThousandsOfGapsHideNothingWorse) {
  ArchiveOptions options;
  options.size = 1'280;
  options.texts = [](const ArchivedMember& member, std::uint64_t size) {
    auto texts = testing::usual_texts(member, 2);
    texts.resize(size, {LeafClass::record, Bytes(40, 7)});
    return texts;
  };
  MemoryArchive archive = make_archive(options);
  for (std::uint64_t bundle = 0; bundle < 5; ++bundle) {
    // From the back, as each takes bytes out.
    for (std::uint64_t i = 256; i-- > (bundle == 0 ? 2 : 0);) {
      leave_out(archive, i, "commons/ZZA/" + payloads_path(bundle, 256));
    }
  }
  const auto gaps = audit_of(archive, false);
  EXPECT_EQ(gaps->verdict(), Verdict::incomplete) << said(*gaps);
  EXPECT_EQ(gaps->logs[0].findings.kept().size(), findings_max);
  EXPECT_EQ(gaps->logs[0].findings.left_out(), 278U);
  auto note = decode_note(text(archive.files.at("commons/ZZA/checkpoint")));
  note->signatures[0].signature.back() ^= 1;
  archive.files["commons/ZZA/checkpoint"] = to_bytes(view(encode_note(*note)));
  list_anew(archive);
  const auto report = audit_of(archive, false);
  EXPECT_EQ(report->verdict(), Verdict::forged);
  EXPECT_NE(said(*report).find("did not sign it"), std::string::npos) << "and it is said";
}

TEST(ArchiveAudit, WhatNobodysKeyCouldBeHeldAgainstDoesNotHold) {
  MemoryArchive archive = make_archive({});
  leave_out(archive, 5);
  EXPECT_EQ(audit_of(archive, false)->verdict(), Verdict::incomplete);
  leave_out(archive, 0);
  const auto report = audit_of(archive, false);
  EXPECT_EQ(report->verdict(), Verdict::damaged) << said(*report);
  EXPECT_FALSE(report->logs[0].log_key.has_value());
}

TEST(ArchiveAudit, AForgedSignatureIsNoAccident) {
  MemoryArchive archive = make_archive({});
  auto note = decode_note(text(archive.files.at("commons/ZZA/checkpoint")));
  const auto forge = [&](std::size_t line) {
    MemoryArchive forged = archive;
    Note changed = *note;
    changed.signatures[line].signature.back() ^= 1;
    forged.files["commons/ZZA/checkpoint"] = to_bytes(view(encode_note(changed)));
    EXPECT_EQ(audit_of(forged, false)->verdict(), Verdict::damaged) << "the list tells";
    list_anew(forged);
    return audit_of(forged, false)->verdict();
  };
  EXPECT_EQ(forge(0), Verdict::forged);
  EXPECT_EQ(forge(1), Verdict::forged);
}

TEST(ArchiveAudit, OnlyWordsOnAllOfItAreConfirmations) {
  ArchiveOptions options = twenty();
  const auto report = audit_of(make_archive(options), false);
  EXPECT_EQ(report->logs[0].confirmations.size(), 3U);
  EXPECT_EQ(report->logs[0].confirmed(), 2U) << "one spoke of half of it";
  EXPECT_EQ(report->logs[0].existed_by(), 1'790'000'100'000U);
}

TEST(ArchiveAudit, ALogOfAnotherSpaceIsNoneOfTheCommons) {
  MemoryArchive archive = make_archive({});
  auto manifest = decode_manifest(text(archive.files.at(std::string(manifest_name))));
  manifest->logs[0].space.bytes[0] = 1;
  EXPECT_FALSE(decode_manifest(encode_manifest(*manifest)));
  manifest->logs.clear();
  EXPECT_FALSE(decode_manifest(encode_manifest(*manifest))) << "nothing to check is no success";
}

}  // namespace
}  // namespace kith
