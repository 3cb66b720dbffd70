#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/keys/authors.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/payload.hpp"
#include "protocol/records/record.hpp"

/// What one payload is worth: opened, parsed, its author's signature checked, its author's right to
/// say it looked up. The same for what comes from peers, from the own log and for an audit.
namespace kith {

/// What is needed to open payloads of one log. Values: it travels to the verifier pool.
struct JudgeContext {
  NetworkId network;
  LogId log;
  MemberId member;
  std::vector<Key32> g_keys;  ///< Log keys (log_key of each space key), newest first.
  std::vector<Key32> r_keys;
  bool check_signatures = true;  ///< Off only as a negative control in the simulation.
  /// Keys of single payloads, by index: tried after those of the log.
  std::map<std::uint64_t, std::vector<Key32>> payload_keys = {};

  [[nodiscard]] const std::vector<Key32>& log_keys(LeafClass leaf_class) const {
    return leaf_class == LeafClass::governance ? g_keys : r_keys;
  }
  /// Whether there is anything to try on the sealed entry at `index`.
  [[nodiscard]] bool has_key(LeafClass leaf_class, std::uint64_t index) const {
    return !log_keys(leaf_class).empty() || payload_keys.contains(index);
  }
};

struct Judged {
  enum class Status : std::uint8_t {
    good,    ///< Opened, and its signature holds; the right to say it is asked of admissible().
    sealed,  ///< No key here opens it.
    bad,     ///< It counts for nothing; `why` says why.
  };
  std::uint64_t index = 0;
  LeafClass leaf_class = LeafClass::record;
  Status status = Status::bad;
  std::string why;
  std::optional<Key32> payload_key;  ///< The one that fits; nothing: it is in clear, or sealed.
  std::optional<Key32> log_key;      ///< That it follows from; nothing: it was given alone.
  Bytes text;                        ///< Opened, as encode_text gives it.
  PayloadText parsed;                ///< Only if good.
  std::optional<Record> record;      ///< Of a SignedRecord.
  RecordId id;
};

/// Pure and slow (an author signature): for the pool. `signature_known` skips the signature of what
/// this daemon checked when it was published.
[[nodiscard]] Judged judge(const JudgeContext& context, std::uint64_t index, LeafClass leaf_class,
                           BytesView payload, bool signature_known, BatchVerifier& verifier);

/// Whether what was judged good may be said there: the author's scope at that index (publish for
/// documents and unknown kinds, speak for what binds the member), the daemon's author key for Seen
/// and KeyGrant, the recovery key for Founding. forbidden, with why.
[[nodiscard]] Result<bool> admissible(const KeyHistory& keys, const MemberId& member,
                                      const Judged& judged);

}  // namespace kith
