#pragma once

#include <deque>
#include <map>
#include <set>

#include "daemon/replica.hpp"
#include "tests/support/memory_database.hpp"

namespace kith::daemon {

/// Of a daemon that asks nobody before it signs.
inline Replica::Options at_once() {
  Replica::Options options;
  options.ask_before_signing = false;
  return options;
}

/// A Host without a world: two databases in memory, a clock that stands, bytes that count up for
/// random ones. What was asked for is done by run().
class PlainHost : public Host {
 public:
  void send(PeerId peer, Bytes message) override { sent[peer].push_back(std::move(message)); }
  void drop(PeerId peer, const Error& why) override { dropped.emplace(peer, why); }
  Millis now() override { return clock; }
  std::uint64_t monotonic_ms() override { return monotonic; }
  void post(std::function<void()> later) override { due_.push_back(std::move(later)); }
  void random(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(++counted_ * 41 >> 3);
  }
  void write(WriteJob job) override {
    post([this, job = std::move(job)] {
      const auto txn = log_.write();
      storage::HighWaterMarks to_sign;
      job.work(*txn, to_sign);
      txn->commit();
      for (const auto& [log, mark] : to_sign) marks[log] = mark;
      post([done = job.done] { done(std::nullopt); });
    });
  }
  void write_views(std::function<void(storage::WriteTxn&)> work,
                   std::function<void()> done) override {
    if (views_wait) {
      view_jobs_.emplace_back(std::move(work), std::move(done));
      return;
    }
    post([this, work = std::move(work), done = std::move(done)] {
      const auto txn = views_.write();
      work(*txn);
      txn->commit();
      post(done);
    });
  }
  void compute(std::function<void()> work, std::function<void()> done) override {
    post([this, work = std::move(work), done = std::move(done)] {
      work();
      post(done);
    });
  }
  void compute_later(std::function<void()> work, std::function<void()> done) override {
    later_.push_back([this, work = std::move(work), done = std::move(done)] {
      work();
      post(done);
    });
  }
  const storage::Database& log() override { return log_; }
  const storage::Database& views() override { return views_; }
  std::uint64_t disk_bytes() override { return 0; }
  void save(const Identity&) override {}
  void wake_dialer() override {}
  bool is_behind(ClientId client) override { return behind.contains(client); }
  void log_line(const std::string& line) override { lines.push_back(line); }
  std::string who_asks(ClientId client) override { return "client " + std::to_string(client); }
  Result<bool> note_in_trail(const std::string& act, const TrailFields& fields) override {
    if (trail_fails) return fail(Errc::io, "the disk is full");
    trail.emplace_back(act, fields);
    return true;
  }

  [[nodiscard]] testing::MemoryDatabase& disk() { return log_; }
  /// They can be rebuilt. Between two runs of a daemon only.
  void lose_views() { views_ = testing::MemoryDatabase(); }
  /// What is due next; false if nothing is.
  bool step() {
    auto& from = due_.empty() ? later_ : due_;
    if (from.empty()) return false;
    const auto next = std::move(from.front());
    from.pop_front();
    next();
    return true;
  }
  void run() {
    while (step()) {
    }
  }

  void release_views() {
    views_wait = false;
    for (auto& [work, done] : std::exchange(view_jobs_, {})) write_views(work, done);
  }

  Millis clock = 1'800'000'000'000;
  std::uint64_t monotonic = 1'000;
  bool views_wait = false;    ///< Nothing is written into the views before release_views().
  std::set<ClientId> behind;  ///< Clients that do not read.
  std::vector<std::string> lines;
  std::vector<std::pair<std::string, TrailFields>> trail;
  bool trail_fails = false;
  storage::HighWaterMarks marks;  ///< What the high-water file would say.
  std::map<PeerId, std::vector<Bytes>> sent;
  std::map<PeerId, Error> dropped;

 private:
  testing::MemoryDatabase log_;
  testing::MemoryDatabase views_;
  std::deque<std::function<void()>> due_;
  std::deque<std::function<void()>> later_;  // Yields to all else.
  std::vector<std::pair<std::function<void(storage::WriteTxn&)>, std::function<void()>>> view_jobs_;
  std::uint64_t counted_ = 0;
};

}  // namespace kith::daemon
