#include "client/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <iostream>

#include "storage/files/terminal.hpp"

namespace kith::client {

Console process_console(const Environment& environment) {
  Console console{std::cout, std::cerr, std::cin};
  console.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  console.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  console.in_is_terminal = ::isatty(STDIN_FILENO) == 1;
  if (console.out_is_terminal) {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    console.width = known ? size.ws_col : 80;
    console.colour = environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  }
  return console;
}

Result<std::string> ask_secret(const std::string& prompt) {
  auto secret = files::ask_secret(prompt, [](std::string_view) { return true; });
  if (secret) return secret;
  return fail(Errc::unavailable,
              secret.error().code == Errc::not_found
                  ? "there is no terminal to ask for the passphrase; put it into a file that only "
                    "you may read and name that in KITH_PASSPHRASE_FILE"
                  : "no passphrase was given");
}

}  // namespace kith::client
