#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"

namespace kith::client {

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
  table.add({"members", std::to_string(now.members) + ", " + std::to_string(now.peers_connected) +
                            " of the others connected"});
  table.add({"own entries", std::to_string(now.log_size) + ", " +
                                std::to_string(std::min(now.agreed_size, now.log_size)) +
                                " confirmed by more than half"});
  table.add({"all entries", std::to_string(now.records) + " here"});
  if (now.incomplete > 0) {
    table.add({"", counted(now.incomplete, "entry", "entries") + " still to come"});
  }
  if (now.bad > 0) {
    table.add({"", counted(now.bad, "entry", "entries") + " failed a check; see kith audit"});
  }
  table.add({"decisions", std::to_string(now.decisions)});
  table.add({"listens at", now.listen.empty() ? "nowhere; it dials the others" : now.listen});
  table.add({"disk", size_of(now.disk_bytes)});
  table.add({"versions", "kithd " + now.version + ", kith " KITH_VERSION});
  table.print(console);
  return Exit::ok;
}

}  // namespace kith::client
