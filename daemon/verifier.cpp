#include "daemon/verifier.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace kith::daemon {
namespace {

constexpr unsigned threads_max = 8;

std::size_t thread_count() {
  return std::clamp(std::thread::hardware_concurrency(), 1U, threads_max);
}

/// Threads of one pool give way to all others of the process.
void give_way() {
  thread_local const int done = ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);
  static_cast<void>(done);
}

}  // namespace

Verifier::Verifier(asio::io_context& io) : io_(io), pool_(thread_count()), later_(thread_count()) {}

Verifier::~Verifier() {
  pool_.join();
  later_.join();
}

void Verifier::compute(std::function<void()> work, std::function<void()> done) {
  run_in(pool_, std::move(work), std::move(done));
}

void Verifier::compute_later(std::function<void()> work, std::function<void()> done) {
  auto yielding = [work = std::move(work)] {
    give_way();
    work();
  };
  run_in(later_, std::move(yielding), std::move(done));
}

void Verifier::run_in(asio::thread_pool& pool, std::function<void()> work,
                      std::function<void()> done) {
  ++under_way_;
  // The guard keeps io_context::run() from returning before the answer is there.
  auto answer = [this, done = std::move(done)] {
    --under_way_;
    done();
  };
  asio::post(pool, [this, work = std::move(work), answer = std::move(answer),
                    guard = asio::make_work_guard(io_)]() mutable {
    work();
    asio::post(io_, std::move(answer));
  });
}

}  // namespace kith::daemon
