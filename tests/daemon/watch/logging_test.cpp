#include "daemon/watch/logging.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace kith::daemon {
namespace {

TEST(Log, LinesCarryTimeAndLevelAndLowerOnesAreDropped) {
  std::ostringstream out;
  Log log(out, Log::Level::info);
  log.debug("hidden");
  log.info("shown");
  log.error("loud");
  const std::string text = out.str();
  EXPECT_EQ(text.find("hidden"), std::string::npos);
  EXPECT_NE(text.find("Z info shown\n"), std::string::npos);
  EXPECT_NE(text.find("Z error loud\n"), std::string::npos);
}

TEST(Log, NothingThatIsSaidForgesASecondLine) {
  std::ostringstream out;
  Log log(out, Log::Level::info);
  log.info("one\n2026-01-01T00:00:00Z error two\x1b[31m");
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace kith::daemon
