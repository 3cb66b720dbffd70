#include "protocol/log/witness.hpp"
#include "tests/client/bench.hpp"
#include "tests/support/archive.hpp"

/// kith verify --policy.
namespace kith::client {
namespace {

using testing::ArchivedMember;

/// An export that two of three witnesses confirmed, and its proofs.
class PolicyBench : public Bench {
 public:
  PolicyBench() {
    testing::ArchiveOptions options;
    options.logs = 2;
    options.further = 1;
    testing::write_archive(testing::make_archive(options), folder.path() / "ex");
  }
  /// With the keys as the export lists them.
  void write_policy(const std::string& needed, const std::string& before = "") const {
    std::string policy = before;
    const std::string list = read("ex/kith-export");
    const std::vector<std::string> names{"ash", "bra", "cald"};
    std::size_t at = 0;
    for (const std::string& name : names) {
      at = list.find("vkey kith/witness/", at) + 5;
      policy += "witness " + name + ' ' + list.substr(at, list.find('\n', at) - at) + '\n';
    }
    write("policy", policy + "group others " + needed + " ash bra cald\nquorum others\n");
  }
};

TEST(VerifyPolicy, SaysForEachLogWhetherItIsMet) {
  PolicyBench bench;
  bench.write_policy("2");
  const Outcome met = bench.run({"verify", "ex", "--policy", "policy"});
  EXPECT_EQ(met.exit, Exit::ok) << met.out << met.err;
  for (const char* log : {"commons/ZZA", "commons/ZZB"}) {
    EXPECT_NE(met.out.find("Policy: " + std::string(log) +
                           ": it is met: asked for 2 of ash, bra, cald; confirmed by ash, bra"),
              std::string::npos)
        << met.out;
  }
  bench.write_policy("all");
  const Outcome unmet = bench.run({"verify", "ex", "--policy", "policy"});
  EXPECT_EQ(unmet.exit, Exit::incomplete);
  EXPECT_NE(unmet.out.find("IT IS NOT MET: the policy asks for 3 of ash, bra, cald; of its "
                           "witnesses only ash, bra confirmed all of it"),
            std::string::npos)
      << unmet.out;
  EXPECT_NE(unmet.out.find("incomplete: commons/ZZB/checkpoint: the policy asks"),
            std::string::npos);
}

TEST(VerifyPolicy, TellsLogsAndWitnessesThatItDoesNotName) {
  PolicyBench bench;
  const std::string list = bench.read("ex/kith-export");
  const std::size_t first = list.find("vkey kith/") + 5;
  const std::string log = list.substr(first, list.find('\n', first) - first);
  bench.write("policy", "log " + log + "\nquorum none\n");
  const Outcome outcome = bench.run({"verify", "ex", "--policy", "policy"});
  EXPECT_EQ(outcome.exit, Exit::incomplete) << outcome.out;
  EXPECT_NE(outcome.out.find("Policy: commons/ZZA: it is met: asked for nobody"),
            std::string::npos);
  EXPECT_NE(outcome.out.find("Policy: commons/ZZB: IT IS NOT MET: the policy names other logs"),
            std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("by keys that the policy does not name:\n    kith/witness/"),
            std::string::npos);
  EXPECT_TRUE(is_harmless(outcome.out));
}

TEST(VerifyPolicy, RefusesAFileThatIsNoPolicyAndSaysWhere) {
  PolicyBench bench;
  bench.write("policy", "# for 2026\nquorum others\n");
  const Outcome outcome = bench.run({"verify", "ex", "--policy", "policy"});
  EXPECT_EQ(outcome.exit, Exit::usage);
  EXPECT_TRUE(outcome.out.empty());
  EXPECT_NE(outcome.err.find("policy: line 2: \"others\" is no witness and no group before it"),
            std::string::npos)
      << outcome.err;
  EXPECT_EQ(bench.run({"verify", "ex", "--policy", "nowhere"}).exit, Exit::usage);
  bench.write("policy", "witness " + nasty + " key\n");
  EXPECT_TRUE(is_harmless(bench.run({"verify", "ex", "--policy", "policy"}).err));
}

TEST(VerifyPolicy, HasOneShapeInJson) {
  PolicyBench bench;
  bench.write_policy("3");
  const auto json = bench.run({"verify", "ex", "--policy", "policy", "--json"}).json();
  EXPECT_EQ(json["verdict"], "incomplete");
  const auto& policy = json["logs"][0]["policy"];
  EXPECT_EQ(keys_of(policy), (std::vector<std::string>{"cosigned", "knows_log", "met", "missing",
                                                       "quorum", "unknown_keys"}));
  EXPECT_EQ(policy["met"], false);
  EXPECT_EQ(policy["missing"], nlohmann::json({"cald"}));
  EXPECT_TRUE(bench.run({"verify", "ex", "--json"}).json()["logs"][0]["policy"].is_null());
  // Names are bytes, and not every byte is text.
  const ArchivedMember witness(100, testing::archive_network());
  bench.write("policy",
              "witness \xff " +
                  encode_vkey(witness_note_key(witness.id(), witness.witness_key.public_key())) +
                  "\nquorum \xff\n");
  const Outcome foreign = bench.run({"verify", "ex", "--policy", "policy", "--json"});
  EXPECT_EQ(foreign.exit, Exit::ok);
  EXPECT_EQ(foreign.json()["logs"][0]["policy"]["met"], true);
}

}  // namespace
}  // namespace kith::client
