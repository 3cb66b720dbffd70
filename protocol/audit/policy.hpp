#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/log/note.hpp"

/// Policy files (C2SP tlog-policy): which logs an auditor takes, and how many of whom must have
/// cosigned a checkpoint.
namespace kith {

inline constexpr std::size_t policy_bytes_max = 512 * 1024;
inline constexpr std::size_t policy_lines_max = 1'024;  // Of logs, of witnesses and of groups each.

/// A witness, or a group of what stands before it.
struct PolicyNode {
  std::string name;                  ///< Opaque bytes; of a meaning in the file alone.
  std::optional<NoteKey> key;        ///< Of a witness.
  std::size_t needed = 1;            ///< So many members of a group must have cosigned.
  std::vector<std::size_t> members;  ///< Positions of these; none is a member twice in the file.

  friend bool operator==(const PolicyNode&, const PolicyNode&) = default;
};

struct Policy {
  std::vector<NoteKey> logs;  ///< None: which logs are meant is known from elsewhere.
  std::vector<PolicyNode> nodes;
  std::optional<std::size_t> quorum;  ///< Position of a node; nothing: nobody need have cosigned.

  friend bool operator==(const Policy&, const Policy&) = default;
};

/// Strict: every line ends in LF, and what the syntax does not have is refused. malformed and
/// too_large say in which line.
[[nodiscard]] Result<Policy> decode_policy(std::string_view text);

/// What a policy says of one checkpoint.
struct PolicyOutcome {
  bool knows_log = false;                 ///< A line names its key, or no line names any log.
  bool is_met = false;                    ///< The quorum.
  std::vector<std::string> cosigned;      ///< Names of its witnesses that cosigned ...
  std::vector<std::string> missing;       ///< ... and of those that did not.
  std::vector<std::string> unknown_keys;  ///< vkeys of whoever else cosigned: they do not count.
  std::string quorum;                     ///< In words: "2 of a, b, c".

  [[nodiscard]] bool holds() const { return knows_log && is_met; }
  friend bool operator==(const PolicyOutcome&, const PolicyOutcome&) = default;
};
/// `log` signed the checkpoint and `witnesses` cosigned it: the caller verified their signatures.
/// Nothing for `log`: nobody's signature of it holds.
[[nodiscard]] PolicyOutcome evaluate(const Policy& policy, const std::optional<NoteKey>& log,
                                     const std::vector<NoteKey>& witnesses);
/// Why it does not hold; for a person.
[[nodiscard]] std::string why_not(const PolicyOutcome& outcome);

}  // namespace kith
