#include "tests/client/bench.hpp"

namespace kith::client {
namespace {

local::MemberRow some_member(const std::string& code) {
  local::MemberRow row;
  row.code = code;
  row.name = code + " Hospitals";
  row.connected = true;
  row.held_size = 8;
  row.known_size = 12;
  row.gaps = 1;
  row.witnesses = 6;
  row.cosigned = 4;
  return row;
}

local::AuditRow some_log(const std::string& code) {
  local::AuditRow row;
  row.code = code;
  row.size = 12;
  row.agreed = 11;
  row.witnesses = 6;
  row.cosigned = 4;
  row.intact = true;
  return row;
}

TEST(Peers, ShowsEveryMemberWithWhatIsHeldOfIt) {
  Bench bench;
  local::MemberRow away = some_member("CALD");
  away.connected = false;
  away.last_error = "connection refused";
  away.heard = 1'771'000'000'000;
  local::MemberRow torn = some_member("BRA");
  torn.frozen = true;
  bench.daemon.on<local::MembersRequest>(local::MembersAnswer{{some_member("ASH"), away, torn}});
  const Outcome outcome = bench.run({"peers"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_EQ(lines_of(outcome.out), 6U) << "titles, three members, and what is wrong with two";
  EXPECT_NE(outcome.out.find("4 of 6"), std::string::npos);
  EXPECT_NE(outcome.out.find("no, last 2026-02-13"), std::string::npos);
  EXPECT_NE(outcome.out.find("connection refused"), std::string::npos);
  EXPECT_NE(outcome.out.find("two conflicting histories"), std::string::npos);
}

TEST(Peers, KeepsControlCharactersOfOthersFromTheTerminal) {
  Bench bench;
  bench.terminal = true;
  local::MemberRow row = some_member(nasty);
  row.name = row.role = row.last_error = nasty;
  row.connected = false;
  row.frozen = true;
  bench.daemon.on<local::MembersRequest>(local::MembersAnswer{{row}});
  EXPECT_TRUE(is_harmless(bench.run({"peers"}).out));
}

TEST(Peers, HasOneShapeInJson) {
  Bench bench;
  bench.daemon.on<local::MembersRequest>(local::MembersAnswer{{some_member("ASH")}});
  const auto json = bench.run({"peers", "--json"}).json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"members"}));
  EXPECT_EQ(keys_of(json["members"][0]),
            (std::vector<std::string>{
                "addresses",  "agreed_size", "behind",   "code",      "connected", "cosigned",
                "frozen",     "gaps",        "heard",    "held_size", "judged",    "known_size",
                "last_error", "member",      "name",     "paused",    "records",   "role",
                "self",       "unasked",     "witnesses"}));
  EXPECT_EQ(json["members"][0]["behind"], 5);
  EXPECT_TRUE(json["members"][0]["heard"].is_null());
}

TEST(Peers, TellsARefusal) {
  Bench bench;
  EXPECT_EQ(bench.run({"peers"}).exit, Exit::refused);
  EXPECT_EQ(bench.run({"peers", "x"}).exit, Exit::usage);
}

TEST(Status, SaysHowTheDaemonIs) {
  Bench bench;
  local::StatusAnswer now = some_status();
  now.incomplete = 2;
  now.bad = 1;
  bench.daemon.on<local::StatusRequest>(now);
  const Outcome outcome = bench.run({"status"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_NE(outcome.out.find("Learning Network"), std::string::npos);
  EXPECT_NE(outcome.out.find("2 entries still to come"), std::string::npos);
  EXPECT_NE(outcome.out.find("1 entry failed a check"), std::string::npos);
  EXPECT_NE(outcome.out.find("3.0 MiB"), std::string::npos);
  EXPECT_NE(outcome.out.find("nowhere; it dials the others"), std::string::npos);
}

TEST(Status, CutsNothingOnANarrowTerminal) {
  Bench bench;
  bench.terminal = true;
  bench.width = 40;
  bench.daemon.on<local::StatusRequest>(some_status());
  const std::string out = bench.run({"status"}).out;
  EXPECT_EQ(out.find("…"), std::string::npos) << out;
  std::istringstream lines(out);
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 40U) << line;
    all += line.substr(std::min(line.find_first_not_of(' '), line.size())) + " ";
  }
  EXPECT_NE(all.find(words_of(some_status().member)), std::string::npos) << all;
}

TEST(Status, HasOneShapeInJson) {
  Bench bench;
  local::StatusAnswer now = some_status();
  now.aim = nasty;
  bench.daemon.on<local::StatusRequest>(now);
  const Outcome outcome = bench.run({"status", "--json"});
  EXPECT_TRUE(is_harmless(outcome.out));
  EXPECT_TRUE(is_harmless(bench.run({"status"}).out));
  EXPECT_EQ(keys_of(outcome.json()), (std::vector<std::string>{"agreed_size",
                                                               "aim",
                                                               "bad",
                                                               "code",
                                                               "commons_log",
                                                               "decision",
                                                               "decisions",
                                                               "disk_bytes",
                                                               "fingerprint",
                                                               "incomplete",
                                                               "last_sequence",
                                                               "listen",
                                                               "log_size",
                                                               "member",
                                                               "members",
                                                               "network",
                                                               "network_name",
                                                               "next_enrolment",
                                                               "peers_connected",
                                                               "records",
                                                               "state",
                                                               "state_detail",
                                                               "version"}));
}

TEST(Status, TellsARefusal) {
  Bench bench;
  EXPECT_EQ(bench.run({"status"}).exit, Exit::refused);
  EXPECT_EQ(bench.run({"status", "x"}).exit, Exit::usage);
  bench.daemon.unreachable = true;
  EXPECT_EQ(bench.run({"status"}).exit, Exit::unreachable);
}

TEST(Audit, ExitsWith0WhenAllIsIntact) {
  Bench bench;
  bench.daemon.on<local::AuditRequest>(local::AuditAnswer{{some_log("ASH"), some_log("CALD")}});
  const Outcome outcome = bench.run({"audit"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_NE(outcome.out.find("Every history is intact."), std::string::npos);
  EXPECT_EQ(bench.daemon.last<local::AuditRequest>()->member, "");
}

TEST(Audit, ExitsWith3WhenAnythingIsWrongAndSaysWhat) {
  Bench bench;
  bench.terminal = true;
  local::AuditRow bad = some_log("CALD");
  bad.intact = false;
  bad.faults = {"leaf 7: the payload's hash is another" + nasty};
  bench.daemon.on<local::AuditRequest>(local::AuditAnswer{{some_log("ASH"), bad}});
  const Outcome outcome = bench.run({"audit", "CALD"});
  EXPECT_EQ(outcome.exit, Exit::faults);
  EXPECT_NE(outcome.out.find("CALD: leaf 7: the payload's hash is another"), std::string::npos);
  EXPECT_TRUE(is_harmless(outcome.out));
  EXPECT_EQ(bench.daemon.last<local::AuditRequest>()->member, "CALD");

  local::AuditRow partial = some_log("ASH");
  partial.intact = false;
  partial.missing = 3;
  partial.faults.clear();
  bench.daemon.on<local::AuditRequest>(local::AuditAnswer{{partial}});
  const Outcome incomplete = bench.run({"audit"});
  EXPECT_EQ(incomplete.exit, Exit::faults);
  EXPECT_NE(incomplete.out.find("incomplete"), std::string::npos);

  local::AuditRow frozen = some_log("ASH");
  frozen.frozen = true;
  bench.daemon.on<local::AuditRequest>(local::AuditAnswer{{frozen}});
  EXPECT_EQ(bench.run({"audit"}).exit, Exit::faults);
}

TEST(Audit, ShowsProgressOnATerminalAndLeavesNoTraceOfIt) {
  Bench bench;
  bench.daemon.on<local::AuditRequest>(local::AuditAnswer{{some_log("ASH")}});
  bench.daemon.progress = {{1, 4, "checking ASH" + nasty}, {4, 4, "checking ASH"}};
  EXPECT_EQ(bench.run({"audit"}).err, "");
  bench.terminal = true;
  const Outcome outcome = bench.run({"audit"});
  EXPECT_NE(outcome.err.find("25 %"), std::string::npos);
  EXPECT_NE(outcome.err.find("100 %"), std::string::npos);
  EXPECT_TRUE(outcome.err.ends_with("\r" + std::string(79, ' ') + "\r"));
  EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos);
}

TEST(Audit, HasOneShapeInJson) {
  Bench bench;
  local::AuditRow bad = some_log("CALD");
  bad.intact = false;
  bench.daemon.on<local::AuditRequest>(local::AuditAnswer{{bad}});
  const Outcome outcome = bench.run({"audit", "--json"});
  EXPECT_EQ(outcome.exit, Exit::faults);
  const auto json = outcome.json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"intact", "logs"}));
  EXPECT_EQ(json["intact"], false);
  EXPECT_EQ(
      keys_of(json["logs"][0]),
      (std::vector<std::string>{"agreed", "authors", "certificates", "code", "cosigned", "faults",
                                "frozen", "intact", "log", "member", "missing", "records", "root",
                                "sealed", "size", "statements", "unknown_kinds", "witnesses"}));
}

TEST(Audit, OfNothingIsNoSuccess) {
  Bench bench;
  bench.daemon.on<local::AuditRequest>(local::AuditAnswer{});
  EXPECT_EQ(bench.run({"audit"}).exit, Exit::refused);
  bench.daemon.on<local::AuditRequest>(local::Refusal{Errc::not_found, "no member X"});
  EXPECT_EQ(bench.run({"audit", "X"}).exit, Exit::refused);
  EXPECT_EQ(bench.run({"audit", "X", "Y"}).exit, Exit::usage);
}

}  // namespace
}  // namespace kith::client
