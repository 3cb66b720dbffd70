#include "client/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "client/layout.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith::client {
namespace {

constexpr const char* main_footer = R"(First steps:
  kith init                      make your key; your steward enrols it
  kith                           what waits for you and what is new
  kith list                      what the members have shared
  kith new practice              a form; fill it in: kith publish practice.md

Ids: the first characters of an id are enough, as long as they fit one entry.

Environment:
  KITH_SOCKET            the daemon's socket (else /run/kith/kithd.sock)
  KITH_KEY               your key file (else ~/.config/kith/author.kith-key)
  KITH_PASSPHRASE_FILE   a file with the passphrase of your key, for scripts
  NO_COLOR               no colour

Exit codes:
  0 done   1 failed or refused   2 the command line or a file makes no sense
  3 an audit found faults or gaps   4 the daemon does not answer
  5, 6, 7: see kith verify --help)";

constexpr const char* everywhere =
    "Everywhere: --json, --socket PATH, --key FILE; kith --help explains them.";
constexpr std::size_t option_columns = 28;

using Run = std::function<Exit(Daemon&, const Console&, const Desk&)>;

/// The commands with the options that CLI11 fills; lives as long as the parsing.
class CommandLine {
 public:
  CommandLine() : app_("kith: learn with the organisations you trust.", "kith") {
    app_.footer(main_footer);
    app_.get_formatter()->column_width(option_columns);
    app_.set_version_flag("--version", std::string("kith " KITH_VERSION));
    app_.require_subcommand(0, 1);
    app_.fallthrough();  // --json and --socket may stand after the command, too.
    app_.add_option("--socket", places_.socket, "The daemon's socket")->type_name("PATH");
    app_.add_option("--key", places_.key_file, "Your key file")->type_name("FILE");
    app_.add_flag("--json", json_, "One JSON document instead of text (docs/JSON.md)");
    run_ = front;
    add_person_commands();
    add_governance_commands();
    add_writing_commands();
    add_reading_commands();
    add_daemon_commands();
  }

  std::variant<Invocation, Exit> parse(std::vector<std::string> arguments, const Console& console) {
    // Asked for in a line that cannot be read, it still holds.
    const bool wants_json = std::ranges::count(arguments, "--json") > 0;
    // CLI11 takes them from the back.
    std::ranges::reverse(arguments);
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      console.out << app_.help();
      return Exit::ok;
    } catch (const CLI::CallForVersion&) {
      console.out << "kith " KITH_VERSION "\n";
      return Exit::ok;
    } catch (const CLI::ParseError& wrong) {
      Console as_asked = console;
      as_asked.json = wants_json;
      return complain(as_asked, fail(Errc::usage, what_to_do(wrong)));
    }
    return Invocation{places_, json_, run_};
  }

 private:
  CLI::App* add(CLI::App& to, const char* name, const char* description, const std::string& more,
                Run run) {
    CLI::App* command = to.add_subcommand(name, description);
    command->fallthrough();
    command->footer(more + (more.empty() ? "" : "\n\n") + everywhere);
    command->callback([this, run = std::move(run)] { run_ = run; });
    return command;
  }

  /// What CLI11 found, and where to read on.
  std::string what_to_do(const CLI::ParseError& wrong) const {
    std::string command = "kith";
    for (const CLI::App* at = &app_; !at->get_subcommands().empty();) {
      at = at->get_subcommands().front();
      command += " " + at->get_name();
    }
    std::string said = wrong.what();
    if (command == "kith" &&
        wrong.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
      const auto extras = app_.remaining();
      const bool is_option = !extras.empty() && extras.front().starts_with('-');
      const char* what = is_option ? "there is no option \"" : "there is no command \"";
      if (!extras.empty()) said = what + extras.front() + "\"";
    }
    return said + "; " + command + " --help shows what there is";
  }

  void add_person_commands();
  void add_governance_commands();
  void add_writing_commands();
  void add_reading_commands();
  void add_daemon_commands();
  void add_disclose_command();
  void add_verify_options(CLI::App& command);
  void add_evidence_commands();

  CLI::App app_;
  Places places_;
  bool json_ = false;
  Run run_;

  InitOptions init_;
  AuthorOptions author_;
  InviteOptions invite_;
  ConsentOptions consent_;
  NewOptions new_;
  PublishOptions publish_;
  ReplyOptions reply_;
  ListOptions list_;
  ShowOptions show_;
  std::string thread_;
  WatchOptions watch_;
  AuditOptions audit_;
  ExportOptions export_;
  ProveOptions prove_;
  DiscloseOptions disclose_;
  VerifyOptions verify_;
  EvidenceOptions evidence_;
};

void CommandLine::add_person_commands() {
  auto* init_command =
      add(app_, "init", "Make your author key",
          "Your key signs what you publish. It stays in a file of yours; the line\n"
          "that is printed goes to your steward, who enrols it.",
          [this](Daemon&, const Console& console, const Desk& desk) {
            return init(init_, console, desk);
          });
  init_command->add_flag("--passphrase", init_.passphrase, "Protect the key with a passphrase");

  auto* author = app_.add_subcommand("author", "Who may act for your organisation");
  author->require_subcommand(1);
  author->fallthrough();
  author->footer(std::string("Scopes: publish (entries), speak (consents for the organisation),\n"
                             "steward (enrol and withdraw others).\n\n") +
                 everywhere);
  auto* enrol = add(*author, "enrol", "Let a colleague act, signed by you as a steward",
                    "Example:\n  kith author enrol kith-author-… --scope publish,speak",
                    [this](Daemon& daemon, const Console& console, const Desk& desk) {
                      return author_enrol(author_, daemon, console, desk);
                    });
  enrol->add_option("AUTHOR", author_.author, "The line that kith init printed")->required();
  enrol->add_option("--scope", author_.scopes, "publish, speak, steward")
      ->type_name("SCOPE")
      ->delimiter(',')
      ->capture_default_str();
  enrol->add_flag("--yes", author_.yes, "Also if it takes scopes away");
  auto* withdraw = add(*author, "withdraw", "Take all of a colleague's scopes back", "",
                       [this](Daemon& daemon, const Console& console, const Desk& desk) {
                         return author_withdraw(author_, daemon, console, desk);
                       });
  withdraw->add_option("AUTHOR", author_.author, "Whom; see kith author list")->required();
  withdraw->add_flag("--yes", author_.yes, "Also the only steward");
  add(*author, "list", "Who may do what", "",
      [](Daemon& daemon, const Console& console, const Desk& desk) {
        return author_list(daemon, console, desk);
      });
}

void CommandLine::add_governance_commands() {
  auto* invite_command = add(app_, "invite", "Invite an organisation to join",
                             "Example:\n  kith invite --out calder.kith-invite",
                             [this](Daemon& daemon, const Console& console, const Desk& desk) {
                               return invite(invite_, daemon, console, desk);
                             });
  invite_command->add_option("--out", invite_.out, "Write it to this file, readable by you alone")
      ->type_name("FILE");
  invite_command
      ->add_option(
          "--address", invite_.addresses,
          "Where they reach your daemon, if not at the\naddress of its profile; repeatable")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);

  add(app_, "proposals", "Who waits to join, and what waits for a decision", "",
      [](Daemon& daemon, const Console& console, const Desk&) {
        return proposals(daemon, console);
      });

  auto* consent_command =
      add(app_, "consent", "Give your organisation's word on a proposal",
          "With the code of somebody who waits to join, it makes the proposal as well.\n"
          "Compare the eight words by voice first: they are what keeps an impostor out.\n\n"
          "Examples:\n  kith consent CALD\n  kith consent 3fa2b7cd\n  kith consent 3fa2b7cd "
          "--stand-aside",
          [this](Daemon& daemon, const Console& console, const Desk& desk) {
            return consent(consent_, daemon, console, desk);
          });
  consent_command->add_option("ID|CODE", consent_.targets, "See kith proposals")
      ->required()
      ->expected(1, -1);
  consent_command->add_flag("--stand-aside", consent_.stand_aside, "Let the others decide");
  consent_command->add_flag("--object", consent_.object, "Say no; then talk");
  consent_command->add_flag("--yes", consent_.yes, "Do not ask: the words have been compared");
}

void CommandLine::add_writing_commands() {
  std::string forms = "Forms:";
  for (const KindSpec& kind : kinds()) {
    if (!kind.is_document) continue;
    forms += "\n  " + std::string(kind.name) + "\n    " + std::string(kind.help);
  }
  auto* new_command =
      add(app_, "new", "An empty form to fill in",
          "On a terminal it goes into KIND.md, elsewhere to standard output.\n\n" + forms,
          [this](Daemon&, const Console& console, const Desk& desk) {
            return new_form(new_, console, desk);
          });
  new_command->add_option("KIND", new_.kind, "Which form")->required();
  new_command->add_option("--out", new_.out, "Write it to this file")->type_name("FILE");

  auto* publish_command =
      add(app_, "publish", "Share files with all members",
          "All files are checked first; if anything is wrong with one, none is published.\n"
          "What is published cannot be changed: no names of patients or colleagues.\n\n"
          "Example:\n  kith publish practice.md",
          [this](Daemon& daemon, const Console& console, const Desk& desk) {
            return publish(publish_, daemon, console, desk);
          });
  publish_command->add_option("FILE", publish_.files, "Markdown, with or without a form's fields")
      ->required()
      ->expected(1, -1);
  publish_command->add_flag("--again", publish_.again, "Also what was published before");
  publish_command->add_flag("--yes", publish_.yes, "Do not ask");
  publish_command
      ->add_option(
          "--wait-witnesses", publish_.wait_witnesses,
          "End once so many others have confirmed it,\nor after 10 minutes with exit code 1")
      ->type_name("K");

  auto* reply_command =
      add(app_, "reply", "Answer an entry",
          "Without --text and --file your editor opens.\n\n"
          "Example:\n  kith reply 3fa2b7cd --as question --text \"Who trained the night staff?\"",
          [this](Daemon& daemon, const Console& console, const Desk& desk) {
            return reply(reply_, daemon, console, desk);
          });
  reply_command->add_option("ID", reply_.id, "The entry you answer")->required();
  reply_command->add_option("--text", reply_.text, "Your words");
  reply_command->add_option("--file", reply_.file, "A file with your words; - is standard input")
      ->type_name("FILE");
  reply_command->add_option("--as", reply_.as, "question, answer, offer, challenge, thanks or note")
      ->check(CLI::IsMember({"question", "answer", "offer", "challenge", "thanks", "note"})
                  .description(""))
      ->capture_default_str();
}

void CommandLine::add_reading_commands() {
  auto* list_command = add(app_, "list", "Entries, newest first",
                           "Example:\n  kith list --kind practice --member CALD",
                           [this](Daemon& daemon, const Console& console, const Desk&) {
                             return list(list_, daemon, console);
                           });
  list_command->add_option("--kind", list_.kind, "Only this kind, for instance practice");
  list_command->add_option("--member", list_.member, "Only from this member")->type_name("CODE");
  list_command->add_option("--limit", list_.limit, "At most so many")
      ->check(CLI::Range(1U, 1'000U))
      ->capture_default_str();
  list_command->add_option("--before", list_.before, "Only what arrived before this sequence");
  list_command->add_option("--after", list_.after, "Only what arrived after this sequence");

  auto* show_command = add(app_, "show", "One entry, and whom to talk to about it", "",
                           [this](Daemon& daemon, const Console& console, const Desk&) {
                             return show(show_, daemon, console);
                           });
  show_command->add_option("ID", show_.id, "The entry")->required();
  show_command->add_flag("--raw", show_.raw, "Exactly the bytes that were signed, nothing else");

  auto* thread_command = add(app_, "thread", "An entry, what it answers, and all replies", "",
                             [this](Daemon& daemon, const Console& console, const Desk&) {
                               return thread(thread_, daemon, console);
                             });
  thread_command->add_option("ID", thread_, "Any entry of the conversation")->required();

  auto* watch_command = add(app_, "watch", "Entries as they arrive, until Ctrl-C",
                            "With --json, one JSON document a line.",
                            [this](Daemon& daemon, const Console& console, const Desk&) {
                              return watch(watch_, daemon, console);
                            });
  watch_command->add_option("--count", watch_.count, "End after so many");
  watch_command->add_option("--since", watch_.since, "Begin after this sequence, not now");
}

void CommandLine::add_daemon_commands() {
  add(app_, "peers", "Every member: connected or not, what is held of it", "",
      [](Daemon& daemon, const Console& console, const Desk&) { return peers(daemon, console); });
  add(app_, "status", "Your own daemon", "",
      [](Daemon& daemon, const Console& console, const Desk&) { return status(daemon, console); });
  auto* audit_command =
      add(app_, "audit", "Replay whole histories and check every part of them",
          "A report to hand in: what holds, whose keys were in force and who might speak\n"
          "where, who confirmed it when, what is missing. Without MEMBER, everybody's\n"
          "history. Exit code 3 if anything is wrong.\n\n"
          "Example:\n  kith audit CALD --html calder.html",
          [this](Daemon& daemon, const Console& console, const Desk& desk) {
            return audit(audit_, daemon, console, desk);
          });
  audit_command->add_option("MEMBER", audit_.member, "The member's code");
  audit_command->add_option("--html", audit_.html, "The report as a page to print, a new file")
      ->type_name("FILE");

  auto* export_command =
      add(app_, "export", "Write logs as files that anyone can check",
          "The folder holds a plain C2SP tlog-tiles log for each member; run it again to\n"
          "bring it up to date. Contents stay sealed: no key is ever in an export.\n\n"
          "Example:\n  kith export audit-2026 --member CALD",
          [this](Daemon& daemon, const Console& console, const Desk& desk) {
            return export_to(export_, daemon, console, desk);
          });
  export_command->add_option("DIR", export_.folder, "A new folder, or an earlier export")
      ->required();
  export_command->add_option("--member", export_.member, "Only this member's log")
      ->type_name("CODE");
  export_command->add_flag("--with-payloads", export_.with_payloads, "Sealed contents too");

  for (const char* called : {"prove", "receipt"}) {
    const bool is_receipt = std::string_view(called) == "receipt";
    auto* prove_command =
        add(app_, called,
            is_receipt ? "The receipt of an entry: the same as prove"
                       : "A file that proves that an entry is in its log",
            "It holds who confirmed the entry so far, and needs nothing else to be checked.\n\n"
            "Example:\n  kith " +
                std::string(called) + " 3fa2b7cd --out practice.tlog-proof",
            [this](Daemon& daemon, const Console& console, const Desk& desk) {
              return prove(prove_, daemon, console, desk);
            });
    prove_command->add_option("ID", prove_.id, "The entry")->required();
    prove_command->add_option("--out", prove_.out, "Write it to this file")->type_name("FILE");
  }

  add_disclose_command();

  auto* verify_command = add(
      app_, "verify", "Check an export, a proof or evidence: no daemon",
      "It is hashed again from its bytes, and every signature is checked.\n"
      "With keys, the signatures of authors are checked too. A policy has one line for\n"
      "each whose word counts, with a key of the export's list, and one that says how\n"
      "many of them it takes:\n"
      "  witness BRA kith/witness/...\n  witness ASH kith/witness/...\n"
      "  group some 1 BRA ASH\n  quorum some\n"
      "If it is not met, the verdict is incomplete.\n"
      "Exit codes: 0 intact, 3 damaged, 5 forged, 6 forked, 7 incomplete.\n\n"
      "Examples:\n  kith verify audit-2026 --expect ID\n  kith verify audit-2026 --keys "
      "log.kith-disclosure\n  kith verify practice.tlog-proof\n  kith verify fork.kith-evidence",
      [this](Daemon&, const Console& console, const Desk& desk) {
        return verify(verify_, console, desk);
      });
  verify_command->add_option("PATH", verify_.path, "The folder of an export, a proof or evidence")
      ->required();
  add_verify_options(*verify_command);
  add_evidence_commands();
}

void CommandLine::add_verify_options(CLI::App& command) {
  command
      .add_option("--expect", verify_.expected,
                  "An id that the network or a member must\nhave; repeatable")
      ->type_name("ID")
      ->allow_extra_args(false);
  command.add_option("--keys", verify_.keys, "Keys that kith disclose wrote; repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      .add_option("--policy", verify_.policy,
                  "How many of whom must have confirmed it:\na file in tlog-policy syntax")
      ->type_name("FILE");
  command.add_flag("--report", verify_.report, "Say everything there is to say of an export");
  command.add_option("--html", verify_.html, "The same as a page to print, a new file")
      ->type_name("FILE");
}

void CommandLine::add_evidence_commands() {
  auto* evidence = app_.add_subcommand("evidence", "Proof that a key signed two histories");
  evidence->require_subcommand(1);
  evidence->fallthrough();
  evidence->footer(
      std::string("Two signed statements of one member that cannot both be true. Every\n"
                  "member's daemon keeps them and tells them to all others.\n\n") +
      everywhere);
  add(*evidence, "list", "What is held, and whether it still counts", "",
      [](Daemon& daemon, const Console& console, const Desk&) {
        return evidence_list(daemon, console);
      });
  auto* show = add(*evidence, "show", "One piece in words",
                   "Example:\n  kith evidence show 3fa2b7cd --out fork.kith-evidence",
                   [this](Daemon& daemon, const Console& console, const Desk& desk) {
                     return evidence_show(evidence_, daemon, console, desk);
                   });
  show->add_option("ID", evidence_.id, "See kith evidence list")->required();
  show->add_option("--out", evidence_.out, "Write it to this new file")->type_name("FILE");
  auto* check = add(*evidence, "verify", "Check a file of evidence: the same as kith verify",
                    "Exit code 6: it proves two histories; 3: it proves nothing.\n\n"
                    "Example:\n  kith evidence verify fork.kith-evidence --expect ID",
                    [this](Daemon&, const Console& console, const Desk& desk) {
                      return verify(verify_, console, desk);
                    });
  check->add_option("FILE", verify_.path, "A .kith-evidence")->required();
  check
      ->add_option("--expect", verify_.expected,
                   "An id that the network or a member must\nhave; repeatable")
      ->type_name("ID")
      ->allow_extra_args(false);
}

void CommandLine::add_disclose_command() {
  auto* disclose_command =
      add(app_, "disclose", "Keys for an auditor: of your log, or of entries",
          "Without IDs, the keys of the whole log, also of what is logged later. Whoever\n"
          "has the file reads what it opens, for ever. To whom and for what is first\n"
          "written down in your daemon's trail. Entries of another member need its consent:\n"
          "somebody who speaks for it gives that with --allow, in the same words.\n\n"
          "Examples:\n"
          "  kith disclose --to Auditor --purpose \"Audit 2026\" --out log.kith-disclosure\n"
          "  kith disclose 3fa2b7cd --to Court --purpose \"Case 7\" --out one.kith-disclosure\n"
          "  kith disclose 3fa2b7cd --to Court --purpose \"Case 7\" --allow",
          [this](Daemon& daemon, const Console& console, const Desk& desk) {
            return disclose(disclose_, daemon, console, desk);
          });
  disclose_command->add_option("ID", disclose_.ids, "The entries, all of one member")
      ->expected(0, -1);
  disclose_command->add_option("--to", disclose_.recipient, "Who gets the keys")
      ->type_name("RECIPIENT")
      ->required();
  disclose_command->add_option("--purpose", disclose_.purpose, "What for")
      ->type_name("PURPOSE")
      ->required();
  disclose_command->add_option("--out", disclose_.out, "Write the keys to this new file")
      ->type_name("FILE");
  disclose_command->add_option("--member", disclose_.member, "Whose log, if not your own")
      ->type_name("CODE");
  disclose_command->add_flag("--allow", disclose_.allow,
                             "Write no keys: let other members do so, with a\nconsent in your log");
  disclose_command->add_flag("--yes", disclose_.yes, "Do not ask");
}

}  // namespace

std::variant<Invocation, Exit> parse_command_line(std::vector<std::string> arguments,
                                                  const Console& console) {
  // The options live as long as the command that reads them.
  const auto line = std::make_shared<CommandLine>();
  auto parsed = line->parse(std::move(arguments), console);
  if (auto* invocation = std::get_if<Invocation>(&parsed)) {
    invocation->run = [line, run = invocation->run](Daemon& daemon, const Console& asked,
                                                    const Desk& desk) {
      return run(daemon, asked, desk);
    };
  }
  return parsed;
}

}  // namespace kith::client
