#include "protocol/base/text.hpp"
#include "protocol/keys/certificate.hpp"
#include "tests/client/bench.hpp"
#include "tests/support/archive.hpp"

/// kith evidence, and kith verify of evidence.
namespace kith::client {
namespace {

using testing::ArchivedMember;
using testing::fork_by;

ArchivedMember member(std::uint8_t seed) {
  return ArchivedMember(seed, testing::archive_network());
}
std::string id_of(BytesView id) { return to_base32(id); }

/// A daemon that holds two pieces.
class EvidenceBench : public Bench {
 public:
  EvidenceBench() {
    answer.pieces = {{fork_by(member(1)), "ZZA", "ZZA", true},
                     {testing::two_words_of(member(2), member(1).log()), "ZZB", "ZZA", false}};
    daemon.on<local::EvidenceRequest>(answer);
  }
  local::EvidenceAnswer answer;
};

TEST(VerifyEvidence, SaysWhoseKeySaidWhichTwoThings) {
  Bench bench;
  bench.write("fork", fork_by(member(1)));
  const Outcome outcome = bench.run({"verify", "fork"});
  EXPECT_EQ(outcome.exit, Exit::forked) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("Checked against member " + id_of(member(1).id().view()) +
                                      "\nof network " + id_of(testing::archive_network().view()) +
                                      ".\nThese ids come from the evidence itself"))
      << outcome.out;
  EXPECT_NE(
      outcome.out.find("signed two histories of its own log, which cannot both be true:\n  13 "
                       "entries with root "),
      std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("a stolen key"), std::string::npos);
  EXPECT_TRUE(bench.daemon.asked.empty()) << "it needs no daemon";
  const Outcome expected = bench.run({"verify", "fork", "--expect", id_of(member(1).id().view())});
  EXPECT_EQ(expected.exit, Exit::forked);
  EXPECT_NE(expected.out.find("as you expect it to be"), std::string::npos);
  const Outcome other = bench.run({"verify", "fork", "--expect", std::string(52, 'a')});
  EXPECT_EQ(other.exit, Exit::forged);
  EXPECT_NE(other.err.find("this evidence is about a key of member"), std::string::npos);
  EXPECT_EQ(bench.run({"evidence", "verify", "fork"}).exit, Exit::forked);
}

TEST(VerifyEvidence, KnowsAWitnessAndARecoveryKeyAsWell) {
  Bench bench;
  bench.write("words", testing::two_words_of(member(2), member(1).log()));
  EXPECT_NE(bench.run({"verify", "words"})
                .out.find("confirmed two histories of another member's "
                          "log"),
            std::string::npos);
  Certificate other = member(3).certificate;
  other.steward = member(4).steward.public_key();
  bench.write("certificates",
              encode_evidence(
                  make_evidence(member(3).statement, sign_certificate(other, member(3).identity))));
  const Outcome recovery = bench.run({"verify", "certificates"});
  EXPECT_EQ(recovery.exit, Exit::forked);
  EXPECT_NE(recovery.out.find("recovery key signed two certificates of one number"),
            std::string::npos)
      << recovery.out;
  const auto json = bench.run({"verify", "certificates", "--json"}).json();
  EXPECT_TRUE(json["log"].is_null());
  EXPECT_TRUE(json["said"].empty());
}

TEST(VerifyEvidence, RefusesEveryFlippedByteAndWhatIsCutOff) {
  Bench bench;
  const std::string whole = fork_by(member(1));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    bench.write("fork", changed);
    ASSERT_EQ(bench.run({"verify", "fork"}).exit, Exit::faults) << "byte " << i;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{17}, whole.size() - 1}) {
    bench.write("fork", whole.substr(0, size));
    EXPECT_EQ(bench.run({"verify", "fork"}).exit, Exit::faults) << size;
  }
  bench.write("fork", whole + "\n");
  const Outcome longer = bench.run({"verify", "fork"});
  EXPECT_EQ(longer.exit, Exit::faults);
  EXPECT_NE(longer.err.find("accuse nobody with it"), std::string::npos) << longer.err;
  bench.write("fork", whole);
  EXPECT_EQ(bench.run({"verify", "fork", "--keys", "fork"}).exit, Exit::usage);
  bench.write("policy", "quorum none\n");
  EXPECT_EQ(bench.run({"verify", "fork", "--policy", "policy"}).exit, Exit::usage);
}

TEST(Evidence, ListsWhatIsHeldAndWhetherItStillCounts) {
  EvidenceBench bench;
  const Outcome outcome = bench.run({"evidence", "list"});
  EXPECT_EQ(outcome.exit, Exit::ok) << outcome.err;
  EXPECT_NE(outcome.out.find("ZZA     counts  signed two histories of its log, at 13"),
            std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("ZZB     mended  confirmed two histories of the log of ZZA, at 13"),
            std::string::npos)
      << outcome.out;
  const auto json = bench.run({"evidence", "list", "--json"}).json();
  ASSERT_EQ(json["evidence"].size(), 2U);
  EXPECT_EQ(keys_of(json["evidence"][0]),
            (std::vector<std::string>{"certified", "code", "counts", "id", "key", "log", "member",
                                      "owner", "said"}));
  bench.daemon.on<local::EvidenceRequest>(local::EvidenceAnswer{});
  EXPECT_NE(bench.run({"evidence", "list"}).out.find("Nothing is held"), std::string::npos);
}

TEST(Evidence, ShowsOnePieceAndWritesItToANewFile) {
  EvidenceBench bench;
  const std::string id = id_of(blake2b({view(bench.answer.pieces[0].file)}).view());
  const Outcome outcome =
      bench.run({"evidence", "show", upper_case(id.substr(0, 8)), "--out", "fork.kith-evidence"});
  EXPECT_EQ(outcome.exit, Exit::ok) << outcome.err;
  EXPECT_NE(outcome.out.find("It still counts"), std::string::npos) << outcome.out;
  EXPECT_EQ(bench.read("fork.kith-evidence"), bench.answer.pieces[0].file);
  EXPECT_EQ(bench.run({"verify", "fork.kith-evidence"}).exit, Exit::forked);
  const Outcome again =
      bench.run({"evidence", "show", id, "--out", "fork.kith-evidence", "--json"});
  EXPECT_EQ(again.exit, Exit::refused) << "nothing is overwritten";
  EXPECT_EQ(bench.read("fork.kith-evidence"), bench.answer.pieces[0].file);
  const auto json = bench.run({"evidence", "show", id, "--json"}).json();
  EXPECT_EQ(json["evidence"], bench.answer.pieces[0].file);
  EXPECT_TRUE(json["file"].is_null());
  EXPECT_EQ(bench.run({"evidence", "show", "zzzz"}).exit, Exit::refused);
  EXPECT_NE(bench.run({"evidence", "show", ""}).err.find("more than one piece"), std::string::npos);
}

TEST(Evidence, BelievesNoDaemonThatHoldsWhatProvesNothing) {
  EvidenceBench bench;
  bench.answer.pieces[1].file.pop_back();
  bench.daemon.on<local::EvidenceRequest>(bench.answer);
  const Outcome outcome = bench.run({"evidence", "list"});
  EXPECT_EQ(outcome.exit, Exit::refused);
  EXPECT_NE(outcome.err.find("kithd check"), std::string::npos) << outcome.err;
  bench.answer.pieces = {{fork_by(member(1)), nasty, nasty, true}};
  bench.daemon.on<local::EvidenceRequest>(bench.answer);
  EXPECT_TRUE(is_harmless(bench.run({"evidence", "list"}).out));
}

TEST(VerifyEvidence, InAnExportMakesItForked) {
  Bench bench;
  auto archive = testing::make_archive({});
  testing::add_evidence(archive, fork_by(member(1)));
  testing::write_archive(archive, bench.folder.path() / "ex");
  const Outcome outcome = bench.run({"verify", "ex"});
  EXPECT_EQ(outcome.exit, Exit::forked);
  EXPECT_NE(outcome.out.find("forked: kith-evidence/001.kith-evidence: member"), std::string::npos)
      << outcome.out;
  const auto json = bench.run({"verify", "ex", "--json"}).json();
  EXPECT_EQ(json["logs"][0]["evidence"][0]["file"], "kith-evidence/001.kith-evidence");
}

}  // namespace
}  // namespace kith::client
