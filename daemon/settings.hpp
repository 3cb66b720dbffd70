#pragma once

#include <string>
#include <variant>
#include <vector>

/// What the operator asked for. CLI11 is used in settings.cpp alone.
namespace kith::daemon {

/// Where peers find a daemon unless it is told otherwise: "kith" on the keys of a telephone.
inline constexpr const char* default_listen = "[::]:5484";

struct InitSettings {
  bool found = false;
  std::string join;  ///< Path of the invitation; empty: found.
  std::string network_name;
  std::string aim;  ///< The text, or "@" and the path of a file.
  std::string code;
  std::string member_name;
  std::string role;
  std::string steward;  ///< Key file, a file with the author text, or that text.
  std::vector<std::string> addresses;
  std::string words_file;
  std::string rule_admit = "majority";
  std::string rule_part = "majority";
  std::string rule_charter = "majority";
  std::string rule_space = "majority";
  std::string rule_succession = "majority";
};

struct RunSettings {
  std::vector<std::string> listen;  ///< Empty after parsing: --no-listen.
  bool no_listen = false;
  std::vector<std::string> peers;      ///< "CODE=HOST:PORT".
  std::vector<std::string> not_asked;  ///< Codes: nothing waits for what they hold.
  bool trust_loopback = true;
  bool debug = false;
};

struct CheckSettings {
  bool repair = false;  ///< Mend what can be mended; otherwise nothing is changed.
};

/// New keys with the recovery words.
struct RenewSettings {
  bool cut = false;           ///< kithd cut.
  bool give_up_tail = false;  ///< With it: although more was signed than is here.
  std::string reason = "planned";
  std::string words_file;  ///< Empty: asked for at the terminal.
  std::string steward;     ///< As for init; empty: who it was before.
};

struct RecoverSettings {
  std::string join;        ///< Path of an invitation from any member.
  std::string steward;     ///< As for init.
  std::string words_file;  ///< Empty: asked for at the terminal.
  std::string above;       ///< A certificate's number, in decimals; empty: none.
  bool rehearse = false;   ///< Only whether the words are right.
  std::string member;      ///< To rehearse without a directory: the member's id in base32.
};

struct Settings {
  std::string dir;  ///< Empty only where recover rehearses for a member that is named.
  std::variant<InitSettings, RunSettings, CheckSettings, RenewSettings, RecoverSettings> command;
};

/// Exit codes: scripts and systemd rely on them (78 is EX_CONFIG: do not start again by itself).
enum class Exit { ok = 0, failed = 1, usage = 2, configuration = 78 };

/// Flags, then environment, then defaults. On --help, --version or a mistake it has printed what
/// there is to say and returns the exit code.
[[nodiscard]] std::variant<Settings, Exit> parse_settings(int argc, const char* const* argv);

}  // namespace kith::daemon
