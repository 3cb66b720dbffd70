#include "tests/simulation/world.hpp"

#include <cstdio>
#include <cstdlib>

#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/checkpoint.hpp"
#include "storage/log_store.hpp"
#include "storage/views.hpp"
#include "tests/simulation/node.hpp"
#include "tests/simulation/remembered_curve.hpp"

namespace kith::simulation {
namespace {

constexpr Time second = 1'000'000;

/// Whether a daemon of this identity answers whoever dials that key.
bool answers(const daemon::Identity& identity, const DhPublic& dialled) {
  if (dh_public(identity.transport_key) == dialled) return true;
  return std::ranges::any_of(identity.former_transport_keys,
                             [&](const DhSecret& former) { return dh_public(former) == dialled; });
}

}  // namespace

World::World(std::uint64_t seed, Options options) : seed_(seed), options_(options), random_(seed) {
  initialise_crypto();
  forget_curve();
  for (std::size_t i = 0; i < options_.members; ++i) {
    nodes_.push_back(std::make_unique<Node>(*this, i));
  }
  if (options_.forger != Forger::none) forger_ = 1 + pick(options_.members - 1);
}

World::~World() = default;

void World::happened(BytesView what) {
  Bytes now;
  append_integer(now, now_);
  digest_ = blake2b({digest_.view(), now, what});
}

void World::trace(const std::string& line) {
  happened(view(line));
  static const bool wanted = std::getenv("KITH_TRACE") != nullptr;
  if (wanted) std::fprintf(stderr, "%10.6f %s\n", static_cast<double>(now_) / 1e6, line.c_str());
}

void World::violation(std::string what) {
  trace("VIOLATION " + what);
  if (violations_.size() < 20) violations_.push_back(std::move(what));
}

void World::after(Time delay, std::function<void()> what) {
  due_.push({now_ + delay, ++order_, std::move(what)});
}

void World::run_until(Time end) {
  while (!due_.empty() && due_.top().at <= end) {
    Due next = due_.top();
    due_.pop();
    now_ = next.at;
    Bytes order;
    append_integer(order, next.order);
    happened(order);
    next.what();
  }
  now_ = end;
}

void World::run(Time busy) {
  found();
  plan_faults();
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    after(between(0, busy / 2), [this, i] { join(i); });
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) begin_to_act(i);
  run_until(now_ + busy);
}

void World::begin_to_act(std::size_t index) {
  // People look every few seconds.
  std::function<void()>& act = loops_.emplace_back();
  act = [this, index, &act] {
    Node& node = *nodes_[index];
    if (node.up()) {
      check_decisions(node);
      node.person_acts(busy_ && uniform() < options_.publishes_per_minute / 30);
    }
    after(between(1 * second, 3 * second), [&act] { act(); });
  };
  after(between(0, 2 * second), [&act] { act(); });
}

void World::fork(std::size_t half, Time busy) {
  Node& old_one = *nodes_[*forger_];
  drop_links_of(*forger_);
  const std::size_t copy = nodes_.size();
  nodes_.push_back(std::make_unique<Node>(*this, *forger_));
  nodes_.back()->become_copy_of(old_one, copy);
  std::size_t honest = 0;
  for (std::size_t i = 0; i < options_.members; ++i) {
    if (is_forger(i)) continue;
    const std::size_t unreached = honest++ < half ? *forger_ : copy;
    cut_.insert({i, unreached});
    cut_.insert({unreached, i});
  }
  cut_.insert({copy, *forger_});
  cut_.insert({*forger_, copy});
  nodes_[copy]->start();
  begin_to_act(copy);
  busy_ = true;
  run_until(now_ + busy);
  busy_ = false;
}

bool World::run_while_not(const std::function<bool()>& done, Time patience) {
  const Time end = now_ + patience;
  while (now_ < end && !done()) run_until(now_ + second);
  return done();
}

bool World::settle(Time patience) {
  busy_ = false;
  options_.faults = {};
  cut_.clear();
  for (const auto& node : nodes_) {
    if (node->has_identity() && !node->up()) node->start();
  }
  // Who said that it lacks a payload is asked again on a new connection.
  if (options_.forger == Forger::withholds) drop_links_of(*forger_);
  const Time end = now_ + patience;
  bool agreed = false;
  while (now_ < end && !agreed) {
    run_until(now_ + 1 * second);
    agreed = agree(false);
  }
  if (!agreed) {
    for (const auto& node : nodes_) {
      if (node->has_identity()) node->describe();
    }
    (void)agree(true);
    violation("the members do not agree");
  }
  check_acknowledged();
  return agreed && violations_.empty();
}

void World::found() {
  Node& node = *nodes_[0];
  Charter charter;
  charter.name = "Simulated network";
  charter.aim = "To learn from one another.";
  charter.admit.form = uniform() < 0.5 ? Rule::Form::majority : Rule::Form::all;
  const auto txn = node.disk().write();
  auto made = daemon::found_network(
      charter, {node.code(), "Member " + node.code(), "trust", {node.code() + ".sim:1"}},
      node.steward(), node.now(), [&](std::span<std::uint8_t> out) { node.random(out); }, *txn);
  txn->commit();
  node.disk().sync();
  node.marks() = made->marks;
  node.become(made->identity, made->recovery);
  node.start();
}

void World::join(std::size_t index) {
  // A sponsor that is up and a member invites; otherwise try again later.
  std::vector<std::size_t> sponsors;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i]->up() && nodes_[i]->replica().is_member()) sponsors.push_back(i);
  }
  after(10 * second, [this, index] {
    if (!nodes_[index]->has_identity()) join(index);
  });
  if (sponsors.empty()) return;
  nodes_[sponsors[pick(sponsors.size())]]->invite([this, index](const std::string& text) {
    Node& node = *nodes_[index];
    if (node.has_identity()) return;
    const auto invitation = decode_invitation(text);
    const auto txn = node.disk().write();
    auto made = daemon::join_network(
        *invitation, {node.code(), "Member " + node.code(), "trust", {node.code() + ".sim:1"}},
        node.steward(), node.now(), [&](std::span<std::uint8_t> out) { node.random(out); }, *txn);
    if (!made) return;  // The candidate's clock says that it has expired: another one comes.
    txn->commit();
    node.disk().sync();
    node.marks() = made->marks;
    node.become(made->identity, made->recovery);
    node.start();
  });
}

// ---- faults
// --------------------------------------------------------------------------------------

void World::fault(double per_minute, std::function<void()> strike) {
  if (per_minute <= 0) return;
  std::function<void()>& again = loops_.emplace_back();
  const Time mean = static_cast<Time>(60.0 * 1e6 / per_minute);
  again = [this, &again, mean, strike = std::move(strike)] {
    if (!busy_) return;
    strike();
    after(between(mean / 4, mean * 7 / 4), [&again] { again(); });
  };
  after(between(0, 2 * mean), [&again] { again(); });
}

void World::plan_faults() {
  const Faults& faults = options_.faults;
  fault(faults.link_breaks_per_minute, [this] {
    if (!links_.empty()) break_link(links_[pick(links_.size())]);
  });
  const auto cut = [this](bool both) {
    const std::size_t a = pick(nodes_.size());
    const std::size_t b = pick(nodes_.size());
    if (a == b) return;
    cut_.insert({a, b});
    if (both) cut_.insert({b, a});
    after(between(1 * second, 40 * second), [this, a, b, both] {
      cut_.erase({a, b});
      if (both) cut_.erase({b, a});
    });
  };
  fault(faults.partitions_per_minute, [cut] { cut(true); });
  fault(faults.one_way_per_minute, [cut] { cut(false); });
  fault(faults.crashes_per_minute, [this] {
    const std::size_t victim = pick(nodes_.size());
    if (!nodes_[victim]->up()) return;
    ++crashes_;
    nodes_[victim]->crash();
    after(between(100'000, 20 * second), [this, victim] {
      if (!nodes_[victim]->up()) nodes_[victim]->start();
    });
  });
  fault(faults.damages_per_minute, [this] {
    const std::size_t victim = pick(nodes_.size());
    if (!nodes_[victim]->up()) return;
    nodes_[victim]->crash();
    damage(victim);
    after(between(100'000, 20 * second), [this, victim] {
      if (!nodes_[victim]->up()) nodes_[victim]->start();
    });
  });
  fault(faults.renewals_per_minute, [this] { renew_keys(pick(nodes_.size())); });
  fault(faults.full_disks_per_minute, [this] {
    Node& victim = *nodes_[pick(nodes_.size())];
    if (victim.up()) victim.disk().fail_commit(1 + pick(3), storage::StorageError::Kind::full);
  });
}

// ---- network
// -------------------------------------------------------------------------------------

bool World::reachable(std::size_t from, std::size_t to) const {
  return !cut_.contains({from, to}) && !cut_.contains({to, from});
}

void World::dial(std::size_t from) {
  Node& node = *nodes_[from];
  for (const auto& target : node.replica().dial_targets()) {
    if (!target.connected) try_dial(from, target);
  }
  if (!node.dialing_) {
    node.dialing_ = true;
    node.later(between(second / 2, 3 * second), [this, from] {
      nodes_[from]->dialing_ = false;
      dial(from);
    });
  }
}

void World::try_dial(std::size_t from, const daemon::DialTarget& target) {
  for (std::size_t to = 0; to < nodes_.size(); ++to) {
    Node& other = *nodes_[to];
    const bool named =
        std::ranges::find(target.addresses, other.code() + ".sim:1") != target.addresses.end();
    if (!named) continue;
    trace(nodes_[from]->code() + " dials " + other.code());
    if (!other.up() || !reachable(from, to) || !answers(other.identity(), target.transport_key)) {
      nodes_[from]->replica().dial_failed(target.member, "no answer");
      continue;
    }
    const DhPublic own = dh_public(nodes_[from]->identity().transport_key);
    for (const auto& candidate : other.replica().candidates(own)) {
      if (candidate.psk != target.psk || !other.replica().admit(own, candidate, target.hello)) {
        continue;
      }
      auto accepted = other.replica().session_of(next_peer_, own, candidate, target.hello);
      return connect(from, to, target, accepted);
    }
    nodes_[from]->replica().refused(target.member, "refused");
  }
}

void World::connect(std::size_t from, std::size_t to, const daemon::DialTarget& target,
                    const daemon::PeerSession& accepted) {
  auto link = std::make_shared<Link>();
  link->dialler = from;
  link->listener = to;
  link->listener_peer = next_peer_++;
  link->dialler_peer = next_peer_++;
  // Nothing the dialler says arrives before the listener knows that it is there.
  const Time handshake = between(200, 60'000);
  link->dialler_last = now_ + handshake;
  link->listener_last = now_ + 150;
  links_.push_back(link);
  nodes_[to]->later(handshake, [this, link, accepted] {
    if (!link->open) return;
    nodes_[link->listener]->replica().peer_connected(accepted);
  });
  nodes_[from]->later(between(100, 150), [this, link, target] {
    if (!link->open) return;
    trace(nodes_[link->dialler]->code() + " reached " + nodes_[link->listener]->code());
    nodes_[link->dialler]->replica().peer_connected(
        daemon::dialled_session(link->dialler_peer, target));
  });
}

void World::transmit(const std::shared_ptr<Link>& link, bool from_dialler, Bytes message) {
  const std::size_t from = from_dialler ? link->dialler : link->listener;
  const std::size_t to = from_dialler ? link->listener : link->dialler;
  happened(message);
  observe(from, message);
  if (cut_.contains({from, to})) return break_quietly(link);
  Time& last = from_dialler ? link->dialler_last : link->listener_last;
  // Order holds within a connection; several overtake one another.
  last = std::max(last, now_ + between(200, uniform() < 0.05 ? 800'000 : 60'000));
  nodes_[to]->later(last - now_, [this, link, from_dialler, to, message = std::move(message)] {
    if (!link->open) return;
    nodes_[to]->replica().message(from_dialler ? link->listener_peer : link->dialler_peer, message);
  });
}

void World::break_quietly(const std::shared_ptr<Link>& link) {
  // TCP gives up after a while; until then the sender does not know.
  if (link->doomed) return;
  link->doomed = true;
  after(between(5 * second, 20 * second), [this, link] { break_link(link); });
}

void World::break_link(std::shared_ptr<Link> link) {
  if (!link->open) return;
  trace("the link from " + nodes_[link->dialler]->code() + " to " + nodes_[link->listener]->code() +
        " breaks");
  link->open = false;
  std::erase(links_, link);
  const auto tell = [this](std::size_t node, daemon::PeerId peer) {
    if (!nodes_[node]->up()) return;
    nodes_[node]->later(between(0, 5'000),
                        [this, node, peer] { nodes_[node]->replica().peer_lost(peer); });
  };
  tell(link->dialler, link->dialler_peer);
  tell(link->listener, link->listener_peer);
}

void World::drop_links_of(std::size_t node) {
  const auto all = links_;
  for (const auto& link : all) {
    if (link->dialler == node || link->listener == node) break_link(link);
  }
}

}  // namespace kith::simulation
