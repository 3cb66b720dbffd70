#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"

namespace kith::client {
namespace {

void print_arrival(const Console& console, const local::WatchAnswer& arrival) {
  if (console.json) {
    console.out << json_of(arrival) << std::endl;
    return;
  }
  const local::RecordSummary& record = arrival.record;
  // Flushed at once: somebody is waiting for this line.
  console.out << fit(short_id(record.id) + "  " + date_of(record.time) + "  " +
                         clean_line(record.member) + "  " + kind_of(record) + "  " +
                         clean_line(record.title),
                     console.width)
              << std::endl;
}

/// The end of a watch; with --json one document a line, this one as well.
Exit complain_in_a_line(const Console& console, const Error& error) {
  Console text = console;
  text.json = false;
  const Exit exit = complain(text, error, Exit::unreachable);
  if (console.json) console.out << json_line_of(error) << std::endl;
  return exit;
}

}  // namespace

Exit watch(const WatchOptions& options, Daemon& daemon, const Console& console) {
  std::uint64_t since = 0;
  if (options.since) {
    since = *options.since;
  } else {
    const auto status = ask<local::StatusAnswer>(daemon, console, local::StatusRequest{});
    if (!status) return status.exit;
    since = status->last_sequence;
  }
  if (console.err_is_terminal) console.err << "Waiting for entries; Ctrl-C ends.\n";

  auto said = daemon.ask(local::WatchRequest{since}, [](const local::Progress&) {});
  for (std::uint64_t seen = 1;; ++seen) {
    if (!said) return complain_in_a_line(console, said.error());
    if (const auto* end = std::get_if<local::Refusal>(&*said)) {
      return complain_in_a_line(console, fail(end->code, end->said));
    }
    const auto arrival = take<local::WatchAnswer>(console, std::move(said));
    if (!arrival) return arrival.exit;
    print_arrival(console, *arrival);
    if (seen == options.count || !console.out) return Exit::ok;
    said = daemon.next();
  }
}

}  // namespace kith::client
