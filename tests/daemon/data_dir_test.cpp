#include "daemon/data_dir.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/daemon/support/loop.hpp"

namespace kith::daemon {
namespace {

Identity some_identity() {
  Identity identity;
  identity.member.bytes.fill(7);
  identity.profile.code = "ZZA";
  identity.profile.name = "Ashdown";
  identity.profile.role = "acute trust";
  identity.certificate = Bytes(100, 1);
  return identity;
}

unsigned mode_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

TEST(DataDir, ANewOneIsForItsOwnerAloneAndHoldsWhatWasSaved) {
  testing::TemporaryDir above;
  const std::string path = above.path() + "/new";
  {
    const auto dir = DataDir::create(path);
    ASSERT_TRUE(dir) << dir.error().detail;
    EXPECT_EQ(mode_of(path), 0700U);
    ASSERT_TRUE(dir->save_identity(some_identity()));
    EXPECT_EQ(mode_of(path + "/identity"), 0600U);
  }
  const auto dir = DataDir::open(path);
  ASSERT_TRUE(dir);
  const auto identity = dir->load_identity();
  ASSERT_TRUE(identity) << identity.error().detail;
  EXPECT_EQ(*identity, some_identity());
}

TEST(DataDir, ASecondProcessIsRefusedAndToldWhatToDo) {
  testing::TemporaryDir above;
  const std::string path = above.path() + "/new";
  const auto dir = DataDir::create(path);
  ASSERT_TRUE(dir);
  ASSERT_TRUE(dir->save_identity(some_identity()));
  const auto again = DataDir::open(path);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::conflict);
  EXPECT_NE(again.error().detail.find("stop the other first"), std::string::npos);
}

TEST(DataDir, AnIdentityIsNeverReplacedByInit) {
  testing::TemporaryDir above;
  const std::string path = above.path() + "/new";
  {
    const auto dir = DataDir::create(path);
    ASSERT_TRUE(dir);
    ASSERT_TRUE(dir->save_identity(some_identity()));
  }
  const auto again = DataDir::create(path);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::conflict);
}

TEST(DataDir, ALogWithoutAnIdentityIsLeftAlone) {
  testing::TemporaryDir dir;
  std::filesystem::create_directory(dir.path() + "/log");
  const auto created = DataDir::create(dir.path());
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, Errc::conflict);
  EXPECT_NE(created.error().detail.find("holds a log but no identity"), std::string::npos);
}

TEST(DataDir, WithoutAnIdentityThereIsNothingToOpen) {
  testing::TemporaryDir dir;
  const auto opened = DataDir::open(dir.path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::not_found);
  EXPECT_NE(opened.error().detail.find("init"), std::string::npos);
}

TEST(DataDir, AnIdentityThatOthersMayReadIsRefused) {
  testing::TemporaryDir above;
  const auto dir = DataDir::create(above.path() + "/new");
  ASSERT_TRUE(dir);
  ASSERT_TRUE(dir->save_identity(some_identity()));
  ASSERT_EQ(chmod((above.path() + "/new/identity").c_str(), 0644), 0);
  const auto identity = dir->load_identity();
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().code, Errc::forbidden);
}

TEST(DataDir, ADamagedIdentityIsNamed) {
  testing::TemporaryDir above;
  const auto dir = DataDir::create(above.path() + "/new");
  ASSERT_TRUE(dir);
  ASSERT_TRUE(files::write(above.path() + "/new/identity", view("nonsense"), 0600));
  const auto identity = dir->load_identity();
  ASSERT_FALSE(identity);
  EXPECT_NE(identity.error().detail.find("/identity"), std::string::npos);
}

}  // namespace
}  // namespace kith::daemon
