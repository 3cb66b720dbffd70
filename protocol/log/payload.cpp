#include "protocol/log/payload.hpp"

#include "protocol/base/limits.hpp"

namespace kith {
namespace {

constexpr std::size_t padding = 64;
constexpr std::size_t head_bytes = Nonce24::size + Hash::size;
constexpr const char* no_key_text = "no key at hand opens this payload";

/// A payload taken apart; views into it.
struct Sealed {
  Nonce24 nonce;
  BytesView commitment;
  BytesView ciphertext;
};

Result<Sealed> take_apart(BytesView payload) {
  if (payload.size() > limits::payload_bytes_max) {
    return fail(Errc::too_large, "a payload is too large");
  }
  if (payload.size() < seal_overhead_bytes + padding ||
      (payload.size() - seal_overhead_bytes) % padding != 0) {
    return fail(Errc::malformed, "a payload has an impossible length");
  }
  return Sealed{Nonce24::from(payload.first(Nonce24::size)),
                payload.subspan(Nonce24::size, Hash::size), payload.subspan(head_bytes)};
}

Hash commitment_of(const Key32& key) {
  return blake2b_keyed(key.view(), {view("kith/commit/v1\n")});
}

bool fits(const Key32& key, const Sealed& sealed) {
  return equal_in_constant_time(commitment_of(key).view(), sealed.commitment);
}

Result<FittingKey> fitting_key(const std::vector<Key32>& log_keys, const Sealed& sealed) {
  for (std::size_t i = 0; i < log_keys.size(); ++i) {
    const Key32 key = payload_key(log_keys[i], sealed.nonce);
    if (fits(key, sealed)) return FittingKey{i, key};
  }
  return fail(Errc::not_found, no_key_text);
}

/// Opens with K itself, once its commitment has been found to fit.
Result<Bytes> open_committed(const Key32& key, const LogId& log, const Sealed& sealed) {
  auto text = xchacha_open(key, sealed.nonce, log.view(), sealed.ciphertext);
  if (!text) return fail(Errc::bad_signature, "a payload does not authenticate");
  const auto size = unpadded_size(*text, padding);
  if (!size) return fail(size.error(), "opening a payload");
  text->resize(*size);
  return std::move(*text);
}

}  // namespace

Key32 log_key(const Key32& space_key, const LogId& log) {
  return Key32::from(
      blake2b_keyed(space_key.view(), {view("kith/log-key/v1\n"), log.view()}).view());
}

Key32 payload_key(const Key32& log_key, const Nonce24& nonce) {
  return Key32::from(
      blake2b_keyed(log_key.view(), {view("kith/payload-key/v1\n"), nonce.view()}).view());
}

Result<Bytes> seal_payload(const Key32& log_key, const LogId& log, const Nonce24& nonce,
                           BytesView text) {
  const std::size_t padded_bytes = (text.size() / padding + 1) * padding;
  if (padded_bytes > limits::payload_bytes_max - seal_overhead_bytes) {
    return fail(Errc::too_large, "the text is too large for a payload");
  }
  const Key32 key = payload_key(log_key, nonce);
  Bytes padded = to_bytes(text);
  pad(padded, padding);

  Bytes payload;
  payload.reserve(seal_overhead_bytes + padded_bytes);
  append(payload, nonce.view());
  append(payload, commitment_of(key).view());
  append(payload, xchacha_seal(key, nonce, log.view(), padded));
  wipe(padded);
  return payload;
}

Result<Bytes> open_payload(const Key32& log_key, const LogId& log, BytesView payload) {
  auto text = open_payload(std::vector<Key32>{log_key}, log, payload);
  if (!text && text.error().code == Errc::not_found) {
    return fail(Errc::bad_signature, "a payload is sealed with another key");
  }
  return text;
}

Result<FittingKey> fitting_key(const std::vector<Key32>& log_keys, BytesView payload) {
  const auto sealed = take_apart(payload);
  if (!sealed) return sealed.error();
  return fitting_key(log_keys, *sealed);
}

Result<Bytes> open_with_payload_key(const Key32& key, const LogId& log, BytesView payload) {
  const auto sealed = take_apart(payload);
  if (!sealed) return sealed.error();
  if (!fits(key, *sealed)) return fail(Errc::not_found, no_key_text);
  return open_committed(key, log, *sealed);
}

Result<Bytes> open_payload(const std::vector<Key32>& log_keys, const LogId& log,
                           BytesView payload) {
  const auto sealed = take_apart(payload);
  if (!sealed) return sealed.error();
  const auto fitting = fitting_key(log_keys, *sealed);
  if (!fitting) return fitting.error();
  return open_committed(fitting->key, log, *sealed);
}

}  // namespace kith
