// Members that replace their keys with their recovery words.
#include "daemon/renewal.hpp"
#include "protocol/keys/space_key.hpp"
#include "tests/simulation/node.hpp"

namespace kith::simulation {
namespace {

constexpr Time second = 1'000'000;

}  // namespace

void World::renew_keys(std::size_t member) {
  Node& node = *nodes_[member];
  if (!node.up() || !node.replica().is_member()) return;
  node.crash();
  const auto found = daemon::survey(*node.log().read(), node.identity());
  daemon::Renewal how;
  how.reason = uniform() < 0.5 ? Certificate::Reason::planned : Certificate::Reason::lost;
  how.now = node.now();
  how.highest_known = found.keys.newest_certificate_number();
  const auto renewed = daemon::renew(node.identity(), SigningKey(node.recovery()), how,
                                     [&](std::span<std::uint8_t> out) { node.random(out); });
  if (!renewed) return violation(node.code() + " cannot renew: " + renewed.error().detail);
  trace(node.code() + " renews its keys");
  ++renewals_;
  node.become(*renewed, node.recovery());
  node.start();
}

bool World::cut(Time patience) {
  Node& owner = *nodes_[*forger_];
  const std::size_t copy = nodes_.size() - 1;
  cut_.clear();
  cut_.insert({copy, *forger_});
  cut_.insert({*forger_, copy});
  const auto where = [&] {
    const auto txn = owner.log().read();
    return daemon::where_to_cut(*txn, daemon::survey(*txn, owner.identity()), owner.identity());
  };
  // Until it has heard of it, and holds what the others agreed on.
  const auto is_ready = [&] {
    const auto txn = owner.log().read();
    return daemon::survey(*txn, owner.identity()).has_two_histories && where().has_value();
  };
  if (!run_while_not(is_ready, patience)) return false;
  run_until(now_ + 30 * second);
  if (!run_while_not(is_ready, patience)) return false;
  owner.crash();
  const auto at = where();
  if (!at) return false;
  daemon::Renewal how;
  how.reason = Certificate::Reason::cut;
  how.now = owner.now();
  how.cut.logs = {*at};
  const auto renewed = daemon::renew(owner.identity(), SigningKey(owner.recovery()), how,
                                     [&](std::span<std::uint8_t> out) { owner.random(out); });
  if (!renewed) return false;
  trace(owner.code() + " cuts its log at " + std::to_string(at->size));
  owner.marks()[at->log] = {at->size, at->root};
  owner.become(*renewed, owner.recovery());
  owner.start();
  return true;
}

std::uint64_t World::size_of_the_forger() const { return nodes_[*forger_]->status().log_size; }

}  // namespace kith::simulation
