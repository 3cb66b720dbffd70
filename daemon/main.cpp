#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "daemon/commands/check_command.hpp"
#include "daemon/commands/init_command.hpp"
#include "daemon/commands/recover_command.hpp"
#include "daemon/commands/renew_command.hpp"
#include "daemon/commands/run_command.hpp"
#include "protocol/crypto/crypto.hpp"

namespace {

using namespace kith::daemon;

Exit dispatch(const Settings& settings) {
  if (const auto* init = std::get_if<InitSettings>(&settings.command)) {
    return init_command(settings.dir, *init, std::cout, std::cerr);
  }
  if (const auto* run = std::get_if<RunSettings>(&settings.command)) {
    return run_command(settings.dir, *run, std::cerr);
  }
  if (const auto* renew = std::get_if<RenewSettings>(&settings.command)) {
    return renew_command(settings.dir, *renew, std::cout, std::cerr);
  }
  if (const auto* recover = std::get_if<RecoverSettings>(&settings.command)) {
    return recover_command(settings.dir, *recover, std::cout, std::cerr);
  }
  const bool on_terminal = isatty(STDOUT_FILENO) == 1;
  return check_command(settings.dir, std::get<CheckSettings>(settings.command), on_terminal,
                       std::cout, std::cerr);
}

}  // namespace

int main(int argc, char** argv) {
  kith::initialise_crypto();
  umask(S_IRWXG | S_IRWXO);  // Whatever a call forgets to say, only this user may read.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const auto parsed = parse_settings(argc, argv);
    if (const Exit* exit = std::get_if<Exit>(&parsed)) return static_cast<int>(*exit);
    return static_cast<int>(dispatch(std::get<Settings>(parsed)));
  } catch (const std::exception& error) {
    std::cerr << "kithd: " << error.what() << '\n';
    return static_cast<int>(Exit::failed);
  }
}
