// A disk that dies, and the member that is rebuilt from what the others hold.
#include "storage/log_store.hpp"
#include "tests/simulation/node.hpp"

namespace kith::simulation {
namespace {

constexpr Time second = 1'000'000;

}  // namespace

void World::Node::lose_disk() {
  log_ = testing::MemoryDatabase();
  views_ = std::make_unique<testing::MemoryDatabase>();
  marks_.clear();
  identity_.reset();
  read_.clear();
}

void World::lose_disk(std::size_t index) {
  nodes_[index]->crash();
  nodes_[index]->lose_disk();
}

void World::rebuild(std::size_t index, std::size_t inviter, bool with_its_words) {
  nodes_[inviter]->invite([this, index, with_its_words](const std::string& text) {
    Node& node = *nodes_[index];
    if (node.has_identity()) return;
    Seed words = node.recovery();
    if (!with_its_words) words.bytes[0] ^= 1;
    const auto made =
        daemon::rebuild_member(*decode_invitation(text), words, node.steward(), node.now(),
                               [&](std::span<std::uint8_t> out) { node.random(out); });
    if (!made)
      return violation(node.code() + " cannot begin to be rebuilt: " + made.error().detail);
    node.become(*made, node.recovery());
    node.start();
  });
}

void World::rebuild_beside(std::size_t index, std::size_t inviter) {
  // What was due on it would happen to the other one.
  nodes_[index]->crash();
  const std::size_t old_one = nodes_.size();
  nodes_.push_back(std::make_unique<Node>(*this, index));
  nodes_.back()->become_copy_of(*nodes_[index], index);
  nodes_.back()->lose_disk();
  std::swap(nodes_[index], nodes_.back());
  nodes_[old_one]->index_ = old_one;
  nodes_[old_one]->start();
  run_until(now_ + 30 * second);
  rebuild(index, inviter);
}

void World::crash(std::size_t index) {
  if (nodes_[index]->up()) nodes_[index]->crash();
}

void World::start(std::size_t index) {
  if (nodes_[index]->has_identity() && !nodes_[index]->up()) nodes_[index]->start();
}

local::StatusAnswer World::status(std::size_t index) {
  return nodes_[index]->up() ? nodes_[index]->status() : local::StatusAnswer{};
}

std::vector<local::AuditRow> World::audit(std::size_t index) {
  const auto answer = std::make_shared<std::optional<local::AuditAnswer>>();
  nodes_[index]->ask(local::AuditRequest{}, [answer](const local::Answer& said) {
    if (const auto* rows = std::get_if<local::AuditAnswer>(&said)) *answer = *rows;
  });
  (void)run_while_not([&] { return answer->has_value(); }, 600 * second);
  return answer->value_or(local::AuditAnswer{}).logs;
}

TreeHash World::root_at(std::size_t index, const LogId& log, std::uint64_t size) {
  return storage::log_store::root_at(*nodes_[index]->log().read(), log, size);
}

}  // namespace kith::simulation
