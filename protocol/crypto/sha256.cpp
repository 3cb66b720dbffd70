#include "protocol/crypto/sha256.hpp"

#include <openssl/evp.h>

#include <memory>

#include "protocol/base/check.hpp"

namespace kith {
namespace {

// Fetched once: looking the digest up for each hash costs more than a small hash itself.
EVP_MD* fetched_sha256() {
  static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> digest(
      EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free);
  KITH_CHECK(digest != nullptr);
  return digest.get();
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  KITH_CHECK(context_ != nullptr);
  KITH_CHECK(EVP_DigestInit_ex2(context_, fetched_sha256(), nullptr) == 1);
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }

TreeHash Sha256::digest(BytesView a, BytesView b) {
  TreeHash out;
  // A null digest keeps the one of the constructor and only resets the state.
  KITH_CHECK(EVP_DigestInit_ex2(context_, nullptr, nullptr) == 1);
  KITH_CHECK(EVP_DigestUpdate(context_, a.data(), a.size()) == 1);
  if (!b.empty()) KITH_CHECK(EVP_DigestUpdate(context_, b.data(), b.size()) == 1);
  KITH_CHECK(EVP_DigestFinal_ex(context_, out.bytes.data(), nullptr) == 1);
  return out;
}

TreeHash sha256(BytesView a, BytesView b) {
  thread_local Sha256 hasher;
  return hasher.digest(a, b);
}

}  // namespace kith
