#include "tests/simulation/remembered_curve.hpp"

#include <cstring>
#include <string>
#include <unordered_map>

#include "protocol/base/types.hpp"

// The linker gives these their names and their meaning.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
int __real_crypto_sign_detached(unsigned char* signature, unsigned long long* signature_size,
                                const unsigned char* message, unsigned long long size,
                                const unsigned char* secret);
int __real_crypto_sign_verify_detached(const unsigned char* signature, const unsigned char* message,
                                       unsigned long long size, const unsigned char* key);
int __real_crypto_sign_seed_keypair(unsigned char* key, unsigned char* secret,
                                    const unsigned char* seed);
int __real_crypto_core_ed25519_is_valid_point(const unsigned char* point);
int __real_crypto_scalarmult(unsigned char* out, const unsigned char* secret,
                             const unsigned char* point);
int __real_crypto_scalarmult_base(unsigned char* out, const unsigned char* secret);
}

namespace kith::simulation {
namespace {

using Byte = unsigned char;

/// Only finds the place: what is asked is compared in full, so nothing rests on it.
struct FirstBytes {
  std::size_t operator()(const std::string& asked) const {
    std::size_t first = 0;
    std::memcpy(&first, asked.data(), sizeof first);
    return first;
  }
};
struct Answer {
  int returned = 0;
  std::string out;
};
using Answers = std::unordered_map<std::string, Answer, FirstBytes>;

/// C functions have nobody who could hand them an owner.
struct Memory {
  Answers signatures;
  Answers pairs;
  Answers points;
  Answers products;
  Answers base_products;
};
Memory& memory() {
  thread_local Memory memory;
  return memory;
}

void append(std::string& all, const Byte* bytes, std::size_t size) {
  all.append(reinterpret_cast<const char*>(bytes), size);
}

std::string key_of(const Byte* bytes) {
  return {reinterpret_cast<const char*>(bytes), PublicKey::size};
}

std::string signed_bytes(const Byte* signature, const Byte* message, std::size_t size,
                         const Byte* key) {
  std::string all;
  all.reserve(Signature::size + PublicKey::size + size);
  append(all, signature, Signature::size);
  append(all, key, PublicKey::size);
  append(all, message, size);
  return all;
}

/// The answer to `asked`, which `ask(answer)` gives the first time.
template <class Ask>
const Answer& remembered(Answers& answers, std::string asked, const Ask& ask) {
  const auto [known, is_new] = answers.try_emplace(std::move(asked));
  if (is_new) ask(known->second);
  return known->second;
}

Byte* begin_of(std::string& out, std::size_t size) {
  out.resize(size);
  return reinterpret_cast<Byte*>(out.data());
}

}  // namespace

void forget_curve() { memory() = {}; }

}  // namespace kith::simulation

using kith::simulation::Answer;
using kith::simulation::memory;
using kith::simulation::remembered;

extern "C" {

int __wrap_crypto_sign_verify_detached(const unsigned char* signature, const unsigned char* message,
                                       unsigned long long size, const unsigned char* key) {
  auto asked = kith::simulation::signed_bytes(signature, message, size, key);
  return remembered(memory().signatures, std::move(asked),
                    [&](Answer& answer) {
                      answer.returned =
                          __real_crypto_sign_verify_detached(signature, message, size, key);
                    })
      .returned;
}

int __wrap_crypto_sign_detached(unsigned char* signature, unsigned long long* signature_size,
                                const unsigned char* message, unsigned long long size,
                                const unsigned char* secret) {
  const int failed = __real_crypto_sign_detached(signature, signature_size, message, size, secret);
  // What libsodium signed, it accepts. The second half of its secret is the public key.
  const unsigned char* key = secret + kith::Seed::size;
  memory().signatures.try_emplace(kith::simulation::signed_bytes(signature, message, size, key),
                                  Answer{failed, {}});
  return failed;
}

int __wrap_crypto_sign_seed_keypair(unsigned char* key, unsigned char* secret,
                                    const unsigned char* seed) {
  constexpr std::size_t secret_bytes = kith::Seed::size + kith::PublicKey::size;
  const Answer& pair =
      remembered(memory().pairs, kith::simulation::key_of(seed), [&](Answer& answer) {
        answer.returned = __real_crypto_sign_seed_keypair(
            key, kith::simulation::begin_of(answer.out, secret_bytes), seed);
      });
  std::memcpy(secret, pair.out.data(), secret_bytes);
  std::memcpy(key, pair.out.data() + kith::Seed::size, kith::PublicKey::size);
  return pair.returned;
}

int __wrap_crypto_core_ed25519_is_valid_point(const unsigned char* point) {
  return remembered(memory().points, kith::simulation::key_of(point),
                    [&](Answer& answer) {
                      answer.returned = __real_crypto_core_ed25519_is_valid_point(point);
                    })
      .returned;
}

int __wrap_crypto_scalarmult(unsigned char* out, const unsigned char* secret,
                             const unsigned char* point) {
  const Answer& product = remembered(
      memory().products, kith::simulation::key_of(point) + kith::simulation::key_of(secret),
      [&](Answer& answer) {
        answer.returned = __real_crypto_scalarmult(
            kith::simulation::begin_of(answer.out, kith::Key32::size), secret, point);
      });
  std::memcpy(out, product.out.data(), product.out.size());
  return product.returned;
}

int __wrap_crypto_scalarmult_base(unsigned char* out, const unsigned char* secret) {
  const Answer& product =
      remembered(memory().base_products, kith::simulation::key_of(secret), [&](Answer& answer) {
        answer.returned = __real_crypto_scalarmult_base(
            kith::simulation::begin_of(answer.out, kith::Key32::size), secret);
      });
  std::memcpy(out, product.out.data(), product.out.size());
  return product.returned;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
