#include "client/key_store.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/records/record.hpp"
#include "tests/client/bench.hpp"

namespace kith::client {
namespace {

/// Records of the last PublishRequest, each checked as the daemon checks it.
std::vector<Record> published_records(const FakeDaemon& daemon) {
  std::vector<Record> records;
  const auto* request = daemon.last<local::PublishRequest>();
  if (request == nullptr) return records;
  BatchVerifier verifier;
  for (const Bytes& bytes : request->texts) {
    const auto text = decode_text(bytes);
    EXPECT_TRUE(text);
    const auto record = verifier.verify(std::get<SignedRecord>(*text), some_status().network,
                                        some_status().commons_log);
    EXPECT_TRUE(record);
    records.push_back(record->record);
  }
  return records;
}

RecordId id_of_first(const FakeDaemon& daemon) {
  const auto text = decode_text(daemon.last<local::PublishRequest>()->texts.front());
  return record_id(std::get<SignedRecord>(*text).record);
}

class ConsentBench : public Bench {
 public:
  explicit ConsentBench(std::size_t records) {
    author = make_author();
    open.basis.bytes.fill(9);
    open.candidates = {some_candidate("ZZC"), some_candidate("YYD")};
    open.proposals = {some_proposal(5)};
    open.proposals[0].effects = {"pause CALD"};
    daemon.on<local::StatusRequest>(some_status());
    daemon.on<local::PublishRequest>(
        local::PublishAnswer{std::vector<local::PublishedRow>(records), 20, "note", ""});
    set();
  }
  void set() {
    daemon.on<local::ProposalsRequest>(open);
    daemon.on<local::MembersRequest>(local::MembersAnswer{});
  }

  PublicKey author;
  local::ProposalsAnswer open;
};

const std::string proposal_id = to_base32(Bytes(32, 5));

TEST(Consent, ToCandidatesIsOneProposalWithAnAgreementInTheSameBatch) {
  ConsentBench bench(2);
  const Outcome outcome = bench.run({"consent", "ZZC", "YYD", "--yes"});
  ASSERT_EQ(outcome.exit, Exit::ok) << outcome.err;

  const auto records = published_records(bench.daemon);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].kind, "proposal");
  EXPECT_EQ(records[0].author, bench.author);
  const auto proposal = decode_proposal(records[0].body);
  ASSERT_TRUE(proposal);
  EXPECT_EQ(proposal->basis, bench.open.basis);
  ASSERT_EQ(proposal->effects.size(), 2U);
  for (const Effect& effect : proposal->effects) EXPECT_TRUE(std::holds_alternative<Admit>(effect));

  EXPECT_EQ(records[1].kind, "consent");
  const auto consent = decode_consent(records[1].body);
  ASSERT_TRUE(consent);
  EXPECT_EQ(*consent, (Consent{id_of_first(bench.daemon), 1, Consent::Word::agree}));
  EXPECT_NE(outcome.err.find(words_of(some_candidate("ZZC").member)), std::string::npos);
}

TEST(Consent, AsksWhetherTheWordsWereCompared) {
  ConsentBench bench(2);
  bench.terminal = true;
  bench.input = "n\n";
  const Outcome no = bench.run({"consent", "ZZC"});
  EXPECT_EQ(no.exit, Exit::refused);
  EXPECT_NE(no.err.find("read these words aloud"), std::string::npos);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);

  bench.input = "y\n";
  EXPECT_EQ(bench.run({"consent", "ZZC"}).exit, Exit::ok);
}

TEST(Consent, WithoutATerminalNeedsYes) {
  ConsentBench bench(2);
  EXPECT_EQ(bench.run({"consent", "ZZC"}).exit, Exit::usage);
  bench.terminal = true;
  EXPECT_EQ(bench.run({"consent", "ZZC", "--json"}).exit, Exit::usage);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
  bench.daemon.on<local::MembersRequest>(local::MembersAnswer{});
  EXPECT_EQ(bench.run({"consent", "NOPE"}).exit, Exit::refused) << "that there is none comes first";
}

TEST(Consent, TellsWhatIsDecidedWhatIsOpenAndWhatWasClosed) {
  ConsentBench open(1);
  const Outcome waits = open.run({"consent", proposal_id, "--yes"});
  EXPECT_NE(waits.out.find("your word on " + proposal_id.substr(0, 8)), std::string::npos);
  EXPECT_NE(waits.out.find("two more members need to agree"), std::string::npos) << waits.out;
  EXPECT_GT(open.waits, 5U) << "the others get a moment to confirm";
  EXPECT_LT(open.waits, 30U) << "but no more than a moment";

  local::ProposalsAnswer after;
  after.basis = DecisionId::from(Bytes(32, 5));
  ConsentBench decided(1);
  decided.daemon.after_publishing<local::ProposalsRequest>(after);
  const Outcome holds = decided.run({"consent", proposal_id, "--yes"});
  EXPECT_NE(holds.out.find("decided: " + proposal_id.substr(0, 8)), std::string::npos);
  EXPECT_EQ(decided.waits, 0U);

  after.basis = DecisionId::from(Bytes(32, 77));
  ConsentBench closed(1);
  closed.daemon.after_publishing<local::ProposalsRequest>(after);
  closed.daemon.on<local::MembersRequest>(local::MembersAnswer{});
  const Outcome late = closed.run({"consent", proposal_id, "--yes"});
  EXPECT_NE(late.out.find("open no more"), std::string::npos) << late.out << late.err;
}

TEST(Consent, TellsWhatBecameOfCandidates) {
  local::ProposalsAnswer after;
  after.basis = DecisionId::from(Bytes(32, 77));
  ConsentBench bench(2);
  bench.daemon.after_publishing<local::ProposalsRequest>(after);
  bench.daemon.on<local::MembersRequest>(local::MembersAnswer{});
  const Outcome in_vain = bench.run({"consent", "ZZC", "--yes"});
  EXPECT_EQ(in_vain.exit, Exit::ok);
  EXPECT_NE(in_vain.out.find("nothing came of it"), std::string::npos) << in_vain.out;
  EXPECT_NE(in_vain.out.find("kith consent ZZC"), std::string::npos);

  bench.set();
  local::MembersAnswer members;
  members.members.emplace_back().member = some_candidate("ZZC").member;
  bench.daemon.on<local::MembersRequest>(members);
  const Outcome admitted = bench.run({"consent", "ZZC", "--yes"});
  EXPECT_NE(admitted.out.find("decided: ZZC is a member now"), std::string::npos)
      << "though another decision came after it";

  after.basis = bench.open.basis;
  bench.set();
  bench.daemon.after_publishing<local::ProposalsRequest>(after);
  const auto json = bench.run({"consent", "ZZC", "--yes", "--json"}).json();
  EXPECT_EQ(json["proposals"][0]["state"], "ignored") << "nothing was decided, and it is not open";
}

TEST(Consent, AWordThatIsLoggedIsToldAlsoIfTheDaemonEnds) {
  ConsentBench bench(1);
  bench.daemon.after_publishing<local::ProposalsRequest>(local::Refusal{Errc::unavailable, "gone"});
  const Outcome outcome = bench.run({"consent", proposal_id, "--yes", "--json"});
  EXPECT_EQ(outcome.exit, Exit::ok) << "whoever tries again gives it twice";
  EXPECT_NE(outcome.err.find("your word is given"), std::string::npos);
  EXPECT_EQ(outcome.json()["entries"].size(), 1U);
  EXPECT_TRUE(outcome.json()["proposals"].empty());
}

TEST(Consent, ToTheSameUnderTwoNamesIsGivenOnce) {
  ConsentBench bench(2);
  EXPECT_EQ(bench.run({"consent", "ZZC", "zzc", "--yes"}).exit, Exit::ok);
  const auto records = published_records(bench.daemon);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(decode_proposal(records[0].body)->effects.size(), 1U);
}

TEST(Consent, TwoCandidatesWithOneCodeAreToldApartByTheirIds) {
  ConsentBench bench(2);
  bench.open.candidates[1].profile.code = "ZZC";
  bench.set();
  const auto id = [&](std::size_t i) {
    return to_base32(bench.open.candidates[i].member.view()).substr(0, 8);
  };
  const std::string shown = bench.run({"proposals"}).out;
  EXPECT_NE(shown.find("kith consent " + id(0)), std::string::npos) << shown;
  EXPECT_NE(shown.find("kith consent " + id(1)), std::string::npos);
  EXPECT_EQ(bench.run({"consent", "ZZC", "--yes"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"consent", id(1), "--yes"}).exit, Exit::ok);
  const auto proposal = decode_proposal(published_records(bench.daemon)[0].body);
  EXPECT_EQ(std::get<Admit>(proposal->effects[0]).certificate,
            bench.open.candidates[1].certificate);
}

TEST(Consent, TheSameWordTwiceIsRefusedAndAnObjectionBesideAnAgreementIsExplained) {
  ConsentBench bench(1);
  bench.open.proposals[0].our_word = "agree";
  bench.open.proposals[0].ours_agreed = true;
  bench.open.proposals[0].ours_agreed_now = true;
  bench.set();
  const Outcome twice = bench.run({"consent", proposal_id, "--yes"});
  EXPECT_EQ(twice.exit, Exit::refused);
  EXPECT_NE(twice.err.find("is \"agree\" already"), std::string::npos);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
  const Outcome objects = bench.run({"consent", proposal_id, "--object", "--yes"});
  EXPECT_EQ(objects.exit, Exit::ok);
  EXPECT_NE(objects.err.find("goes on counting"), std::string::npos);
}

TEST(Consent, ACodeFindsTheProposalThatAdmitsIt) {
  ConsentBench bench(1);
  bench.open.proposals[0].effects = {"admit HAL (fingerprint: a b), Hal Trust"};
  bench.set();
  EXPECT_EQ(bench.run({"consent", "hal", "--yes"}).exit, Exit::ok);
  EXPECT_EQ(decode_consent(published_records(bench.daemon)[0].body)->proposal,
            bench.open.proposals[0].id);

  ConsentBench taken(1);
  taken.open.proposals[0].effects = {
      "admit HAL (fingerprint: a b), Hal Trust; beware: the code HAL is that of Hallow already"};
  taken.set();
  EXPECT_EQ(taken.run({"consent", "hal", "--yes"}).exit, Exit::refused);
}

TEST(Consent, SaysThatSomebodyIsAMemberAlready) {
  ConsentBench bench(1);
  local::MembersAnswer members;
  members.members.emplace_back().code = "BRA";
  bench.daemon.on<local::MembersRequest>(members);
  const Outcome late = bench.run({"consent", "bra", "--yes"});
  EXPECT_EQ(late.exit, Exit::refused);
  EXPECT_NE(late.err.find("BRA is a member already"), std::string::npos);
}

TEST(Consent, RefusesACandidateWhoseCodeIsTaken) {
  ConsentBench bench(2);
  bench.open.candidates[0].warning = "the code ZZC is that of Others already";
  bench.set();
  const Outcome outcome = bench.run({"consent", "zzc", "--yes"});
  EXPECT_EQ(outcome.exit, Exit::refused);
  EXPECT_NE(outcome.err.find("is that of Others already"), std::string::npos);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
}

TEST(Consent, ToAProposalIsGivenInOurRound) {
  for (const auto& [flag, word] : {std::pair{"--yes", Consent::Word::agree},
                                   {"--stand-aside", Consent::Word::stand_aside},
                                   {"--object", Consent::Word::object}}) {
    ConsentBench bench(1);
    const Outcome outcome = bench.run({"consent", proposal_id.substr(0, 8), flag, "--yes"});
    ASSERT_EQ(outcome.exit, Exit::ok) << outcome.err;
    const auto records = published_records(bench.daemon);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(*decode_consent(records[0].body), (Consent{bench.open.proposals[0].id, 2, word}));
  }
}

TEST(Consent, RefusesWhatMakesNoSense) {
  ConsentBench bench(2);
  bench.open.proposals.push_back(some_proposal(6));
  bench.set();
  bench.daemon.on<local::MembersRequest>(local::MembersAnswer{});
  const std::string other = to_base32(Bytes(32, 6));
  EXPECT_EQ(bench.run({"consent"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"consent", "ZZC", "--object", "--stand-aside", "--yes"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"consent", "ZZC", "--object", "--yes"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"consent", "ZZC", proposal_id, "--yes"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"consent", proposal_id, other, "--yes"}).exit, Exit::usage)
      << "only one agreement counts";
  EXPECT_EQ(bench.run({"consent", "nobody", "--yes"}).exit, Exit::refused);
  EXPECT_EQ(bench.run({"consent", proposal_id.substr(0, 3), "--yes"}).exit, Exit::refused);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
}

TEST(Consent, RefusesAnIdThatFitsTwoProposals) {
  ConsentBench bench(1);
  local::ProposalRow twin = some_proposal(5);
  twin.id.bytes[31] = 0;
  bench.open.proposals.push_back(twin);
  bench.set();
  EXPECT_EQ(bench.run({"consent", proposal_id.substr(0, 8), "--yes"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"consent", proposal_id, "--yes"}).exit, Exit::ok);
}

TEST(Consent, RefusesACandidateWhoseCertificateIsNotTheirs) {
  ConsentBench bench(2);
  bench.open.candidates[0].certificate = some_candidate("YYD").certificate;
  bench.set();
  EXPECT_EQ(bench.run({"consent", "ZZC", "--yes"}).exit, Exit::refused);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
}

TEST(Consent, ToWhoIsProposedAlreadyIsAWordOnThatProposal) {
  for (const char* flag : {"--yes", "--object"}) {
    ConsentBench bench(1);
    bench.open.proposals[0].admits = {some_candidate("ZZC").member};
    bench.set();
    EXPECT_EQ(bench.run({"consent", "ZZC", flag, "--yes"}).exit, Exit::ok);
    const auto records = published_records(bench.daemon);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(decode_consent(records[0].body)->proposal, bench.open.proposals[0].id);
  }
}

TEST(Consent, ANameWithTheWordsOfAnotherKeepsNobodyOut) {
  ConsentBench bench(2);
  bench.open.proposals[0].effects = {"admit EVIL, " + words_of(some_candidate("ZZC").member)};
  bench.set();
  EXPECT_EQ(bench.run({"consent", "ZZC", "--yes"}).exit, Exit::ok);
}

TEST(Consent, WarnsWhenAnotherProposalHasOurAgreement) {
  ConsentBench bench(2);
  bench.open.proposals[0].ours_agreed = true;
  bench.set();
  const Outcome outcome = bench.run({"consent", "ZZC", "--yes"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_NE(outcome.err.find("only one agreement counts at a time"), std::string::npos);
}

TEST(Consent, HasOneShapeInJson) {
  ConsentBench bench(2);
  const auto json = bench.run({"consent", "ZZC", "--yes", "--json"}).json();
  EXPECT_EQ(keys_of(json),
            (std::vector<std::string>{"checkpoint", "entries", "proposals", "size", "waiting"}));
  EXPECT_EQ(keys_of(json["proposals"][0]),
            (std::vector<std::string>{"explanation", "id", "state"}));
  EXPECT_EQ(json["proposals"][0]["id"], json["entries"][0]["id"]);
  EXPECT_EQ(json["entries"][0]["kind"], "proposal");
  EXPECT_EQ(json["entries"][1]["kind"], "consent");
}

TEST(Consent, TellsARefusal) {
  ConsentBench bench(2);
  bench.daemon.on<local::PublishRequest>(local::Refusal{Errc::forbidden, "no scope speak"});
  const Outcome outcome = bench.run({"consent", "ZZC", "--yes"});
  EXPECT_EQ(outcome.exit, Exit::refused);
  EXPECT_NE(outcome.err.find("no scope speak"), std::string::npos);
}

TEST(Consent, ByACodeThatIsTakenMeansNobody) {
  ConsentBench bench(1);
  bench.open.candidates[0].warning = "the code ZZC is that of Calder already";
  bench.open.proposals[0].admits = {bench.open.candidates[0].member};
  bench.set();
  const Outcome by_code = bench.run({"consent", "ZZC", "--yes"});
  EXPECT_EQ(by_code.exit, Exit::refused);
  EXPECT_NE(by_code.err.find("is that of Calder already"), std::string::npos) << by_code.err;
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
  EXPECT_EQ(bench.run({"consent", proposal_id.substr(0, 8), "--yes"}).exit, Exit::ok);
}

TEST(Consent, ToACandidateWithTwoProposalsAsksWhich) {
  ConsentBench bench(1);
  bench.open.proposals.push_back(some_proposal(6));
  for (auto& proposal : bench.open.proposals) {
    proposal.admits = {bench.open.candidates[0].member};
  }
  bench.set();
  EXPECT_EQ(bench.run({"consent", "ZZC", "--yes"}).exit, Exit::usage);
}

}  // namespace
}  // namespace kith::client
