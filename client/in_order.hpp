#pragma once

#include <cstdint>
#include <deque>
#include <future>

namespace kith::client {

/// Runs work(0) … work(count - 1), several at once, and gives what they return to take() in that
/// order, on this thread. `work` is called by several threads.
template <class Work, class Take>
void in_order(std::uint64_t count, std::size_t threads, const Work& work, const Take& take) {
  using Made = decltype(work(std::uint64_t{}));
  constexpr std::size_t ahead = 4;  // For each thread: none waits for a slow one before it.
  std::deque<std::future<Made>> under_way;
  std::uint64_t next = 0;
  for (std::uint64_t taken = 0; taken < count; ++taken) {
    while (next < count && under_way.size() < threads * ahead) {
      under_way.push_back(std::async(std::launch::async, work, next++));
    }
    Made made = under_way.front().get();
    under_way.pop_front();
    take(std::move(made));
  }
}

}  // namespace kith::client
