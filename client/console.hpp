#pragma once

#include <cstddef>
#include <istream>
#include <ostream>
#include <string>

#include "protocol/base/result.hpp"

namespace kith::client {

/// How a command ended, for scripts. docs/STAFF.md lists them; the numbers never change.
enum class Exit : int {
  ok = 0,
  refused = 1,      ///< It failed, or the daemon refused it.
  usage = 2,        ///< The command line, or a file it names, makes no sense.
  faults = 3,       ///< An audit found faults; verifying found damage.
  unreachable = 4,  ///< The daemon does not answer.
  forged = 5,       ///< Verifying found a signature that does not hold.
  forked = 6,       ///< Verifying found two signed histories.
  incomplete = 7,   ///< What there is holds, but something is missing.
};

/// Where a command reads and writes, and how what it writes should look. The streams must outlive
/// it.
struct Console {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool in_is_terminal = false;
  std::size_t width = 0;  ///< Columns that lines are cut at; 0: lines are never cut.
  bool colour = false;
  bool json = false;  ///< One JSON document on `out` instead of text for people.
};

/// Says on `err` what went wrong and what to do ("kith: …"), and with --json also on `out`.
/// Returns the exit code that belongs to it.
Exit complain(const Console& console, const Error& error);
/// The same with the exit code chosen by the caller.
Exit complain(const Console& console, const Error& error, Exit exit);

/// Whether a person may be asked: both ends are a terminal and nobody expects JSON.
[[nodiscard]] bool can_ask(const Console& console);
/// Asks a question that is answered with y or n; anything but y is no.
[[nodiscard]] bool confirm(const Console& console, const std::string& question);

}  // namespace kith::client
