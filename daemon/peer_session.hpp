#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "daemon/transport/carrier.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/channel/secure_channel.hpp"

namespace kith::daemon {

/// One connection to a peer after its handshake: moves messages and keeps the deadlines. It decides
/// nothing, so nothing in it needs simulating.
class Session {
 public:
  struct Limits {
    std::size_t queue_bytes_max = limits::peer_queue_bytes_max;
    std::chrono::milliseconds idle{limits::idle_ms};
    std::chrono::milliseconds keepalive{limits::keepalive_ms};
    /// While a message is on its way, counted once `rate_grace` has passed.
    std::size_t bytes_per_second_min = 1'024;
    std::chrono::milliseconds rate_grace{5'000};
    /// For the authenticated end to reach the peer.
    std::chrono::milliseconds closing{2'000};
    /// How often the deadlines above are looked at.
    std::chrono::milliseconds watch_every{1'000};
  };

  /// Why it ended.
  enum class End {
    none,            ///< It has not.
    closed_by_peer,  ///< With an authenticated end.
    closed,          ///< By close().
    dropped,         ///< By drop().
    cut,             ///< The stream ended without an authenticated end.
    bad_frame,       ///< What came does not verify or exceeds a limit.
    idle,            ///< Nothing came, or nothing could be written, for too long.
    too_slow,        ///< A message came below the minimum rate.
    queue_full,      ///< The peer does not read what it asked for.
  };

  /// `on_message` gets every complete message, in order, on the network thread; it may call send(),
  /// close() and drop(). `keepalive` is the message sent into silence. `received` came behind the
  /// handshake.
  Session(std::unique_ptr<transport::Carrier> carrier, channel::SecureChannel channel,
          Bytes received, Bytes keepalive, Limits limits,
          std::function<void(BytesView message)> on_message);

  /// Runs until the session has ended; it must outlive the coroutine.
  [[nodiscard]] asio::awaitable<void> run();

  /// Queues a message; it leaves in this turn of the event loop. If too much is queued the session
  /// ends instead.
  void send(BytesView message);
  /// Ends it with an authenticated close behind what is queued.
  void close();
  /// Ends it now.
  void drop() { end(End::dropped); }

  [[nodiscard]] End ended() const { return end_; }
  [[nodiscard]] const std::string& remote() const { return carrier_->remote(); }
  [[nodiscard]] std::uint64_t messages_received() const { return messages_received_; }
  /// Bytes that wait to be written.
  [[nodiscard]] std::size_t queued_bytes() const;

 private:
  using Time = std::chrono::steady_clock::time_point;

  asio::awaitable<void> read_frames();
  asio::awaitable<void> write_frames();
  asio::awaitable<void> watch();
  asio::awaitable<bool> deliver(BytesView bytes);
  [[nodiscard]] bool over_half() const { return queued_bytes() > limits_.queue_bytes_max / 2; }
  void note_progress(std::size_t bytes, bool message_complete);
  /// What the deadlines say now.
  [[nodiscard]] End overdue(Time now) const;
  void end(End why);

  Limits limits_;
  std::unique_ptr<transport::Carrier> carrier_;
  channel::SecureChannel channel_;
  Bytes received_;
  Bytes keepalive_;
  std::function<void(BytesView)> on_message_;
  Wakeup to_write_;
  Wakeup to_read_;   // The queue is below half again.
  Wakeup to_watch_;  // The session ends.

  End end_ = End::none;
  bool closing_ = false;
  bool reading_paused_ = false;
  std::size_t in_flight_ = 0;  // Bytes handed to the carrier.
  std::uint64_t messages_received_ = 0;
  Time last_read_;
  Time last_ping_;
  Time write_begun_;
  Time closing_since_;
  // The message that is on its way: since when, and how much of it (and its like) has come.
  Time partial_since_;
  std::size_t partial_bytes_ = 0;
  bool partial_ = false;
};

/// For log lines.
[[nodiscard]] const char* name(Session::End end);

}  // namespace kith::daemon
