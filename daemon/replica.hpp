#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/identity.hpp"
#include "daemon/watch/trail.hpp"
#include "protocol/channel/secure_channel.hpp"
#include "protocol/governance/fold.hpp"
#include "protocol/schema/local_codec.hpp"
#include "protocol/schema/peer_codec.hpp"
#include "storage/database.hpp"
#include "storage/high_water.hpp"

/// One member's daemon without its sockets, threads and clock: the simulation drives the same
/// object that `kithd run` drives.
namespace kith::daemon {

/// One connection to a peer; never reused.
using PeerId = std::uint64_t;
/// One connection of a local client.
using ClientId = std::uint64_t;

/// One change to the log environment. Jobs that are queued together share one commit.
struct WriteJob {
  /// Runs on the writer's thread. May note heads of own logs that will be signed: they reach the
  /// high-water file after the commit and before `done`. Must not throw but StorageError.
  std::function<void(storage::WriteTxn& txn, storage::HighWaterMarks& to_sign)> work;
  /// Runs on the replica's thread once the change is durable, with nothing; or with the failure,
  /// and then nothing of the whole commit happened.
  std::function<void(const std::optional<Error>& failure)> done;
};

/// The world outside a Replica. All calls come from the replica's one thread, and every callback
/// returns to that thread, never from inside the call that asked for it.
class Host {
 public:
  virtual ~Host() = default;

  /// Queues one message for a peer. A peer whose queue is full is dropped.
  virtual void send(PeerId peer, Bytes message) = 0;
  /// Ends a connection; peer_lost follows.
  virtual void drop(PeerId peer, const Error& why) = 0;

  [[nodiscard]] virtual Millis now() = 0;
  /// Never goes back; for deadlines.
  [[nodiscard]] virtual std::uint64_t monotonic_ms() = 0;
  /// Runs `later` on this thread, after everything that is due already.
  virtual void post(std::function<void()> later) = 0;
  virtual void random(std::span<std::uint8_t> out) = 0;

  virtual void write(WriteJob job) = 0;
  /// A change to the views environment: rebuildable, so not synced.
  virtual void write_views(std::function<void(storage::WriteTxn&)> work,
                           std::function<void()> done) = 0;
  /// Runs a pure function in the pool, then `done` here: somebody waits for it.
  virtual void compute(std::function<void()> work, std::function<void()> done) = 0;
  /// The same for what may take its time: it yields to all else, so that a peer's window or a
  /// person's entry never waits for it.
  virtual void compute_later(std::function<void()> work, std::function<void()> done) = 0;

  [[nodiscard]] virtual const storage::Database& log() = 0;
  [[nodiscard]] virtual const storage::Database& views() = 0;
  [[nodiscard]] virtual std::uint64_t disk_bytes() = 0;

  /// Replaces the identity file (durably) before it returns.
  virtual void save(const Identity& identity) = 0;
  /// Dial targets changed: look again now.
  virtual void wake_dialer() = 0;
  /// Whether a client reads more slowly than it is answered; client_caught_up() follows once it has
  /// read all.
  virtual bool is_behind(ClientId) { return false; }
  /// Who a local client is, for the trail; empty if nobody knows.
  [[nodiscard]] virtual std::string who_asks(ClientId) { return {}; }
  /// Writes down in the operator's trail, durably, what is about to be done. If it fails, that must
  /// not be done.
  [[nodiscard]] virtual Result<bool> note_in_trail(const std::string& act,
                                                   const TrailFields& fields) = 0;
  /// A line for the operator's log; never content, never secrets.
  virtual void log_line(const std::string& line) = 0;
};

/// Whom to dial and with what.
struct DialTarget {
  MemberId member;
  std::string code;  ///< For log lines.
  DhPublic transport_key;
  std::vector<std::string> addresses;
  Key32 psk;
  bool joining = false;    ///< The join conversation with our sponsor.
  bool connected = false;  ///< A session with it is up: no need to dial.
  channel::Hello hello;
};

/// What the handshake told about a peer.
struct PeerSession {
  PeerId peer = 0;
  bool we_dialled = false;
  std::optional<MemberId> member;   ///< Nothing: a candidate with one of our invitations.
  std::optional<Key32> invitation;  ///< Its secret.
  DhPublic transport_key;
  channel::Hello hello;  ///< What the initiator said (ours, if we dialled).
};

/// The session that a dialled connection to `target` becomes.
[[nodiscard]] PeerSession dialled_session(PeerId peer, const DialTarget& target);

class Replica {
 public:
  struct Options {
    std::string listen;  ///< For status: "host:port" or empty.
    std::vector<std::pair<std::string, std::string>> extra_peers;  ///< Code, address.
    /// Codes of members who will not answer, as the operator knows: nobody waits for them before
    /// something is signed.
    std::vector<std::string> not_asked;
    bool ask_before_signing = true;  ///< Off only as a negative control in the simulation.
    bool check_signatures = true;    ///< Off only as a negative control in the simulation.
    bool check_hashes = true;        ///< The same.
    FoldRules fold_rules = {};       ///< The same.
  };
  /// `host` must outlive it. Reads the databases; throws StorageError if they do not belong to this
  /// identity. Own logs must reach the high-water marks, else nothing is signed (status says so).
  Replica(Identity identity, Options options, const storage::HighWaterMarks& marks, Host& host);
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // ---- peers ----
  /// Keys to try for a static key met in message 3; the tag belongs to this class.
  [[nodiscard]] std::vector<channel::Candidate> candidates(const DhPublic& remote);
  [[nodiscard]] bool admit(const DhPublic& remote, const channel::Candidate& candidate,
                           const channel::Hello& hello);
  /// After a handshake as responder: who it is.
  [[nodiscard]] PeerSession session_of(PeerId peer, const DhPublic& remote,
                                       const channel::Candidate& accepted,
                                       const channel::Hello& hello);
  [[nodiscard]] std::vector<DialTarget> dial_targets();
  void dial_failed(const MemberId& member, const std::string& why);
  /// It ended the connection once it had our third message, before a word of its own: perhaps it
  /// does not know our newest certificate (any more), so the next attempt carries it.
  void refused(const MemberId& member, const std::string& why);

  void peer_connected(const PeerSession& session);
  void peer_lost(PeerId peer);
  void message(PeerId peer, BytesView bytes);
  /// At least once a second.
  void tick();

  // ---- local clients ----
  /// `answer` is called once (Progress may come before; Watch: once for each arrival until
  /// client_lost). It may be called before handle returns.
  void handle(ClientId client, local::Request request, std::function<void(local::Answer)> answer);
  void client_lost(ClientId client);
  /// Tells whoever watches that there will be no more.
  void end_watches();
  /// A client that Host::is_behind() named has read all: a watch goes on.
  void client_caught_up(ClientId client);

  [[nodiscard]] const Identity& identity() const;
  [[nodiscard]] bool is_member() const;
  /// No job of this replica is under way (for a clean end and for the simulation).
  [[nodiscard]] bool idle() const;
  /// How many acts of publishing are kept until signing goes on.
  [[nodiscard]] std::size_t waiting_acts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A founded network, ready to be written by `kithd init`: identity and the first entries of the
/// founder's commons (leaf 0 Founding, 1 certificate, 2 KeyGrant).
struct NewIdentity {
  Identity identity;
  Seed recovery;                  ///< Shown once as words, then forgotten.
  storage::HighWaterMarks marks;  ///< Of the log that was begun: durable before anything is signed.
};
/// Makes all keys; `random` fills with fresh random bytes. `steward` is the first steward's key.
[[nodiscard]] Result<NewIdentity> found_network(
    const Charter& charter, const Profile& profile, const PublicKey& steward, Millis now,
    const std::function<void(std::span<std::uint8_t>)>& random, storage::WriteTxn& txn);
/// Makes all keys for a candidate and begins its own commons log (leaf 0 certificate).
[[nodiscard]] Result<NewIdentity> join_network(
    const Invitation& invitation, const Profile& profile, const PublicKey& steward, Millis now,
    const std::function<void(std::span<std::uint8_t>)>& random, storage::WriteTxn& txn);

/// What a member that is rebuilt is called before it has learnt its code again.
inline constexpr std::string_view rebuilt_code = "REBUILT";
/// New keys for a member whose disk is gone, under a certificate *lost* of that number. No log is
/// begun: the member's own comes back from the others, and nothing is signed before
/// (rebuilding.cpp).
[[nodiscard]] Result<Identity> rebuild_member(
    const Invitation& invitation, const Seed& recovery, const PublicKey& steward,
    std::uint64_t number, const std::function<void(std::span<std::uint8_t>)>& random);

}  // namespace kith::daemon
