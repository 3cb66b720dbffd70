// The hello and the two sides of the handshake; frames are in secure_channel.cpp.
#include <utility>

#include "protocol/base/check.hpp"
#include "protocol/channel/secure_channel.hpp"
#include "protocol/crypto/crypto.hpp"

namespace kith::channel {
namespace {

constexpr std::size_t length_bytes = 2;  // In front of message 3.
// Message 3 is the sealed static (48) and the sealed hello.
constexpr std::size_t message3_overhead = 64;
constexpr std::size_t short_message3 = message3_overhead + short_hello_bytes;
constexpr std::size_t long_message3 = message3_overhead + long_hello_bytes;
static_assert(limits::statement_bytes_max == long_hello_bytes - short_hello_bytes);

noise::Pattern xkpsk3() { return *noise::pattern("XKpsk3"); }

Bytes make_prologue(BytesView preamble, const NetworkId& network) {
  Bytes prologue = to_bytes(preamble);
  append(prologue, network.view());
  return prologue;
}

/// Moves bytes from `bytes` at `consumed` to `in` until it has `wanted`; whether it has.
bool fill(Bytes& in, std::size_t wanted, BytesView bytes, std::size_t& consumed) {
  const std::size_t size = std::min(wanted - in.size(), bytes.size() - consumed);
  append(in, bytes.subspan(consumed, size));
  consumed += size;
  return in.size() == wanted;
}

Error ended() { return fail(Errc::unavailable, "the handshake has failed"); }

SecureChannel take(std::optional<SecureChannel>& channel) {
  KITH_CHECK(channel.has_value());
  auto taken = std::exchange(channel, std::nullopt);  // No copy of the keys stays behind.
  return *std::move(taken);
}

}  // namespace

// --- Hello

Bytes encode_hello(const Hello& hello) {
  KITH_CHECK(hello.certificate.size() <= limits::statement_bytes_max);
  Bytes out;
  out.reserve(long_hello_bytes);
  append_integer(out, hello.version_min);
  append_integer(out, hello.version_max);
  append_integer(out, static_cast<std::uint16_t>(hello.certificate.size()));
  append_integer(out, std::uint32_t{0});
  append_integer(out, hello.certificate_number);
  append(out, hello.digest.view());
  append(out, hello.last_common.view());
  append(out, hello.certificate);
  out.resize(hello.certificate.empty() ? short_hello_bytes : long_hello_bytes, 0);
  return out;
}

Result<Hello> decode_hello(BytesView bytes) {
  if (bytes.size() != short_hello_bytes && bytes.size() != long_hello_bytes) {
    return fail(Errc::malformed, "a hello has the wrong length");
  }
  const std::size_t certificate = read_integer<std::uint16_t>(bytes.subspan(2));
  const BytesView rest = bytes.subspan(short_hello_bytes);
  if (certificate > rest.size() || (certificate == 0) != rest.empty()) {
    return fail(Errc::malformed, "the certificate of a hello has the wrong length");
  }
  Hello hello;
  hello.version_min = bytes[0];
  hello.version_max = bytes[1];
  if (hello.version_min == 0 || hello.version_min > hello.version_max) {
    return fail(Errc::malformed, "the versions of a hello make no sense");
  }
  hello.certificate_number = read_integer<std::uint64_t>(bytes.subspan(8));
  hello.digest = Hash::from(bytes.subspan(16, Hash::size));
  hello.last_common = decltype(hello.last_common)::from(bytes.subspan(48, 16));
  hello.certificate = to_bytes(rest.first(certificate));
  // What is left must be zeros: one hello has one encoding.
  if (!equal(encode_hello(hello), bytes))
    return fail(Errc::malformed, "a hello has spare bits set");
  return hello;
}

// --- The dialling side

Initiator::Initiator(Config config) : config_(std::move(config)) {}

Result<Bytes> Initiator::start() {
  KITH_CHECK(!handshake_ && state_ == HandshakeState::running);
  const auto preamble = make_preamble(preamble_key(config_.responder_static, config_.network),
                                      dh_public(config_.ephemeral));
  handshake_.emplace(xkpsk3(), true, make_prologue(preamble, config_.network),
                     noise::Keys{.static_secret = config_.own_static,
                                 .ephemeral_secret = config_.ephemeral,
                                 .remote_static = config_.responder_static,
                                 .psk = config_.psk});
  const auto message1 = handshake_->write({});
  if (!message1) {
    state_ = HandshakeState::failed;
    return fail(message1.error(), "dialling");
  }
  Bytes opening = to_bytes(preamble);
  append(opening, *message1);
  KITH_CHECK(opening.size() == opening_bytes);
  return opening;
}

Result<Bytes> Initiator::receive(BytesView bytes, std::size_t& consumed) {
  consumed = 0;
  if (state_ == HandshakeState::failed) return ended();
  if (state_ == HandshakeState::finished) return Bytes{};
  KITH_CHECK(handshake_.has_value());
  if (!fill(in_, message2_bytes, bytes, consumed)) return Bytes{};
  auto message3 = answer_message2();
  state_ = message3 ? HandshakeState::finished : HandshakeState::failed;
  handshake_.reset();
  wipe(config_.ephemeral.bytes);
  return message3;
}

Result<Bytes> Initiator::answer_message2() {
  const auto payload = handshake_->read(in_);
  if (!payload) return fail(payload.error(), "reading message 2");
  const auto message = handshake_->write(encode_hello(config_.hello));
  if (!message) return fail(message.error(), "writing message 3");
  Bytes out;
  append_integer(out, static_cast<std::uint16_t>(message->size()));
  append(out, *message);
  channel_.emplace(handshake_->split(), true);
  return out;
}

SecureChannel Initiator::take_channel() { return take(channel_); }

// --- The listening side

OwnStatic own_static(const DhSecret& secret, const NetworkId& network) {
  return {secret, preamble_key(dh_public(secret), network)};
}

Responder::Responder(Config config) : config_(std::move(config)) {}

Result<Bytes> Responder::receive(BytesView bytes, std::size_t& consumed) {
  consumed = 0;
  if (state_ == HandshakeState::failed) return ended();
  if (state_ == HandshakeState::finished) return Bytes{};
  auto reply = read(bytes, consumed);
  if (!reply) state_ = HandshakeState::failed;
  if (state_ != HandshakeState::running) {
    handshake_.reset();
    wipe(config_.ephemeral.bytes);
  }
  return reply;
}

Result<Bytes> Responder::read(BytesView bytes, std::size_t& consumed) {
  Bytes reply;
  if (!handshake_) {
    if (!fill(in_, opening_bytes, bytes, consumed)) return reply;
    auto message2 = answer_opening();
    if (!message2) return message2;
    reply = *std::move(message2);
    in_.clear();
  }

  if (in_.size() < length_bytes && !fill(in_, length_bytes, bytes, consumed)) return reply;
  const std::size_t length = read_integer<std::uint16_t>(in_);
  if (length != short_message3 && length != long_message3) {
    return fail(Errc::malformed, "message 3 has the wrong length");
  }
  if (!fill(in_, length_bytes + length, bytes, consumed)) return reply;
  const auto accepted = read_message3(BytesView(in_).subspan(length_bytes));
  if (!accepted) return accepted.error();
  state_ = HandshakeState::finished;
  return reply;
}

Result<Bytes> Responder::answer_opening() {
  const auto own = std::ranges::find_if(config_.own_statics, [&](const OwnStatic& candidate) {
    return preamble_matches(in_, candidate.preamble);
  });
  if (own == config_.own_statics.end()) return fail(Errc::forbidden, "the preamble is not for us");
  known_preamble_ = true;

  const BytesView opening = in_;
  handshake_.emplace(
      xkpsk3(), false, make_prologue(opening.first(preamble_bytes), config_.network),
      noise::Keys{.static_secret = own->secret, .ephemeral_secret = config_.ephemeral});
  const auto payload = handshake_->read(opening.subspan(preamble_bytes));
  if (!payload) return fail(payload.error(), "reading message 1");
  return handshake_->write({});
}

Result<bool> Responder::read_message3(BytesView message) {
  const auto at = handshake_->read_before_psk(message);
  if (!at) return fail(at.error(), "reading message 3");
  remote_ = *handshake_->remote_static();
  for (const Candidate& candidate : config_.candidates(remote_)) {
    const auto fits = try_candidate(*handshake_, message, *at, candidate);
    if (!fits || *fits) return fits;
  }
  return fail(Errc::forbidden, "no key fits");
}

Result<bool> Responder::try_candidate(const noise::Handshake& before, BytesView message,
                                      std::size_t at, const Candidate& candidate) {
  noise::Handshake attempt = before;
  const auto payload = attempt.read_rest(message, at, candidate.psk);
  if (!payload) return false;
  // The key fitted, so these are the peer's own words: what is wrong in them is final.
  auto hello = decode_hello(*payload);
  if (!hello) return hello.error();
  if (hello->version_min > wire_version || hello->version_max < wire_version) {
    return fail(Errc::malformed, "the peer does not speak the version it uses");
  }
  if (!config_.admit(remote_, candidate, *hello)) return false;
  accepted_ = candidate;
  hello_ = *std::move(hello);
  channel_.emplace(attempt.split(), false);
  return true;
}

SecureChannel Responder::take_channel() { return take(channel_); }

}  // namespace kith::channel
