#include "daemon/listener.hpp"

#include <algorithm>

#include "daemon/random.hpp"

namespace kith::daemon {

using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;
using Clock = std::chrono::steady_clock;

namespace {

/// When the process is out of descriptors, accept() fails at once, again and again.
constexpr std::chrono::milliseconds accept_pause{100};
constexpr int backlog = 64;
/// Message 3 is at most 64 + 1,024 bytes and two tags; what follows belongs to the channel.
constexpr std::size_t handshake_read_bytes = 2'048;

Source source_of(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  return address.is_v4() ? Source::of_v4(address.to_v4().to_bytes())
                         : Source::of_v6(address.to_v6().to_bytes());
}

void rethrow(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

/// A place among the half-open connections, given back when the coroutine ends.
class Listener::Place {
 public:
  Place(Listener& listener, transport::Carrier& carrier, const Source& source)
      : listener_(listener),
        carrier_(carrier),
        source_(source),
        at_(listener.half_open_.insert(listener.half_open_.end(), this)) {}
  ~Place() { leave(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  void leave() {
    if (left_) return;
    left_ = true;
    listener_.half_open_.erase(at_);
    listener_.gate_.leave(source_);
  }
  /// What is under way on it fails, and its coroutine ends.
  void close() { carrier_.close(); }

  bool stranger = true;  ///< Its opening has not come yet.

 private:
  Listener& listener_;
  transport::Carrier& carrier_;
  Source source_;
  std::list<Place*>::iterator at_;
  bool left_ = false;
};

Listener::Listener(asio::io_context& io, Limits limits, Keys keys, Events events)
    : io_(io), limits_(limits), events_(std::move(events)), gate_(limits.gate) {
  set_keys(std::move(keys));
}

void Listener::set_keys(Keys keys) {
  network_ = keys.network;
  statics_.clear();
  for (const DhSecret& secret : keys.own_statics) {
    statics_.push_back(channel::own_static(secret, keys.network));
  }
}

tcp::acceptor Listener::bind(const transport::HostPort& address) {
  tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  tcp::acceptor acceptor(io_);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  // "Every address" must work on a machine without IPv6 too.
  if (error == asio::error::address_family_not_supported && address.host == "::") {
    return bind({"0.0.0.0", address.port});
  }
  if (error) throw boost::system::system_error(error);
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false));
  acceptor.bind(endpoint);
  acceptor.listen(backlog);
  return acceptor;
}

transport::HostPort Listener::listen(const transport::HostPort& address) {
  try {
    acceptors_.push_back(bind(address));
  } catch (const boost::system::system_error& error) {
    throw std::system_error(std::error_code(error.code()),
                            "cannot accept peers on " + transport::to_text(address) +
                                " (choose another address with --listen, or --no-listen)");
  }
  const std::uint16_t port = acceptors_.back().local_endpoint().port();
  ++accepting_;
  asio::co_spawn(io_, accept(acceptors_.back()), [this](const std::exception_ptr& failure) {
    --accepting_;
    rethrow(failure);
  });
  return {address.host, port};
}

void Listener::stop() {
  stopping_ = true;
  error_code ignored;
  for (tcp::acceptor& acceptor : acceptors_) acceptor.close(ignored);
  for (Place* place : half_open_) place->close();
}

asio::awaitable<void> Listener::accept(tcp::acceptor& acceptor) {
  while (!stopping_) {
    auto [error, socket] = co_await acceptor.async_accept(as_value);
    if (stopping_) co_return;
    if (error) {
      co_await until(Clock::now() + accept_pause);
      continue;
    }
    admit(std::move(socket));
  }
}

void Listener::admit(tcp::socket socket) {
  ++counters_.arrived;
  error_code gone;
  const Source source = source_of(socket.remote_endpoint(gone));
  using Entry = AcceptGate::Entry;
  Entry entry = gone ? Entry::refused : gate_.enter(source, Clock::now());
  if (entry == Entry::full) {
    // An honest peer sends its opening at once, so who has waited longest is the least likely one:
    // connections that say nothing cannot keep others out.
    make_room();
    entry = gate_.enter(source, Clock::now());
  }
  if (entry != Entry::taken) {
    ++counters_.turned_away;
    return;  // The socket closes: silence.
  }
  auto carrier = std::make_unique<transport::Tcp>(std::move(socket));
  asio::co_spawn(io_, serve(std::move(carrier), source), rethrow);
}

void Listener::make_room() {
  if (half_open_.empty()) return;  // All have only just come.
  auto victim =
      std::ranges::find_if(half_open_, [](const Place* place) { return place->stranger; });
  if (victim == half_open_.end()) victim = half_open_.begin();
  Place* const place = *victim;
  ++counters_.gave_way;
  place->leave();
  place->close();
}

asio::awaitable<void> Listener::serve(std::unique_ptr<transport::Carrier> carrier, Source source) {
  Place place(*this, *carrier, source);
  const auto begun = Clock::now();

  // All that a stranger gets of us: this buffer, and one keyed hash for each static.
  std::array<std::uint8_t, channel::opening_bytes> opening;
  const auto first =
      co_await (transport::read_exactly(*carrier, opening) || until(begun + limits_.first_message));
  const bool complete = first.index() == 0 && std::get<0>(first);
  if (stopping_ || !complete || !knows_us(opening)) {
    ++counters_.strangers;
    co_return;
  }

  ++counters_.handshakes;
  place.stranger = false;
  channel::Responder responder(responder_config());
  Bytes rest;
  const auto shaken = co_await (shake_hands(*carrier, responder, opening, rest) ||
                                until(begun + limits_.handshake));
  if (stopping_ || shaken.index() != 0 || !std::get<0>(shaken)) {
    ++counters_.failed;
    co_return;
  }
  ++counters_.accepted;
  place.leave();
  events_.accepted(std::move(carrier), responder, std::move(rest));
}

asio::awaitable<bool> Listener::shake_hands(transport::Carrier& carrier,
                                            channel::Responder& responder, BytesView opening,
                                            Bytes& rest) {
  Bytes arrived = to_bytes(opening);
  for (;;) {
    std::size_t consumed = 0;
    const auto answer = responder.receive(arrived, consumed);
    if (!answer) co_return false;
    if (responder.finished()) {
      rest.assign(arrived.begin() + static_cast<std::ptrdiff_t>(consumed), arrived.end());
      co_return true;
    }
    if (!answer->empty() && !co_await carrier.write(*answer)) co_return false;
    arrived.resize(handshake_read_bytes);
    const std::size_t size = co_await carrier.read_some(arrived);
    if (size == 0) co_return false;
    arrived.resize(size);
  }
}

bool Listener::knows_us(BytesView opening) const {
  bool matches = false;
  for (const channel::OwnStatic& own : statics_) {
    matches |= channel::preamble_matches(opening, own.preamble);
  }
  return matches;
}

channel::Responder::Config Listener::responder_config() const {
  channel::Responder::Config config;
  config.own_statics = statics_;
  config.network = network_;
  config.ephemeral = random_octets<DhSecret>();
  config.candidates = events_.candidates;
  config.admit = events_.admit;
  return config;
}

}  // namespace kith::daemon
