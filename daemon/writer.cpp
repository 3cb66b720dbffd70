#include "daemon/writer.hpp"

#include <chrono>
#include <iterator>

namespace kith::daemon {
namespace {

/// Of one views commit, so that a rebuild does not hold up what people wait for.
constexpr std::size_t view_jobs_max = 256;
/// Between attempts to write views on a disk that is full or read-only.
constexpr std::chrono::milliseconds stuck_pause{500};

constexpr const char* full_text =
    "the disk is full: nothing of this was kept, everything acknowledged before is safe. Free "
    "space on the data directory's file system and try again";
constexpr const char* read_only_text =
    "the disk is read-only: nothing of this was kept, everything acknowledged before is safe. Ask "
    "whoever runs this machine to make the data directory's file system writable, and try again";

/// Whether the disk may take later what it refuses now.
bool is_stuck(const storage::StorageError& error) {
  return error.kind != storage::StorageError::Kind::other;
}

/// A mark for each log: the largest that any job of the commit noted.
void merge(storage::HighWaterMarks& into, const storage::HighWaterMarks& marks) {
  for (const auto& [log, mark] : marks) {
    const auto [at, fresh] = into.emplace(log, mark);
    if (!fresh && mark.size > at->second.size) at->second = mark;
  }
}

}  // namespace

Writer::Writer(storage::Database& log, storage::Database& views, storage::HighWaterFile& high_water,
               Events events)
    : log_(log), views_(views), high_water_(high_water), events_(std::move(events)) {
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() { stop(); }

void Writer::write(WriteJob job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Writer::write_views(std::function<void(storage::WriteTxn&)> work, std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    view_jobs_.push_back({std::move(work), std::move(done)});
  }
  wake_.notify_one();
}

bool Writer::idle() const {
  const std::lock_guard lock(mutex_);
  return jobs_.empty() && (view_jobs_.empty() || views_wait_) && !busy_;
}

void Writer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool Writer::take(std::vector<WriteJob>& jobs, std::vector<ViewJob>& view_jobs) {
  std::unique_lock lock(mutex_);
  busy_ = false;
  const auto has_work = [this] {
    return stopping_ || !jobs_.empty() || (!view_jobs_.empty() && !views_wait_);
  };
  if (views_wait_) {
    // Jobs on the log are taken at once; the views get their next chance after the pause.
    wake_.wait_until(lock, views_again_, has_work);
    views_wait_ = std::chrono::steady_clock::now() < views_again_;
  } else {
    wake_.wait(lock, has_work);
  }
  jobs = std::exchange(jobs_, {});
  if (!views_wait_) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(view_jobs_.size(), view_jobs_max));
    view_jobs.assign(std::make_move_iterator(view_jobs_.begin()),
                     std::make_move_iterator(view_jobs_.begin() + count));
    view_jobs_.erase(view_jobs_.begin(), view_jobs_.begin() + count);
  }
  busy_ = !jobs.empty() || !view_jobs.empty();
  // Views that wait for room on the disk are rebuilt from the log at the next start.
  return busy_ || !stopping_;
}

void Writer::run() {
  std::vector<WriteJob> jobs;
  std::vector<ViewJob> view_jobs;
  while (take(jobs, view_jobs)) {
    if (!jobs.empty()) commit(std::exchange(jobs, {}));
    if (!view_jobs.empty()) commit_views(std::exchange(view_jobs, {}));
  }
}

void Writer::commit(std::vector<WriteJob> jobs) {
  if (broken_) return answer(std::move(jobs), fail(Errc::io, *broken_));
  storage::HighWaterMarks to_sign;
  try {
    const auto txn = log_.write();
    for (const WriteJob& job : jobs) {
      storage::HighWaterMarks marks;
      job.work(*txn, marks);
      merge(to_sign, marks);
    }
    txn->commit();
  } catch (const storage::StorageError& error) {
    if (is_stuck(error)) {
      const bool full = error.kind == storage::StorageError::Kind::full;
      report(error.kind);
      return answer(std::move(jobs), fail(Errc::unavailable, full ? full_text : read_only_text));
    }
    fail_for_good(error.what());
    return answer(std::move(jobs), fail(Errc::io, *broken_));
  }
  try {
    if (!to_sign.empty()) high_water_.advance(to_sign);
  } catch (const storage::StorageError& error) {
    // The commit stands but must never be signed by this process: a restart compares both again.
    fail_for_good(error.what());
    return answer(std::move(jobs), fail(Errc::io, *broken_));
  }
  if (!views_wait_) report(std::nullopt);
  answer(std::move(jobs), std::nullopt);
}

void Writer::commit_views(std::vector<ViewJob> jobs) {
  if (broken_) return;
  try {
    const auto txn = views_.write();
    for (const ViewJob& job : jobs) job.work(*txn);
    txn->commit();
  } catch (const storage::StorageError& error) {
    if (!is_stuck(error)) return fail_for_good(error.what());
    report(error.kind);
    const std::lock_guard lock(mutex_);
    view_jobs_.insert(view_jobs_.begin(), std::make_move_iterator(jobs.begin()),
                      std::make_move_iterator(jobs.end()));
    views_wait_ = true;
    views_again_ = std::chrono::steady_clock::now() + stuck_pause;
    return;
  }
  events_.post([jobs = std::move(jobs)] {
    for (const ViewJob& job : jobs) job.done();
  });
}

void Writer::answer(std::vector<WriteJob> jobs, std::optional<Error> failure) {
  events_.post([jobs = std::move(jobs), failure = std::move(failure)] {
    for (const WriteJob& job : jobs) job.done(failure);
  });
}

void Writer::fail_for_good(const std::string& why) {
  broken_ = why;
  events_.post([this, why] { events_.failed(why); });
}

void Writer::report(std::optional<storage::StorageError::Kind> stuck) {
  if (stuck_ == stuck) return;
  stuck_ = stuck;
  events_.post([this, stuck] { events_.disk_stuck(stuck); });
}

}  // namespace kith::daemon
