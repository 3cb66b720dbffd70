#include "protocol/base/text.hpp"
#include "tests/client/bench.hpp"

namespace kith::client {
namespace {

const std::vector<std::string> entry_keys = {
    "agreed",  "author",     "body_bytes", "id",   "index", "kind", "member",
    "replies", "reply_kind", "sequence",   "time", "title", "to"};

std::vector<std::string> with(std::vector<std::string> keys, std::vector<std::string> more) {
  keys.insert(keys.end(), more.begin(), more.end());
  std::ranges::sort(keys);
  return keys;
}

TEST(List, ShowsEntriesAndAsksForWhatWasAsked) {
  Bench bench;
  bench.daemon.on<local::ListRequest>(
      local::ListAnswer{{some_entry(7, "Falls"), some_entry(6, "Sepsis")}, true});
  const Outcome outcome = bench.run(
      {"list", "--kind", "practice", "--member", "CALD", "--limit", "2", "--before", "9"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_NE(outcome.out.find("Falls"), std::string::npos);
  EXPECT_NE(outcome.out.find("2026-02-13 16:26"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("--before 6"), std::string::npos);
  EXPECT_EQ(*bench.daemon.last<local::ListRequest>(),
            (local::ListRequest{"practice", "CALD", 9, 2}));
}

TEST(List, NeverCutsALineThatGoesToAFile) {
  Bench bench;
  const std::string title(190, 'x');
  bench.daemon.on<local::ListRequest>(local::ListAnswer{{some_entry(7, title)}, false});
  EXPECT_NE(bench.run({"list"}).out.find(title), std::string::npos);
  bench.terminal = true;
  EXPECT_EQ(bench.run({"list"}).out.find(title), std::string::npos);
}

TEST(List, HasOneShapeInJson) {
  Bench bench;
  local::RecordSummary entry = some_entry(7, nasty);
  entry.to = entry.id;
  bench.daemon.on<local::ListRequest>(local::ListAnswer{{entry}, true});
  const Outcome outcome = bench.run({"list", "--json"});
  const auto json = outcome.json();
  EXPECT_TRUE(is_harmless(outcome.out));
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"entries", "more"}));
  EXPECT_EQ(keys_of(json["entries"][0]), entry_keys);
  EXPECT_EQ(json["entries"][0]["id"], to_base32(entry.id.view()));
  EXPECT_EQ(json["entries"][0]["time"], "2026-02-13T16:26:40.000Z");
}

TEST(List, NamesTheKindThatWasProbablyMeant) {
  Bench bench;
  bench.daemon.on<local::ListRequest>(local::ListAnswer{});
  const Outcome wrong = bench.run({"list", "--kind", "practise"});
  EXPECT_EQ(wrong.exit, Exit::usage);
  EXPECT_NE(wrong.err.find("did you mean \"practice\"?"), std::string::npos);
  EXPECT_NE(bench.run({"list", "--kind", "practice"}).err.find("No entries match"),
            std::string::npos);
  EXPECT_NE(bench.run({"list"}).err.find("No entries here yet"), std::string::npos);

  // A newer member may have written what this version has no name for.
  bench.daemon.on<local::ListRequest>(local::ListAnswer{{some_entry(7, "New")}, false});
  EXPECT_EQ(bench.run({"list", "--kind", "casting"}).exit, Exit::ok);
}

TEST(List, SaysWhatAReplyIs) {
  Bench bench;
  local::RecordSummary reply = some_entry(7, "Who trains the night staff?");
  reply.kind = "reply";
  reply.reply_kind = "question";
  bench.daemon.on<local::ListRequest>(local::ListAnswer{{reply}, false});
  EXPECT_NE(bench.run({"list"}).out.find("reply: question"), std::string::npos);
  EXPECT_EQ(bench.run({"list", "--json"}).json()["entries"][0]["reply_kind"], "question");
}

TEST(List, RefusesALimitThatMakesNoSense) {
  Bench bench;
  EXPECT_EQ(bench.run({"list", "--limit", "0"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"list", "--limit", "many"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"list", "nonsense"}).exit, Exit::usage);
  EXPECT_TRUE(bench.daemon.asked.empty());
}

TEST(List, TellsARefusal) {
  Bench bench;
  bench.daemon.on<local::ListRequest>(local::Refusal{Errc::not_found, "no member X" + nasty});
  const Outcome outcome = bench.run({"list", "--member", "X"});
  EXPECT_EQ(outcome.exit, Exit::refused);
  EXPECT_NE(outcome.err.find("kith: no member X"), std::string::npos);
  EXPECT_TRUE(is_harmless(outcome.err));
}

TEST(Show, SaysWhoConfirmedItAndWhomToTalkTo) {
  Bench bench;
  bench.daemon.on<local::ShowRequest>(some_practice());
  const Outcome outcome = bench.run({"show", "a4dq"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_NE(outcome.out.find("confirmed by 4 of 6 others"), std::string::npos);
  EXPECT_NE(outcome.out.find("2 replies"), std::string::npos);
  EXPECT_NE(outcome.out.find("Look every hour."), std::string::npos);
  EXPECT_TRUE(outcome.out.ends_with("\nTalk to: ward manager of A4, CALD\n")) << outcome.out;
}

TEST(Show, KeepsControlCharactersOfOthersFromTheTerminal) {
  Bench bench;
  bench.terminal = true;
  local::ShowAnswer shown = some_practice();
  shown.record.title = shown.record.member = shown.record.kind = nasty;
  append(shown.body, view("\x1b]0;owned\x07\tx\r\ny\xC2\x9B\n"));
  bench.daemon.on<local::ShowRequest>(shown);
  EXPECT_TRUE(is_harmless(bench.run({"show", "a4dq"}).out));
}

TEST(Show, ShowsTheFieldsOfAFormAsSections) {
  Bench bench;
  local::ShowAnswer shown = some_practice();
  shown.body =
      to_bytes(view("---\nkind: practice\ntitle: Falls\nproblem: |\n  Nobody saw.\n"
                    "procedures: Look.\nresults: Fewer.\n"
                    "core: [look, ask]\ncontact_role: ward manager\n---\n\n"
                    "## When how much\n\nEvery hour.\n"));
  bench.daemon.on<local::ShowRequest>(shown);
  const std::string out = bench.run({"show", "a4dq"}).out;
  EXPECT_NE(out.find("\nProblem\nNobody saw.\n"), std::string::npos) << out;
  EXPECT_NE(out.find("\nCore\n- look\n- ask\n"), std::string::npos);
  EXPECT_NE(out.find("\nTalk to: ward manager, CALD\n"), std::string::npos);
  EXPECT_EQ(out.find("kind:"), std::string::npos);
  EXPECT_EQ(out.find("Every hour."), out.rfind("Every hour.")) << "a section of the text once";
  EXPECT_EQ(bench.run({"show", "a4dq", "--json"}).json()["contact_role"], "ward manager");
}

TEST(Show, LeavesNothingOutOfWhatIsNoForm) {
  Bench bench;
  local::ShowAnswer shown = some_practice();
  shown.record.kind = "document";
  for (const char* body : {"---\ntitle: a\nwarning:\n  text: do not use\n---\ntext\n",
                           "---\ntitle: a: b\nwarning: do not use\n---\ntext\n",
                           "---\nto: somebody\nwarning: !x do not use\n---\ntext\n"}) {
    shown.body = to_bytes(view(body));
    bench.daemon.on<local::ShowRequest>(shown);
    EXPECT_NE(bench.run({"show", "a4dq"}).out.find(body), std::string::npos) << body;
  }
  shown.record.kind = "practice";
  shown.body = to_bytes(view("---\nkind: practice\nwarning: do not use\n---\ntext\n"));
  bench.daemon.on<local::ShowRequest>(shown);
  EXPECT_NE(bench.run({"show", "a4dq"}).out.find("warning: do not use"), std::string::npos);
}

TEST(Show, RawWritesExactlyTheSignedBytes) {
  Bench bench;
  local::ShowAnswer shown = some_practice();
  shown.body = {0x1b, 0x00, 0xFF, 'a', '\n', '\r'};
  bench.daemon.on<local::ShowRequest>(shown);
  const Outcome outcome = bench.run({"show", "--raw", "a4dq"});
  EXPECT_EQ(to_bytes(view(outcome.out)), shown.body);
  EXPECT_EQ(outcome.err, "");

  bench.terminal = true;
  const Outcome refused = bench.run({"show", "--raw", "a4dq"});
  EXPECT_EQ(refused.exit, Exit::refused);
  EXPECT_EQ(refused.out, "");
}

TEST(Show, RawWritesHarmlessTextOnATerminalToo) {
  Bench bench;
  bench.terminal = true;
  bench.daemon.on<local::ShowRequest>(some_practice());
  EXPECT_EQ(bench.run({"show", "--raw", "a4dq"}).out, good_practice());
}

TEST(Show, DoesNotPrintWhatIsForPrograms) {
  Bench bench;
  local::ShowAnswer shown = some_practice();
  shown.record.kind = "proposal";
  bench.daemon.on<local::ShowRequest>(shown);
  const Outcome outcome = bench.run({"show", "a4dq"});
  EXPECT_EQ(outcome.out.find("Look every hour"), std::string::npos);
  EXPECT_NE(outcome.out.find("for programs"), std::string::npos);
}

TEST(Show, HasOneShapeInJson) {
  Bench bench;
  local::ShowAnswer shown = some_practice();
  bench.daemon.on<local::ShowRequest>(shown);
  const auto json = bench.run({"show", "a4dq", "--json"}).json();
  EXPECT_EQ(keys_of(json),
            with(entry_keys, {"body", "body_base64", "confirmed", "contact_role", "witnesses"}));
  EXPECT_EQ(json["body"], good_practice());
  EXPECT_TRUE(json["body_base64"].is_null());

  shown.body = {0xFF};
  bench.daemon.on<local::ShowRequest>(shown);
  const auto binary = bench.run({"show", "a4dq", "--json"}).json();
  EXPECT_TRUE(binary["body"].is_null());
  EXPECT_EQ(binary["body_base64"], "/w==");
}

TEST(Show, RefusesBadArguments) {
  Bench bench;
  EXPECT_EQ(bench.run({"show"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"show", "a", "b"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"show", "a", "--raw", "--json"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"show", "abcd"}).exit, Exit::refused);
}

TEST(Show, SaysWhenTheDaemonAnsweredSomethingElse) {
  Bench bench;
  bench.daemon.on<local::ShowRequest>(local::EnrolAnswer{1});
  const Outcome outcome = bench.run({"show", "abcd"});
  EXPECT_EQ(outcome.exit, Exit::refused);
  EXPECT_NE(outcome.err.find("one version"), std::string::npos);
}

local::ThreadAnswer some_thread() {
  local::ThreadRow first{some_entry(7, "Falls"), 0, to_bytes(view(good_practice()))};
  local::ThreadRow second{
      some_entry(8, "Who trained them?"), 1,
      to_bytes(view("---\nkind: reply\nto: aaaaaaaa\nreply_kind: question\n---\n\n"
                    "Who trained them?\x1b[2J\n"))};
  return {{first, second}};
}

TEST(Thread, ShowsRepliesBelowWhatTheyAnswer) {
  Bench bench;
  bench.terminal = true;
  bench.daemon.on<local::ThreadRequest>(some_thread());
  const Outcome outcome = bench.run({"thread", "abcd"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_NE(outcome.out.find("\n   Who trained them?"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("reply_kind"), std::string::npos);
  EXPECT_TRUE(is_harmless(outcome.out));
}

TEST(Thread, CutsALongEntryAndSaysWhereTheRestIs) {
  Bench bench;
  local::ThreadAnswer thread = some_thread();
  std::string body = "first\n";
  for (int i = 0; i < 100; ++i) body += "line\n";
  thread.rows[1].body = to_bytes(view(body));
  thread.rows[1].depth = 4'000'000'000;
  bench.daemon.on<local::ThreadRequest>(thread);
  const Outcome outcome = bench.run({"thread", "abcd"});
  EXPECT_LT(lines_of(outcome.out), 30U);
  EXPECT_NE(outcome.out.find("all of it: kith show"), std::string::npos);
}

TEST(Thread, SaysWhereTheRestOfAFormIs) {
  Bench bench;
  local::ThreadRow above{some_entry(7, "Falls"), 0, to_bytes(view(good_practice()))};
  bench.daemon.on<local::ThreadRequest>(local::ThreadAnswer{{above}});
  EXPECT_NE(bench.run({"thread", "a4dq"}).out.find("… all of it: kith show a4dqobyh"),
            std::string::npos);
  above.body = to_bytes(view("---\nkind: practice\ntitle: Falls\n---\n\n## Problem\n\nFalls.\n"));
  bench.daemon.on<local::ThreadRequest>(local::ThreadAnswer{{above}});
  const std::string whole = bench.run({"thread", "a4dq"}).out;
  EXPECT_NE(whole.find("## Problem"), std::string::npos);
  EXPECT_EQ(whole.find("all of it"), std::string::npos);
}

TEST(Thread, HasOneShapeInJson) {
  Bench bench;
  bench.daemon.on<local::ThreadRequest>(some_thread());
  const auto json = bench.run({"--json", "thread", "abcd"}).json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"entries"}));
  EXPECT_EQ(keys_of(json["entries"][1]), with(entry_keys, {"body", "body_base64", "depth"}));
}

TEST(Thread, RefusesBadArguments) {
  Bench bench;
  EXPECT_EQ(bench.run({"thread"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"thread", "abcd"}).exit, Exit::refused);
}

TEST(Watch, PrintsArrivalsUntilItHasEnough) {
  Bench bench;
  bench.terminal = true;
  bench.daemon.on<local::StatusRequest>(some_status());
  bench.daemon.on<local::WatchRequest>(local::WatchAnswer{some_entry(7, "Falls")});
  bench.daemon.arrivals = {local::WatchAnswer{some_entry(8, nasty)},
                           local::WatchAnswer{some_entry(9, "Third")}};
  const Outcome outcome = bench.run({"watch", "--count", "2"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_EQ(lines_of(outcome.out), 2U);
  EXPECT_TRUE(is_harmless(outcome.out));
  EXPECT_EQ(bench.daemon.last<local::WatchRequest>()->sequence, 77U);
}

TEST(Watch, BeginsWhereItIsTold) {
  Bench bench;
  bench.daemon.on<local::WatchRequest>(local::WatchAnswer{some_entry(7, "Falls")});
  EXPECT_EQ(bench.run({"watch", "--since", "3", "--count", "1"}).exit, Exit::ok);
  EXPECT_EQ(bench.daemon.last<local::WatchRequest>()->sequence, 3U);
}

TEST(Watch, PrintsOneJsonDocumentALine) {
  Bench bench;
  bench.daemon.on<local::WatchRequest>(local::WatchAnswer{some_entry(7, "Falls")});
  bench.daemon.arrivals = {local::WatchAnswer{some_entry(8, nasty)}};
  const Outcome outcome = bench.run({"watch", "--json", "--since", "0", "--count", "2"});
  std::istringstream lines(outcome.out);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_EQ(keys_of(nlohmann::json::parse(line)), entry_keys);
  }
  EXPECT_EQ(count, 2U);
}

TEST(Watch, ExitsWith4WhenTheDaemonEndsWellAndKeepsToALine) {
  Bench bench;
  bench.daemon.on<local::WatchRequest>(local::WatchAnswer{some_entry(7, "Falls")});
  bench.daemon.arrivals = {local::Refusal{Errc::unavailable, "this daemon is ending"}};
  const Outcome outcome = bench.run({"watch", "--since", "1", "--json"});
  EXPECT_EQ(outcome.exit, Exit::unreachable);
  EXPECT_EQ(lines_of(outcome.out), 2U);
  EXPECT_NE(outcome.out.find("{\"error\":"), std::string::npos) << outcome.out;
  bench.daemon.on<local::WatchRequest>(local::Refusal{Errc::unavailable, "this daemon is ending"});
  const Outcome at_once = bench.run({"watch", "--since", "1", "--json"});
  EXPECT_EQ(at_once.exit, Exit::unreachable);
  EXPECT_EQ(lines_of(at_once.out), 1U);
}

TEST(Watch, ExitsWith4WhenTheDaemonGoesAway) {
  Bench bench;
  bench.daemon.on<local::WatchRequest>(local::WatchAnswer{some_entry(7, "Falls")});
  const Outcome outcome = bench.run({"watch", "--since", "0"});
  EXPECT_EQ(outcome.exit, Exit::unreachable);
  EXPECT_EQ(lines_of(outcome.out), 1U);
}

}  // namespace
}  // namespace kith::client
