#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "protocol/records/field_check.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith::client {

Exit list(const ListOptions& options, Daemon& daemon, const Console& console) {
  const auto answer =
      ask<local::ListAnswer>(daemon, console,
                             local::ListRequest{options.kind, options.member, options.before,
                                                options.limit, options.after});
  if (!answer) return answer.exit;
  // A newer member may write kinds that this version does not know: only without any it is a slip.
  const bool is_known = options.kind.empty() || find_kind(options.kind) != nullptr;
  if (answer->records.empty() && !is_known) {
    return complain(console, fail(Errc::usage, "--kind: " + unknown_kind(options.kind)));
  }
  if (console.json) {
    console.out << json_of(*answer) << '\n';
    return Exit::ok;
  }
  if (answer->records.empty()) {
    const bool all = options.kind.empty() && options.member.empty() && options.before == ~0ULL &&
                     options.after == 0;
    console.err << (all ? "No entries here yet.\n" : "No entries match.\n");
    return Exit::ok;
  }
  print_entries(console, answer->records);
  if (answer->more) {
    console.err << "There are older ones: add --before " << answer->records.back().sequence << '\n';
  }
  return Exit::ok;
}

}  // namespace kith::client
