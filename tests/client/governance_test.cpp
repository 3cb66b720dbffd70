#include <sys/stat.h>

#include "protocol/base/text.hpp"
#include "protocol/keys/key_file.hpp"
#include "tests/client/bench.hpp"

namespace kith::client {
namespace {

Invitation some_invitation() {
  Invitation invitation;
  invitation.network.bytes.fill(1);
  invitation.network_name = "Learning Network";
  invitation.sponsor = some_candidate("ASH").member;
  invitation.sponsor_transport.bytes.fill(2);
  invitation.addresses = {"ash.example:7400"};
  invitation.secret.bytes.fill(3);
  invitation.expires = 1'773'000'000'000;
  invitation.decision.bytes.fill(4);
  invitation.founder = invitation.sponsor;
  return invitation;
}

const std::string proposal_id = to_base32(Bytes(32, 5));

TEST(Invite, PrintsTheInvitationAndSaysWhatToDoWithIt) {
  Bench bench;
  const std::string text = encode_invitation(some_invitation());
  bench.daemon.on<local::InviteRequest>(local::InviteAnswer{text, some_invitation().expires});
  const Outcome outcome = bench.run({"invite"});
  EXPECT_EQ(outcome.exit, Exit::ok) << outcome.err;
  EXPECT_EQ(outcome.out, text);
  EXPECT_NE(outcome.err.find("read their eight words aloud"), std::string::npos);
  EXPECT_NE(outcome.err.find(words_of(some_invitation().sponsor)), std::string::npos);
}

TEST(Invite, NamesOtherAddressesAndTheWholeLineThatFollows) {
  Bench bench;
  bench.daemon.on<local::InviteRequest>(
      local::InviteAnswer{encode_invitation(some_invitation()), some_invitation().expires});
  const Outcome outcome =
      bench.run({"invite", "--address", "a.example:1", "--address", "b.example:2"});
  EXPECT_EQ(bench.daemon.last<local::InviteRequest>()->addresses,
            (std::vector<std::string>{"a.example:1", "b.example:2"}));
  for (const char* option : {"--dir", "--join", "--code", "--member-name", "--role", "--steward",
                             "--address", "kithd --dir DIR run"}) {
    EXPECT_NE(outcome.err.find(option), std::string::npos) << option;
  }
}

TEST(Invite, AsksForNoneWhenItsFolderIsMissing) {
  Bench bench;
  std::vector<std::string> nine = {"invite"};
  for (int i = 1; i <= 9; ++i) nine.insert(nine.end(), {"--address", "a:" + std::to_string(i)});
  EXPECT_EQ(bench.run(nine).exit, Exit::usage);
  EXPECT_EQ(bench.run({"invite", "--out", "nowhere/mine"}).exit, Exit::usage);
  EXPECT_TRUE(bench.daemon.asked.empty());
}

TEST(Invite, WritesAFileThatOnlyItsOwnerMayRead) {
  Bench bench;
  const std::string text = encode_invitation(some_invitation());
  bench.daemon.on<local::InviteRequest>(local::InviteAnswer{text, some_invitation().expires});
  const Outcome outcome = bench.run({"invite", "--out", "calder.kith-invite"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_EQ(bench.read("calder.kith-invite"), text);
  struct stat status{};
  ASSERT_EQ(stat((bench.folder.path() / "calder.kith-invite").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(outcome.out.find(text), std::string::npos) << "a secret is not shown for nothing";
}

TEST(Invite, AsksForNoneWhenItsFileExists) {
  Bench bench;
  bench.write("mine", "x");
  EXPECT_EQ(bench.run({"invite", "--out", "mine"}).exit, Exit::refused);
  EXPECT_EQ(bench.read("mine"), "x");
  EXPECT_TRUE(bench.daemon.asked.empty());
}

TEST(Invite, HasOneShapeInJson) {
  Bench bench;
  bench.daemon.on<local::InviteRequest>(
      local::InviteAnswer{encode_invitation(some_invitation()), some_invitation().expires});
  const auto json = bench.run({"invite", "--json"}).json();
  EXPECT_EQ(keys_of(json),
            (std::vector<std::string>{"expires", "file", "invitation", "network_name", "sponsor",
                                      "sponsor_fingerprint"}));
  EXPECT_EQ(json["sponsor_fingerprint"].size(), 8U);
}

TEST(Invite, TellsARefusalAndRefusesAnInvitationThatIsNone) {
  Bench bench;
  EXPECT_EQ(bench.run({"invite"}).exit, Exit::refused);
  EXPECT_EQ(bench.run({"invite", "x"}).exit, Exit::usage);
  bench.daemon.on<local::InviteRequest>(local::InviteAnswer{"hello", 1});
  EXPECT_EQ(bench.run({"invite"}).exit, Exit::refused);
}

TEST(Proposals, ShowsWordsFingerprintsAndWhatToType) {
  Bench bench;
  local::ProposalsAnswer open;
  open.candidates = {some_candidate("YYD")};
  open.proposals = {some_proposal(5), some_proposal(6)};
  open.proposals[1].our_word = "stand aside";
  bench.daemon.on<local::ProposalsRequest>(open);
  const Outcome outcome = bench.run({"proposals"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_NE(outcome.out.find(words_of(open.candidates[0].member)), std::string::npos);
  EXPECT_NE(outcome.out.find("kith consent YYD"), std::string::npos);
  EXPECT_NE(outcome.out.find("kith consent " + proposal_id.substr(0, 8)), std::string::npos);
  EXPECT_NE(outcome.out.find("CALD agrees"), std::string::npos);
  EXPECT_NE(outcome.out.find("a majority; 5 members are asked"), std::string::npos);
  EXPECT_NE(outcome.out.find("two more members need to agree"), std::string::npos);
  EXPECT_NE(outcome.out.find("is given: stand aside"), std::string::npos);
}

TEST(Proposals, KeepsControlCharactersOfOthersFromTheTerminal) {
  Bench bench;
  bench.terminal = true;
  local::ProposalsAnswer open;
  open.candidates = {some_candidate("YYD")};
  open.candidates[0].profile = {nasty, nasty, nasty, {nasty}};
  open.proposals = {some_proposal(5)};
  auto& proposal = open.proposals[0];
  proposal.proposer = proposal.rule = proposal.explanation = nasty;
  proposal.effects = {nasty};
  proposal.words = {{nasty, Consent::Word::object}};
  bench.daemon.on<local::ProposalsRequest>(open);
  EXPECT_TRUE(is_harmless(bench.run({"proposals"}).out));
  EXPECT_TRUE(is_harmless(bench.run({"proposals", "--json"}).out));
}

TEST(Proposals, HasOneShapeInJson) {
  Bench bench;
  local::ProposalsAnswer open;
  open.candidates = {some_candidate("YYD")};
  open.proposals = {some_proposal(5)};
  bench.daemon.on<local::ProposalsRequest>(open);
  const auto json = bench.run({"proposals", "--json"}).json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"basis", "candidates", "proposals"}));
  EXPECT_EQ(keys_of(json["candidates"][0]),
            (std::vector<std::string>{"addresses", "code", "fingerprint", "member", "name", "role",
                                      "since", "warning"}));
  EXPECT_EQ(keys_of(json["proposals"][0]),
            (std::vector<std::string>{"admits", "effects", "electors", "explanation", "id",
                                      "our_round", "our_word", "ours_agreed", "ours_given",
                                      "proposer", "rule", "waits_for_us", "words"}));
  EXPECT_EQ(json["proposals"][0]["words"][0]["word"], "agree");
}

TEST(Proposals, SaysWhenThereIsNothing) {
  Bench bench;
  bench.daemon.on<local::ProposalsRequest>(local::ProposalsAnswer{});
  bench.daemon.on<local::StatusRequest>(some_status());
  EXPECT_NE(bench.run({"proposals"}).out.find("Nobody waits"), std::string::npos);
  local::StatusAnswer joining = some_status();
  joining.state = "joining";
  bench.daemon.on<local::StatusRequest>(joining);
  const Outcome outside = bench.run({"proposals"});
  EXPECT_EQ(outside.exit, Exit::refused);
  EXPECT_NE(outside.err.find("no member yet"), std::string::npos);
  bench.daemon.unreachable = true;
  EXPECT_EQ(bench.run({"proposals"}).exit, Exit::unreachable);
}

}  // namespace
}  // namespace kith::client
