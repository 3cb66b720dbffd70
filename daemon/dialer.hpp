#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "daemon/replica.hpp"
#include "daemon/transport/tcp.hpp"

namespace kith::daemon {

/// Dials whoever should be connected and is not, with growing pauses after failures. Nothing is
/// ever dialled that the membership or the operator did not name.
class Dialer {
 public:
  struct Limits {
    std::chrono::milliseconds attempt{limits::handshake_ms};  ///< Connecting and handshake.
    std::chrono::milliseconds pause_min{200};
    std::chrono::milliseconds pause_max{30'000};
    /// A session that lasted this long counts as a success: the next pause is the shortest again.
    std::chrono::milliseconds steady{10'000};
    std::size_t dials_max = 8;
  };
  struct Events {
    std::function<std::vector<DialTarget>()> targets;
    /// Message 3 is sent. Whether the responder takes us shows only in what it says next; `rest`
    /// came behind its message 2 and belongs to the channel.
    std::function<void(const DialTarget& target, std::unique_ptr<transport::Carrier> carrier,
                       channel::SecureChannel channel, Bytes rest)>
        connected;
    std::function<void(const MemberId& member, const std::string& why)> failed;
  };

  /// `io` must outlive it, and it must outlive io.run().
  Dialer(asio::io_context& io, Limits limits, Events events);

  /// Sets what we dial with.
  void set_keys(const DhSecret& own_static, const NetworkId& network);
  void start();
  /// Targets changed or a session ended: look again now. A target that is new or has changed is
  /// dialled at once.
  void wake() { wakeup_.notify(); }
  void stop();
  [[nodiscard]] bool idle() const { return !running_ && dialling_ == 0; }

 private:
  using Time = std::chrono::steady_clock::time_point;
  /// What is remembered of one target.
  struct State {
    std::vector<std::string> addresses;
    DhPublic transport_key;
    Key32 psk;
    bool dialling = false;
    unsigned failures = 0;
    Time next{};
    Time connected_at{};          ///< The epoch: never.
    std::unique_ptr<Wakeup> end;  ///< While dialling: ends it.
  };
  struct Attempt {
    std::unique_ptr<transport::Carrier> carrier;
    std::optional<channel::SecureChannel> channel;  ///< Nothing: it failed, `why` says how.
    Bytes rest;
    std::string why;
  };

  asio::awaitable<void> run();
  /// Begins what is due; returns when to look again.
  [[nodiscard]] Time look();
  void note(State& state, const DialTarget& target, Time now);
  void begin(const DialTarget& target, State& state);
  asio::awaitable<void> dial(DialTarget target, Wakeup& end);
  asio::awaitable<Attempt> attempt(DialTarget target, std::string address);
  asio::awaitable<Attempt> shake_hands(DialTarget target,
                                       std::unique_ptr<transport::Carrier> carrier);
  void finished(const MemberId& member);
  [[nodiscard]] Time after_pause(unsigned failures) const;

  asio::io_context& io_;
  Limits limits_;
  Events events_;
  DhSecret own_static_;
  NetworkId network_;
  Wakeup wakeup_;
  std::map<MemberId, State> states_;
  std::size_t dialling_ = 0;
  bool running_ = false;
  bool stopping_ = false;
};

}  // namespace kith::daemon
