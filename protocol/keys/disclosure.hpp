#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

/// Derived keys that a member gives to somebody outside the network: of one log, or of single
/// payloads of it. The file `.kith-disclosure` (docs/PROTOCOL).
namespace kith {

/// Both K_log that come from one space key.
struct LogKeys {
  Key32 g;
  Key32 r;
  friend bool operator==(const LogKeys&, const LogKeys&) = default;
};

/// What opens one payload and nothing else.
struct DisclosedRecord {
  RecordId id;
  std::uint64_t index = 0;  ///< In the log.
  Key32 key;                ///< K.
  friend bool operator==(const DisclosedRecord&, const DisclosedRecord&) = default;
};

/// What is opened, by whom, to whom, for what. Nothing in it is signed: a key proves itself by the
/// commitment in the payload that it opens, the rest is the word of whoever handed it over.
struct Disclosure {
  NetworkId network;
  MemberId member;  ///< Whose log it is.
  SpaceId space;
  MemberId discloser;               ///< The member whose daemon derived the keys.
  std::optional<RecordId> consent;  ///< Of `member`; nothing if it disclosed its own.
  std::string recipient;
  std::string purpose;
  Millis time = 0;                       ///< By the discloser's clock.
  std::vector<LogKeys> log_keys;         ///< The whole log, newest first: all it was sealed with.
  std::vector<DisclosedRecord> records;  ///< Or these alone, in the order of the log.

  [[nodiscard]] LogId log() const;
  friend bool operator==(const Disclosure&, const Disclosure&) = default;
};

inline constexpr std::size_t disclosure_bytes_max = 256 * 1024;

/// Whether a recipient and a purpose can be written down: one line each, no blanks around, not too
/// long. usage, saying what is wrong.
[[nodiscard]] Result<bool> check_disclosure_words(std::string_view recipient,
                                                  std::string_view purpose);

/// A secret.
[[nodiscard]] std::string encode_disclosure(const Disclosure& disclosure);
/// Strict: only what encode_disclosure() writes, with its check line. malformed, too_large.
[[nodiscard]] Result<Disclosure> decode_disclosure(std::string_view text);

}  // namespace kith
