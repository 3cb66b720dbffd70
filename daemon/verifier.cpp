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

/// What is received and written comes first: signatures can wait, a peer's window cannot.
void yield_to_others() {
  thread_local const int done = ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);
  static_cast<void>(done);
}

}  // namespace

Verifier::Verifier(asio::io_context& io) : io_(io), pool_(thread_count()) {}

Verifier::~Verifier() { pool_.join(); }

void Verifier::compute(std::function<void()> work, std::function<void()> done) {
  ++under_way_;
  // The guard keeps io_context::run() from returning before the answer is there.
  auto answer = [this, done = std::move(done)] {
    --under_way_;
    done();
  };
  asio::post(pool_, [this, work = std::move(work), answer = std::move(answer),
                     guard = asio::make_work_guard(io_)]() mutable {
    yield_to_others();
    work();
    asio::post(io_, std::move(answer));
  });
}

}  // namespace kith::daemon
