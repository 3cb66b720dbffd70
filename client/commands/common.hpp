#pragma once

#include <span>
#include <string>
#include <vector>

#include "client/daemon.hpp"
#include "client/desk.hpp"
#include "client/json_output.hpp"
#include "protocol/crypto/crypto.hpp"

/// What several commands share.
namespace kith::client {

/// The daemon's status, or a complaint if this organisation is no member yet.
[[nodiscard]] Answered<local::StatusAnswer> ask_member_status(Daemon& daemon,
                                                              const Console& console);

/// A record of this call, before it is signed.
struct Outgoing {
  std::string kind;
  std::string title;
  std::string file;
  Bytes record;
};
/// Signs all of `outgoing` as one act of publishing, sends it, and tells what became of it.
[[nodiscard]] Answered<Published> send_records(const std::vector<Outgoing>& outgoing,
                                               const local::StatusAnswer& status,
                                               const SigningKey& author, Daemon& daemon,
                                               const Console& console);

/// "practice"; "reply: question" for a reply.
[[nodiscard]] std::string kind_of(const local::RecordSummary& entry);
/// Entries as a table, newest first.
void print_entries(const Console& console, std::span<const local::RecordSummary> entries);

/// The same console without JSON: for what follows the one document that was printed.
[[nodiscard]] Console quiet(const Console& console);

/// "confirmed by 4 of 6 others".
[[nodiscard]] std::string confirmed_by(std::uint32_t confirmed, std::uint32_t others);
/// The open proposal that asks to admit this candidate, or null.
[[nodiscard]] const local::ProposalRow* proposed_already(const local::ProposalsAnswer& open,
                                                         const local::CandidateRow& candidate);
/// A line that goes on below itself where the terminal ends.
void print_wide(const Console& console, const std::string& label, const std::string& value);
/// What to do about a candidate whose code is another's.
inline constexpr const char* other_code_needed =
    "give them a new invitation, and let them begin again with another code";
/// The eight words of a member's fingerprint on one line.
[[nodiscard]] std::string fingerprint_of(const MemberId& member);

}  // namespace kith::client
