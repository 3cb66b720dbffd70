#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "daemon/replica.hpp"
#include "tests/support/memory_database.hpp"

/// Several daemons in one thread: the real replica, engine, fold and store, with virtual time,
/// network and disks around them. Everything follows from one seed.
namespace kith::simulation {

using Time = std::uint64_t;  ///< Virtual microseconds.

struct Faults {
  double link_breaks_per_minute = 0;  ///< A connection is cut; what was under way is lost.
  double partitions_per_minute = 0;   ///< Two members cannot reach each other for a while.
  double one_way_per_minute = 0;      ///< One direction is silent for a while.
  double crashes_per_minute = 0;      ///< A machine loses what was not durable, and comes back.
  double full_disks_per_minute = 0;   ///< The next few commits of a member fail.
  double damages_per_minute = 0;      ///< A machine stops; a row is damaged; its store is repaired.
  double renewals_per_minute = 0;     ///< A machine stops; its member's keys are replaced.
};

/// What one member does that lies; its daemon is honest otherwise.
enum class Forger : std::uint8_t {
  none,
  changes_entries,  ///< Serves others' logs with changed payloads and leaves.
  signs_falsely,    ///< Logs records whose author did not sign them.
  withholds,        ///< The same, and gives many payloads of its log late.
  forks,            ///< Signs two histories, from the call of fork() on.
};

/// What is put back of a machine.
enum class Restored : std::uint8_t {
  database,                 ///< Its databases; the high-water file is the newest.
  directory,                ///< The whole directory.
  directory_without_marks,  ///< All but the high-water file, which is lost.
  machine,                  ///< Memory and all, as a snapshot of a virtual machine.
};

struct Options {
  std::size_t members = 3;
  Faults faults;
  double publishes_per_minute = 8;  ///< Of each member.
  Forger forger = Forger::none;
  Time compute_at_most = 2'000;  ///< What the pool takes for a piece of work.
  // Negative controls: what honest members leave out or do wrongly.
  bool ignore_durability = false;  ///< Commits are lost at a crash.
  bool check_signatures = true;
  bool check_hashes = true;
  FoldRules fold_rules = {};
  bool ask_before_signing = true;
};

class World {
 public:
  World(std::uint64_t seed, Options options);
  ~World();

  /// Founds the network, lets all others join by invitation and consent while faults happen, people
  /// publish and reply; `busy` long.
  void run(Time busy);
  /// All faults end, everyone is up; runs until all agree or `patience` is over. Returns whether
  /// they do.
  [[nodiscard]] bool settle(Time patience);

  /// The forger's machine is copied with all its keys, and both copies run and publish, `busy`
  /// long. The new one reaches the first `half` of the others only, the old one the rest.
  void fork(std::size_t half, Time busy);
  /// The owner of the forked log cuts it with its recovery words, once all that is agreed of it is
  /// there; the copy of its machine goes on. False if that never is.
  [[nodiscard]] bool cut(Time patience);
  [[nodiscard]] std::uint64_t size_of_the_forger() const;
  /// What each honest member says of the forger's log; empty while anything else differs between
  /// them.
  [[nodiscard]] std::vector<local::MemberRow> rows_of_the_forger();
  /// Lets time pass until `done`, at most `patience`. Returns whether it is.
  [[nodiscard]] bool run_while_not(const std::function<bool()>& done, Time patience);
  /// From when the first honest member said that a log has two histories until the last did.
  [[nodiscard]] Time time_to_tell_all() const;
  /// Whether an honest member said that a log has two histories.
  [[nodiscard]] bool is_fork_told() const { return !told_of_fork_.empty(); }

  // backup.cpp
  /// How many entries the log of the member has on its own machine.
  [[nodiscard]] std::uint64_t own_size(std::size_t index);
  /// Its person publishes once; whether that goes out at once or waits, time must tell.
  void publish(std::size_t index);
  /// Its person publishes until its log has that many entries.
  void fill(std::size_t index, std::uint64_t size);
  /// Nobody reaches it, and it reaches nobody, until reconnect().
  void isolate(std::size_t index);
  void reconnect(std::size_t a, std::size_t b);
  /// Remembers all of its machine, which goes on after a short while.
  void back_up(std::size_t index);
  /// The machine as it was at the last back_up().
  void restore(std::size_t index, Restored what);
  void pass(Time time) { run_until(now_ + time); }

  // rebuild.cpp
  /// Its disk is gone, and with it the daemon.
  void lose_disk(std::size_t index);
  /// Its person begins anew with the recovery words and an invitation from the other; with words of
  /// nobody if they are not its own.
  void rebuild(std::size_t index, std::size_t inviter, bool with_its_words = true);
  /// The same while the machine it had goes on, in the last place of all.
  void rebuild_beside(std::size_t index, std::size_t inviter);
  void crash(std::size_t index);
  void start(std::size_t index);
  [[nodiscard]] local::StatusAnswer status(std::size_t index);
  /// What an audit says there of every log.
  [[nodiscard]] std::vector<local::AuditRow> audit(std::size_t index);
  [[nodiscard]] TreeHash root_at(std::size_t index, const LogId& log, std::uint64_t size);

  /// What went wrong so far, in words: an honest peer dropped, two histories signed, an
  /// acknowledged record lost, a forged one shown, members that do not agree. Empty: nothing.
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::size_t acknowledged() const { return acknowledged_.size(); }
  [[nodiscard]] std::size_t crashes() const { return crashes_; }
  [[nodiscard]] std::size_t decisions() const;
  /// Rows that were damaged and mended, and how many of these took leaves that peers gave back.
  [[nodiscard]] std::size_t damages() const { return damages_; }
  [[nodiscard]] std::size_t damaged_leaves() const { return damaged_leaves_; }
  [[nodiscard]] std::size_t renewals() const { return renewals_; }
  /// Lies that the forger told, and how often a peer found it out and dropped it.
  [[nodiscard]] std::size_t forgeries() const { return forgeries_; }
  [[nodiscard]] std::size_t forger_dropped() const { return forger_dropped_; }
  /// Payloads that it did not give though it holds them.
  [[nodiscard]] std::size_t withheld() const { return withheld_; }
  /// Over everything that happened so far, in its order and with its times: each event that was
  /// carried out, each message as it was sent, each line of the trace.
  [[nodiscard]] const Hash& digest() const { return digest_; }
  /// Everything that happened, for a failing seed (shown only with KITH_TRACE set).
  void trace(const std::string& line);

 private:
  class Node;
  struct Link;
  struct Acknowledged {
    RecordId id;
    std::size_t node = 0;
    std::optional<std::uint64_t> index;  // Nothing: it waited, and came into the log later.
    bool document = false;               // Shown to people; governance is in no view.
  };
  struct Due {
    Time at = 0;
    std::uint64_t order = 0;
    std::function<void()> what;
    bool operator>(const Due& other) const {
      return std::tie(at, order) > std::tie(other.at, other.order);
    }
  };

  void happened(BytesView what);
  void after(Time delay, std::function<void()> what);
  void run_until(Time end);
  void found();
  void join(std::size_t index);
  void begin_to_act(std::size_t index);
  void plan_faults();
  // keys.cpp
  void renew_keys(std::size_t member);
  // damage.cpp
  void damage(std::size_t victim);
  [[nodiscard]] bool held_by_another(std::size_t victim, const LogId& log, std::uint64_t index);
  [[nodiscard]] static bool is_mended(Node& node);
  [[nodiscard]] static bool is_holed(Node& node);
  void fault(double per_minute, std::function<void()> strike);
  void dial(std::size_t from);
  void try_dial(std::size_t from, const daemon::DialTarget& target);
  void connect(std::size_t from, std::size_t to, const daemon::DialTarget& target,
               const daemon::PeerSession& accepted);
  void transmit(const std::shared_ptr<Link>& link, bool from_dialler, Bytes message);
  void break_quietly(const std::shared_ptr<Link>& link);
  void break_link(std::shared_ptr<Link> link);
  void drop_links_of(std::size_t node);
  [[nodiscard]] bool reachable(std::size_t from, std::size_t to) const;
  void observe(std::size_t sender, const Bytes& message);
  void accused(std::size_t by, std::optional<std::size_t> whom, const std::string& why);
  void check_decisions(Node& node);
  /// Its copy, too.
  [[nodiscard]] bool is_forger(std::size_t node) const {
    return forger_ == node || node >= options_.members;
  }
  [[nodiscard]] bool signs_falsely() const {
    return options_.forger == Forger::signs_falsely || options_.forger == Forger::withholds;
  }
  [[nodiscard]] bool agree(bool report);
  void check_acknowledged();
  void check_histories(Node& node);
  [[nodiscard]] LogId log_of_the_forger() const;
  void violation(std::string what);

  [[nodiscard]] double uniform() { return std::uniform_real_distribution<>(0, 1)(random_); }
  [[nodiscard]] Time between(Time low, Time high) {
    return std::uniform_int_distribution<Time>(low, high)(random_);
  }
  [[nodiscard]] std::size_t pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }

  std::uint64_t seed_;
  Options options_;
  std::mt19937_64 random_;
  Time now_ = 0;
  std::uint64_t order_ = 0;
  std::deque<std::function<void()>> loops_;  // What goes on by itself, as long as the world.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unique_ptr<Node> backup_;
  std::unique_ptr<Node> snapshot_;           // Its clock stands still.
  std::vector<std::unique_ptr<Node>> gone_;  // What was due on them still knows them.
  std::vector<std::shared_ptr<Link>> links_;
  std::set<std::pair<std::size_t, std::size_t>> cut_;  // From, to: nothing passes.
  daemon::PeerId next_peer_ = 1;
  Hash digest_{};
  bool busy_ = true;
  std::size_t crashes_ = 0;
  std::size_t damages_ = 0;
  std::size_t renewals_ = 0;
  std::size_t damaged_leaves_ = 0;
  std::vector<Acknowledged> acknowledged_;
  std::map<std::pair<LogId, std::uint64_t>, TreeHash> signed_roots_;
  std::set<std::pair<LogId, std::string>> notes_seen_;
  std::map<std::uint32_t, DecisionId> chain_;  // The decisions, as whoever knew them first did.
  std::optional<std::size_t> forger_;
  std::set<RecordId> forged_;
  std::map<std::size_t, Time> told_of_fork_;
  std::size_t forgeries_ = 0;
  std::size_t withheld_ = 0;
  std::size_t forger_dropped_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace kith::simulation
