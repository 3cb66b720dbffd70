#include "protocol/channel/secure_channel.hpp"

#include "protocol/base/check.hpp"
#include "protocol/crypto/crypto.hpp"

namespace kith::channel {
namespace {

constexpr std::size_t length_bytes = 2;  // In front of a frame.
constexpr std::size_t head_bytes = 4;    // In front of a message.
constexpr std::size_t frame_bytes_min = tag_bytes + 1;
// One byte less than the aim leaves room for the padding, which is never empty.
constexpr std::size_t run_bytes_max = limits::frame_bytes_aim - 1;
constexpr std::size_t sent_frame_bytes_max = length_bytes + limits::frame_bytes_aim + tag_bytes;

/// Moves bytes from the front of `from` to `to` until `to` has `wanted` or `from` is empty.
void move_until(Bytes& to, std::size_t wanted, BytesView& from) {
  const std::size_t size = std::min(wanted - to.size(), from.size());
  append(to, from.first(size));
  from = from.subspan(size);
}

/// Bytes of the whole frame that begins with these two, its length included.
Result<std::size_t> frame_size(BytesView start) {
  const std::size_t length = read_integer<std::uint16_t>(start);
  if (length < frame_bytes_min) return fail(Errc::malformed, "a frame is too short");
  return length_bytes + length;
}

}  // namespace

SecureChannel::SecureChannel(const noise::Transport& transport, bool initiator)
    : sending_(initiator ? transport.initiator_to_responder : transport.responder_to_initiator),
      receiving_(initiator ? transport.responder_to_initiator : transport.initiator_to_responder),
      handshake_hash_(transport.handshake_hash) {}

// --- Sending

void SecureChannel::send(BytesView message) {
  KITH_CHECK(!close_queued_);
  KITH_CHECK(!message.empty() && message.size() <= limits::message_bytes_max);
  Bytes queued;
  queued.reserve(head_bytes + message.size());
  append_integer(queued, static_cast<std::uint32_t>(message.size()));
  append(queued, message);
  queued_ += queued.size();
  queue_.push_back(std::move(queued));
}

void SecureChannel::send_close() {
  KITH_CHECK(!close_queued_);
  close_queued_ = true;
  queue_.emplace_back(head_bytes, std::uint8_t{0});
  queued_ += head_bytes;
}

Bytes SecureChannel::take_output(std::size_t bytes_max) {
  Bytes out;
  const std::size_t frames = queued_ / run_bytes_max + 1;
  out.reserve(std::min(queued_ + frames * (limits::frame_padding + length_bytes + tag_bytes),
                       bytes_max + sent_frame_bytes_max));
  while (!failed_ && queued_ > 0 && out.size() < bytes_max) {
    if (sending_.counter() >= limits::frames_max) {
      failed_ = true;
    } else {
      append_frame(out);
    }
  }
  return out;
}

void SecureChannel::append_frame(Bytes& out) {
  const std::size_t run = std::min(queued_, run_bytes_max);
  const std::size_t padded = (run / limits::frame_padding + 1) * limits::frame_padding;
  const std::size_t start = out.size() + length_bytes;

  // Gathered, padded and encrypted where it is sent from.
  append_integer(out, static_cast<std::uint16_t>(padded + tag_bytes));
  append_from_queue(out, run);
  out.push_back(0x80);
  out.resize(start + padded + tag_bytes, 0);
  const auto frame = std::span(out).subspan(start);
  KITH_CHECK(sending_.encrypt_into(frame, frame.first(padded)).has_value());
  if (sending_.counter() % limits::rekey_frames == 0) sending_.rekey();
}

void SecureChannel::append_from_queue(Bytes& out, std::size_t size) {
  queued_ -= size;
  while (size > 0) {
    const BytesView rest = BytesView(queue_.front()).subspan(front_sent_);
    const std::size_t part = std::min(size, rest.size());
    append(out, rest.first(part));
    size -= part;
    front_sent_ += part;
    if (part == rest.size()) {
      queue_.pop_front();
      front_sent_ = 0;
    }
  }
}

// --- Receiving

Result<bool> SecureChannel::receive(BytesView bytes, std::vector<Bytes>& messages) {
  if (failed_) return fail(Errc::unavailable, "the channel has failed");
  auto received = receive_frames(bytes, messages);
  if (!received) failed_ = true;
  return received;
}

Result<bool> SecureChannel::receive_frames(BytesView bytes, std::vector<Bytes>& messages) {
  while (!bytes.empty()) {
    if (closed_by_peer_) return fail(Errc::malformed, "bytes after the close");

    // A frame that lies whole in `bytes` is opened where it lies; only a cut one is copied.
    if (in_.empty() && bytes.size() >= length_bytes) {
      const auto size = frame_size(bytes);
      if (!size) return size.error();
      if (bytes.size() >= *size) {
        auto opened = open_frame(bytes.first(*size).subspan(length_bytes), messages);
        if (!opened) return opened;
        bytes = bytes.subspan(*size);
        continue;
      }
    }

    if (in_.size() < length_bytes) move_until(in_, length_bytes, bytes);
    if (in_.size() < length_bytes) return true;
    const auto size = frame_size(in_);
    if (!size) return size.error();
    move_until(in_, *size, bytes);
    if (in_.size() == *size) {
      auto opened = open_frame(BytesView(in_).subspan(length_bytes), messages);
      if (!opened) return opened;
      in_.clear();
    }
  }
  return true;
}

Result<bool> SecureChannel::open_frame(BytesView ciphertext, std::vector<Bytes>& messages) {
  if (receiving_.counter() >= limits::frames_max) {
    return fail(Errc::too_large, "the channel's frames are used up");
  }
  plaintext_.resize(ciphertext.size() - tag_bytes);
  auto opened = receiving_.decrypt_into(plaintext_, ciphertext);
  if (!opened) return opened;
  if (receiving_.counter() % limits::rekey_frames == 0) receiving_.rekey();

  const auto run = unpadded_size(plaintext_, limits::frame_padding);
  if (!run) return run.error();
  if (*run == 0) return fail(Errc::malformed, "a frame carries nothing");
  return take_run(BytesView(plaintext_).first(*run), messages);
}

Result<bool> SecureChannel::take_run(BytesView run, std::vector<Bytes>& messages) {
  while (!run.empty()) {
    if (closed_by_peer_) return fail(Errc::malformed, "bytes after the close");
    if (head_.size() == head_bytes) {
      take_body(run, messages);
      continue;
    }

    move_until(head_, head_bytes, run);
    if (head_.size() < head_bytes) break;
    const auto length = read_integer<std::uint32_t>(head_);
    if (length > limits::message_bytes_max) return fail(Errc::too_large, "a message is too long");
    if (length == 0) {
      closed_by_peer_ = true;
      head_.clear();
    }
  }
  return true;
}

void SecureChannel::take_body(BytesView& run, std::vector<Bytes>& messages) {
  const std::size_t length = read_integer<std::uint32_t>(head_);
  const std::size_t arrived = std::min(length, body_.size() + run.size());
  // Doubling what arrived keeps the copying linear without trusting what was announced.
  if (body_.capacity() < arrived) body_.reserve(std::min(length, 2 * arrived));
  move_until(body_, length, run);
  if (body_.size() < length) return;
  messages.push_back(std::move(body_));
  body_ = Bytes();
  head_.clear();
}

bool SecureChannel::mid_message() const { return !in_.empty() || !head_.empty(); }

std::size_t SecureChannel::held_bytes() const {
  return in_.capacity() + plaintext_.capacity() + head_.capacity() + body_.capacity();
}

}  // namespace kith::channel
