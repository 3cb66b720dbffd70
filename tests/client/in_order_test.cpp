#include "client/in_order.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <set>
#include <stdexcept>

namespace kith::client {
namespace {

TEST(InOrder, TakesEverythingOnceInOrderWhateverTheThreads) {
  for (const std::size_t threads : {0, 1, 2, 3, 16}) {
    for (const std::uint64_t count : {0, 1, 2, 63, 64, 65, 1'000}) {
      std::vector<std::uint64_t> taken;
      std::vector<std::uint64_t> wanted;
      for (std::uint64_t i = 0; i < count; ++i) wanted.push_back(i * i);
      in_order(
          count, threads, [](std::uint64_t i) { return i * i; },
          [&](std::uint64_t made) { taken.push_back(made); });
      EXPECT_EQ(taken, wanted) << threads;
    }
  }
}

TEST(InOrder, RunsAheadOfASlowOneButNotWithoutEnd) {
  // The first waits until as many others are done as there are places.
  std::atomic<int> others{0};
  std::uint64_t farthest = 0;
  in_order(
      1'000, 2,
      [&](std::uint64_t i) {
        if (i != 0) {
          ++others;
          others.notify_all();
          return i;
        }
        for (int seen = others; seen < 63; seen = others) others.wait(seen);
        farthest = static_cast<std::uint64_t>(others);
        return i;
      },
      [](std::uint64_t) {});
  EXPECT_EQ(farthest, 63U);
}

TEST(InOrder, KeepsItsThreadsFromOneToTheNext) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<int> begun{0};
  in_order(
      1'000, 3,
      [&](std::uint64_t i) {
        {
          const std::lock_guard lock(mutex);
          threads.insert(std::this_thread::get_id());
        }
        if (i >= 3) return i;
        // Each of the first three waits for the other two, so no thread can do all.
        ++begun;
        begun.notify_all();
        for (int seen = begun; seen < 3; seen = begun) begun.wait(seen);
        return i;
      },
      [](std::uint64_t) {});
  EXPECT_EQ(threads.size(), 3U);
  EXPECT_TRUE(threads.contains(std::this_thread::get_id()));
}

/// While it lives the system gives no thread: nobody has that much room for a stack.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge = before_;
    pthread_attr_setstacksize(&huge, std::size_t{1} << 46);
    pthread_setattr_default_np(&huge);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_{};
};

TEST(InOrder, GoesOnWithTheThreadsThereAre) {
  std::uint64_t sum = 0;
  {
    const NoThreads none;
    EXPECT_THROW(std::jthread([] {}), std::system_error) << "the control";
    EXPECT_NO_THROW(in_order(
        1'000, 4, [](std::uint64_t i) { return i; }, [&](std::uint64_t made) { sum += made; }));
  }
  EXPECT_EQ(sum, 499'500U);
}

TEST(InOrder, PassesOnWhatIsThrown) {
  for (const std::size_t threads : {1, 4}) {
    const auto run = [&](std::uint64_t bad_work, std::uint64_t bad_take) {
      in_order(
          1'000, threads,
          [&](std::uint64_t i) {
            if (i == bad_work) throw std::runtime_error("work");
            return i;
          },
          [&](std::uint64_t i) {
            if (i == bad_take) throw std::runtime_error("take");
          });
    };
    EXPECT_THROW(run(500, 2'000), std::runtime_error);
    EXPECT_THROW(run(2'000, 500), std::runtime_error);
    EXPECT_NO_THROW(run(2'000, 2'000));
  }
}

}  // namespace
}  // namespace kith::client
