#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"

namespace kith::client {
namespace {

std::string verdict(const local::AuditRow& log) {
  if (log.frozen) return "two conflicting histories";
  if (log.intact) return "intact";
  return log.faults.empty() ? "incomplete" : "FAULTS";
}

void print_table(const Console& console, const local::AuditAnswer& answer) {
  // Narrow enough for 80 columns; --json has everything.
  Table table({"member", "verdict", "leaves", "agreed", "cosigned", "records", "missing", "unread",
               "root"});
  for (const local::AuditRow& log : answer.logs) {
    table.add({log.code, verdict(log), std::to_string(log.size), std::to_string(log.agreed),
               std::to_string(log.cosigned) + " of " + std::to_string(log.witnesses),
               std::to_string(log.records), std::to_string(log.missing), std::to_string(log.sealed),
               full_id(log.root.view()).substr(0, 8)});
  }
  table.print(console);
  for (const local::AuditRow& log : answer.logs) {
    for (const std::string& fault : log.faults) {
      console.out << clean_line(log.code) << ": " << clean_line(fault) << '\n';
    }
  }
}

}  // namespace

Exit audit(const std::string& member, Daemon& daemon, const Console& console) {
  const auto answer = ask<local::AuditAnswer>(daemon, console, local::AuditRequest{member});
  if (!answer) return answer.exit;
  if (answer->logs.empty()) {
    return complain(console, fail(Errc::not_found, "there is no history to audit here yet"));
  }
  const bool intact = std::ranges::all_of(
      answer->logs, [](const local::AuditRow& log) { return log.intact && !log.frozen; });
  if (console.json) {
    console.out << json_of(*answer, intact) << '\n';
  } else {
    print_table(console, *answer);
    const std::string whose = answer->logs.size() == 1
                                  ? "The history of " + clean_line(answer->logs[0].code)
                                  : "Every history";
    console.out
        << (intact
                ? whose + " is intact.\n"
                : "Not all of it holds, or not all of it is here. What is missing may still be on "
                  "its way:\nsee kith peers. Where something is damaged, it is most likely this "
                  "machine's disk:\nstop kithd and run kithd check. Of all else tell the member it "
                  "belongs to.\n");
  }
  return intact ? Exit::ok : Exit::faults;
}

}  // namespace kith::client
