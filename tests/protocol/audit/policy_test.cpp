#include "protocol/audit/policy.hpp"

#include <gtest/gtest.h>

#include "protocol/audit/policy_check.hpp"
#include "protocol/log/witness.hpp"
#include "tests/support/archive.hpp"

namespace kith {
namespace {

NoteKey log_key_of(std::uint8_t number) {
  PublicKey key;
  key.bytes.fill(number);
  return {"log.example/" + std::to_string(number), KeyType::ed25519, key};
}
NoteKey witness_key_of(std::uint8_t number) {
  PublicKey key;
  key.bytes.fill(number);
  return {"witness.example/" + std::to_string(number), KeyType::cosignature_v1, key};
}
std::string log_line(std::uint8_t number) {
  return "log " + encode_vkey(log_key_of(number)) + '\n';
}
std::string witness_line(const std::string& name, std::uint8_t number) {
  return "witness " + name + ' ' + encode_vkey(witness_key_of(number)) + '\n';
}
std::string six() {
  return log_line(9) + '\n' + witness_line("X1", 1) + witness_line("X2", 2) +
         witness_line("X3", 3) + "group X-witnesses 2 X1 X2 X3\n\n" + witness_line("Y1", 4) +
         witness_line("Y2", 5) + witness_line("Y3", 6) +
         "group Y-witnesses any Y1 Y2 Y3\n\n"
         "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";
}
bool meets(const std::string& text, const std::vector<std::uint8_t>& who) {
  const auto policy = decode_policy(text);
  EXPECT_TRUE(policy) << (policy ? "" : policy.error().detail);
  std::vector<NoteKey> keys;
  for (const std::uint8_t number : who) keys.push_back(witness_key_of(number));
  return policy && evaluate(*policy, log_key_of(9), keys).holds();
}
/// What the parser says of it.
std::string refusal(const std::string& text) {
  const auto policy = decode_policy(text);
  EXPECT_FALSE(policy) << text;
  return policy ? "" : policy.error().detail;
}
::testing::AssertionResult says(const std::string& text, const std::string& why) {
  const std::string said = refusal(text);
  if (said.starts_with(why)) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << said;
}

TEST(Policy, CountsGroupsOfGroupsAsTheSpecificationDoes) {
  EXPECT_TRUE(meets(six(), {1, 2, 4}));
  EXPECT_TRUE(meets(six(), {6, 3, 1}));
  EXPECT_TRUE(meets(six(), {1, 2, 3, 4, 5, 6}));
  EXPECT_FALSE(meets(six(), {1, 2, 3})) << "nobody of the second group";
  EXPECT_FALSE(meets(six(), {1, 4, 5, 6})) << "one of the first group";
  EXPECT_FALSE(meets(six(), {1, 1, 4})) << "one of the first group, twice";
  EXPECT_FALSE(meets(six(), {}));
  EXPECT_FALSE(meets(six(), {1, 7, 4})) << "somebody unknown";
}

TEST(Policy, TakesOneWitnessOrNobodyForAQuorum) {
  EXPECT_TRUE(meets(witness_line("a", 1) + "quorum a\n", {1}));
  EXPECT_FALSE(meets(witness_line("a", 1) + "quorum a\n", {2}));
  EXPECT_TRUE(meets("quorum none\n", {}));
  EXPECT_TRUE(meets(witness_line("a", 1) + "quorum none\n", {}));
  EXPECT_TRUE(meets(witness_line("a", 1) + witness_line("b", 2) + "group g 1 a b\nquorum a\n", {1}))
      << "a member of a group";
}

TEST(Policy, NamesTheLogsThatItTakes) {
  EXPECT_TRUE(meets(log_line(9) + "quorum none\n", {}));
  EXPECT_FALSE(meets(log_line(8) + "quorum none\n", {})) << "another log";
  EXPECT_TRUE(meets(log_line(8) + log_line(9) + "quorum none\n", {}));
  const auto policy = decode_policy("quorum none\n");
  EXPECT_FALSE(evaluate(*policy, std::nullopt, {}).holds()) << "nobody's signature holds";
  NoteKey same_key = log_key_of(9);
  same_key.name = "log.example/other";
  EXPECT_FALSE(evaluate(*decode_policy(log_line(9) + "quorum none\n"), same_key, {}).knows_log)
      << "the same key for another log";
}

TEST(Policy, ReadsBlanksCommentsUrlsAndForeignLetters) {
  const std::string vkey = encode_vkey(witness_key_of(1));
  EXPECT_TRUE(meets("# what we want\n\t # and why\n \t \n\twitness \t K\xE2\x84\xAA  " + vkey +
                        "\thttps://w.example/ \n quorum K\xE2\x84\xAA\t\n",
                    {1}));
  EXPECT_TRUE(
      meets("log " + encode_vkey(log_key_of(9)) + " https://l.example/\nquorum none\n", {}));
  EXPECT_TRUE(meets("witness \xff\x80 " + vkey + "\nquorum \xff\x80\n", {1})) << "names are bytes";
  EXPECT_TRUE(meets("witness # " + vkey + "\nquorum #\n", {1})) << "no comment behind a word";
  EXPECT_TRUE(meets("witness all " + vkey + "\ngroup any all all\nquorum any\n", {1}));
}

TEST(Policy, SaysInWhichLineSomethingIsWrong) {
  const std::string a = witness_line("a", 1);
  const std::string b = witness_line("b", 2);
  EXPECT_TRUE(says("", "there is no quorum line"));
  EXPECT_TRUE(says(a, "there is no quorum line"));
  EXPECT_TRUE(says("quorum none", "line 1 does not end in a line end"));
  EXPECT_TRUE(says(a + "quorum a\nquorum a\n", "line 3: a second quorum line"));
  EXPECT_TRUE(says("quorum none\nquorum none\n", "line 2: a second quorum line"));
  EXPECT_TRUE(says("quorum a\n" + a, "line 1: \"a\" is no witness and no group before it"));
  EXPECT_TRUE(says(a + "quorum A\n", "line 2: \"A\" is no witness"));
  EXPECT_TRUE(says("quorum\n", "line 1: it must be: quorum NAME"));
  EXPECT_TRUE(says(a + "quorum a a\n", "line 2: it must be: quorum NAME"));
  EXPECT_TRUE(says("threshold 2\n", "line 1: \"threshold\" begins no line"));
  EXPECT_TRUE(says("Quorum none\n", "line 1: \"Quorum\" begins no line"));
  EXPECT_TRUE(says("quorum none\r\n", "line 1 holds a control character"));
  EXPECT_TRUE(says("# a\x7f\nquorum none\n", "line 1 holds a control character"));
  EXPECT_TRUE(says(std::string("#\0\nquorum none\n", 16), "line 1 holds a control character"));
}

TEST(Policy, RefusesWhatNamesOfWitnessesAndGroupsMayNotBe) {
  const std::string a = witness_line("a", 1);
  const std::string b = witness_line("b", 2);
  EXPECT_TRUE(says(a + witness_line("a", 2), "line 2: \"a\" stands there already"));
  EXPECT_TRUE(says(a + "group a any a\n", "line 2: \"a\" stands there already"));
  EXPECT_TRUE(says(witness_line("none", 1), "line 1: nobody can be called none"));
  EXPECT_TRUE(says(a + "group none any a\n", "line 2: nobody can be called none"));
  EXPECT_TRUE(says(a + "group g any none\n", "line 2: \"none\" is no witness"));
  EXPECT_TRUE(says("group g any a\n" + a, "line 1: \"a\" is no witness"));
  EXPECT_TRUE(says(a + "group g any g\n", "line 2: \"g\" is no witness"));
  EXPECT_TRUE(says(a + b + "group g any a a\n", "line 3: \"a\" is a member already"));
  EXPECT_TRUE(
      says(a + b + "group g any a\ngroup h any b a\n", "line 4: \"a\" is a member already"));
  EXPECT_TRUE(says("group g any\n", "line 1: it must be: group"));
  EXPECT_TRUE(says(a + b + "group g a b\n", "line 3: \"a\" is not all, any or a number"));
  for (const char* number : {"0", "3", "01", "+1", "-1", "1.0", "ALL", "18446744073709551617"}) {
    EXPECT_TRUE(says(a + b + "group g " + number + " a b\n",
                     std::string("line 3: \"") + number + "\" is not all, any or a number"))
        << number;
  }
}

TEST(Policy, RefusesKeysThatCannotBeUsed) {
  const std::string vkey = encode_vkey(witness_key_of(1));
  EXPECT_TRUE(says("witness a\n", "line 1: it must be: witness"));
  EXPECT_TRUE(says("witness a " + vkey + " u v\n", "line 1: it must be: witness"));
  EXPECT_TRUE(says("log\n", "line 1: it must be: log"));
  EXPECT_TRUE(says("log " + vkey + "\n", "line 1: this key is a witness's"));
  EXPECT_TRUE(
      says("witness a " + encode_vkey(log_key_of(1)) + "\n", "line 1: this key is a log's"));
  EXPECT_TRUE(says("witness a " + vkey.substr(1) + "\n", "line 1: this is no verifier key"));
  EXPECT_TRUE(says("witness a word\n", "line 1: this is no verifier key"));
  // Type 6, ML-DSA-44: another specification's, which this version cannot check.
  EXPECT_TRUE(says("witness a w+00000000+Bg==\n", "line 1: this is no verifier key"));
  NoteKey renamed = witness_key_of(1);
  renamed.name = "other.example";
  EXPECT_TRUE(says(witness_line("a", 1) + "witness b " + encode_vkey(renamed) + "\n",
                   "line 2: a witness with this public key"));
  NoteKey log = log_key_of(9);
  log.name = "other.example";
  EXPECT_TRUE(
      says(log_line(9) + "log " + encode_vkey(log) + "\n", "line 2: a log with this public key"));
}

TEST(Policy, HasLimits) {
  EXPECT_TRUE(says(std::string(policy_bytes_max, '#') + "\n", "the policy is too long"));
  std::string groups = witness_line("g0", 1);
  for (std::size_t i = 1; i <= policy_lines_max; ++i) {
    groups += "group g" + std::to_string(i) + " all g" + std::to_string(i - 1) + '\n';
  }
  const std::string last = "quorum g" + std::to_string(policy_lines_max) + '\n';
  EXPECT_TRUE(meets(groups + last, {1})) << "one within the other";
  EXPECT_FALSE(meets(groups + last, {2}));
  EXPECT_TRUE(says(groups + "group more all g" + std::to_string(policy_lines_max) + '\n',
                   "line 1026: too many groups"));
}

TEST(Policy, TellsWhoConfirmedWhoDidNotAndWhoElseDid) {
  const auto policy = decode_policy(six());
  const PolicyOutcome outcome =
      evaluate(*policy, log_key_of(9), {witness_key_of(1), witness_key_of(7)});
  EXPECT_FALSE(outcome.is_met);
  EXPECT_TRUE(outcome.knows_log);
  EXPECT_EQ(outcome.cosigned, (std::vector<std::string>{"X1"}));
  EXPECT_EQ(outcome.missing, (std::vector<std::string>{"X2", "X3", "Y1", "Y2", "Y3"}));
  EXPECT_EQ(outcome.unknown_keys, (std::vector<std::string>{encode_vkey(witness_key_of(7))}));
  EXPECT_EQ(why_not(outcome),
            "the policy asks for 2 of X-witnesses, Y-witnesses; of its witnesses only X1 confirmed "
            "all of it");
}

// ---- held against what was checked

class PolicyCheck : public ::testing::Test {
 protected:
  /// Asks for so many of the two who cosigned all and the one who cosigned half.
  [[nodiscard]] static std::string policy(const std::string& needed) {
    std::string text;
    for (std::uint8_t i = 0; i < 3; ++i) {
      const testing::ArchivedMember witness(static_cast<std::uint8_t>(100 + i),
                                            testing::archive_network());
      text += "witness w" + std::to_string(i) + ' ' +
              encode_vkey(witness_note_key(witness.id(), witness.witness_key.public_key())) + '\n';
    }
    return text + "group all-of-them " + needed + " w0 w1 w2\nquorum all-of-them\n";
  }
  [[nodiscard]] static ArchiveReport report(const std::string& text) {
    testing::ArchiveOptions options;
    options.logs = 2;
    options.further = 1;
    auto audited = *testing::audit_of(testing::make_archive(options), false);
    hold_against(*decode_policy(text), audited);
    return audited;
  }
};

TEST_F(PolicyCheck, IsMetByThoseWhoConfirmedAllOfIt) {
  const ArchiveReport met = report(policy("2"));
  EXPECT_EQ(met.verdict(), Verdict::intact);
  ASSERT_TRUE(met.logs[1].policy);
  EXPECT_EQ(met.logs[1].policy->cosigned, (std::vector<std::string>{"w0", "w1"}));
}

TEST_F(PolicyCheck, IsNotMetByAWordOnLess) {
  const ArchiveReport unmet = report(policy("all"));
  EXPECT_EQ(unmet.verdict(), Verdict::incomplete);
  for (const LogReport& log : unmet.logs) {
    ASSERT_EQ(log.findings.kept().size(), 1U);
    EXPECT_EQ(log.findings.kept()[0].file, log.log.path + "/checkpoint");
    EXPECT_EQ(log.findings.kept()[0].what,
              "the policy asks for 3 of w0, w1, w2; of its witnesses only w0, w1 confirmed all of "
              "it");
  }
}

TEST_F(PolicyCheck, TakesOnlyTheLogsThatItNames) {
  const testing::ArchivedMember first(1, testing::archive_network());
  const ArchiveReport one =
      report("log " + encode_vkey(log_note_key(first.log(), first.log_key.public_key())) +
             "\nquorum none\n");
  EXPECT_EQ(one.logs[0].findings.verdict(), Verdict::intact);
  EXPECT_EQ(one.logs[1].findings.verdict(), Verdict::incomplete);
  EXPECT_EQ(one.logs[0].policy->unknown_keys.size(), 2U);
}

}  // namespace
}  // namespace kith
