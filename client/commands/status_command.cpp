#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "protocol/base/text.hpp"

namespace kith::client {
namespace {

constexpr std::size_t label_columns = 13;

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
  const auto line = [&](std::string label, const std::string& value) {
    label.resize(label_columns, ' ');
    print_wide(console, label, clean_line(value));
  };
  line("network", now.network_name);
  line("aim", now.aim);
  line("this member", now.code + " (" + now.state + ")");
  if (!now.state_detail.empty()) line("", now.state_detail);
  line("fingerprint", fingerprint_of(now.member));
  line("members", std::to_string(now.members) + ", " + std::to_string(now.peers_connected) +
                      " of the others connected");
  line("entries", std::to_string(now.records) + " of all members");
  if (now.incomplete > 0) {
    line("", counted(now.incomplete, "entry", "entries") + " still to come");
  }
  if (now.bad > 0) {
    line("", counted(now.bad, "entry", "entries") + " failed a check; see kith audit");
  }
  line("own log", counted(now.log_size, "line", "lines") + confirmed(now));
  line("decisions", std::to_string(now.decisions));
  line("listens at", now.listen.empty() ? "nowhere; it dials the others" : now.listen);
  line("disk", size_of(now.disk_bytes));
  line("versions", "kithd " + now.version + ", kith " KITH_VERSION);
  return Exit::ok;
}

}  // namespace kith::client
