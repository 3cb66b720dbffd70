#include "tests/simulation/node.hpp"

#include "protocol/base/text.hpp"
#include "protocol/keys/space_key.hpp"
#include "tests/simulation/forger.hpp"

namespace kith::simulation {
namespace {

Seed seed_of(std::mt19937_64& random) {
  Seed seed;
  for (auto& byte : seed.bytes) byte = static_cast<std::uint8_t>(random());
  return seed;
}

}  // namespace

World::Node::Node(World& world, std::size_t index)
    : world_(world),
      index_(index),
      code_("ZZ" + std::string(1, static_cast<char>('A' + index))),
      author_(seed_of(world.random_)),
      views_(std::make_unique<testing::MemoryDatabase>()),
      clock_skew_ms_(static_cast<std::int64_t>(world.between(0, 120'000)) - 60'000) {
  if (world.options_.ignore_durability) log_.ignore_durability();
}

void World::Node::become(daemon::Identity identity, const Seed& recovery) {
  identity_ = std::move(identity);
  recovery_ = recovery;
}

void World::Node::become_copy_of(const Node& other, std::size_t index) {
  index_ = index;
  author_ = other.author_;
  recovery_ = other.recovery_;
  identity_ = other.identity_;
  log_ = other.log_;
  *views_ = *other.views_;
  marks_ = other.marks_;
}

void World::Node::start() {
  daemon::Replica::Options options;
  const Options& given = world_.options_;
  // A forger must not stumble over its own forgeries.
  const bool forges = world_.is_forger(index_) && world_.signs_falsely();
  options.check_signatures = given.check_signatures && !forges;
  options.check_hashes = given.check_hashes;
  options.fold_rules = given.fold_rules;
  options.ask_before_signing =
      given.ask_before_signing && !(world_.is_forger(index_) && given.forger == Forger::forks);
  ++life_;
  replica_ = std::make_unique<daemon::Replica>(*identity_, options, marks_, *this);
  later(world_.between(0, 1'000'000), [this] { tick(); });
  wake_dialer();
}

void World::Node::tick() {
  replica_->tick();
  later(1'000'000, [this] { tick(); });
}

void World::Node::crash() {
  world_.trace(code_ + " crashes");
  world_.drop_links_of(index_);
  replica_.reset();
  ++life_;
  queue_.clear();
  committing_ = false;
  dialing_ = false;
  asking_ = 0;
  log_.crash();
  // Views are not synced: sometimes they are simply gone and are folded again.
  // Not with holes: who cannot judge its own log again does not know who the others are.
  const bool are_lost = world_.uniform() < 0.3;
  if (are_lost && !World::is_holed(*this)) views_ = std::make_unique<testing::MemoryDatabase>();
}

void World::Node::later(Time delay, std::function<void()> what) {
  world_.after(delay, [this, life = life_, what = std::move(what)] {
    if (life != life_ || !replica_) return;
    if (stopped_at_) {
      held_back_.push_back(what);
    } else {
      what();
    }
  });
}

// ---- the host
// ------------------------------------------------------------------------------------

std::shared_ptr<World::Link> World::Node::link_of(daemon::PeerId peer) const {
  const auto found = std::ranges::find_if(world_.links_, [&](const auto& link) {
    return (link->dialler == index_ && link->dialler_peer == peer) ||
           (link->listener == index_ && link->listener_peer == peer);
  });
  return found == world_.links_.end() ? nullptr : *found;
}

void World::Node::send(daemon::PeerId peer, Bytes message) {
  const auto link = link_of(peer);
  if (!link) return;
  if (world_.is_forger(index_)) spoil(message);
  world_.transmit(link, link->dialler == index_ && link->dialler_peer == peer, std::move(message));
}

void World::Node::drop(daemon::PeerId peer, const Error& why) {
  const auto link = link_of(peer);
  const bool accusation = why.code == Errc::malformed || why.code == Errc::bad_signature ||
                          why.code == Errc::bad_proof || why.code == Errc::unrequested ||
                          why.code == Errc::too_large;
  world_.trace(code_ + " drops a peer: " + why.detail);
  if (accusation) {
    std::optional<std::size_t> whom;
    if (link) whom = link->dialler == index_ ? link->listener : link->dialler;
    world_.accused(index_, whom, why.detail);
  }
  if (link) return world_.break_link(link);
  // It broke while this machine stood still.
  later(0, [this, peer] { replica_->peer_lost(peer); });
}

Millis World::Node::now() {
  return static_cast<Millis>(1'800'000'000'000 + static_cast<std::int64_t>(world_.now_ / 1000) +
                             clock_skew_ms_);
}

std::uint64_t World::Node::monotonic_ms() { return (world_.now_ - stood_still_) / 1000; }

void World::Node::post(std::function<void()> what) { later(0, std::move(what)); }

void World::Node::random(std::span<std::uint8_t> out) {
  for (auto& byte : out) byte = static_cast<std::uint8_t>(world_.random_());
}

void World::Node::write(daemon::WriteJob job) {
  queue_.push_back(std::move(job));
  if (committing_) return;
  committing_ = true;
  later(world_.between(100, 3'000), [this] { commit(); });
}

void World::Node::commit() {
  auto jobs = std::make_shared<std::vector<daemon::WriteJob>>(std::exchange(queue_, {}));
  storage::HighWaterMarks to_sign;
  std::optional<Error> failure;
  try {
    const auto txn = log_.write();
    for (const auto& job : *jobs) job.work(*txn, to_sign);
    txn->commit();
  } catch (const storage::StorageError& full) {
    failure = fail(Errc::unavailable, full.what());
  }
  // A machine may go down between the commit, the high-water file and the answer.
  later(world_.between(50, 500), [this, jobs, to_sign, failure] {
    if (!failure) {
      for (const auto& [log, mark] : to_sign) {
        if (marks_[log].size <= mark.size) marks_[log] = mark;
      }
    }
    later(world_.between(0, 200), [this, jobs, failure] {
      for (const auto& job : *jobs) {
        later(0, [done = job.done, failure] { done(failure); });
      }
      committing_ = false;
      if (!queue_.empty()) {
        committing_ = true;
        later(world_.between(100, 3'000), [this] { commit(); });
      }
    });
  });
}

void World::Node::write_views(std::function<void(storage::WriteTxn&)> work,
                              std::function<void()> done) {
  // In the order given, as the one writer does.
  views_written_ = std::max(views_written_, world_.now_) + world_.between(10, 500);
  later(views_written_ - world_.now_, [this, work = std::move(work), done = std::move(done)] {
    const auto txn = views_->write();
    work(*txn);
    txn->commit();
    later(0, done);
  });
}

void World::Node::compute(std::function<void()> work, std::function<void()> done) {
  later(world_.between(10, world_.options_.compute_at_most),
        [this, work = std::move(work), done = std::move(done)] {
          work();
          later(0, done);
        });
}

void World::Node::wake_dialer() {
  if (dialing_) return;
  dialing_ = true;
  later(world_.between(1'000, 50'000), [this] {
    dialing_ = false;
    world_.dial(index_);
  });
}

void World::Node::log_line(const std::string& line) {
  world_.trace(code_ + ": " + line);
  const bool tells = line.find("two conflicting histories") != std::string::npos;
  if (tells && !world_.is_forger(index_)) world_.told_of_fork_.emplace(index_, world_.now_);
}

}  // namespace kith::simulation
