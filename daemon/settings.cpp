#include "daemon/settings.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "protocol/base/text.hpp"

namespace kith::daemon {
namespace {

/// One row of the table of settings.
struct Setting {
  const char* flag;
  const char* environment;  // Empty: none.
  const char* value;        // What stands for the value in the help; empty: a switch.
  bool required;
  std::variant<std::string*, std::vector<std::string>*, bool*> target;
  const char* help;
};
using Table = std::vector<Setting>;

Table init_table(InitSettings& to) {
  return {
      {"--found", "", "", false, &to.found, "Found a new network"},
      {"--join", "", "INVITEFILE", false, &to.join, "Join the network of this invitation"},
      {"--name", "", "NAME", false, &to.network_name, "Name of the new network (with --found)"},
      {"--aim", "", "TEXT|@FILE", false, &to.aim, "What its members want together (with --found)"},
      {"--code", "", "CODE", true, &to.code, "Short code of this member, for instance ZZA"},
      {"--member-name", "", "NAME", true, &to.member_name, "Name of this member"},
      {"--role", "", "ROLE", true, &to.role, "A label, for instance \"acute trust\""},
      {"--steward", "", "KEYFILE", true, &to.steward,
       "Key file or kith-author-... text of the person who enrols this member's authors"},
      {"--address", "", "HOST:PORT", false, &to.addresses,
       "Where other members reach this daemon; repeatable"},
      {"--words-file", "", "PATH", false, &to.words_file,
       "Write the 24 recovery words to this new file instead of showing them"},
      {"--rule-admit", "", "RULE", false, &to.rule_admit,
       "Who must agree to admit a member: majority, all or k:N (with --found)"},
      {"--rule-part", "", "RULE", false, &to.rule_part, "... to part from one"},
      {"--rule-charter", "", "RULE", false, &to.rule_charter, "... to change the charter"},
      {"--rule-space", "", "RULE", false, &to.rule_space, "... to open or change a space"},
      {"--rule-succession", "", "RULE", false, &to.rule_succession, "... to recognise a successor"},
  };
}

Table run_table(RunSettings& to) {
  return {
      {"--listen", "KITHD_LISTEN", "HOST:PORT", false, &to.listen,
       "Accept peers here; repeatable, or separated by commas (default [::]:5484)"},
      {"--no-listen", "", "", false, &to.no_listen, "Accept no peers, only dial"},
      {"--peer", "", "CODE=HOST:PORT", false, &to.peers, "Another address of a member; repeatable"},
      {"--sign-without", "", "CODE", false, &to.not_asked,
       "Sign though this member has not said what it holds of our log; repeatable. Only for one "
       "that will not come back: if it holds entries that were lost here, the log divides"},
      {"--trust-loopback", "", "on|off", false, &to.trust_loopback,
       "Exempt this machine from the limits counted by source (default on)"},
      {"--debug", "", "", false, &to.debug, "Log more"},
  };
}

Table check_table(CheckSettings& to) {
  return {
      {"--repair", "", "", false, &to.repair,
       "Mend what can be mended; what cannot be computed is fetched again from peers by run"},
  };
}

Table renew_table(RenewSettings& to) {
  return {
      {"--reason", "", "REASON", false, &to.reason,
       "planned: they are replaced in time; lost: this machine's copy may be gone, but nobody has "
       "it (default planned)"},
      {"--steward", "", "KEYFILE", false, &to.steward,
       "Another person enrols this member's authors from now on; as for init"},
      {"--words-file", "", "PATH", false, &to.words_file,
       "Read the 24 recovery words from this file instead of asking for them"},
  };
}

Table cut_table(RenewSettings& to) {
  Table table = renew_table(to);
  table.erase(table.begin());
  table.push_back(
      {"--give-up-tail", "", "", false, &to.give_up_tail,
       "Cut although more was signed than is here: only if no member can give it back"});
  return table;
}

Table recover_table(RecoverSettings& to) {
  return {
      {"--join", "", "INVITEFILE", false, &to.join, "An invitation from any other member"},
      {"--steward", "", "KEYFILE", false, &to.steward,
       "As for init. A new one becomes steward too; the same one as before changes nothing"},
      {"--words-file", "", "PATH", false, &to.words_file,
       "Read the 24 recovery words from this file (mode 0600) instead of the terminal"},
      {"--above", "", "NUMBER", false, &to.above,
       "Number the new certificate above this one, as the inviting member's answer asks"},
      {"--rehearse", "", "", false, &to.rehearse,
       "Only say whether these are the recovery words of the member of DIR; use them for nothing"},
      {"--member", "", "ID", false, &to.member,
       "With --rehearse, where there is no DIR: the member's id, as kith status --json shows it"},
  };
}

constexpr std::size_t page_columns = 80;
constexpr std::size_t option_columns = 28;
constexpr const char* dir_footer =
    "DIR is the data directory: --dir DIR before or after the command, or KITHD_DIR.\n";

void add_row(CLI::App& app, const Setting& row) {
  const std::string help = folded(row.help, page_columns - option_columns);
  CLI::Option* option = nullptr;
  if (auto* const* text = std::get_if<std::string*>(&row.target)) {
    option = app.add_option(row.flag, **text, help);
  } else if (auto* const* list = std::get_if<std::vector<std::string>*>(&row.target)) {
    // One value for each flag: what follows must not be swallowed.
    option = app.add_option(row.flag, **list, help)->delimiter(',')->allow_extra_args(false);
  } else if (row.value[0] == '\0') {
    option = app.add_flag(row.flag, *std::get<bool*>(row.target), help);
  } else {
    option = app.add_option(row.flag, *std::get<bool*>(row.target), help);
  }
  if (row.value[0] != '\0') option->option_text(row.value);
  if (row.environment[0] != '\0') option->envname(row.environment);
}

/// "--code CODE, --role ROLE": what must be given and was not; all at once, not one after another.
std::string missing(const CLI::App& app, const Table& table, const InitSettings& init) {
  std::string all;
  const auto add = [&](const std::string& what) { all += (all.empty() ? "" : ", ") + what; };
  if (!init.found && init.join.empty()) add("--found or --join INVITEFILE");
  if (init.found && init.network_name.empty()) add("--name NAME");
  if (init.found && init.aim.empty()) add("--aim TEXT (or --aim @FILE)");
  for (const Setting& row : table) {
    if (row.required && app.count(row.flag) == 0) add(std::string(row.flag) + " " + row.value);
  }
  return all;
}

Exit usage(const std::string& what) {
  std::cerr << "kithd: " << what << "\nRun \"kithd --help\" or \"kithd COMMAND --help\".\n";
  return Exit::usage;
}

std::variant<Settings, Exit> checked(Settings settings, InitSettings init) {
  if (!init.found && (!init.network_name.empty() || !init.aim.empty())) {
    return usage("--name and --aim belong to --found: a network that is joined has both already");
  }
  settings.command = std::move(init);
  return settings;
}

std::variant<Settings, Exit> checked(Settings settings, RunSettings run) {
  if (run.no_listen) {
    run.listen.clear();
  } else if (run.listen.empty()) {
    run.listen.emplace_back(default_listen);
  }
  settings.command = std::move(run);
  return settings;
}

std::variant<Settings, Exit> checked(Settings settings, RecoverSettings recover) {
  if (recover.rehearse) {
    if (!recover.join.empty() || !recover.steward.empty() || !recover.above.empty()) {
      return usage(
          "--rehearse uses the words for nothing: it goes with --words-file, --dir or --member");
    }
    if (settings.dir.empty() == recover.member.empty()) {
      return usage("--rehearse needs --dir DIR or --member ID: whose words should they be?");
    }
  } else if (!recover.member.empty()) {
    return usage("--member goes with --rehearse: otherwise the words say which member it is");
  } else if (recover.join.empty() || recover.steward.empty()) {
    return usage("recover needs --join INVITEFILE and --steward KEYFILE (or --rehearse)");
  }
  settings.command = std::move(recover);
  return settings;
}

}  // namespace

std::variant<Settings, Exit> parse_settings(int argc, const char* const* argv) {
  Settings settings;
  InitSettings init;
  RunSettings run;
  CheckSettings check;
  RenewSettings renew;
  RecoverSettings recover;

  CLI::App app{"kithd: the daemon with which one member of a network keeps and shares\nits logs"};
  app.get_formatter()->column_width(option_columns);
  app.set_version_flag("--version", "kithd " KITH_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--dir", settings.dir, "Data directory")->envname("KITHD_DIR")->option_text("DIR");
  app.footer(
      "Exit codes: 0 done, 1 failed, 2 the command line makes no sense,\n"
      "78 the directory holds no identity: starting again will not help");
  const auto add_command = [&](const char* name, const char* description, const char* more) {
    CLI::App* const command = app.add_subcommand(name, description);
    command->fallthrough();
    command->footer(std::string(dir_footer) + more);
    return command;
  };
  const Table init_settings = init_table(init);
  CLI::App* const init_app =
      add_command("init", "Make this member's keys and first entries",
                  "\nExamples:\n"
                  "  kithd --dir DIR init --found --name \"Five Rivers\" --aim @aim.txt \\\n"
                  "    --code ASH --member-name \"Ashdown Hospitals\" --role trust \\\n"
                  "    --steward steward.kith-key --address kith.ashdown.example:5484\n"
                  "  kithd --dir DIR init --join FILE.kith-invite --code CALD …");
  for (const Setting& row : init_settings) add_row(*init_app, row);
  CLI::App* const run_app = add_command("run", "Serve until SIGTERM or SIGINT", "");
  for (const Setting& row : run_table(run)) add_row(*run_app, row);
  CLI::App* const check_app = add_command(
      "check", "Re-hash every log from its bytes",
      "\nWithout --repair it changes nothing. With it, everything that is good stays, and\n"
      "nothing is believed but what fits the hashes that were signed.");
  for (const Setting& row : check_table(check)) add_row(*check_app, row);
  CLI::App* const renew_app = add_command(
      "renew", "Replace this member's keys, with its recovery words",
      "\nkithd must not be running. All five keys are made anew; run then enters their\n"
      "certificate in the log by itself, and the other members learn of it. Where a key\n"
      "may be in other hands, use cut instead.");
  for (const Setting& row : renew_table(renew)) add_row(*renew_app, row);
  CLI::App* const cut_app = add_command(
      "cut", "Replace stolen keys and end what they may have signed",
      "\nkithd must not be running. As renew, and besides: whatever the replaced keys\n"
      "signed beyond what is held here (of a log with two histories: beyond what the\n"
      "other members agreed on) counts for nothing from now on. Nothing that was agreed\n"
      "is taken back; what is given up here of this member's people is published again.");
  for (const Setting& row : cut_table(renew)) add_row(*cut_app, row);
  CLI::App* const recover_app = add_command(
      "recover", "Rebuild this member on a new disk, from the others",
      "\nFor a member whose directory is gone. It takes an invitation from any other member and\n"
      "the 24 recovery words; DIR is a new directory. Afterwards \"kithd --dir DIR run\" fetches\n"
      "everything back. The old machine must never run again.\n"
      "\nExamples:\n"
      "  kithd --dir DIR recover --join FILE.kith-invite --steward steward.kith-key\n"
      "  kithd --dir DIR recover --rehearse");
  for (const Setting& row : recover_table(recover)) add_row(*recover_app, row);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    app.exit(help);
    return Exit::ok;
  } catch (const CLI::CallForVersion& version) {
    app.exit(version);
    return Exit::ok;
  } catch (const CLI::ParseError& error) {
    const auto strange = app.remaining();
    const bool is_word = !strange.empty() && !strange.front().starts_with('-');
    if (app.get_subcommands().empty() && is_word) {
      return usage("there is no command \"" + strange.front() +
                   "\": init, run, check, renew, cut and recover are");
    }
    return usage(error.what());
  }
  if (recover_app->parsed() && recover.rehearse) {
    return checked(std::move(settings), std::move(recover));
  }
  if (settings.dir.empty()) return usage("name the data directory: --dir DIR, or KITHD_DIR");
  if (init_app->parsed() && init.found && !init.join.empty()) {
    return usage("init needs either --found or --join INVITEFILE, not both");
  }
  if (init_app->parsed()) {
    const std::string lacking = missing(*init_app, init_settings, init);
    if (!lacking.empty()) return usage("init needs " + lacking + " as well");
  }
  if (init_app->parsed()) return checked(std::move(settings), std::move(init));
  if (run_app->parsed()) return checked(std::move(settings), std::move(run));
  if (check_app->parsed()) {
    settings.command = check;
    return settings;
  }
  if (recover_app->parsed()) return checked(std::move(settings), std::move(recover));
  if (renew.reason != "planned" && renew.reason != "lost") {
    return usage("--reason is planned or lost; for stolen keys there is kithd cut");
  }
  renew.cut = cut_app->parsed();
  settings.command = renew;
  return settings;
}

}  // namespace kith::daemon
