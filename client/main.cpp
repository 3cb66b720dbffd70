#include <cstdlib>
#include <exception>
#include <iostream>

#include "client/command_line.hpp"
#include "client/connection.hpp"
#include "client/terminal.hpp"
#include "protocol/crypto/crypto.hpp"

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

kith::client::Exit run(int argc, char** argv) {
  using namespace kith::client;
  kith::initialise_crypto();
  Console console = process_console(environment);
  auto parsed = parse_command_line({argv + 1, argv + argc}, console);
  if (const auto* done = std::get_if<Exit>(&parsed)) return *done;

  const auto& invocation = std::get<Invocation>(parsed);
  console.json = invocation.json;
  const Desk desk = make_desk(invocation.places, environment);
  Connection daemon(desk.socket);
  Exit exit = Exit::ok;
  try {
    exit = invocation.run(daemon, console, desk);
  } catch (const std::exception& failed) {
    return complain(console, kith::fail(kith::Errc::io, failed.what()));
  }

  // A full disk behind a redirection must not look like success.
  console.out.flush();
  if (!console.out && exit == Exit::ok) {
    return complain(console, kith::fail(kith::Errc::io, "the output could not be written"));
  }
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return static_cast<int>(run(argc, argv));
  } catch (const std::exception& failed) {
    std::cerr << "kith: " << failed.what() << '\n';
    return static_cast<int>(kith::client::Exit::refused);
  }
}
