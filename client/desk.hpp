#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "client/console.hpp"
#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"

namespace kith::client {

/// What belongs to the person who runs kith, and the outside inputs a command may need: a plain
/// struct, so that tests fill in their own.
struct Desk {
  std::filesystem::path key_file;      ///< The author's key.
  std::filesystem::path state_folder;  ///< What was seen last.
  std::string socket;                  ///< Of the daemon; the state is kept for each.
  std::optional<std::filesystem::path> passphrase_file;
  std::filesystem::path working_folder = ".";

  std::function<Millis()> now;
  std::function<void(std::span<std::uint8_t>)> random;
  /// Lets others get on for so long.
  std::function<void(std::chrono::milliseconds)> wait;
  /// Asks for a secret on the terminal without showing it.
  std::function<Result<std::string>(const std::string& prompt)> ask_secret;
  /// Lets the person edit a text, and returns it as saved.
  std::function<Result<std::string>(const std::string& initial)> edit;
};

/// What the command line said about places; empty: the environment or the default decides.
struct Places {
  std::string socket;
  std::string key_file;
};

using Environment = std::function<std::string(const char* name)>;  ///< Empty if it is not set.

/// The desk of the person at this terminal: --socket, KITH_SOCKET, /run/kith/kithd.sock; --key,
/// KITH_KEY, XDG_CONFIG_HOME/kith/author.kith-key; KITH_PASSPHRASE_FILE; XDG_STATE_HOME/kith.
[[nodiscard]] Desk make_desk(const Places& places, const Environment& environment);

}  // namespace kith::client
