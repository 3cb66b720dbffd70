#include "client/desk.hpp"

#include <chrono>
#include <thread>

#include "client/editor.hpp"
#include "client/random.hpp"
#include "client/terminal.hpp"

namespace kith::client {
namespace {

constexpr const char* default_socket = "/run/kith/kithd.sock";

/// A folder of the XDG base directories; relative ones are to be ignored.
std::filesystem::path xdg_folder(const Environment& environment, const char* name,
                                 const char* below_home) {
  const std::filesystem::path set = environment(name);
  if (set.is_absolute()) return set;
  return std::filesystem::path(environment("HOME")) / below_home;
}

}  // namespace

Desk make_desk(const Places& places, const Environment& environment) {
  const auto first_of = [](const std::string& given, const std::string& set) {
    return given.empty() ? set : given;
  };
  Desk desk;
  desk.socket = first_of(first_of(places.socket, environment("KITH_SOCKET")), default_socket);
  desk.key_file = first_of(places.key_file, environment("KITH_KEY"));
  if (desk.key_file.empty()) {
    desk.key_file =
        xdg_folder(environment, "XDG_CONFIG_HOME", ".config") / "kith" / "author.kith-key";
  }
  desk.state_folder = xdg_folder(environment, "XDG_STATE_HOME", ".local/state") / "kith";
  if (const auto file = environment("KITH_PASSPHRASE_FILE"); !file.empty()) {
    desk.passphrase_file = file;
  }
  desk.now = [] {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<Millis>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
  };
  desk.random = fill_random;
  desk.wait = [](std::chrono::milliseconds how_long) { std::this_thread::sleep_for(how_long); };
  desk.ask_secret = ask_secret;
  desk.edit = [command = first_of(environment("VISUAL"), environment("EDITOR"))](
                  const std::string& initial) { return edit_text(command, initial); };
  return desk;
}

}  // namespace kith::client
