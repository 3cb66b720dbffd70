#pragma once

#include <map>
#include <memory>

#include "daemon/data_dir.hpp"
#include "daemon/dialer.hpp"
#include "daemon/listener.hpp"
#include "daemon/local/local_server.hpp"
#include "daemon/peer_session.hpp"
#include "daemon/replica.hpp"
#include "daemon/settings.hpp"
#include "daemon/verifier.hpp"
#include "daemon/watch/logging.hpp"
#include "daemon/writer.hpp"
#include "storage/lmdb.hpp"

namespace kith::daemon {

/// The running daemon: owns sockets, threads and clock, and carries out what its Replica asks for.
///
/// The thread that calls run() is the network thread: everything of Asio and the Replica live on
/// it. The writer's thread and the pool meet it only by post().
class Node final : public Host {
 public:
  /// Opens the databases and binds the sockets. Throws StorageError or std::system_error, saying
  /// what to do. `log` must outlive it.
  Node(DataDir dir, Identity identity, const RunSettings& settings, Log& log);
  ~Node() override;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Serves until SIGTERM or SIGINT (a second one ends the process at once), or until nothing can
  /// be made durable any more. Returns the exit code.
  [[nodiscard]] Exit run();

  void send(PeerId peer, Bytes message) override;
  void drop(PeerId peer, const Error& why) override;
  bool is_behind(ClientId client) override;
  [[nodiscard]] Millis now() override;
  [[nodiscard]] std::uint64_t monotonic_ms() override;
  void post(std::function<void()> later) override;
  void random(std::span<std::uint8_t> out) override;
  void write(WriteJob job) override;
  void write_views(std::function<void(storage::WriteTxn&)> work,
                   std::function<void()> done) override;
  void compute(std::function<void()> work, std::function<void()> done) override;
  void compute_later(std::function<void()> work, std::function<void()> done) override;
  [[nodiscard]] const storage::Database& log() override { return log_database_; }
  [[nodiscard]] const storage::Database& views() override { return views_database_; }
  [[nodiscard]] std::uint64_t disk_bytes() override;
  void save(const Identity& identity) override;
  void wake_dialer() override { dialer_.wake(); }
  void log_line(const std::string& line) override { log_.info(line); }
  [[nodiscard]] std::string who_asks(ClientId client) override;
  [[nodiscard]] Result<bool> note_in_trail(const std::string& act,
                                           const TrailFields& fields) override;

 private:
  /// One connection, and what the Replica must hear when it is over.
  struct Peer {
    PeerSession about;
    std::unique_ptr<Session> session;
  };

  [[nodiscard]] Writer::Events writer_events();
  [[nodiscard]] Listener::Events listener_events();
  [[nodiscard]] Dialer::Events dialer_events();
  [[nodiscard]] LocalServer::Events local_events();
  /// Binds what was asked for; returns it as text for status.
  [[nodiscard]] std::string listen(const std::vector<std::string>& addresses);
  void set_keys(const Identity& identity);

  void begin(const PeerSession& about, std::unique_ptr<transport::Carrier> carrier,
             channel::SecureChannel channel, Bytes received);
  void ended(PeerId peer);
  void request(ClientId client, const Bytes& bytes);
  void answer(ClientId client, const local::Answer& answer);

  asio::awaitable<void> tick();
  /// A log line, now and then, about who came to the peer port in vain.
  void report_strangers();
  asio::awaitable<void> await_signals();
  asio::awaitable<void> drain();
  void shut_down(Exit exit);

  Log& log_;
  DataDir dir_;
  asio::io_context io_{1};  // One thread runs it: no locks inside.
  storage::LmdbDatabase log_database_;
  storage::LmdbDatabase views_database_;
  storage::HighWaterFile high_water_;
  Wakeup stop_ticking_;
  asio::signal_set signals_;
  Listener listener_;
  Dialer dialer_;
  std::uint64_t ticks_ = 0;
  std::unique_ptr<Replica> replica_;
  // Their threads run the Replica's functions: they are joined before it goes.
  Verifier verifier_;
  Writer writer_;
  LocalServer local_;
  std::map<PeerId, Peer> peers_;
  PeerId next_peer_ = 1;
  Listener::Counters told_;  // As the last line about strangers had them.
  std::chrono::steady_clock::time_point tell_again_;
  bool stopping_ = false;
  Exit exit_ = Exit::ok;
};

}  // namespace kith::daemon
