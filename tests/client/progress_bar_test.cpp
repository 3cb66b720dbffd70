#include "client/progress_bar.hpp"

#include <sstream>

#include "tests/client/bench.hpp"

namespace kith::client {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// A terminal, and a clock that stands still until it is told.
struct Terminal {
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  Console console{out, err, in};
  ProgressBar::Time now{hours(1)};
  ProgressBar bar{console, [this] { return now; }};

  Terminal() {
    console.err_is_terminal = true;
    console.width = 80;
  }
  /// What one more step draws; empty if nothing.
  std::string shows(milliseconds after, std::uint64_t done, std::uint64_t total) {
    err.str("");
    now += after;
    bar.show(done, total, "checking");
    return err.str();
  }
};

TEST(ProgressBar, SaysHowLongItWillStillTakeOnceThatCanBeTold) {
  Terminal terminal;
  EXPECT_EQ(terminal.shows(seconds(0), 0, 1'000'000).find("left"), std::string::npos);
  const std::string early = terminal.shows(milliseconds(1'900), 100'000, 1'000'000);
  EXPECT_NE(early.find("10 %"), std::string::npos) << early;
  EXPECT_EQ(early.find("left"), std::string::npos) << "too early to tell";
  const std::string later = terminal.shows(milliseconds(100), 100'000, 1'000'000);
  EXPECT_NE(later.find("10 %  about 20 s left  checking"), std::string::npos) << later;
  const std::string slower = terminal.shows(seconds(58), 200'000, 1'000'000);
  EXPECT_NE(slower.find("20 %  about 4 min left"), std::string::npos) << slower;
  const std::string end = terminal.shows(seconds(1), 1'000'000, 1'000'000);
  EXPECT_NE(end.find("100 %"), std::string::npos);
  EXPECT_EQ(end.find("left"), std::string::npos) << end;
}

TEST(ProgressBar, GuessesNothingFromTooLittle) {
  Terminal terminal;
  terminal.shows(seconds(0), 0, 1'000'000);
  EXPECT_EQ(terminal.shows(minutes(1), 9'999, 1'000'000).find("left"), std::string::npos);
  EXPECT_NE(terminal.shows(minutes(1), 10'000, 1'000'000).find("about 4 h left"),
            std::string::npos);
  // Of another task nothing is known yet.
  EXPECT_EQ(terminal.shows(minutes(1), 500, 1'000).find("left"), std::string::npos);
  EXPECT_EQ(terminal.shows(minutes(1), 500, 1'000).find("left"), std::string::npos);
  EXPECT_NE(terminal.shows(minutes(1), 750, 1'000).find("left"), std::string::npos);
  EXPECT_EQ(terminal.shows(hours(24 * 365), 751, 1'000).find("left"), std::string::npos);
}

TEST(ProgressBar, DrawsTenTimesASecondAndAtTheEnd) {
  Terminal terminal;
  EXPECT_FALSE(terminal.shows(seconds(0), 1, 100).empty());
  EXPECT_TRUE(terminal.shows(milliseconds(99), 50, 100).empty());
  EXPECT_FALSE(terminal.shows(milliseconds(1), 51, 100).empty());
  EXPECT_FALSE(terminal.shows(milliseconds(1), 100, 100).empty());
}

TEST(ProgressBar, WithoutAClockGuessesNothing) {
  Terminal terminal;
  ProgressBar bar(terminal.console);
  bar.show(1, 2, "waiting");
  EXPECT_NE(terminal.err.str().find("50 %  waiting"), std::string::npos);
  terminal.console.err_is_terminal = false;
  EXPECT_TRUE(terminal.shows(seconds(9), 2, 2).empty());
}

TEST(ProgressBar, RoundsAsPeopleDo) {
  EXPECT_EQ(time_left(seconds(0)), "about 1 s left");
  EXPECT_EQ(time_left(seconds(5)), "about 5 s left");
  EXPECT_EQ(time_left(seconds(6)), "about 10 s left");
  EXPECT_EQ(time_left(seconds(90)), "about 90 s left");
  EXPECT_EQ(time_left(seconds(91)), "about 2 min left");
  EXPECT_EQ(time_left(minutes(90)), "about 90 min left");
  EXPECT_EQ(time_left(minutes(91)), "about 2 h left");
}

}  // namespace
}  // namespace kith::client
