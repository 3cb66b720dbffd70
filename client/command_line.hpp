#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "client/commands/commands.hpp"

namespace kith::client {

/// A command line that makes sense.
struct Invocation {
  Places places;
  bool json = false;
  std::function<Exit(Daemon&, const Console&, const Desk&)> run;
};

/// Reads the arguments (without the program's name). Anything but a command to run has been dealt
/// with: help and version are printed on `console`, and so is what is wrong, with what to do.
[[nodiscard]] std::variant<Invocation, Exit> parse_command_line(std::vector<std::string> arguments,
                                                                const Console& console);

}  // namespace kith::client
