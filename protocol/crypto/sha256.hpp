#pragma once

#include "protocol/base/types.hpp"

struct evp_md_ctx_st;

/// The tree's hash and the only user of OpenSSL in protocol/ (hardware SHA, which libsodium's
/// lacks; measured five to six times as fast on 1 KiB).
namespace kith {

/// SHA-256 with a reused context. Not thread-safe: one for each thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  /// One digest over `a` then `b`.
  [[nodiscard]] TreeHash digest(BytesView a, BytesView b = {});

 private:
  evp_md_ctx_st* context_;
};

/// SHA-256 over `a` then `b`, with a context of the calling thread.
[[nodiscard]] TreeHash sha256(BytesView a, BytesView b = {});

}  // namespace kith
