#include "daemon/verifier.hpp"

#include <algorithm>
#include <thread>

namespace kith::daemon {
namespace {

constexpr unsigned threads_max = 8;

std::size_t thread_count() {
  return std::clamp(std::thread::hardware_concurrency(), 1U, threads_max);
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
    work();
    asio::post(io_, std::move(answer));
  });
}

}  // namespace kith::daemon
