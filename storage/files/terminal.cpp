#include "storage/files/terminal.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace kith::files {
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
  /// Adds up to the end of the line; false if the terminal went away first.
  bool read_line(std::string& to) {
    char c = 0;
    while (to.size() < secret_bytes_max && ::read(file_, &c, 1) == 1) {
      if (c == '\n') return true;
      to.push_back(c);
    }
    return false;
  }

 private:
  int file_;
  termios before_{};
  bool is_quiet_ = false;
};

}  // namespace

Result<std::string> ask_secret(const std::string& prompt,
                               const std::function<bool(std::string_view typed)>& is_enough) {
  QuietTerminal terminal;
  if (!terminal.is_quiet()) return fail(Errc::not_found, "there is no terminal to ask");
  std::string secret;
  // It never moves: no copy of it stays behind.
  secret.reserve(secret_bytes_max + 1);
  bool heard = terminal.say(prompt);
  for (bool more = heard; more;) {
    const std::size_t before = secret.size();
    heard = terminal.read_line(secret);
    more = heard && secret.size() > before && !is_enough(secret);
    if (more) secret.push_back('\n');
  }
  terminal.say("\n");
  if (!heard) return fail(Errc::unavailable, "nothing was typed");
  return secret;
}

}  // namespace kith::files
