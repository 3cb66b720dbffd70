#pragma once

#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "daemon/accept_gate.hpp"
#include "daemon/transport/tcp.hpp"
#include "protocol/channel/secure_channel.hpp"

namespace kith::daemon {

/// Accepts peers: gate, preamble, handshake. Strangers get no reply; whatever is not right is
/// closed in silence and counted.
class Listener {
 public:
  struct Limits {
    AcceptGate::Limits gate;
    std::chrono::milliseconds first_message{limits::first_message_ms};
    std::chrono::milliseconds handshake{limits::handshake_ms};
  };
  /// What strangers must know and what we answer with.
  struct Keys {
    std::vector<DhSecret> own_statics;  ///< Newest first.
    NetworkId network;
  };
  struct Events {
    std::function<std::vector<channel::Candidate>(const DhPublic& remote)> candidates;
    std::function<bool(const DhPublic&, const channel::Candidate&, const channel::Hello&)> admit;
    /// A peer is through; `rest` came behind message 3 and belongs to the channel.
    std::function<void(std::unique_ptr<transport::Carrier> carrier, channel::Responder& responder,
                       Bytes rest)>
        accepted;
  };
  /// Since the start, for tests and log lines.
  struct Counters {
    std::uint64_t arrived = 0;
    std::uint64_t turned_away = 0;  ///< By the gate.
    std::uint64_t gave_way = 0;     ///< Half open for longest when somebody else needed the place.
    std::uint64_t strangers = 0;    ///< No or a wrong opening: no Diffie-Hellman was done for them.
    std::uint64_t handshakes = 0;   ///< Begun.
    std::uint64_t failed = 0;       ///< Begun but not finished.
    std::uint64_t accepted = 0;
  };

  /// `io` must outlive it, and it must outlive io.run().
  Listener(asio::io_context& io, Limits limits, Keys keys, Events events);

  /// Replaces the keys for connections to come.
  void set_keys(Keys keys);
  /// Begins to accept on an address; throws std::system_error, saying what to do (the port is
  /// taken, for instance).
  /// Returns the address with the port that was bound.
  transport::HostPort listen(const transport::HostPort& address);
  /// Stops accepting and ends what is half open.
  void stop();
  [[nodiscard]] bool idle() const { return accepting_ == 0 && half_open_.empty(); }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  class Place;

  [[nodiscard]] asio::ip::tcp::acceptor bind(const transport::HostPort& address);
  asio::awaitable<void> accept(asio::ip::tcp::acceptor& acceptor);
  void admit(asio::ip::tcp::socket socket);
  /// Ends the connection that has been half open for longest: a stranger, if there is one.
  void make_room();
  asio::awaitable<void> serve(std::unique_ptr<transport::Carrier> carrier, Source source);
  asio::awaitable<bool> shake_hands(transport::Carrier& carrier, channel::Responder& responder,
                                    BytesView opening, Bytes& rest);
  [[nodiscard]] bool knows_us(BytesView opening) const;
  [[nodiscard]] channel::Responder::Config responder_config() const;

  asio::io_context& io_;
  Limits limits_;
  NetworkId network_;
  std::vector<channel::OwnStatic> statics_;
  Events events_;
  AcceptGate gate_;
  Counters counters_;
  std::list<asio::ip::tcp::acceptor> acceptors_;
  std::size_t accepting_ = 0;
  std::list<Place*> half_open_;  // In the order they came.
  bool stopping_ = false;
};

}  // namespace kith::daemon
