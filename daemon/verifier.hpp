#pragma once

#include <atomic>
#include <functional>

#include "daemon/transport/asio.hpp"

namespace kith::daemon {

/// The pool for hashes and signatures: pure functions on values, answered on the network thread.
class Verifier {
 public:
  /// `io` runs the answers and must outlive it.
  explicit Verifier(asio::io_context& io);
  /// Waits for what is queued.
  ~Verifier();
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  /// Runs `work` in the pool, then `done` on the network thread, which is kept running for it. How
  /// much is queued is the caller's to bound.
  void compute(std::function<void()> work, std::function<void()> done);
  /// The same on threads of low priority.
  void compute_later(std::function<void()> work, std::function<void()> done);

  [[nodiscard]] bool idle() const { return under_way_ == 0; }

 private:
  void run_in(asio::thread_pool& pool, std::function<void()> work, std::function<void()> done);

  asio::io_context& io_;
  std::size_t under_way_ = 0;  // Of the network thread alone.
  asio::thread_pool pool_;
  asio::thread_pool later_;
};

}  // namespace kith::daemon
