#include "client/terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>

namespace kith::client {
namespace {

constexpr std::size_t secret_bytes_max = 1024;

/// The terminal of this process, with echo off while it lives.
class QuietTerminal {
 public:
  QuietTerminal() : file_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (file_ < 0 || ::tcgetattr(file_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_quiet_ = ::tcsetattr(file_, TCSAFLUSH, &quiet) == 0;
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  ~QuietTerminal() {
    if (is_quiet_) ::tcsetattr(file_, TCSAFLUSH, &before_);
    if (file_ >= 0) ::close(file_);
  }

  [[nodiscard]] bool is_quiet() const { return is_quiet_; }

  bool say(std::string_view text) {
    return ::write(file_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }
  /// Up to the end of the line; false if the terminal went away first.
  bool read_line(std::string& line) {
    char c = 0;
    while (line.size() < secret_bytes_max && ::read(file_, &c, 1) == 1) {
      if (c == '\n') return true;
      line.push_back(c);
    }
    return false;
  }

 private:
  int file_;
  termios before_{};
  bool is_quiet_ = false;
};

}  // namespace

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
  QuietTerminal terminal;
  if (!terminal.is_quiet()) {
    return fail(Errc::unavailable,
                "there is no terminal to ask for the passphrase; put it into a file that only you "
                "may read and name that in KITH_PASSPHRASE_FILE");
  }
  std::string secret;
  const bool heard = terminal.say(prompt) && terminal.read_line(secret);
  terminal.say("\n");
  if (!heard) return fail(Errc::unavailable, "no passphrase was given");
  return secret;
}

}  // namespace kith::client
