#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace kith::client {

/// The places of what was made and is not yet taken, which a few threads share.
template <class Made>
class OrderedWindow {
 public:
  OrderedWindow(std::uint64_t count, std::size_t places) : count_(count), places_(places) {}

  /// The next number to be made; nothing after the last or after stop(). Waits for a place.
  std::optional<std::uint64_t> claim() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || next_ == count_ || has_place(); });
    return claim_now();
  }
  /// The same without waiting.
  std::optional<std::uint64_t> try_claim() {
    const std::lock_guard lock(mutex_);
    return has_place() ? claim_now() : std::nullopt;
  }
  void put(std::uint64_t number, Made made) {
    const std::lock_guard lock(mutex_);
    places_[number % places_.size()] = std::move(made);
    changed_.notify_all();
  }
  void fail(std::exception_ptr why) {
    const std::lock_guard lock(mutex_);
    if (!why_) why_ = std::move(why);
    changed_.notify_all();
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  /// What was made of the number that is to be taken next, if it is there.
  std::optional<Made> try_take() { return take(false); }
  /// The same; waits until it is there.
  std::optional<Made> take() { return take(true); }

 private:
  [[nodiscard]] bool has_place() const { return next_ < taken_ + places_.size(); }
  std::optional<std::uint64_t> claim_now() {
    if (stopped_ || next_ == count_) return std::nullopt;
    return next_++;
  }
  std::optional<Made> take(bool waits) {
    std::unique_lock lock(mutex_);
    std::optional<Made>& place = places_[taken_ % places_.size()];
    if (waits) changed_.wait(lock, [&] { return why_ || place; });
    if (why_) std::rethrow_exception(why_);
    if (!place) return std::nullopt;
    std::optional<Made> made = std::move(place);
    place.reset();
    // Threads wait only for a place, and that only if there was none.
    const bool was_full = !has_place();
    ++taken_;
    if (was_full) changed_.notify_all();
    return made;
  }

  const std::uint64_t count_;
  std::vector<std::optional<Made>> places_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t next_ = 0;
  std::uint64_t taken_ = 0;
  std::exception_ptr why_;
  bool stopped_ = false;
};

/// Runs work(0) … work(count - 1) on `threads` threads, of which this is one, and gives what they
/// return to take() in that order, on this thread. What a thread remembers lasts from one to the
/// next. Where the system gives no more threads, it goes on with those there are.
template <class Work, class Take>
void in_order(std::uint64_t count, std::size_t threads, const Work& work, const Take& take) {
  using Made = decltype(work(std::uint64_t{}));
  // None waits for one before it that is slow, or that another program holds up for a moment.
  constexpr std::size_t places_min = 64;
  constexpr std::size_t places_for_each = 4;
  OrderedWindow<Made> window(count, std::max(places_min, threads * places_for_each));
  std::vector<std::jthread> others;
  // Declared after the threads, so that they are told before they are waited for.
  const struct Stop {
    OrderedWindow<Made>& window;
    ~Stop() { window.stop(); }
  } stop{window};
  const auto run = [&] {
    try {
      while (const auto number = window.claim()) window.put(*number, work(*number));
    } catch (...) {
      window.fail(std::current_exception());
    }
  };
  for (std::uint64_t i = 1; i < std::min<std::uint64_t>(threads, count); ++i) {
    try {
      others.emplace_back(run);
    } catch (const std::system_error&) {
      break;
    }
  }
  for (std::uint64_t taken = 0; taken < count;) {
    auto made = window.try_take();
    if (!made) {
      if (const auto number = window.try_claim()) {
        window.put(*number, work(*number));
        continue;
      }
      made = window.take();
    }
    take(std::move(*made));
    ++taken;
  }
}

}  // namespace kith::client
