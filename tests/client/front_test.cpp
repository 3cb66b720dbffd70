#include "client/state.hpp"
#include "tests/client/bench.hpp"

namespace kith::client {
namespace {

local::FrontAnswer full_page(const std::string& title) {
  local::FrontAnswer page;
  page.status = some_status();
  page.status.state = "paused";
  page.status.state_detail = title;
  page.status.bad = 3;
  for (std::uint8_t i = 1; i <= 50; ++i) {
    page.candidates.push_back(some_candidate("ZZ" + std::to_string(i)));
    page.candidates.back().profile.name = title;
    page.proposals.push_back(some_proposal(i));
    page.proposals.back().effects = {title, title};
    page.answers.push_back(some_entry(i, title));
    page.news.push_back(some_entry(i, title));
  }
  page.answers_count = 4'000'000'000;
  page.news_count = 4'000'000'000;
  return page;
}

TEST(FrontPage, ShowsWhatWaitsWithTheCommandThatGoesThere) {
  Bench bench;
  bench.make_author();
  local::FrontAnswer page;
  page.status = some_status();
  page.candidates = {some_candidate("ZZC")};
  page.proposals = {some_proposal(5)};
  page.answers = {some_entry(6, "Who trained them?")};
  page.answers_count = 1;
  page.news = {some_entry(7, "Falls")};
  page.news_count = 9;
  bench.daemon.on<local::FrontRequest>(page);

  const Outcome outcome = bench.run({});

  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_NE(outcome.out.find("ASH in Learning Network: 6 members, 4 others connected"),
            std::string::npos);
  EXPECT_NE(outcome.out.find("kith consent ZZC"), std::string::npos);
  EXPECT_NE(outcome.out.find("kith consent auc"), std::string::npos);
  EXPECT_NE(outcome.out.find("kith thread "), std::string::npos);
  EXPECT_NE(outcome.out.find("kith show "), std::string::npos);
  EXPECT_NE(outcome.out.find("and 8 more"), std::string::npos);
}

TEST(FrontPage, IsAtMost24LinesHoweverMuchThereIs) {
  for (const std::size_t width : {20UL, 80UL, 200UL}) {
    Bench bench;
    bench.terminal = true;
    bench.width = width;
    bench.daemon.on<local::FrontRequest>(full_page(std::string(500, 'x') + "\n\n\nlines"));
    const Outcome outcome = bench.run({});
    EXPECT_EQ(outcome.exit, Exit::ok);
    EXPECT_LE(lines_of(outcome.out), 24U) << outcome.out;
    EXPECT_GE(lines_of(outcome.out), 20U) << "the page should be full";
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), width + 2) << line;
  }
}

TEST(FrontPage, KeepsControlCharactersOfOthersFromTheTerminal) {
  Bench bench;
  bench.terminal = true;
  local::FrontAnswer page = full_page(nasty);
  page.status.code = page.status.network_name = nasty;
  page.candidates[0].profile.code = nasty;
  page.proposals[0].proposer = nasty;
  page.answers[0].member = nasty;
  bench.daemon.on<local::FrontRequest>(page);
  const Outcome outcome = bench.run({});
  EXPECT_TRUE(is_harmless(outcome.out)) << outcome.out;
}

TEST(FrontPage, QuotesACodeThatWouldDoSomethingInAShell) {
  Bench bench;
  local::FrontAnswer page;
  page.status = some_status();
  page.candidates = {some_candidate("Z")};
  page.candidates[0].profile.code = "$(id);'x'";
  bench.daemon.on<local::FrontRequest>(page);
  const Outcome outcome = bench.run({});
  EXPECT_NE(outcome.out.find("kith consent '$(id);'\\''x'\\'''"), std::string::npos) << outcome.out;
}

TEST(FrontPage, SaysSoWhenThereIsNothingNew) {
  Bench bench;
  bench.make_author();
  local::FrontAnswer page;
  page.status = some_status();
  bench.daemon.on<local::FrontRequest>(page);
  EXPECT_NE(bench.run({}).out.find("Nothing new"), std::string::npos);
}

TEST(FrontPage, TellsWhoHasNoKeyHowToMakeOne) {
  Bench bench;
  local::FrontAnswer page;
  page.status = some_status();
  bench.daemon.on<local::FrontRequest>(page);
  EXPECT_NE(bench.run({}).out.find("kith init"), std::string::npos);
  EXPECT_EQ(bench.daemon.last<local::FrontRequest>()->author, std::nullopt);
}

TEST(FrontPage, RemembersWhatAPersonSawButNotWhatAScriptRead) {
  Bench bench;
  const PublicKey author = bench.make_author();
  local::FrontAnswer page;
  page.status = some_status();
  bench.daemon.on<local::FrontRequest>(page);

  (void)bench.run({});
  (void)bench.run({"--json"});
  EXPECT_EQ(last_seen(bench.desk), 0U);
  bench.terminal = true;
  (void)bench.run({"--json"});
  EXPECT_EQ(last_seen(bench.desk), 0U);
  (void)bench.run({});
  EXPECT_EQ(last_seen(bench.desk), 77U);

  (void)bench.run({});
  EXPECT_EQ(bench.daemon.last<local::FrontRequest>()->since_sequence, 77U);
  EXPECT_EQ(bench.daemon.last<local::FrontRequest>()->author, author);
}

TEST(FrontPage, RemembersForEachDaemonApart) {
  Bench bench;
  ASSERT_TRUE(remember_seen(bench.desk, 5));
  bench.desk.socket = "/run/other.sock";
  EXPECT_EQ(last_seen(bench.desk), 0U);
  ASSERT_TRUE(remember_seen(bench.desk, 6));
  bench.desk.socket = "/run/kith/kithd.sock";
  EXPECT_EQ(last_seen(bench.desk), 5U);
}

TEST(FrontPage, HasOneShapeInJson) {
  Bench bench;
  bench.daemon.on<local::FrontRequest>(full_page(nasty));
  const Outcome outcome = bench.run({"--json"});
  EXPECT_TRUE(is_harmless(outcome.out));
  EXPECT_EQ(keys_of(outcome.json()),
            (std::vector<std::string>{"answers", "answers_count", "candidates", "news",
                                      "news_count", "proposals", "status"}));
  EXPECT_EQ(outcome.json()["news"].size(), 50U);
}

TEST(FrontPage, ExitsWith4WhenNoDaemonAnswers) {
  Bench bench;
  bench.daemon.unreachable = true;
  const Outcome outcome = bench.run({});
  EXPECT_EQ(outcome.exit, Exit::unreachable);
  EXPECT_NE(outcome.err.find("start it"), std::string::npos);
  EXPECT_EQ(bench.run({"--json"}).json()["error"]["code"], "unavailable");
}

}  // namespace
}  // namespace kith::client
