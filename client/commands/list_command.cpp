#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"

namespace kith::client {

Exit list(const ListOptions& options, Daemon& daemon, const Console& console) {
  const auto answer = ask<local::ListAnswer>(
      daemon, console,
      local::ListRequest{options.kind, options.member, options.before, options.limit});
  if (!answer) return answer.exit;
  if (console.json) {
    console.out << json_of(*answer) << '\n';
    return Exit::ok;
  }
  if (answer->records.empty()) {
    console.err << "No entries here yet.\n";
    return Exit::ok;
  }
  print_entries(console, answer->records);
  if (answer->more) {
    console.err << "There are older ones: add --before " << answer->records.back().sequence << '\n';
  }
  return Exit::ok;
}

}  // namespace kith::client
