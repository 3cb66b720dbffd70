#include "daemon/peer_session.hpp"

namespace kith::daemon {

using namespace asio::experimental::awaitable_operators;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t read_bytes = 64 * limits::ki;
/// At the minimum rate this much leaves within the idle time.
constexpr std::size_t write_bytes = 64 * limits::ki;

}  // namespace

const char* name(Session::End end) {
  switch (end) {
    case Session::End::none:
      return "not ended";
    case Session::End::closed_by_peer:
      return "closed by the peer";
    case Session::End::closed:
      return "closed";
    case Session::End::dropped:
      return "dropped";
    case Session::End::cut:
      return "the connection was cut";
    case Session::End::bad_frame:
      return "a frame that does not verify";
    case Session::End::idle:
      return "silent for too long";
    case Session::End::too_slow:
      return "slower than the minimum rate";
    case Session::End::queue_full:
      return "does not read what it is sent";
  }
  return "";
}

Session::Session(std::unique_ptr<transport::Carrier> carrier, channel::SecureChannel channel,
                 Bytes received, Bytes keepalive, Limits limits,
                 std::function<void(BytesView)> on_message)
    : limits_(limits),
      carrier_(std::move(carrier)),
      channel_(std::move(channel)),
      received_(std::move(received)),
      keepalive_(std::move(keepalive)),
      on_message_(std::move(on_message)),
      to_write_(carrier_->executor()),
      to_read_(carrier_->executor()),
      to_watch_(carrier_->executor()),
      last_read_(Clock::now()),
      last_ping_(last_read_),
      write_begun_(last_read_) {}

asio::awaitable<void> Session::run() {
  // The first to finish ends the session; || cancels the others and waits for them.
  co_await (read_frames() || write_frames() || watch());
  carrier_->close();
}

void Session::send(BytesView message) {
  if (closing_ || end_ != End::none) return;
  if (queued_bytes() + message.size() > limits_.queue_bytes_max) return end(End::queue_full);
  channel_.send(message);
  to_write_.notify();
}

void Session::close() {
  if (closing_ || end_ != End::none) return;
  closing_ = true;
  closing_since_ = Clock::now();
  channel_.send_close();
  to_write_.notify();
  to_read_.notify();
  to_watch_.notify();
}

std::size_t Session::queued_bytes() const { return channel_.queued_bytes() + in_flight_; }

void Session::end(End why) {
  if (end_ == End::none) end_ = why;
  to_watch_.notify();
}

asio::awaitable<void> Session::read_frames() {
  if (!received_.empty() && !co_await deliver(std::exchange(received_, {}))) co_return;
  Bytes buffer(read_bytes);
  for (;;) {
    const std::size_t size = co_await carrier_->read_some(buffer);
    if (size == 0) {
      end(closing_ ? End::closed : End::cut);
      co_return;
    }
    if (!co_await deliver({buffer.data(), size})) co_return;
  }
}

asio::awaitable<bool> Session::deliver(BytesView bytes) {
  last_read_ = Clock::now();
  std::vector<Bytes> messages;
  const auto received = channel_.receive(bytes, messages);
  note_progress(bytes.size(), !messages.empty());
  for (const Bytes& message : messages) {
    // A peer that asks for more than it reads waits here, message by message.
    while (over_half() && !closing_ && end_ == End::none) {
      reading_paused_ = true;
      co_await to_read_.wait();
    }
    if (reading_paused_) {
      reading_paused_ = false;
      last_read_ = partial_since_ = Clock::now();
      partial_bytes_ = 0;
    }
    if (end_ != End::none) co_return false;
    if (closing_) continue;  // We said our last word: what comes now is not answered.
    ++messages_received_;
    on_message_(message);
  }
  if (!received) {
    end(End::bad_frame);
  } else if (channel_.closed_by_peer()) {
    end(End::closed_by_peer);
  }
  co_return end_ == End::none;
}

void Session::note_progress(std::size_t bytes, bool message_complete) {
  const bool was_partial = std::exchange(partial_, channel_.mid_message());
  if (!partial_) return;
  if (!was_partial || message_complete) {
    partial_since_ = last_read_;
    partial_bytes_ = 0;
  } else {
    partial_bytes_ += bytes;
  }
}

asio::awaitable<void> Session::write_frames() {
  for (;;) {
    const Bytes output = channel_.take_output(write_bytes);
    if (output.empty()) {
      if (channel_.failed()) end(End::bad_frame);
      if (closing_) carrier_->shutdown_send();
      co_await to_write_.wait();
      if (end_ != End::none) co_return;
      continue;
    }
    in_flight_ = output.size();
    write_begun_ = Clock::now();
    const bool written = co_await carrier_->write(output);
    in_flight_ = 0;
    if (!written) {
      end(closing_ ? End::closed : End::cut);
      co_return;
    }
    if (!over_half()) to_read_.notify();
  }
}

asio::awaitable<void> Session::watch() {
  while (end_ == End::none) {
    co_await to_watch_.wait(Clock::now() + limits_.watch_every);
    if (end_ != End::none) co_return;
    const Time now = Clock::now();
    if (const End why = overdue(now); why != End::none) end(why);
    const Time quiet_since = std::max(last_read_, last_ping_);
    if (!closing_ && now - quiet_since >= limits_.keepalive) {
      last_ping_ = now;
      send(keepalive_);
    }
  }
}

Session::End Session::overdue(Time now) const {
  if (closing_) return now - closing_since_ >= limits_.closing ? End::closed : End::none;
  if (in_flight_ > 0 && now - write_begun_ >= limits_.idle) return End::idle;
  // While we do not read, silence is ours, not the peer's; that it must read is checked above.
  if (reading_paused_) return End::none;
  if (now - last_read_ >= limits_.idle) return End::idle;
  if (!partial_) return End::none;
  const auto partial_for = now - partial_since_;
  if (partial_for < limits_.rate_grace) return End::none;
  const std::chrono::duration<double> seconds = partial_for;
  const double needed = seconds.count() * static_cast<double>(limits_.bytes_per_second_min);
  return static_cast<double>(partial_bytes_) < needed ? End::too_slow : End::none;
}

}  // namespace kith::daemon
