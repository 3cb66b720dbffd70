#include "protocol/crypto/noise.hpp"

#include <limits>

#include "protocol/base/check.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/crypto/sha256.hpp"

namespace kith::noise {
namespace {

constexpr std::size_t message_bytes_max = 65'535;
// Noise keeps the last counter for REKEY.
constexpr std::uint64_t counter_end = std::numeric_limits<std::uint64_t>::max();

struct Derived {
  Key32 first, second, third;

  ~Derived() {
    wipe(first.bytes);
    wipe(second.bytes);
    wipe(third.bytes);
  }
};

/// Noise HKDF; those who need two outputs leave the third.
Derived hkdf(const Hash& chaining_key, BytesView input) {
  constexpr std::uint8_t one = 1;
  constexpr std::uint8_t two = 2;
  constexpr std::uint8_t three = 3;
  Key32 temporary = hmac_sha256(chaining_key.view(), {input});
  Derived out;
  out.first = hmac_sha256(temporary.view(), {BytesView(&one, 1)});
  out.second = hmac_sha256(temporary.view(), {out.first.view(), BytesView(&two, 1)});
  out.third = hmac_sha256(temporary.view(), {out.second.view(), BytesView(&three, 1)});
  wipe(temporary.bytes);
  return out;
}

bool contains_psk(const Pattern& pattern) {
  return std::ranges::any_of(pattern.messages, [](const std::vector<Token>& tokens) {
    return std::ranges::find(tokens, Token::psk) != tokens.end();
  });
}

Error absent(const char* what) { return fail(Errc::usage, std::string(what) + " is absent"); }

}  // namespace

// --- CipherState

CipherState::~CipherState() { wipe(key_.bytes); }

Result<Bytes> CipherState::encrypt(BytesView associated, BytesView plaintext) {
  if (!has_key_) return to_bytes(plaintext);
  if (counter_ == counter_end) return fail(Errc::too_large, "the cipher's counter is used up");
  return chachapoly_seal(key_, counter_++, associated, plaintext);
}

Result<Bytes> CipherState::decrypt(BytesView associated, BytesView ciphertext) {
  if (!has_key_) return to_bytes(ciphertext);
  if (counter_ == counter_end) return fail(Errc::too_large, "the cipher's counter is used up");
  auto plaintext = chachapoly_open(key_, counter_, associated, ciphertext);
  if (!plaintext) return fail(Errc::bad_signature, "the tag does not verify");
  ++counter_;
  return *std::move(plaintext);
}

Result<bool> CipherState::encrypt_into(std::span<std::uint8_t> out, BytesView plaintext) {
  KITH_CHECK(has_key_);
  if (counter_ == counter_end) return fail(Errc::too_large, "the cipher's counter is used up");
  chachapoly_seal_into(out, key_, counter_++, {}, plaintext);
  return true;
}

Result<bool> CipherState::decrypt_into(std::span<std::uint8_t> out, BytesView ciphertext) {
  KITH_CHECK(has_key_);
  if (counter_ == counter_end) return fail(Errc::too_large, "the cipher's counter is used up");
  if (!chachapoly_open_into(out, key_, counter_, {}, ciphertext)) {
    return fail(Errc::bad_signature, "the tag does not verify");
  }
  ++counter_;
  return true;
}

void CipherState::rekey() {
  KITH_CHECK(has_key_);
  constexpr Key32 zeros{};
  std::array<std::uint8_t, Key32::size + tag_bytes> sealed;
  chachapoly_seal_into(sealed, key_, counter_end, {}, zeros.view());
  key_ = Key32::from(BytesView(sealed).first(Key32::size));
  wipe(sealed);
}

// --- Patterns

Result<Pattern> pattern(std::string_view name) {
  using enum Token;
  if (name == "NK") return Pattern{"NK", {}, {s}, {{e, es}, {e, ee}}};
  if (name == "KK") return Pattern{"KK", {s}, {s}, {{e, es, ss}, {e, ee, se}}};
  if (name == "XK") return Pattern{"XK", {}, {s}, {{e, es}, {e, ee}, {s, se}}};
  if (name == "IK") return Pattern{"IK", {}, {s}, {{e, es, s, ss}, {e, ee, se}}};
  if (name == "XX") return Pattern{"XX", {}, {}, {{e}, {e, ee, s, es}, {s, se}}};
  if (name == "IX") return Pattern{"IX", {}, {}, {{e, s}, {e, ee, se, s, es}}};
  if (name == "XKpsk3") return Pattern{"XKpsk3", {}, {s}, {{e, es}, {e, ee}, {s, se, psk}}};
  if (name == "XXpsk3") return Pattern{"XXpsk3", {}, {}, {{e}, {e, ee, s, es}, {s, se, psk}}};
  if (name == "IKpsk1") return Pattern{"IKpsk1", {}, {s}, {{e, es, s, ss, psk}, {e, ee, se}}};
  if (name == "IKpsk2") return Pattern{"IKpsk2", {}, {s}, {{e, es, s, ss}, {e, ee, se, psk}}};
  return fail(Errc::not_found, "unknown Noise pattern");
}

// --- Handshake: what both sides do alike

Handshake::Handshake(const Pattern& pattern, bool initiator, BytesView prologue, const Keys& keys)
    : pattern_(pattern), initiator_(initiator), has_psk_(contains_psk(pattern)), keys_(keys) {
  const std::string name = "Noise_" + std::string(pattern.name) + "_25519_ChaChaPoly_SHA256";
  hash_ =
      name.size() <= Hash::size ? Hash::from(view(name)) : Hash::from(sha256(view(name)).view());
  chaining_key_ = hash_;
  mix_hash(prologue);
  mix_pre_messages();
}

Handshake::~Handshake() {
  wipe(chaining_key_.bytes);
  if (keys_.static_secret) wipe(keys_.static_secret->bytes);
  if (keys_.ephemeral_secret) wipe(keys_.ephemeral_secret->bytes);
  if (keys_.psk) wipe(keys_.psk->bytes);
}

void Handshake::mix_pre_messages() {
  const auto mix_static = [&](bool of_initiator) {
    if (of_initiator == initiator_) {
      KITH_CHECK(keys_.static_secret.has_value());
      mix_hash(dh_public(*keys_.static_secret).view());
    } else {
      KITH_CHECK(keys_.remote_static.has_value());
      mix_hash(keys_.remote_static->view());
    }
  };
  // Every pattern here has at most one pre-message token for each side, and it is s.
  if (!pattern_.initiator_pre.empty()) mix_static(true);
  if (!pattern_.responder_pre.empty()) mix_static(false);
}

void Handshake::mix_hash(BytesView data) { hash_ = Hash::from(sha256(hash_.view(), data).view()); }

void Handshake::mix_key(BytesView input) {
  const Derived keys = hkdf(chaining_key_, input);
  chaining_key_ = Hash::from(keys.first.view());
  cipher_ = CipherState(keys.second);
}

void Handshake::mix_key_and_hash(BytesView input) {
  const Derived keys = hkdf(chaining_key_, input);
  chaining_key_ = Hash::from(keys.first.view());
  mix_hash(keys.second.view());
  cipher_ = CipherState(keys.third);
}

void Handshake::mix_ephemeral(const DhPublic& ephemeral) {
  mix_hash(ephemeral.view());
  if (has_psk_) mix_key(ephemeral.view());
}

Result<bool> Handshake::mix_psk() {
  if (!keys_.psk) return absent("the pre-shared key");
  mix_key_and_hash(keys_.psk->view());
  return true;
}

Result<bool> Handshake::mix_dh(Token token) {
  // The first letter names the initiator's key, the second the responder's.
  const bool own_static = token == Token::ss || token == (initiator_ ? Token::se : Token::es);
  const bool remote_static = token == Token::ss || token == (initiator_ ? Token::es : Token::se);
  const auto& own = own_static ? keys_.static_secret : keys_.ephemeral_secret;
  const auto& remote = remote_static ? keys_.remote_static : remote_ephemeral_;
  if (!own) return absent("an own key");
  if (!remote) return absent("a key of the other side");

  auto shared = dh(*own, *remote);
  if (!shared) return fail(Errc::malformed, "the other side's key is a low-order point");
  mix_key(shared->view());
  wipe(shared->bytes);
  return true;
}

Result<Bytes> Handshake::encrypt_and_hash(BytesView plaintext) {
  auto ciphertext = cipher_.encrypt(hash_.view(), plaintext);
  if (ciphertext) mix_hash(*ciphertext);
  return ciphertext;
}

Result<Bytes> Handshake::decrypt_and_hash(BytesView ciphertext) {
  auto plaintext = cipher_.decrypt(hash_.view(), ciphertext);
  if (plaintext) mix_hash(ciphertext);
  return plaintext;
}

Result<bool> Handshake::my_turn(bool writing) const {
  if (finished()) return fail(Errc::usage, "the handshake is over");
  const bool initiator_writes = next_ % 2 == 0;
  if ((initiator_writes == initiator_) != writing) {
    return fail(Errc::usage, "it is the other side's turn");
  }
  return true;
}

// --- Handshake: writing

Result<bool> Handshake::write_token(Token token, Bytes& message) {
  if (token == Token::psk) return mix_psk();
  if (token == Token::e) {
    if (!keys_.ephemeral_secret) return absent("the ephemeral key");
    const DhPublic ephemeral = dh_public(*keys_.ephemeral_secret);
    append(message, ephemeral.view());
    mix_ephemeral(ephemeral);
    return true;
  }
  if (token == Token::s) {
    if (!keys_.static_secret) return absent("the static key");
    const auto sealed = encrypt_and_hash(dh_public(*keys_.static_secret).view());
    if (!sealed) return sealed.error();
    append(message, *sealed);
    return true;
  }
  return mix_dh(token);
}

Result<Bytes> Handshake::write(BytesView payload) {
  if (const auto turn = my_turn(true); !turn) return turn.error();
  Bytes message;
  for (const Token token : pattern_.messages[next_]) {
    if (const auto written = write_token(token, message); !written) return written.error();
  }
  // Refused before it is encrypted, so no text of that size is ever made.
  if (payload.size() > message_bytes_max - message.size() - tag_bytes) {
    return fail(Errc::too_large, "a handshake message is too long");
  }
  const auto sealed = encrypt_and_hash(payload);
  if (!sealed) return sealed.error();
  append(message, *sealed);
  ++next_;
  return message;
}

// --- Handshake: reading

Result<std::size_t> Handshake::read_token(Token token, BytesView rest) {
  if (token == Token::e) {
    if (rest.size() < DhPublic::size) return fail(Errc::malformed, "a handshake message is short");
    remote_ephemeral_ = DhPublic::from(rest.first(DhPublic::size));
    mix_ephemeral(*remote_ephemeral_);
    return DhPublic::size;
  }
  if (token == Token::s) {
    const std::size_t size = DhPublic::size + (cipher_.has_key() ? tag_bytes : 0);
    if (rest.size() < size) return fail(Errc::malformed, "a handshake message is short");
    const auto opened = decrypt_and_hash(rest.first(size));
    if (!opened) return opened.error();
    keys_.remote_static = DhPublic::from(*opened);
    return size;
  }
  const auto mixed = token == Token::psk ? mix_psk() : mix_dh(token);
  if (!mixed) return mixed.error();
  return std::size_t{0};
}

Result<std::size_t> Handshake::read_tokens(BytesView message, std::size_t first, bool stop_at_psk) {
  const auto& tokens = pattern_.messages[next_];
  std::size_t consumed = 0;
  for (std::size_t i = first; i < tokens.size(); ++i) {
    if (stop_at_psk && tokens[i] == Token::psk) break;
    const auto taken = read_token(tokens[i], message.subspan(consumed));
    if (!taken) return taken.error();
    consumed += *taken;
  }
  return consumed;
}

Result<Bytes> Handshake::read(BytesView message) {
  if (const auto turn = my_turn(false); !turn) return turn.error();
  if (message.size() > message_bytes_max) {
    return fail(Errc::too_large, "a handshake message is too long");
  }
  const auto consumed = read_tokens(message, 0, false);
  if (!consumed) return consumed.error();
  auto payload = decrypt_and_hash(message.subspan(*consumed));
  if (payload) ++next_;
  return payload;
}

Result<std::size_t> Handshake::read_before_psk(BytesView message) {
  if (const auto turn = my_turn(false); !turn) return turn.error();
  if (message.size() > message_bytes_max) {
    return fail(Errc::too_large, "a handshake message is too long");
  }
  return read_tokens(message, 0, true);
}

Result<Bytes> Handshake::read_rest(BytesView message, std::size_t consumed, const Key32& psk) {
  if (const auto turn = my_turn(false); !turn) return turn.error();
  const auto& tokens = pattern_.messages[next_];
  const auto at = std::ranges::find(tokens, Token::psk);
  if (at == tokens.end() || consumed > message.size()) {
    return fail(Errc::usage, "this handshake message has no pre-shared key");
  }
  keys_.psk = psk;
  const BytesView rest = message.subspan(consumed);
  const auto more = read_tokens(rest, static_cast<std::size_t>(at - tokens.begin()), false);
  if (!more) return more.error();
  auto payload = decrypt_and_hash(rest.subspan(*more));
  if (payload) ++next_;
  return payload;
}

Transport Handshake::split() const {
  KITH_CHECK(finished());
  const Derived keys = hkdf(chaining_key_, {});
  return {CipherState(keys.first), CipherState(keys.second), hash_};
}

}  // namespace kith::noise
