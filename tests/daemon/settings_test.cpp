#include "daemon/settings.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

namespace kith::daemon {
namespace {

std::variant<Settings, Exit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "kithd");
  return parse_settings(static_cast<int>(arguments.size()), arguments.data());
}
template <class Command>
Command command(const std::variant<Settings, Exit>& parsed) {
  const auto* settings = std::get_if<Settings>(&parsed);
  EXPECT_NE(settings, nullptr);
  if (settings == nullptr) return {};
  return std::get<Command>(settings->command);
}

const std::vector<const char*> found{
    "--dir",  "d",   "init",   "--found",     "--name",    "North", "--aim",         "Learn",
    "--code", "ZZA", "--role", "acute trust", "--steward", "k",     "--member-name", "Ashdown"};

TEST(Settings, InitFoundsWithWhatWasSaid) {
  auto arguments = found;
  for (const char* more : {"--address", "a:1", "--address", "b:2", "--rule-admit", "k:3"}) {
    arguments.push_back(more);
  }
  const auto parsed = parse(arguments);
  const auto init = command<InitSettings>(parsed);
  EXPECT_EQ(std::get<Settings>(parsed).dir, "d");
  EXPECT_TRUE(init.found);
  EXPECT_EQ(init.network_name, "North");
  EXPECT_EQ(init.addresses, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_EQ(init.rule_admit, "k:3");
  EXPECT_EQ(init.rule_part, "majority");
}

TEST(Settings, InitEitherFoundsOrJoins) {
  auto both = found;
  both.push_back("--join");
  both.push_back("invite");
  EXPECT_EQ(std::get<Exit>(parse(both)), Exit::usage);
  auto neither = found;
  neither.erase(neither.begin() + 3);
  EXPECT_EQ(std::get<Exit>(parse(neither)), Exit::usage);
  auto nameless = found;
  nameless.erase(nameless.begin() + 4, nameless.begin() + 6);
  EXPECT_EQ(std::get<Exit>(parse(nameless)), Exit::usage);
}

TEST(Settings, KeysAreRenewedForAReasonAndCutForTheft) {
  const auto renew = command<RenewSettings>(
      parse({"--dir", "d", "renew", "--reason", "lost", "--steward", "k", "--words-file", "w"}));
  EXPECT_FALSE(renew.cut);
  EXPECT_EQ(renew.reason, "lost");
  EXPECT_EQ(renew.steward, "k");
  EXPECT_EQ(renew.words_file, "w");
  EXPECT_EQ(command<RenewSettings>(parse({"--dir", "d", "renew"})).reason, "planned");
  EXPECT_TRUE(command<RenewSettings>(parse({"--dir", "d", "cut"})).cut);
  EXPECT_EQ(std::get<Exit>(parse({"--dir", "d", "renew", "--reason", "cut"})), Exit::usage);
  EXPECT_EQ(std::get<Exit>(parse({"--dir", "d", "cut", "--reason", "lost"})), Exit::usage);
}

TEST(Settings, TheDirectoryMayStandBehindTheCommand) {
  EXPECT_EQ(std::get<Settings>(parse({"run", "--dir", "d"})).dir, "d");
  EXPECT_EQ(std::get<Exit>(parse({"run"})), Exit::usage);
}

TEST(Settings, InitNamesAllThatIsMissingAtOnce) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(std::get<Exit>(parse({"--dir", "d", "init", "--found", "--code", "ZZA"})), Exit::usage);
  const std::string said = ::testing::internal::GetCapturedStderr();
  for (const char* option : {"--name NAME", "--aim TEXT", "--member-name", "--role", "--steward"}) {
    EXPECT_NE(said.find(option), std::string::npos) << said;
  }
  EXPECT_EQ(said.find("--code"), std::string::npos);
  EXPECT_TRUE(said.starts_with("kithd: "));
}

TEST(Settings, HelpFitsATerminal) {
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {"--help"}, {"init", "--help"}, {"run", "--help"}, {"check", "--help"}}) {
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(std::get<Exit>(parse(arguments)), Exit::ok);
    std::istringstream lines(::testing::internal::GetCapturedStdout());
    std::string line;
    while (std::getline(lines, line)) EXPECT_LE(line.size(), 82U) << line;
  }
}

TEST(Settings, RunListensUnlessToldNotTo) {
  EXPECT_EQ(command<RunSettings>(parse({"--dir", "d", "run"})).listen,
            std::vector<std::string>{default_listen});
  EXPECT_TRUE(command<RunSettings>(parse({"--dir", "d", "run", "--no-listen"})).listen.empty());
  const auto run =
      command<RunSettings>(parse({"--dir", "d", "run", "--listen", "a:1", "--listen", "b:2",
                                  "--peer", "ZZB=c:3", "--trust-loopback", "off", "--debug"}));
  EXPECT_EQ(run.listen, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_EQ(run.peers, std::vector<std::string>{"ZZB=c:3"});
  EXPECT_FALSE(run.trust_loopback);
  EXPECT_TRUE(run.debug);
  EXPECT_TRUE(command<RunSettings>(parse({"--dir", "d", "run"})).trust_loopback);
}

TEST(Settings, TheEnvironmentStandsInForFlagsAndFlagsWin) {
  setenv("KITHD_DIR", "from-environment", 1);
  setenv("KITHD_LISTEN", "a:1,b:2", 1);
  const auto parsed = parse({"run"});
  const auto flagged = parse({"--dir", "flag", "run", "--listen", "c:3"});
  unsetenv("KITHD_DIR");
  unsetenv("KITHD_LISTEN");
  EXPECT_EQ(std::get<Settings>(parsed).dir, "from-environment");
  EXPECT_EQ(command<RunSettings>(parsed).listen, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_EQ(std::get<Settings>(flagged).dir, "flag");
  EXPECT_EQ(command<RunSettings>(flagged).listen, std::vector<std::string>{"c:3"});
}

TEST(Settings, MistakesAreUsageAndHelpIsNot) {
  EXPECT_EQ(std::get<Exit>(parse({})), Exit::usage);
  EXPECT_EQ(std::get<Exit>(parse({"--dir", "d"})), Exit::usage);
  EXPECT_EQ(std::get<Exit>(parse({"run"})), Exit::usage);
  EXPECT_EQ(std::get<Exit>(parse({"--dir", "d", "run", "--nonsense"})), Exit::usage);
  EXPECT_EQ(std::get<Exit>(parse({"--dir", "d", "run", "--trust-loopback", "x"})), Exit::usage);
  EXPECT_EQ(std::get<Exit>(parse({"--help"})), Exit::ok);
  EXPECT_EQ(std::get<Exit>(parse({"--version"})), Exit::ok);
}

TEST(Settings, RecoverRebuildsOrRehearses) {
  const auto rebuild = command<RecoverSettings>(
      parse({"--dir", "d", "recover", "--join", "i", "--steward", "k", "--above", "12"}));
  EXPECT_EQ(rebuild.join, "i");
  EXPECT_EQ(rebuild.above, "12");
  EXPECT_FALSE(rebuild.rehearse);
  EXPECT_TRUE(command<RecoverSettings>(parse({"--dir", "d", "recover", "--rehearse"})).rehearse);
  EXPECT_EQ(command<RecoverSettings>(parse({"recover", "--rehearse", "--member", "m"})).member,
            "m");
  for (const std::vector<const char*>& wrong :
       {std::vector<const char*>{"recover", "--join", "i", "--steward", "k"},
        {"--dir", "d", "recover"},
        {"--dir", "d", "recover", "--join", "i"},
        {"--dir", "d", "recover", "--steward", "k"},
        {"--dir", "d", "recover", "--join", "i", "--steward", "k", "--member", "m"},
        {"recover", "--rehearse"},
        {"--dir", "d", "recover", "--rehearse", "--member", "m"},
        {"--dir", "d", "recover", "--rehearse", "--join", "i"},
        {"--dir", "d", "recover", "--rehearse", "--above", "1"}}) {
    EXPECT_EQ(std::get<Exit>(parse(wrong)), Exit::usage);
  }
}

}  // namespace
}  // namespace kith::daemon
