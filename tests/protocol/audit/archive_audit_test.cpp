#include "protocol/audit/archive_audit.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/archive.hpp"

namespace kith {
namespace {

using testing::ArchivedMember;
using testing::ArchiveOptions;
using testing::audit_of;
using testing::make_archive;
using testing::MemoryArchive;

ArchiveOptions twenty() {
  ArchiveOptions options;
  options.logs = 2;
  options.further = 1;
  return options;
}

/// Whether it is refused, and by naming this file.
::testing::AssertionResult names(const MemoryArchive& archive, const std::string& file) {
  const auto report = audit_of(archive, false);
  if (!report) {
    if (report.error().detail.find(file) != std::string::npos) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << "refused for " << report.error().detail;
  }
  if (report->verdict() == Verdict::intact) return ::testing::AssertionFailure() << "intact";
  std::string found;
  const auto look = [&](const std::vector<Finding>& findings) {
    for (const Finding& finding : findings) found += finding.file + ": " + finding.what + '\n';
    return std::ranges::count(findings, file, &Finding::file) > 0;
  };
  bool is_named = look(report->findings);
  for (const LogReport& log : report->logs) is_named = look(log.findings) || is_named;
  if (is_named) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "named are others:\n" << found;
}

std::string said(const ArchiveReport& report) {
  std::string all;
  const auto add = [&](const std::vector<Finding>& findings) {
    for (const Finding& finding : findings) {
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
      // What one of them is needed for, the other cannot be held against.
      EXPECT_TRUE(names(exchanged, path) || names(exchanged, other))
          << path << " exchanged with " << other;
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
    for (const Finding& finding : report->logs[0].findings) {
      EXPECT_EQ(finding.file, file) << finding.what;
    }
  }
}

}  // namespace
}  // namespace kith
