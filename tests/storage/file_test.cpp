#include "storage/files/file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tests/storage/scratch.hpp"

namespace kith::files {
namespace {

using kith::testing::Scratch;

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

std::size_t files_in(const Scratch& scratch) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(scratch.folder()), {}));
}

TEST(File, WhatWasWrittenIsReadWithItsMode) {
  const Scratch scratch;
  const std::string content("a\0b\n", 4);
  ASSERT_TRUE(write(scratch / "f", view(content), 0640));
  EXPECT_EQ(*read(scratch / "f", 4), content);
  EXPECT_EQ(mode_of(scratch / "f"), 0640U);
}

TEST(File, WritingReplacesTheWholeAndLeavesNothingBeside) {
  const Scratch scratch;
  ASSERT_TRUE(write(scratch / "f", view(std::string(9000, 'x')), 0600));
  ASSERT_TRUE(write(scratch / "f", view("new"), 0644));
  EXPECT_EQ(*read(scratch / "f", 100), "new");
  EXPECT_EQ(mode_of(scratch / "f"), 0644U);
  EXPECT_EQ(files_in(scratch), 1U);
}

TEST(File, LinesAreAddedAndNeverJoined) {
  const Scratch scratch;
  ASSERT_TRUE(append_line(scratch / "f", "one", 0600));
  ASSERT_TRUE(append_line(scratch / "f", "two", 0644));
  EXPECT_EQ(*read(scratch / "f", 100), "one\ntwo\n");
  EXPECT_EQ(mode_of(scratch / "f"), 0600U);
  ASSERT_TRUE(write(scratch / "f", view("one\ncut o"), 0600));
  ASSERT_TRUE(append_line(scratch / "f", "three", 0600));
  EXPECT_EQ(*read(scratch / "f", 100), "one\ncut o\nthree\n") << "a crash left half a line";
}

TEST(File, ALineGoesIntoPlainFilesOnly) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "folder");
  EXPECT_FALSE(append_line(scratch / "folder", "x", 0600));
  ASSERT_TRUE(write(scratch / "elsewhere", view("kept"), 0600));
  std::filesystem::create_symlink(scratch / "elsewhere", scratch / "link");
  EXPECT_FALSE(append_line(scratch / "link", "x", 0600));
  EXPECT_EQ(*read(scratch / "elsewhere", 100), "kept");
  ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(append_line(scratch / "pipe", "x", 0600)) << "and it does not wait for a reader";
  EXPECT_FALSE(append_line(scratch / "none" / "f", "x", 0600));
}

TEST(File, ALineThatDoesNotFitLeavesThoseThatWereThere) {
  const Scratch scratch;
  ASSERT_TRUE(append_line(scratch / "f", "one", 0600));
  // As a full disk would, with half of it written.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto added = append_line(scratch / "f", "far too long a line", 0600);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(added.error().code, Errc::io);
  EXPECT_EQ(*read(scratch / "f", 100), "one\n");
  ASSERT_TRUE(append_line(scratch / "f", "far too long a line", 0600)) << "the control";
}

TEST(File, ANameWithoutFolderIsWrittenHere) {
  const Scratch scratch;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.folder());
  const auto written = write("f", view("x"), 0600);
  std::filesystem::current_path(before);
  ASSERT_TRUE(written);
  EXPECT_EQ(*read(scratch / "f", 1), "x");
}

TEST(File, OneByteMoreThanAllowedIsTooLarge) {
  const Scratch scratch;
  ASSERT_TRUE(write(scratch / "f", view(std::string(5000, 'x')), 0600));
  EXPECT_EQ(read(scratch / "f", 4999).error().code, Errc::too_large);
  EXPECT_EQ(read(scratch / "f", 5000)->size(), 5000U);
}

TEST(File, AFileThatTellsNoSizeIsStillReadWithABound) {
  EXPECT_GT(read("/proc/self/maps", 10'000'000)->size(), 0U);
  EXPECT_EQ(read("/proc/self/maps", 10).error().code, Errc::too_large);
}

TEST(File, WhatIsNotThereIsNotFound) {
  const Scratch scratch;
  EXPECT_EQ(read(scratch / "f", 10).error().code, Errc::not_found);
  EXPECT_EQ(write(scratch / "no/f", view("x"), 0600).error().code, Errc::not_found);
}

TEST(File, FoldersDevicesAndPipesAreRefused) {
  const Scratch scratch;
  ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(read(scratch.folder(), 10).error().code, Errc::usage);
  EXPECT_EQ(read("/dev/zero", 10).error().code, Errc::usage);
  EXPECT_EQ(read(scratch / "pipe", 10).error().code, Errc::usage);
}

TEST(File, CreatingDoesNotReplace) {
  const Scratch scratch;
  ASSERT_TRUE(create(scratch / "f", view("first"), 0600));
  EXPECT_EQ(create(scratch / "f", view("second"), 0600).error().code, Errc::conflict);
  EXPECT_EQ(*read(scratch / "f", 100), "first");
  EXPECT_EQ(files_in(scratch), 1U);
}

TEST(File, AFailedReplacementLeavesNothingBeside) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "f");
  EXPECT_EQ(write(scratch / "f", view("x"), 0600).error().code, Errc::io);
  EXPECT_EQ(files_in(scratch), 1U);
}

TEST(Secret, IsReadOnlyWhenNobodyElseCan) {
  const Scratch scratch;
  ASSERT_TRUE(write(scratch / "key", view("secret"), 0600));
  EXPECT_EQ(*read_secret(scratch / "key", 100), "secret");
  for (const unsigned mode : {0640U, 0620U, 0604U, 0602U}) {
    ASSERT_EQ(::chmod((scratch / "key").c_str(), mode), 0);
    const auto refused = read_secret(scratch / "key", 100);
    ASSERT_FALSE(refused) << mode;
    EXPECT_EQ(refused.error().code, Errc::forbidden);
    EXPECT_NE(refused.error().detail.find("chmod 600 "), std::string::npos);
    EXPECT_EQ(refused.error().detail.find("secret\n"), std::string::npos);
  }
}

TEST(Secret, OfAnotherUserIsRefused) {
  const Scratch scratch;
  ASSERT_TRUE(write(scratch / "key", view("secret"), 0600));
  if (::chown((scratch / "key").c_str(), 12345, 12345) != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  EXPECT_EQ(read_secret(scratch / "key", 100).error().code, Errc::forbidden);
}

TEST(Secret, HasABoundToo) {
  const Scratch scratch;
  ASSERT_TRUE(write(scratch / "key", view("secret"), 0600));
  EXPECT_EQ(read_secret(scratch / "key", 5).error().code, Errc::too_large);
  EXPECT_EQ(read_secret(scratch / "none", 5).error().code, Errc::not_found);
}

TEST(Lock, IsHeldByOneAndNamesTheHolder) {
  const Scratch scratch;
  auto first = Lock::take(scratch / "lock");
  ASSERT_TRUE(first);
  const auto second = Lock::take(scratch / "lock");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_NE(second.error().detail.find("process " + std::to_string(::getpid())), std::string::npos);
}

TEST(Lock, IsFreeAgainWhenItsHolderIsGone) {
  const Scratch scratch;
  {
    ASSERT_TRUE(Lock::take(scratch / "lock"));
  }
  EXPECT_TRUE(Lock::take(scratch / "lock"));
}

TEST(Lock, MovesWithItsHolder) {
  const Scratch scratch;
  auto first = Lock::take(scratch / "lock");
  ASSERT_TRUE(first);
  {
    const Lock moved = std::move(*first);
    EXPECT_FALSE(Lock::take(scratch / "lock"));
  }
  EXPECT_TRUE(Lock::take(scratch / "lock"));
}

TEST(Lock, KnowsWhetherItsFileIsStillThere) {
  const Scratch scratch;
  auto first = Lock::take(scratch / "lock");
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->is_of(scratch / "lock"));
  std::filesystem::remove(scratch / "lock");
  EXPECT_FALSE(first->is_of(scratch / "lock"));
  const auto second = Lock::take(scratch / "lock");
  ASSERT_TRUE(second) << "it is another file";
  EXPECT_FALSE(first->is_of(scratch / "lock"));
  EXPECT_TRUE(second->is_of(scratch / "lock"));
}

TEST(Lock, OfADeadProcessIsFree) {
  const Scratch scratch;
  // The text of a process long gone means nothing without its lock.
  ASSERT_TRUE(write(scratch / "lock", view("1\n"), 0600));
  EXPECT_TRUE(Lock::take(scratch / "lock"));
}

}  // namespace
}  // namespace kith::files
