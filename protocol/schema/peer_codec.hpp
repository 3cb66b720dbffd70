#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"
#include "protocol/schema/cosignature.hpp"
#include "protocol/schema/payload_list.hpp"
#include "protocol/schema/record_codec.hpp"

/// What daemons say to one another once a channel is up: the structs of peer.capnp, one segment to
/// a message (docs/PROTOCOL, "Messages").
namespace kith::peer {

/// One log as a daemon holds it: its newest checkpoint whose leaves are all durable here.
struct LogSummary {
  LogId log;
  std::uint64_t size = 0;
  TreeHash root{};
  std::uint64_t agreed = 0;
  Hash gaps{};  ///< H over the indices (u64 each) whose payload is not held; zeros if none.
  bool frozen = false;
  friend bool operator==(const LogSummary&, const LogSummary&) = default;
  friend auto operator<=>(const LogSummary& a, const LogSummary& b) { return a.log <=> b.log; }
};

/// The responder's answer to the Hello of message 3, and its first message.
struct Welcome {
  Hash digest{};
  DigestHalf last_common{};                   ///< What it remembers of this peer.
  std::uint64_t certificate_number = 0;       ///< Its own.
  std::uint64_t your_certificate_number = 0;  ///< The initiator's newest that it knows.
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

/// What this daemon holds: sent when digests differ (changes since the last common digest, or all)
/// and, for one log, when that log changed.
struct Have {
  std::vector<LogSummary> logs;
  friend bool operator==(const Have&, const Have&) = default;
};

/// Asks for Announce of these logs, because a Have said that more is there.
struct GetCheckpoints {
  std::vector<LogId> logs;  ///< At most entries_per_list_max.
  friend bool operator==(const GetCheckpoints&, const GetCheckpoints&) = default;
};

/// A log's newest checkpoint here, with what is needed to believe it.
struct Announce {
  LogId log;
  std::string note;  ///< Signed by the log key.
  /// Statements of its owner: the one that names the key of the note, the newest that cuts, and the
  /// newest; each once.
  std::vector<Bytes> certificates;
  std::vector<Cosignature> cosignatures;  ///< Each witness's newest; their `log` is not sent.
  friend bool operator==(const Announce&, const Announce&) = default;
};

/// A new append, pushed at once: complete leaves and payloads from `first` to the note's size.
struct Push {
  LogId log;
  std::string note;
  std::uint64_t first = 0;
  Bytes leaves;    ///< An entry bundle.
  Bytes payloads;  ///< As in Entries.
  friend bool operator==(const Push&, const Push&) = default;
};

/// Sent to the log's owner (or to all if it is not connected).
struct Cosigned {
  Cosignature cosignature;
  friend bool operator==(const Cosigned&, const Cosigned&) = default;
};

struct GetTiles {
  LogId log;
  std::uint64_t size = 0;  ///< Of the tree whose tiles are meant.
  struct Tile {
    std::uint8_t level = 0;
    std::uint64_t index = 0;
    friend bool operator==(const Tile&, const Tile&) = default;
  };
  std::vector<Tile> tiles;  ///< At most 16.
  friend bool operator==(const GetTiles&, const GetTiles&) = default;
};
/// The tiles in the order asked, at their width in that tree; empty: not held.
struct Tiles {
  LogId log;
  std::uint64_t size = 0;
  std::vector<Bytes> tiles;
  friend bool operator==(const Tiles&, const Tiles&) = default;
};

/// Leaves [first, last) of one bundle (first is a multiple of 256, last - first <= 256), and as
/// many of their payloads, from `payloads_from` on, as fit into one message.
struct GetEntries {
  LogId log;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t payloads_from = 0;
  friend bool operator==(const GetEntries&, const GetEntries&) = default;
};
struct Entries {
  LogId log;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t payloads_from = 0;
  Bytes leaves;  ///< An entry bundle of last - first leaves; empty: not held.
  Bytes
      payloads;  ///< From payloads_from on: u32 length, bytes; 2^32-1: not held here. May be fewer.
  friend bool operator==(const Entries&, const Entries&) = default;
};

/// Payloads of the leaves named, which the asker lacks.
struct GetPayloads {
  LogId log;
  std::vector<std::uint64_t> indices;  ///< Ascending, at most 256.
  friend bool operator==(const GetPayloads&, const GetPayloads&) = default;
};
struct Payloads {
  LogId log;
  std::vector<std::uint64_t> indices;  ///< A prefix of those asked.
  Bytes payloads;                      ///< As in Entries.
  friend bool operator==(const Payloads&, const Payloads&) = default;
};

/// The join conversation: all that a candidate gets until it is a member.
struct JoinRequest {
  Bytes certificate;
  Profile profile;
  friend bool operator==(const JoinRequest&, const JoinRequest&) = default;
};
struct JoinWaiting {
  std::string said;  ///< For a person: what it waits for.
  friend bool operator==(const JoinWaiting&, const JoinWaiting&) = default;
};
struct JoinGranted {
  DecisionId decision;
  Key32 network_secret;
  Key32 space_key_g;
  Key32 space_key_r;
  friend bool operator==(const JoinGranted&, const JoinGranted&) = default;
};

/// Keeps a connection alive and compares digests in the course of a long session.
struct Ping {
  Hash digest{};  ///< Zeros: only a sign of life.
  friend bool operator==(const Ping&, const Ping&) = default;
};
struct Pong {
  Hash digest{};
  friend bool operator==(const Pong&, const Pong&) = default;
};

/// Proof of two signed histories: a `.kith-evidence` file.
struct Evidence {
  std::string text;
  friend bool operator==(const Evidence&, const Evidence&) = default;
};
/// Proof that more than half of a log's witnesses cosigned this tree, or one that begins with it:
/// how a log of two histories is frozen at one size everywhere.
struct Agreed {
  LogId log;
  std::uint64_t size = 0;
  TreeHash root{};
  std::vector<Cosignature> cosignatures;  ///< At most witnesses_max; their `log` is not sent.
  /// For each, how `root` lies in its tree (verify_consistency); empty if it is of this size.
  std::vector<std::vector<TreeHash>> paths;
  friend bool operator==(const Agreed&, const Agreed&) = default;
};
/// The sender signs though these witnesses of its log did not say what they hold of it, as its
/// operator told it to.
struct Unasked {
  std::vector<MemberId> members;  ///< At most witnesses_max.
  friend bool operator==(const Unasked&, const Unasked&) = default;
};

using Message = std::variant<Welcome, Have, GetCheckpoints, Announce, Push, Cosigned, GetTiles,
                             Tiles, GetEntries, Entries, GetPayloads, Payloads, JoinRequest,
                             JoinWaiting, JoinGranted, Ping, Pong, Evidence, Agreed, Unasked>;
[[nodiscard]] Bytes encode(const Message& message);
/// malformed or too_large; never throws. Counts and sizes are checked against limits.hpp.
[[nodiscard]] Result<Message> decode_message(BytesView bytes);

}  // namespace kith::peer
