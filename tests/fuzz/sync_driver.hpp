#pragma once

#include <cstdlib>
#include <deque>
#include <set>

#include "protocol/base/check.hpp"
#include "protocol/sync/sync_engine.hpp"
#include "tests/fuzz/true_log.hpp"

namespace kith::fuzz {

/// A sync engine driven as the daemon drives it, over two logs with one true history. Checks on
/// every order that only that history is stored, that queues stay bounded, and that no honest peer
/// (even ids) is accused.
class SyncDriver {
 public:
  using PeerId = sync::PeerId;

  static const TrueLog& truth() {
    static const TrueLog log;
    return log;
  }
  static inline const LogId own_log = LogId::from(Bytes(32, 1));
  static inline const LogId other_log = LogId::from(Bytes(32, 2));
  static bool is_honest(PeerId peer) { return peer % 2 == 0; }

  /// A note is its size; one that begins with '-' was signed by the same owner for another tree.
  static std::string note_of(std::uint64_t size) { return std::to_string(size); }
  static Result<Checkpoint> verify(const LogId&, const std::string& note) {
    if (note == "?") return fail(Errc::not_found, "a key that is not known yet");
    const bool is_fork = note.starts_with('-');
    const auto size = note.size() > 5 ? 0 : std::strtoul(note.c_str() + (is_fork ? 1 : 0), {}, 10);
    if (size == 0 || size > TrueLog::entries) return fail(Errc::bad_signature, "not signed");
    TreeHash root = truth().root(size);
    if (is_fork) root.bytes[0] ^= 1;
    return Checkpoint{"", size, root};
  }

  /// `may_fork`: the owners may have signed two histories.
  explicit SyncDriver(bool may_fork) : may_fork_(may_fork), engine_(verify) {}

  /// Before anything else, once for each of the two.
  void follow(const LogId& log, std::uint64_t size, std::uint64_t checkpoint) {
    Held& held = logs_[log];
    held = {size, checkpoint};
    // Of some of what is held the leaves are damaged.
    for (std::uint64_t n = 0; n * limits::tile_hashes < size; ++n) {
      if ((size >> n & 1) != 0) held.wanted.insert(n);
    }
    sync::SignedCheckpoint newest;
    if (checkpoint != 0) newest = {checkpoint, truth().root(checkpoint), note_of(checkpoint)};
    step(sync::LogFollowed{log,
                           log == own_log,
                           truth().ranges[size],
                           newest,
                           0,
                           {},
                           false,
                           {held.wanted.begin(), held.wanted.end()}});
  }

  void connect(PeerId peer, bool we_dialled) {
    const Hash other_digest = Hash::from(Bytes(32, 7));
    if (!peers_.try_emplace(peer).second) return;
    step(sync::PeerConnected{peer,
                             MemberId::from(Bytes(32, static_cast<std::uint8_t>(peer))),
                             we_dialled,
                             other_digest,
                             {}});
    if (we_dialled && is_honest(peer)) hear(peer, peer::Welcome{other_digest, {}, 0, 0});
  }
  void lose(PeerId peer) {
    if (peers_.erase(peer) != 0) step(sync::PeerLost{peer});
  }
  void hear(PeerId peer, peer::Message message) {
    if (peers_.contains(peer)) step(sync::MessageReceived{peer, std::move(message)});
  }
  [[nodiscard]] bool connected(PeerId peer) const { return peers_.contains(peer); }
  /// What was asked of a connected peer and is not answered.
  [[nodiscard]] std::deque<peer::Message>& requests(PeerId peer) { return peers_.at(peer); }

  void wait(std::uint64_t ms) {
    now_ms_ += ms;
    step(sync::Tick{now_ms_});
  }
  [[nodiscard]] Hash digest() const { return engine_.digest(); }

  /// Our own log grows by `count`, if it may.
  void append_own(std::uint64_t count) {
    Held& held = logs_[own_log];
    const std::uint64_t before = held.size;
    const std::uint64_t size = std::min(before + count, TrueLog::entries);
    if (size == before) return step(sync::AgreedChanged{own_log, held.checkpoint});
    const bool under_way = std::ranges::any_of(jobs_, [](const auto& job) {
      const auto* store = std::get_if<sync::StoreEntries>(&job);
      return store != nullptr && store->log == own_log;
    });
    if (held.behind || held.frozen || under_way || engine_.fetching(own_log)) return;
    held.size = held.checkpoint = size;
    step(sync::EntriesStored{own_log, truth().ranges[size], {}, {}, 0});
    step(sync::CheckpointKept{own_log, {size, truth().root(size), note_of(size)}, before});
  }

  /// The oldest job becomes durable, or the disk is full. False if there was none.
  bool commit(bool disk_full) {
    if (jobs_.empty()) return false;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    if (auto* entries = std::get_if<sync::StoreEntries>(&job)) {
      store(*entries, disk_full);
    } else if (auto* payloads = std::get_if<sync::StorePayloads>(&job)) {
      store(*payloads, disk_full);
    } else {
      store(std::get<sync::PutLeaves>(job), disk_full);
    }
    return true;
  }

  /// Nothing is asked or stored any more, and everything is held that may be.
  [[nodiscard]] bool at_rest() const {
    return engine_.idle() && std::ranges::all_of(logs_, [&](const auto& entry) {
             const Held& held = entry.second;
             return held.frozen || (held.size == TrueLog::entries && held.checkpoint == held.size &&
                                    held.wanted.empty());
           });
  }

 private:
  struct Held {
    std::uint64_t size = 0;
    std::uint64_t checkpoint = 0;
    bool frozen = false;
    bool behind = false;  // The engine said so: nothing is appended until it is fetched.
    std::set<std::uint64_t> wanted = {};  // Bundles with damaged leaves.
  };

  void step(sync::Event event) {
    for (sync::Action& action : engine_.step(std::move(event))) {
      std::visit([this](auto& one) { carry_out(one); }, action);
    }
    while (!due_.empty()) {
      sync::Event next = std::move(due_.front());
      due_.pop_front();
      step(std::move(next));
    }
  }

  void carry_out(sync::Send& action) {
    const Bytes bytes = peer::encode(action.message);
    KITH_CHECK(bytes.size() <= limits::message_bytes_max);
    const auto decoded = peer::decode_message(bytes);
    KITH_CHECK(decoded && *decoded == action.message);
    if (!peers_.contains(action.peer)) return;
    const bool is_request = std::holds_alternative<peer::GetTiles>(action.message) ||
                            std::holds_alternative<peer::GetEntries>(action.message) ||
                            std::holds_alternative<peer::GetPayloads>(action.message) ||
                            std::holds_alternative<peer::GetCheckpoints>(action.message);
    auto& requests = peers_[action.peer];
    if (is_request) requests.push_back(action.message);
    // Who answers twice leaves more behind than is asked.
    KITH_CHECK(!is_honest(action.peer) ||
               requests.size() <= limits::fetch_window + 2 * logs_.size());
  }
  void carry_out(sync::Serve& action) { KITH_CHECK(peers_.contains(action.peer)); }
  void carry_out(sync::AnnounceLogs& action) {
    for (const LogId& log : action.logs) KITH_CHECK(logs_.contains(log));
  }
  void carry_out(sync::PushEntries& action) {
    KITH_CHECK(action.log == own_log && action.first < logs_[own_log].checkpoint);
  }
  void carry_out(sync::StoreEntries& action) {
    KITH_CHECK(action.entries.size() <= limits::tile_hashes);
    jobs_.emplace_back(std::move(action));
    check_in_flight();
  }
  void carry_out(sync::PutLeaves& action) {
    KITH_CHECK(logs_[action.log].wanted.contains(action.first / limits::tile_hashes));
    jobs_.emplace_back(std::move(action));
    check_in_flight();
  }
  /// A bundle in flight is one that is asked, waiting or being stored.
  void check_in_flight() const {
    const auto bundles = std::ranges::count_if(
        jobs_, [](const auto& job) { return !std::holds_alternative<sync::StorePayloads>(job); });
    KITH_CHECK(static_cast<std::size_t>(bundles) <= limits::bundles_in_flight_max);
  }
  void carry_out(sync::StorePayloads& action) {
    for (const auto& job : jobs_) {
      const auto* other = std::get_if<sync::StorePayloads>(&job);
      KITH_CHECK(other == nullptr || other->from != action.from || other->log != action.log);
    }
    jobs_.emplace_back(std::move(action));
  }
  void carry_out(sync::DropPeer& action) {
    KITH_CHECK(!is_honest(action.peer) || action.why.code == Errc::unavailable);
    if (peers_.erase(action.peer) != 0) due_.emplace_back(sync::PeerLost{action.peer});
  }
  void carry_out(sync::ForkFound& action) { freeze(action.log); }
  void carry_out(sync::CompareCheckpoint& action) {
    KITH_CHECK(action.other.size < logs_[action.log].checkpoint);
    if (action.other.root != truth().ranges[action.other.size].root()) freeze(action.log);
  }
  void carry_out(sync::OwnLogAnswered&) {}
  void carry_out(sync::OwnLogBehind& action) {
    KITH_CHECK(action.log == own_log);
    logs_[own_log].behind = true;
  }

  void freeze(const LogId& log) {
    KITH_CHECK(may_fork_);  // Nobody is accused of a fork that was not signed.
    logs_[log].frozen = true;
    due_.emplace_back(sync::LogFrozen{log});
  }

  void store(sync::StorePayloads& given, bool disk_full) {
    std::vector<std::uint64_t> taken;
    bool accepted = true;
    for (const auto& [index, payload] : given.payloads) {
      const bool fits = equal(payload, truth().payloads[index]);
      accepted = accepted && fits;
      if (fits && !disk_full) taken.push_back(index);
    }
    step(sync::PayloadsStored{given.log, std::move(taken), accepted, given.from});
  }

  void store(sync::StoreEntries& given, bool disk_full) {
    using Outcome = sync::EntriesStored::Outcome;
    Held& held = logs_[given.log];
    sync::EntriesStored stored{given.log, truth().ranges[held.size], {}, {}, given.from};
    // What precedes it is missing where the disk was full a moment ago.
    if (disk_full || (!given.entries.empty() && given.first != held.size)) {
      stored.outcome = Outcome::failed;
      return step(std::move(stored));
    }
    for (const sync::VerifiedEntry& entry : given.entries) {
      KITH_CHECK(held.size < TrueLog::entries);
      KITH_CHECK(equal(entry.leaf, view(truth().leaves[held.size])));
      KITH_CHECK(!entry.payload || equal(*entry.payload, truth().payloads[held.size]));
      if (!entry.payload) stored.new_gaps.push_back(held.size);
      ++held.size;
    }
    stored.held = truth().ranges[held.size];
    const auto& checkpoint = given.checkpoint;
    const bool here = checkpoint && checkpoint->size <= held.size;
    const bool conflict = here && checkpoint->root != truth().root(checkpoint->size);
    const bool kept = here && !conflict && checkpoint->size > held.checkpoint;
    if (kept) held.checkpoint = checkpoint->size;
    if (held.checkpoint == held.size) held.behind = false;
    if (conflict && !held.frozen) freeze(given.log);
    step(std::move(stored));
    if (kept) step(sync::CheckpointKept{given.log, *checkpoint, 0});
  }

  void store(sync::PutLeaves& given, bool disk_full) {
    // The store takes nothing but the truth, and joins it with what is held.
    bool fits = true;
    for (std::size_t i = 0; i < given.leaves.size(); ++i) {
      fits = fits && equal(given.leaves[i], view(truth().leaves[given.first + i]));
    }
    using Outcome = sync::LeavesPut::Outcome;
    const Outcome outcome = disk_full ? Outcome::failed : fits ? Outcome::put : Outcome::refused;
    if (outcome == Outcome::put) {
      logs_[given.log].wanted.erase(given.first / limits::tile_hashes);
    }
    step(sync::LeavesPut{given.log, given.from, given.first, outcome, {}});
  }

  bool may_fork_;
  sync::SyncEngine engine_;
  std::uint64_t now_ms_ = 0;
  std::map<LogId, Held> logs_;
  std::map<PeerId, std::deque<peer::Message>> peers_;  // With what was asked of each.
  std::deque<std::variant<sync::StoreEntries, sync::StorePayloads, sync::PutLeaves>> jobs_;
  std::deque<sync::Event> due_;
};

}  // namespace kith::fuzz
