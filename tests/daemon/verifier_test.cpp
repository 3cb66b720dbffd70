#include "daemon/verifier.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "tests/daemon/support/loop.hpp"

namespace kith::daemon {
namespace {

TEST(Verifier, WorkRunsInThePoolAndIsAnsweredOnTheNetworkThread) {
  testing::Loop loop;
  Verifier verifier(loop.io);
  const auto here = std::this_thread::get_id();
  std::atomic<int> worked_elsewhere = 0;
  int answered_here = 0;
  constexpr int jobs = 100;
  for (int i = 0; i < jobs; ++i) {
    verifier.compute([&] { worked_elsewhere += std::this_thread::get_id() == here ? 0 : 1; },
                     [&] { answered_here += std::this_thread::get_id() == here ? 1 : 0; });
  }
  EXPECT_FALSE(verifier.idle());
  ASSERT_TRUE(loop.finish()) << "the loop ends once everything is answered, and not before";
  EXPECT_EQ(worked_elsewhere, jobs);
  EXPECT_EQ(answered_here, jobs);
  EXPECT_TRUE(verifier.idle());
}

TEST(Verifier, AnAnswerNeverComesFromInsideTheCall) {
  testing::Loop loop;
  Verifier verifier(loop.io);
  bool answered = false;
  verifier.compute([] {}, [&] { answered = true; });
  EXPECT_FALSE(answered);
  ASSERT_TRUE(loop.until([&] { return answered; }));
}

}  // namespace
}  // namespace kith::daemon
