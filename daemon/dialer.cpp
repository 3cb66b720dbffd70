#include "daemon/dialer.hpp"

#include <algorithm>
#include <set>

#include "daemon/random.hpp"

namespace kith::daemon {

using namespace asio::experimental::awaitable_operators;
using Clock = std::chrono::steady_clock;

namespace {

/// Message 2 is 48 bytes; what follows belongs to the channel.
constexpr std::size_t handshake_read_bytes = 2'048;
/// 2^8 shortest pauses are more than the longest.
constexpr unsigned doublings_max = 8;

/// Somewhere between half and the whole of `pause`, so that members do not dial in step.
std::chrono::milliseconds jittered(std::chrono::milliseconds pause) {
  const auto random =
      read_integer<std::uint32_t>(random_octets<Octets<struct JitterTag, 4>>().view());
  const auto half = pause.count() / 2;
  return std::chrono::milliseconds(half + static_cast<std::int64_t>(random) % (half + 1));
}

}  // namespace

Dialer::Dialer(asio::io_context& io, Limits limits, Events events)
    : io_(io), limits_(limits), events_(std::move(events)), wakeup_(io.get_executor()) {}

void Dialer::set_keys(const DhSecret& own_static, const NetworkId& network) {
  own_static_ = own_static;
  network_ = network;
}

void Dialer::start() {
  running_ = true;
  asio::co_spawn(io_, run(), [this](const std::exception_ptr& failure) {
    running_ = false;
    if (failure) std::rethrow_exception(failure);
  });
}

void Dialer::stop() {
  stopping_ = true;
  wakeup_.notify();
  for (auto& [member, state] : states_) {
    if (state.end) state.end->notify();
  }
}

asio::awaitable<void> Dialer::run() {
  while (!stopping_) {
    const Time next = look();
    co_await wakeup_.wait(next);
  }
}

Dialer::Time Dialer::look() {
  const Time now = Clock::now();
  Time next = Time::max();
  std::set<MemberId> wanted;
  for (const DialTarget& target : events_.targets()) {
    wanted.insert(target.member);
    State& state = states_[target.member];
    note(state, target, now);
    if (target.connected || state.dialling || target.addresses.empty()) continue;
    if (state.next > now) {
      next = std::min(next, state.next);
    } else if (dialling_ < limits_.dials_max) {
      begin(target, state);
    }
    // With all places taken, finished() wakes us.
  }
  std::erase_if(states_, [&](const auto& entry) {
    return !entry.second.dialling && !wanted.contains(entry.first);
  });
  return next;
}

void Dialer::note(State& state, const DialTarget& target, Time now) {
  const bool same = state.addresses == target.addresses && state.psk == target.psk &&
                    state.transport_key == target.transport_key;
  const bool lasted = state.connected_at != Time{} && !target.connected &&
                      now - state.connected_at >= limits_.steady;
  if (!same || lasted) {
    state.failures = 0;
    state.next = Time{};
    state.connected_at = Time{};
  }
  state.addresses = target.addresses;
  state.psk = target.psk;
  state.transport_key = target.transport_key;
}

void Dialer::begin(const DialTarget& target, State& state) {
  state.dialling = true;
  // Not a cancellation_signal: Asio posts what emit() does, which may then find the signal gone.
  state.end = std::make_unique<Wakeup>(io_.get_executor());
  ++dialling_;
  asio::co_spawn(io_, dial(target, *state.end),
                 [this, member = target.member](const std::exception_ptr& failure) {
                   // Posted: what the coroutine refers to must outlive it.
                   asio::post(io_, [this, member] { finished(member); });
                   if (failure) std::rethrow_exception(failure);
                 });
}

void Dialer::finished(const MemberId& member) {
  --dialling_;
  State& state = states_.at(member);
  state.dialling = false;
  state.end.reset();
  wakeup_.notify();
}

asio::awaitable<void> Dialer::dial(DialTarget target, Wakeup& end) {
  std::string why;
  for (const std::string& address : target.addresses) {
    auto result =
        co_await (attempt(target, address) || until(Clock::now() + limits_.attempt) || end.wait());
    if (stopping_) co_return;
    State& state = states_.at(target.member);
    if (result.index() == 0 && std::get<0>(result).channel) {
      // If this session ends at once, the pauses go on growing (note() resets them otherwise).
      state.connected_at = Clock::now();
      state.next = after_pause(state.failures++);
      Attempt& done = std::get<0>(result);
      events_.connected(target, std::move(done.carrier), std::move(*done.channel),
                        std::move(done.rest));
      co_return;
    }
    const std::string reason =
        result.index() == 0 ? std::get<0>(result).why : "no answer within the time allowed";
    if (!why.empty()) why += "; ";
    why += address;
    why += ": ";
    why += reason;
  }
  State& state = states_.at(target.member);
  state.next = after_pause(state.failures++);
  events_.failed(target.member, why);
}

asio::awaitable<Dialer::Attempt> Dialer::attempt(DialTarget target, std::string address) {
  const auto parsed = transport::parse_host_port(address);
  if (!parsed) co_return Attempt{nullptr, std::nullopt, {}, parsed.error().detail};
  auto connected = co_await transport::connect(*parsed);
  if (!connected.carrier) co_return Attempt{nullptr, std::nullopt, {}, connected.why};
  co_return co_await shake_hands(std::move(target), std::move(connected.carrier));
}

asio::awaitable<Dialer::Attempt> Dialer::shake_hands(DialTarget target,
                                                     std::unique_ptr<transport::Carrier> carrier) {
  constexpr const char* silence =
      "it closed the connection: it may not know this member, or have another transport key";
  channel::Initiator initiator({own_static_, target.transport_key, network_, target.psk,
                                random_octets<DhSecret>(), target.hello});
  Attempt done;
  const auto opening = initiator.start();
  if (!opening) {
    done.why = opening.error().detail;
    co_return done;
  }
  done.why = silence;
  if (!co_await carrier->write(*opening)) co_return done;
  while (!initiator.finished()) {
    Bytes arrived(handshake_read_bytes);
    arrived.resize(co_await carrier->read_some(arrived));
    if (arrived.empty()) co_return done;
    std::size_t consumed = 0;
    const auto answer = initiator.receive(arrived, consumed);
    if (!answer) {
      done.why = answer.error().detail;
      co_return done;
    }
    done.rest.assign(arrived.begin() + static_cast<std::ptrdiff_t>(consumed), arrived.end());
    if (!answer->empty() && !co_await carrier->write(*answer)) co_return done;
  }
  done.channel = initiator.take_channel();
  done.carrier = std::move(carrier);
  co_return done;
}

Dialer::Time Dialer::after_pause(unsigned failures) const {
  const auto pause = limits_.pause_min * (1U << std::min(failures, doublings_max));
  return Clock::now() + jittered(std::min(pause, limits_.pause_max));
}

}  // namespace kith::daemon
