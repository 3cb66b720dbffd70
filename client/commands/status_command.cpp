#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"

namespace kith::client {
namespace {

/// The log holds more than entries: keys, enrolments and words on proposals have lines there too.
std::string confirmed(const local::StatusAnswer& now) {
  if (now.members < 2) return "";
  if (now.agreed_size >= now.log_size) return ", all confirmed by more than half of the others";
  return ", " + std::to_string(now.agreed_size) + " confirmed by more than half of the others";
}

}  // namespace

Exit status(Daemon& daemon, const Console& console) {
  const auto answer = ask<local::StatusAnswer>(daemon, console, local::StatusRequest{});
  if (!answer) return answer.exit;
  if (console.json) {
    console.out << json_of(*answer) << '\n';
    return Exit::ok;
  }
  const local::StatusAnswer& now = *answer;
  Table table({"", ""});
  table.add({"network", now.network_name});
  table.add({"aim", now.aim});
  table.add({"this member", now.code + " (" + now.state + ")"});
  if (!now.state_detail.empty()) table.add({"", now.state_detail});
  table.add({"fingerprint", fingerprint_of(now.member)});
  table.add({"members", std::to_string(now.members) + ", " + std::to_string(now.peers_connected) +
                            " of the others connected"});
  table.add({"entries", std::to_string(now.records) + " of all members"});
  if (now.incomplete > 0) {
    table.add({"", counted(now.incomplete, "entry", "entries") + " still to come"});
  }
  if (now.bad > 0) {
    table.add({"", counted(now.bad, "entry", "entries") + " failed a check; see kith audit"});
  }
  table.add({"own log", counted(now.log_size, "line", "lines") + confirmed(now)});
  table.add({"decisions", std::to_string(now.decisions)});
  table.add({"listens at", now.listen.empty() ? "nowhere; it dials the others" : now.listen});
  table.add({"disk", size_of(now.disk_bytes)});
  table.add({"versions", "kithd " + now.version + ", kith " KITH_VERSION});
  table.print(console);
  return Exit::ok;
}

}  // namespace kith::client
