// A machine that is put back to what it was.
#include "storage/log_store.hpp"
#include "tests/simulation/node.hpp"

namespace kith::simulation {
namespace {

constexpr Time second = 1'000'000;

}  // namespace

std::uint64_t World::own_size(std::size_t index) {
  const daemon::Identity& identity = nodes_[index]->identity();
  const LogId log = log_id(identity.network, identity.member, commons);
  const auto head = storage::log_store::head(*nodes_[index]->log().read(), log);
  return head ? head->size() : 0;
}

void World::publish(std::size_t index) { nodes_[index]->publish_documents(); }

void World::fill(std::size_t index, std::uint64_t size) {
  while (own_size(index) < size) {
    publish(index);
    run_until(now_ + second);
  }
}

void World::isolate(std::size_t index) {
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (other == index) continue;
    cut_.insert({index, other});
    cut_.insert({other, index});
  }
  drop_links_of(index);
}

void World::reconnect(std::size_t a, std::size_t b) {
  cut_.erase({a, b});
  cut_.erase({b, a});
}

void World::back_up(std::size_t index) {
  // A virtual machine's snapshot holds what a backup of its disks would, and the memory as well.
  backup_ = std::make_unique<Node>(*this, index);
  backup_->become_copy_of(*nodes_[index], index);
  drop_links_of(index);
  std::swap(nodes_[index], snapshot_);
  snapshot_->stop_the_clock();
  nodes_[index] = std::make_unique<Node>(*this, index);
  nodes_[index]->become_copy_of(*snapshot_, index);
  nodes_[index]->start();
}

void World::restore(std::size_t index, Restored what) {
  Node& broken = *nodes_[index];
  broken.crash();
  if (what == Restored::machine) {
    std::swap(nodes_[index], snapshot_);
    gone_.push_back(std::move(snapshot_));
    nodes_[index]->go_on();
    return;
  }
  const storage::HighWaterMarks marks = broken.marks();
  broken.become_copy_of(*backup_, index);
  if (what == Restored::database) broken.marks() = marks;
  if (what == Restored::directory_without_marks) broken.marks().clear();
  broken.start();
}

// ---- a machine that stands still ----

void World::Node::stop_the_clock() { stopped_at_ = world_.now_; }

void World::Node::go_on() {
  stood_still_ += world_.now_ - *stopped_at_;
  stopped_at_.reset();
  for (auto& what : std::exchange(held_back_, {})) later(0, std::move(what));
}

}  // namespace kith::simulation
