#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"

namespace kith::client {
namespace {

std::string connection_text(const local::MemberRow& member) {
  if (member.self) return "this one";
  if (member.paused) return "paused";
  if (member.connected) return "yes";
  return member.heard == 0 ? "no" : "no, last " + date_of(member.heard);
}

std::string remark(const local::MemberRow& member) {
  if (member.frozen) return "two conflicting histories; see kith audit " + member.code;
  if (!member.unasked.empty()) {
    return "signs without having heard what " + joined(member.unasked, ", ") +
           " may hold of its log: its operator said so";
  }
  return member.connected ? "" : member.last_error;
}

std::uint64_t to_come(const local::MemberRow& member) {
  const std::uint64_t missing =
      member.known_size > member.held_size ? member.known_size - member.held_size : 0;
  return missing + member.gaps;
}

}  // namespace

Exit peers(Daemon& daemon, const Console& console) {
  const auto answer = ask<local::MembersAnswer>(daemon, console, local::MembersRequest{});
  if (!answer) return answer.exit;
  if (console.json) {
    console.out << json_of(*answer) << '\n';
    return Exit::ok;
  }
  Table table({"member", "name", "connected", "entries", "to come", "confirmed"});
  for (const local::MemberRow& member : answer->members) {
    table.add({member.code, fit(clean_line(member.name), console.width == 0 ? 0 : 26),
               connection_text(member), std::to_string(member.records),
               std::to_string(to_come(member)),
               std::to_string(member.cosigned) + " of " + std::to_string(member.witnesses)});
  }
  table.print(console);
  // On lines of their own: what is wrong must not be what a narrow terminal cuts.
  for (const local::MemberRow& member : answer->members) {
    const std::string said = clean_line(remark(member));
    if (!said.empty()) console.out << clean_line(member.code) << ": " << said << '\n';
  }
  return Exit::ok;
}

}  // namespace kith::client
