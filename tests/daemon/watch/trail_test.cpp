#include "daemon/watch/trail.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "storage/files/file.hpp"
#include "tests/storage/scratch.hpp"

namespace kith::daemon {
namespace {

using testing::Scratch;
constexpr Millis when = 1'790'000'000'000;

std::vector<nlohmann::json> lines_of(const std::filesystem::path& file) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(*files::read(file, 1 << 20));
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST(Trail, HoldsOneLineForEachActAndIsTheOperatorsAlone) {
  const Scratch scratch;
  const auto file = scratch / "trail";
  ASSERT_TRUE(note_in_trail(file, when, "disclosure", {{"recipient", "auditor"}}));
  ASSERT_TRUE(note_in_trail(file, when + 1'000, "override", {}));
  const auto lines = lines_of(file);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], (nlohmann::json{{"time", "2026-09-21T14:13:20Z"},
                                      {"act", "disclosure"},
                                      {"recipient", "auditor"}}));
  EXPECT_EQ(lines[1]["act"], "override");
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST(Trail, NothingThatIsSaidForgesALineOrAField) {
  const Scratch scratch;
  const std::string said = "a\"},\n{\"act\":\"forged\\\x1b[31m\t\xff Zoë";
  ASSERT_TRUE(note_in_trail(scratch / "trail", when, "act", {{"said", said}}));
  const auto lines = lines_of(scratch / "trail");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].size(), 3U);
  EXPECT_EQ(lines[0]["said"], "a\"}, {\"act\":\"forged\\ [31m  Zoë");
}

TEST(Trail, RefusesALineThatIsTooLong) {
  const Scratch scratch;
  const auto note = [&](std::size_t bytes, char what) {
    return note_in_trail(scratch / "trail", when, "act", {{"said", std::string(bytes, what)}});
  };
  EXPECT_EQ(note(trail_line_bytes_max, 'x').error().code, Errc::too_large);
  EXPECT_EQ(note(trail_line_bytes_max / 2, '"').error().code, Errc::too_large) << "once quoted";
  EXPECT_FALSE(std::filesystem::exists(scratch / "trail"));
  EXPECT_TRUE(note(trail_line_bytes_max - 100, 'x')) << "the control";
  EXPECT_FALSE(note_in_trail(scratch / "none" / "trail", when, "act", {}));
}

}  // namespace
}  // namespace kith::daemon
