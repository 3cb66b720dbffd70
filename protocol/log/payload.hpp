#pragma once

#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"
#include "protocol/crypto/crypto.hpp"

/// Sealing of `g` and `r` payloads: 24-byte nonce, 32-byte key commitment, ciphertext. `c` payloads
/// are the text itself, unpadded.
namespace kith {

/// Nonce, commitment and tag: what sealing adds to the padded text.
inline constexpr std::size_t seal_overhead_bytes = 24 + 32 + 16;

/// K_log = H(space key; `kith/log-key/v1` | log id): what an auditor of one log is given.
[[nodiscard]] Key32 log_key(const Key32& space_key, const LogId& log);
/// K = H(K_log; `kith/payload-key/v1` | nonce): what opens one payload and nothing else.
[[nodiscard]] Key32 payload_key(const Key32& log_key, const Nonce24& nonce);

/// `text` is padded to a multiple of 64 and sealed; `nonce` must be fresh and random.
/// too_large if the payload would exceed payload_bytes_max.
[[nodiscard]] Result<Bytes> seal_payload(const Key32& log_key, const LogId& log,
                                         const Nonce24& nonce, BytesView text);
/// Which of some log keys a payload was sealed with.
struct FittingKey {
  std::size_t position = 0;  ///< In the list that was given.
  Key32 key;                 ///< K of this very payload.
};
/// The first of `log_keys` that fits. not_found if none does.
[[nodiscard]] Result<FittingKey> fitting_key(const std::vector<Key32>& log_keys, BytesView payload);
/// Opens with K itself. not_found if the commitment is another key's.
[[nodiscard]] Result<Bytes> open_with_payload_key(const Key32& key, const LogId& log,
                                                  BytesView payload);
/// Opens with the one key given. bad_signature if the commitment is another key's or the tag fails;
/// malformed or too_large if no payload has this length.
[[nodiscard]] Result<Bytes> open_payload(const Key32& log_key, const LogId& log, BytesView payload);
/// Tries the keys in the order given (newest first); the commitment tells which fits. not_found if
/// none does.
[[nodiscard]] Result<Bytes> open_payload(const std::vector<Key32>& log_keys, const LogId& log,
                                         BytesView payload);

}  // namespace kith
