#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "daemon/replica.hpp"
#include "storage/database.hpp"
#include "storage/high_water.hpp"

namespace kith::daemon {

/// The one thread that writes: whatever is queued when it looks becomes one durable commit.
///
/// The order for each commit is: commit, high-water file, answers. Changes to views follow in a
/// transaction of their own.
class Writer {
 public:
  struct Events {
    /// Runs a function on the network thread. Called on the writer's thread.
    std::function<void(std::function<void()>)> post;
    /// Called through `post`, once: nothing is durable any more and the process must end.
    std::function<void(const std::string& why)> failed;
    /// Called through `post` when it changes: why the disk takes nothing now (full or read_only),
    /// or nothing once it can be written again.
    std::function<void(std::optional<storage::StorageError::Kind> why)> disk_stuck;
  };

  /// All must outlive it, and until stop() returns they belong to its thread.
  Writer(storage::Database& log, storage::Database& views, storage::HighWaterFile& high_water,
         Events events);
  /// Stops; what is still queued is done first.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// On a full or read-only disk every job of its commit is answered `unavailable`; after a failure
  /// of any other kind this and every later one is answered `io`.
  void write(WriteJob job);
  /// `done` runs on the network thread. `work` may run again, in another transaction, if the disk
  /// took nothing: it must not use up what it captured.
  void write_views(std::function<void(storage::WriteTxn&)> work, std::function<void()> done);

  /// Whether nothing is queued or under way (answers may still be on their way).
  [[nodiscard]] bool idle() const;
  /// Finishes what is queued and joins the thread. Idempotent.
  void stop();

 private:
  struct ViewJob {
    std::function<void(storage::WriteTxn&)> work;
    std::function<void()> done;
  };

  void run();
  /// Waits for work; false when stopping and nothing is left.
  [[nodiscard]] bool take(std::vector<WriteJob>& jobs, std::vector<ViewJob>& view_jobs);
  void commit(std::vector<WriteJob> jobs);
  void commit_views(std::vector<ViewJob> jobs);
  void answer(std::vector<WriteJob> jobs, std::optional<Error> failure);
  void fail_for_good(const std::string& why);
  void report(std::optional<storage::StorageError::Kind> stuck);

  storage::Database& log_;
  storage::Database& views_;
  storage::HighWaterFile& high_water_;
  Events events_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<WriteJob> jobs_;
  std::vector<ViewJob> view_jobs_;
  bool busy_ = false;
  bool stopping_ = false;
  // The disk took nothing: the view jobs are tried again at that time. Changed by the writer alone.
  bool views_wait_ = false;
  std::chrono::steady_clock::time_point views_again_;

  // Of the writer's thread alone.
  std::optional<std::string> broken_;
  std::optional<storage::StorageError::Kind> stuck_;

  std::thread thread_;
};

}  // namespace kith::daemon
