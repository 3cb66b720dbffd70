#include "client/desk.hpp"
#include "client/layout.hpp"
#include "tests/client/bench.hpp"

namespace kith::client {
namespace {

TEST(CommandLine, HelpTeachesEveryCommandAndTheExitCodes) {
  Bench bench;
  const Outcome outcome = bench.run({"--help"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  for (const char* word : {"init", "author", "invite", "proposals", "consent", "new", "publish",
                           "list", "show", "reply", "thread", "watch", "peers", "status", "audit",
                           "--json", "--socket", "KITH_SOCKET", "Exit codes"}) {
    EXPECT_NE(outcome.out.find(word), std::string::npos) << word;
  }
  EXPECT_TRUE(bench.daemon.asked.empty());
}

TEST(CommandLine, EveryCommandHasHelp) {
  Bench bench;
  for (const char* command :
       {"init", "author", "invite", "proposals", "consent", "new", "publish", "list", "show",
        "reply", "thread", "watch", "peers", "status", "audit", "disclose", "verify"}) {
    const Outcome outcome = bench.run({command, "--help"});
    EXPECT_EQ(outcome.exit, Exit::ok) << command;
    EXPECT_NE(outcome.out.find("Usage: kith " + std::string(command)), std::string::npos)
        << outcome.out;
    EXPECT_NE(outcome.out.find("--json"), std::string::npos) << command;
  }
}

TEST(CommandLine, HelpFitsATerminal) {
  Bench bench;
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{},
                                             {"init"},
                                             {"author"},
                                             {"author", "enrol"},
                                             {"author", "withdraw"},
                                             {"author", "list"},
                                             {"invite"},
                                             {"proposals"},
                                             {"consent"},
                                             {"new"},
                                             {"publish"},
                                             {"list"},
                                             {"show"},
                                             {"reply"},
                                             {"thread"},
                                             {"watch"},
                                             {"peers"},
                                             {"status"},
                                             {"audit"},
                                             {"export"},
                                             {"prove"},
                                             {"disclose"},
                                             {"verify"}}) {
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--help");
    std::istringstream lines(bench.run(arguments).out);
    std::string line;
    while (std::getline(lines, line)) EXPECT_LE(columns_of(line), 80U) << line;
  }
}

TEST(CommandLine, NamesAnUnknownCommandAndSaysWhereToLook) {
  Bench bench;
  const Outcome outcome = bench.run({"frob"});
  EXPECT_EQ(outcome.exit, Exit::usage);
  EXPECT_EQ(outcome.err, "kith: there is no command \"frob\"; kith --help shows what there is\n");
  EXPECT_EQ(bench.run({"--json", "frob"}).json()["error"]["code"], "usage");
  EXPECT_EQ(bench.run({"list", "--json", "--limit"}).json()["error"]["code"], "usage");
}

TEST(CommandLine, TakesGlobalOptionsBeforeAndAfterTheCommand) {
  Bench bench;
  bench.daemon.on<local::StatusRequest>(some_status());
  EXPECT_EQ(bench.run({"--json", "status"}).out, bench.run({"status", "--json"}).out);
  std::ostringstream out;
  std::istringstream in;
  const Console console{out, out, in};
  const auto parsed = parse_command_line({"status", "--socket", "/a", "--key", "/b"}, console);
  ASSERT_TRUE(std::holds_alternative<Invocation>(parsed));
  EXPECT_EQ(std::get<Invocation>(parsed).places.socket, "/a");
  EXPECT_EQ(std::get<Invocation>(parsed).places.key_file, "/b");
}

TEST(CommandLine, SaysItsVersion) {
  Bench bench;
  EXPECT_EQ(bench.run({"--version"}).out, "kith " KITH_VERSION "\n");
}

TEST(Desk, TakesPlacesFromTheCommandLineThenTheEnvironmentThenTheDefaults) {
  std::map<std::string, std::string> set = {{"HOME", "/home/jo"}};
  const Environment environment = [&](const char* name) {
    const auto at = set.find(name);
    return at == set.end() ? std::string() : at->second;
  };
  Desk desk = make_desk({}, environment);
  EXPECT_EQ(desk.socket, "/run/kith/kithd.sock");
  EXPECT_EQ(desk.key_file, "/home/jo/.config/kith/author.kith-key");
  EXPECT_EQ(desk.state_folder, "/home/jo/.local/state/kith");
  EXPECT_FALSE(desk.passphrase_file);

  set["XDG_CONFIG_HOME"] = "/config";
  set["XDG_STATE_HOME"] = "relative";  // Which the standard says to ignore.
  desk = make_desk({}, environment);
  EXPECT_EQ(desk.key_file, "/config/kith/author.kith-key");
  EXPECT_EQ(desk.state_folder, "/home/jo/.local/state/kith");

  set["KITH_SOCKET"] = "/s";
  set["KITH_KEY"] = "/k";
  set["KITH_PASSPHRASE_FILE"] = "/p";
  desk = make_desk({}, environment);
  EXPECT_EQ(desk.socket, "/s");
  EXPECT_EQ(desk.key_file, "/k");
  EXPECT_EQ(desk.passphrase_file, "/p");

  desk = make_desk({"/s2", "/k2"}, environment);
  EXPECT_EQ(desk.socket, "/s2");
  EXPECT_EQ(desk.key_file, "/k2");
}

TEST(Layout, CleanTextKeepsLinesAndDropsWhatMovesACursor) {
  EXPECT_EQ(clean_text("a\tb\r\nc\x1b[2J\n"), "a    b\nc [2J\n");
  EXPECT_EQ(clean_text(""), "");
  EXPECT_EQ(clean_text("\n\n"), "\n\n");
  EXPECT_TRUE(is_harmless(clean_text(nasty)));
  EXPECT_EQ(clean_line("naïve – 日本"), "naïve – 日本");
}

TEST(Layout, DroppingOneCharacterNeverJoinsAnother) {
  // Without the inner one, the outer bytes would be a right-to-left override.
  EXPECT_TRUE(is_harmless(clean_line("\xE2\xE2\x80\xAE\x80\xAE")));
  EXPECT_TRUE(is_harmless(clean_line("\xC2\xE2\x80\x8B\x9B")));
}

TEST(Layout, FitCountsCharactersNotBytes) {
  EXPECT_EQ(fit("äöü", 3), "äöü");
  EXPECT_EQ(fit("äöüß", 3), "äö…");
  EXPECT_EQ(fit("abc", 1), "…");
  EXPECT_EQ(fit("abc", 0), "abc");
}

TEST(Layout, DatesThatNoCalendarHoldsAreSaidToBeNone) {
  EXPECT_EQ(date_of(~0ULL), "no date");
  EXPECT_EQ(utc_of(~0ULL), "");
  EXPECT_EQ(utc_of(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
}

TEST(Layout, ColourIsOnlyWhereItIsWanted) {
  std::ostringstream out;
  std::istringstream in;
  Console console{out, out, in};
  EXPECT_EQ(heading(console, "x"), "x");
  console.colour = true;
  EXPECT_EQ(heading(console, "x"), "\x1b[1mx\x1b[0m");
}

}  // namespace
}  // namespace kith::client
