#pragma once

// The parts of Asio that kith uses, in one place: also the precompiled header of the daemon.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

namespace kith {

namespace asio = boost::asio;
using boost::system::error_code;

/// I/O errors arrive as values, so a closed connection is not an exception.
inline constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

/// Waits; joined with || it is the deadline of what stands on the other side.
[[nodiscard]] inline asio::awaitable<void> until(std::chrono::steady_clock::time_point when) {
  asio::steady_timer timer(co_await asio::this_coro::executor, when);
  co_await timer.async_wait(as_value);
}

/// Wakes one coroutine of the same thread; a call while it does not wait is kept for it.
class Wakeup {
 public:
  explicit Wakeup(const asio::any_io_executor& executor) : timer_(executor) {}

  void notify() {
    pending_ = true;
    timer_.cancel();
  }
  /// Returns when notified, at `when`, or when cancelled.
  [[nodiscard]] asio::awaitable<void> wait(
      std::chrono::steady_clock::time_point when = std::chrono::steady_clock::time_point::max()) {
    if (!pending_) {
      timer_.expires_at(when);
      co_await timer_.async_wait(as_value);
    }
    pending_ = false;
  }

 private:
  asio::steady_timer timer_;
  bool pending_ = false;
};

}  // namespace kith
