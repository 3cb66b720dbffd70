#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "protocol/log/checkpoint.hpp"
#include "protocol/schema/peer_codec.hpp"
#include "protocol/sync/fetch.hpp"
#include "protocol/sync/reconcile.hpp"

/// All peers of one daemon: what to tell each, what to ask of whom, so that every followed log
/// reaches every member.
namespace kith::sync {

/// One connection.
using PeerId = std::uint64_t;

/// An entry that verified against a checkpoint; its payload, if it came, fits its leaf.
struct VerifiedEntry {
  Bytes leaf;
  std::optional<Bytes> payload;
  friend bool operator==(const VerifiedEntry&, const VerifiedEntry&) = default;
};
struct SignedCheckpoint {
  std::uint64_t size = 0;
  TreeHash root{};
  std::string note;
  friend bool operator==(const SignedCheckpoint&, const SignedCheckpoint&) = default;
};

// ---- events
// --------------------------------------------------------------------------------------

/// A log is (or goes on being) followed. Given once for each log before anything about it.
struct LogFollowed {
  LogId log;
  bool own = false;
  CompactRange held;
  SignedCheckpoint checkpoint;  ///< Newest whose leaves are held; size 0: none.
  std::uint64_t agreed = 0;
  std::vector<std::uint64_t> gaps;
  bool frozen = false;
  /// Bundles with damaged leaves: to be fetched again.
  std::vector<std::uint64_t> wanted = {};
  TreeHash agreed_root{};  ///< Of the agreed size, if it is frozen.
};
/// What is held of a followed log was set back, or it is not frozen any more: it goes on from here.
struct LogReset {
  LogFollowed now;
};
struct PeerConnected {
  PeerId peer = 0;
  MemberId member;
  bool we_dialled = false;
  Hash their_digest{};  ///< Of the Hello, if they dialled.
  DigestHalf their_last_common{};
};
struct PeerLost {
  PeerId peer = 0;
};
struct MessageReceived {
  PeerId peer = 0;
  peer::Message message;
};
/// Leaves became durable: appended by us, or after StoreEntries.
struct EntriesStored {
  LogId log;
  CompactRange held;
  std::vector<std::uint64_t> new_gaps;
  enum class Outcome : std::uint8_t {
    stored,
    refused,  ///< The store found what StoreEntries gave to be wrong.
    failed,   ///< The disk was full: nobody's fault, to be tried again.
  };
  Outcome outcome = Outcome::stored;
  PeerId from = 0;  ///< Whom the entries came from; 0: our own append.
};
/// A checkpoint is durable, or our own was signed: it may be passed on.
struct CheckpointKept {
  LogId log;
  SignedCheckpoint checkpoint;
  std::uint64_t previous_size = 0;  ///< For an own append: pushed from here.
};
/// Payloads that filled gaps.
struct PayloadsStored {
  LogId log;
  std::vector<std::uint64_t> indices;
  bool accepted = true;  ///< False: one of them was not what its leaf commits to.
  PeerId from = 0;
};
/// The answer to PutLeaves.
struct LeavesPut {
  LogId log;
  PeerId from = 0;
  std::uint64_t first = 0;
  enum class Outcome : std::uint8_t {
    put,
    refused,  ///< They do not come to the head: another peer is asked.
    failed,   ///< The disk was full, or the store is damaged further: to be tried again.
  };
  Outcome outcome = Outcome::put;
  std::vector<std::uint64_t> new_gaps;  ///< Payloads that do not fit the leaves.
};
struct AgreedChanged {
  LogId log;
  std::uint64_t agreed = 0;
  TreeHash root{};  ///< Of that size, if the log is frozen.
};
/// A fork was proven: nothing more is taken into the log, but what is agreed.
struct LogFrozen {
  LogId log;
  TreeHash agreed_root{};
};
/// More than half of the witnesses of a frozen log cosigned this tree, of which less is held here.
struct AgreedElsewhere {
  LogId log;
  std::uint64_t size = 0;
  TreeHash root{};
};
/// Monotonic time; at least once a second.
struct Tick {
  std::uint64_t now_ms = 0;
};
using Event = std::variant<LogFollowed, PeerConnected, PeerLost, MessageReceived, EntriesStored,
                           CheckpointKept, PayloadsStored, LeavesPut, AgreedChanged, LogFrozen,
                           LogReset, AgreedElsewhere, Tick>;

// ---- actions
// -------------------------------------------------------------------------------------

struct Send {
  PeerId peer = 0;
  peer::Message message;
};
/// Answer a request from the store (GetTiles, GetEntries, GetPayloads), as a member may ask it.
struct Serve {
  PeerId peer = 0;
  peer::Message request;
};
/// Send Announce for these logs, with certificate and cosignatures.
struct AnnounceLogs {
  PeerId peer = 0;
  std::vector<LogId> logs;
};
/// Send Push of the log's entries from `first` to its newest checkpoint (or Announce if too large).
struct PushEntries {
  PeerId peer = 0;
  LogId log;
  std::uint64_t first = 0;
};
/// Make durable; `checkpoint` with it, once the log's size reaches it. Answer: EntriesStored (and
/// CheckpointKept). A checkpoint without a note is what witnesses agreed on: its root is compared.
struct StoreEntries {
  LogId log;
  PeerId from = 0;
  std::uint64_t first = 0;
  std::vector<VerifiedEntry> entries;
  std::optional<SignedCheckpoint> checkpoint;
};
/// Answer: PayloadsStored.
struct StorePayloads {
  LogId log;
  PeerId from = 0;
  std::vector<std::pair<std::uint64_t, Bytes>> payloads;
};
/// Put the leaves of a damaged bundle back, or its beginning, if they are those of the log: they
/// are as a peer gave them. Answer: LeavesPut.
struct PutLeaves {
  LogId log;
  PeerId from = 0;
  std::uint64_t first = 0;
  std::vector<Bytes> leaves;
};
struct DropPeer {
  PeerId peer = 0;
  Error why;
};
/// The owner signed `other`, of another tree than what is held.
struct ForkFound {
  LogId log;
  SignedCheckpoint other;
  /// How the newest checkpoint's size lies in it, if it is larger. Nothing if that is not known:
  /// then it contradicts leaves, but no signature that is at hand.
  std::optional<Consistency> beginning;
};
/// The owner signed this one, smaller than the newest held: whether it fits is for the store to
/// say.
struct CompareCheckpoint {
  LogId log;
  SignedCheckpoint other;
};
/// A peer said what it holds of our own log; if that is more, it is asked for.
struct OwnLogAnswered {
  PeerId peer = 0;
};
/// A peer holds a larger checkpoint of our own log than we do: sign nothing until it is fetched.
struct OwnLogBehind {
  LogId log;
  std::uint64_t size = 0;
};
using Action =
    std::variant<Send, Serve, AnnounceLogs, PushEntries, StoreEntries, StorePayloads, PutLeaves,
                 DropPeer, ForkFound, CompareCheckpoint, OwnLogAnswered, OwnLogBehind>;

/// Decides what to tell each peer so that every followed log reaches every member.
///
/// A pure state machine: no socket, clock, disk or random source. A driver feeds it events and
/// carries out the actions it returns, in order; the daemon and the simulation run exactly the same
/// decisions. Nothing a hostile peer sends can cause more than a DropPeer. Not thread-safe.
class SyncEngine {
 public:
  /// Judges a note said to be a checkpoint of the log: origin, signature, owner's key.
  using CheckpointVerifier =
      std::function<Result<Checkpoint>(const LogId& log, const std::string& note)>;

  /// `check_hashes` is off only as a negative control in the simulation.
  explicit SyncEngine(CheckpointVerifier verifier, bool check_hashes = true);

  [[nodiscard]] std::vector<Action> step(Event event);

  /// Of what is durable here: for Hello and Welcome.
  [[nodiscard]] Hash digest() const;
  [[nodiscard]] DigestHalf last_common(const MemberId& member) const;
  [[nodiscard]] bool follows(const LogId& log) const { return logs_.contains(log); }
  /// The largest checkpoint any peer claims for the log.
  [[nodiscard]] std::uint64_t known_size(const LogId& log) const;
  /// Whether a larger checkpoint is being fetched.
  [[nodiscard]] bool fetching(const LogId& log) const;
  /// Whether something of the log is on its way to the store.
  [[nodiscard]] bool is_storing(const LogId& log) const;
  /// Somebody showed a signed checkpoint of our own log beyond what is held, or it is on its way.
  [[nodiscard]] bool is_fetching_own() const;
  /// What was in common with others is not known any more: they are asked for everything anew.
  void forget_common() { common_.clear(); }
  /// Nothing is being asked for or stored.
  [[nodiscard]] bool idle() const;

 private:
  /// Verified entries of one bundle that came before those in front of them.
  struct Waiting {
    PeerId from = 0;
    std::vector<VerifiedEntry> entries;
    std::vector<TreeHash> hashes;
  };
  enum class Wanted : std::uint8_t {
    missing,
    asked,    // Or being put.
    resting,  // It could not be put: asked again after a while.
  };
  struct Log {
    bool own = false;
    bool frozen = false;
    CompactRange held;            // Durable.
    CompactRange received;        // Verified and handed to the store: held, and what is under way.
    SignedCheckpoint checkpoint;  // Newest that is durable with all its leaves.
    std::uint64_t agreed = 0;
    TreeHash agreed_root{};
    std::set<std::uint64_t> gaps;
    std::uint64_t changed = 0;               // Value of changes_ when its summary last changed.
    std::optional<SignedCheckpoint> target;  // Verified, larger than what is held; being fetched.
    std::optional<SignedCheckpoint> next_target;
    std::optional<Fetch> fetch;
    std::uint64_t fetches = 0;  // Begun so far: what was asked for an earlier one is worth nothing.
    std::set<PeerId> useless;   // Peers that could not serve this target.
    std::map<std::uint64_t, Waiting> waiting;
    std::size_t stores_pending = 0;
    // Bundles with damaged leaves, which are fetched again (refetch.cpp).
    std::map<std::uint64_t, Wanted> wanted;
    std::set<PeerId> useless_again;
    std::size_t puts_pending = 0;
  };
  struct PeerLog {
    std::uint64_t size = 0;  // What it said it holds, or what we sent it ...
    TreeHash root{};         // ... and the root of that.
    std::uint64_t agreed = 0;
    std::uint64_t told_size = 0;  // What we said we hold.
    std::uint64_t told_agreed = 0;
    Hash gaps{};
    std::set<std::uint64_t> lacks;  // Payloads it said it does not hold.
    bool asked_checkpoint = false;
    std::vector<std::uint64_t> asked_payloads;
    bool storing_payloads = false;  // Its last answer is not durable yet: no more is asked of it.

    /// At least that.
    void holds(const SignedCheckpoint& checkpoint);
    /// Whether it may have the leaves of that tree: of another one of this size it has not.
    [[nodiscard]] bool may_serve(std::uint64_t tree_size, const TreeHash& tree) const;
  };
  struct Pending {
    LogId log;
    std::uint64_t fetch = 0;  // Which of the log's it is for.
    Ask ask;
    bool again = false;  // Of what is held but damaged.
  };
  struct Peer {
    MemberId member;
    std::map<LogId, PeerLog> logs;
    std::deque<Pending> pending;    // Tiles and bundles asked, oldest first.
    std::size_t asked_other = 0;    // GetPayloads and GetCheckpoints without an answer.
    std::uint64_t progress_ms = 0;  // When it last answered, or was asked after a pause.
    std::uint64_t pinged_ms = 0;
    bool welcome_due = false;  // We dialled and its Welcome has not come.
  };
  struct Common {
    DigestHalf digest{};
    std::uint64_t changes = 0;
  };
  using Actions = std::vector<Action>;

  void on(LogFollowed& event, Actions& actions);
  void on(PeerConnected& event, Actions& actions);
  void on(PeerLost& event, Actions& actions);
  void on(MessageReceived& event, Actions& actions);
  void on(EntriesStored& event, Actions& actions);
  void on(CheckpointKept& event, Actions& actions);
  void on(PayloadsStored& event, Actions& actions);
  void on(LeavesPut& event, Actions& actions);
  void on(AgreedChanged& event, Actions& actions);
  void on(LogFrozen& event, Actions& actions);
  void on(LogReset& event, Actions& actions);
  void on(AgreedElsewhere& event, Actions& actions);
  void on(Tick& event, Actions& actions);

  // sync_messages.cpp: one overload for each message.
  void receive(PeerId peer, peer::Welcome& message, Actions& actions);
  void receive(PeerId peer, peer::Have& message, Actions& actions);
  void receive(PeerId peer, peer::GetCheckpoints& message, Actions& actions);
  void receive(PeerId peer, peer::Announce& message, Actions& actions);
  void receive(PeerId peer, peer::Push& message, Actions& actions);
  void receive(PeerId peer, peer::GetTiles& message, Actions& actions);
  void receive(PeerId peer, peer::Tiles& message, Actions& actions);
  void receive(PeerId peer, peer::GetEntries& message, Actions& actions);
  void receive(PeerId peer, peer::Entries& message, Actions& actions);
  void receive(PeerId peer, peer::GetPayloads& message, Actions& actions);
  void receive(PeerId peer, peer::Payloads& message, Actions& actions);
  void receive(PeerId peer, peer::Ping& message, Actions& actions);
  void receive(PeerId peer, peer::Pong& message, Actions& actions);
  /// Cosigned, Evidence, Agreed, Unasked and the join conversation are the driver's: they never
  /// reach a member's engine.
  template <class Other>
  void receive(PeerId peer, Other& message, Actions& actions);

  [[nodiscard]] peer::LogSummary summary(const LogId& id, const Log& log) const;
  /// What counts of a log: of a frozen one, what is agreed.
  [[nodiscard]] static SignedCheckpoint counted(const Log& log);
  void touch(Log& log);
  [[nodiscard]] bool have_in_common(const Peer& peer, const DigestHalf& theirs) const;
  void equal_digests(Peer& peer, std::uint64_t up_to_change);
  void compare_digests(PeerId peer, const Hash& theirs, const DigestHalf& last_common,
                       Actions& actions);
  void tell(const LogId& id, Log& log, std::uint64_t push_from, Actions& actions);
  void offer(PeerId peer, const LogId& id, SignedCheckpoint checkpoint, Actions& actions);
  static void take_over(LogFollowed& event, Log& log);
  void fork_found(const LogId& id, Log& log, Actions& actions);
  void begin_fetch(const LogId& id, Log& log, Actions& actions);
  void end_fetch(const LogId& id, Log& log);
  void ask_checkpoints_again(Actions& actions);
  void ask_more(Actions& actions);
  [[nodiscard]] bool ask_next(const LogId& id, Log& log, Actions& actions);
  [[nodiscard]] std::optional<PeerId> choose_peer(
      const LogId& id, const std::set<PeerId>& useless,
      const std::function<bool(const PeerLog&)>& may_serve) const;
  void send_ask(PeerId to, Pending pending, Actions& actions);
  void ask_payloads(const LogId& id, Log& log, PeerId peer, Actions& actions);
  void release(const LogId& id, Log& log, Actions& actions);
  void wrong_answer(PeerId peer, const Pending& pending, Log& log, const char* what,
                    Actions& actions);
  [[nodiscard]] std::optional<Pending> take_pending(PeerId peer, const LogId& log,
                                                    const std::function<bool(const Ask&)>& fits);
  [[nodiscard]] Result<std::vector<VerifiedEntry>> read_entries(std::span<const BytesView> leaves,
                                                                std::size_t payloads_from,
                                                                BytesView payloads) const;
  // refetch.cpp
  /// Of a tile, which is empty then.
  [[nodiscard]] static bool says_not_held(const peer::Tiles& message);
  /// It is no lie: what a peer holds may be damaged, or not be there yet.
  static void not_held(PeerId peer, const Pending& pending, Log& log);
  void want_again(const LogId& id, Log& log, std::span<const std::uint64_t> bundles);
  void ask_again(Actions& actions);
  void look_again();
  void not_answered_again(const Pending& pending);
  void entries_again(PeerId peer, const Pending& pending, const peer::Entries& message,
                     Actions& actions);
  void asked(Peer& peer);
  [[nodiscard]] static std::vector<std::vector<TreeHash>> decode_tiles(const peer::Tiles& message);
  static void drop(PeerId peer, Errc code, const char* why, Actions& actions);

  CheckpointVerifier verifier_;
  bool check_hashes_;
  std::map<LogId, Log> logs_;
  std::set<LogId> fetching_;
  std::set<LogId> refetching_;
  std::map<PeerId, Peer> peers_;
  std::map<MemberId, Common> common_;
  std::uint64_t changes_ = 0;
  std::uint64_t now_ms_ = 0;
  std::uint64_t looked_ms_ = 0;  // When unmet claims were last looked at.
  std::size_t in_flight_ = 0;    // Bundles asked, waiting or being stored.
  mutable std::optional<Hash> digest_;
};

}  // namespace kith::sync
