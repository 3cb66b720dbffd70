#include "storage/files/folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "protocol/base/types.hpp"
#include "tests/storage/scratch.hpp"

namespace kith::files {
namespace {

namespace fs = std::filesystem;

/// "in" holds a/b/file; "out" holds what must not be reached from there.
class FolderTest : public ::testing::TestWithParam<Folder::Way> {
 protected:
  FolderTest() {
    fs::create_directories(in / "a" / "b");
    fs::create_directories(out / "b");
    put(in / "a" / "b" / "file", "within");
    put(out / "b" / "file", "without");
    put(out / "file", "without");
  }
  static void put(const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
  }
  [[nodiscard]] std::string read(const std::string& path, std::size_t bytes_max = 100) const {
    const auto content = Folder(in, GetParam()).read(path, bytes_max);
    return content ? std::string(text(*content)) : std::string(name(content.error().code));
  }
  [[nodiscard]] std::vector<std::string> all() const {
    std::vector<std::string> paths;
    Folder(in, GetParam()).each([&](const std::string& path) {
      paths.push_back(path);
      return true;
    });
    std::ranges::sort(paths);
    return paths;
  }

  testing::Scratch scratch_;
  fs::path in = scratch_.folder() / "in";
  fs::path out = scratch_.folder() / "out";
};

TEST_P(FolderTest, ReadsPlainFilesWithABound) {
  EXPECT_EQ(read("a/b/file"), "within");
  EXPECT_EQ(read("a/b/file", 6), "within");
  EXPECT_EQ(read("a/b/file", 5), "too_large");
  EXPECT_EQ(read("a/b/other"), "not_found");
  EXPECT_EQ(read("a/c/file"), "not_found");
  EXPECT_EQ(read("a/b"), "malformed") << "a folder is no file";
  EXPECT_EQ(read("a/b/file/more"), "malformed");
  put(in / "empty", "");
  EXPECT_EQ(read("empty"), "");
  const std::string large(100'000, 'x');
  put(in / "large", large);
  EXPECT_EQ(read("large", large.size()), large);
  EXPECT_EQ(read("large", large.size() - 1), "too_large");
}

TEST_P(FolderTest, FollowsNoLinkAnywhereOnTheWay) {
  fs::create_symlink(out / "file", in / "last");
  fs::create_directory_symlink(out, in / "first");
  fs::create_directory_symlink(out / "b", in / "a" / "middle");
  fs::create_directory_symlink("b", in / "a" / "inner");
  EXPECT_EQ(read("last"), "malformed");
  EXPECT_EQ(read("first/file"), "malformed");
  EXPECT_EQ(read("first/b/file"), "malformed");
  EXPECT_EQ(read("a/middle/file"), "malformed");
  EXPECT_EQ(read("a/inner/file"), "malformed") << "not even one that leads to within";
  EXPECT_EQ(read("../out/file"), "malformed");
  EXPECT_EQ(all(), (std::vector<std::string>{"a/b/file", "a/inner", "a/middle", "first", "last"}));
}

TEST_P(FolderTest, MayBeReachedOverALinkItself) {
  fs::create_directory_symlink(in, scratch_.folder() / "link");
  EXPECT_TRUE(Folder(scratch_.folder() / "link", GetParam()).read("a/b/file", 100).has_value());
}

TEST_P(FolderTest, WaitsForNoPipe) {
  ASSERT_EQ(::mkfifo((in / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(read("pipe"), "malformed");
  EXPECT_EQ(all(), (std::vector<std::string>{"a/b/file", "pipe"}));
}

TEST_P(FolderTest, ThatIsNotThereHasNoFiles) {
  fs::remove_all(in);
  EXPECT_EQ(read("a/b/file"), "not_found");
  EXPECT_TRUE(all().empty());
  put(in, "a file");
  EXPECT_EQ(read("a/b/file"), "not_found");
}

TEST_P(FolderTest, NamesWhatIsEmpty) {
  fs::create_directories(in / "a" / "nothing" / "more");
  EXPECT_EQ(all(), (std::vector<std::string>{"a/b/file", "a/nothing/more"}));
  fs::remove_all(in / "a");
  EXPECT_TRUE(all().empty()) << "but not itself";
}

TEST_P(FolderTest, StopsWhenItIsTold) {
  put(in / "second", "");
  std::size_t seen = 0;
  Folder(in, GetParam()).each([&](const std::string&) {
    ++seen;
    return false;
  });
  EXPECT_EQ(seen, 1U);
}

INSTANTIATE_TEST_SUITE_P(BothWays, FolderTest,
                         ::testing::Values(Folder::Way::at_once, Folder::Way::part_by_part));

}  // namespace
}  // namespace kith::files
