#include <sys/stat.h>

#include <fstream>

#include "protocol/base/text.hpp"
#include "protocol/keys/disclosure.hpp"
#include "protocol/log/payload.hpp"
#include "protocol/records/disclosure_consent.hpp"
#include "protocol/records/record.hpp"
#include "tests/client/bench.hpp"
#include "tests/support/archive.hpp"

/// kith disclose, and kith verify with what it wrote.
namespace kith::client {
namespace {

using testing::ArchivedMember;
using testing::make_archive;

/// The keys of a log of testing::make_archive().
Disclosure log_of(std::uint8_t member) {
  const ArchivedMember whose(member, testing::archive_network());
  Disclosure disclosure;
  disclosure.network = testing::archive_network();
  disclosure.member = disclosure.discloser = whose.id();
  disclosure.recipient = "auditor";
  disclosure.purpose = "audit";
  disclosure.time = 1'790'000'000'000;
  disclosure.log_keys = {{log_key(testing::archive_keys().g, whose.log()),
                          log_key(testing::archive_keys().r, whose.log())}};
  return disclosure;
}

class DiscloseBench : public Bench {
 public:
  DiscloseBench() {
    make_author();
    disclosure.network = some_status().network;
    disclosure.member = disclosure.discloser = some_status().member;
    daemon.on<local::StatusRequest>(some_status());
    answer.code = "ASH";
    answer.member = disclosure.member;
    answer.size = 12;
    give();
  }
  void give() {
    answer.file = encode_disclosure(disclosure);
    daemon.on<local::DiscloseRequest>(answer);
  }
  Outcome disclose(std::vector<std::string> more) {
    std::vector<std::string> arguments{"disclose", "--to", "auditor", "--purpose", "audit"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  [[nodiscard]] bool is_there(const char* name) const {
    return std::filesystem::exists(folder.path() / name);
  }

  Disclosure disclosure = log_of(1);
  local::DiscloseAnswer answer;
};

TEST(Disclose, WritesASecretThatNobodyElseCanRead) {
  DiscloseBench bench;
  const Outcome outcome = bench.disclose({"--out", "k", "--yes"});
  ASSERT_EQ(outcome.exit, Exit::ok) << outcome.err;
  EXPECT_EQ(bench.read("k"), bench.answer.file);
  struct stat status{};
  ASSERT_EQ(::stat((bench.folder.path() / "k").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_NE(outcome.err.find("This file is a secret"), std::string::npos);
  EXPECT_NE(outcome.err.find("for ever"), std::string::npos);
  EXPECT_EQ(outcome.out, "k\n");
  ASSERT_EQ(bench.daemon.asked.size(), 3U) << "status, what it would be, the keys";
  EXPECT_TRUE(std::get<local::DiscloseRequest>(bench.daemon.asked[1]).preview);
  const auto& last = std::get<local::DiscloseRequest>(bench.daemon.asked[2]);
  EXPECT_EQ(last, (local::DiscloseRequest{{}, "", "auditor", "audit", false}));
}

TEST(Disclose, ShowsWhatItOpensAndAsks) {
  DiscloseBench bench;
  bench.answer.records = {some_entry(7, "Falls " + nasty)};
  bench.answer.consent = RecordId{{9}};
  bench.give();
  bench.terminal = true;
  bench.input = "n\n";
  const Outcome outcome = bench.disclose({"abcdefgh", "--out", "k"});
  EXPECT_EQ(outcome.exit, Exit::refused);
  EXPECT_NE(outcome.err.find("1 entry of ASH and of nothing else"), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find("Falls"), std::string::npos);
  EXPECT_NE(outcome.err.find("to   auditor\n  for  audit"), std::string::npos);
  EXPECT_NE(outcome.err.find("with the consent of ASH"), std::string::npos);
  EXPECT_TRUE(is_harmless(outcome.err));
  EXPECT_FALSE(bench.is_there("k"));
  EXPECT_EQ(bench.daemon.asked.size(), 2U) << "no key was asked for";
}

TEST(Disclose, RefusesWhatMakesNoSenseBeforeItAsks) {
  DiscloseBench bench;
  EXPECT_EQ(bench.disclose({"--yes"}).exit, Exit::usage) << "where to?";
  EXPECT_EQ(bench.run({"disclose", "--to", "x", "--out", "k", "--yes"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"disclose", "--purpose", "x", "--out", "k", "--yes"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"disclose", "--to", "x\ny", "--purpose", "x", "--out", "k", "--yes"}).exit,
            Exit::usage);
  EXPECT_EQ(bench.disclose({"--allow", "--out", "k", "--yes"}).exit, Exit::usage);
  EXPECT_EQ(bench.disclose({"--allow", "--member", "CALD", "--yes"}).exit, Exit::usage);
  bench.write("k", "mine");
  const Outcome there = bench.disclose({"--out", "k", "--yes"});
  EXPECT_EQ(there.exit, Exit::refused);
  EXPECT_NE(there.err.find("exists already"), std::string::npos);
  EXPECT_EQ(bench.read("k"), "mine");
  EXPECT_TRUE(bench.daemon.asked.empty());
  EXPECT_EQ(bench.disclose({"--out", "other"}).exit, Exit::usage) << "nobody to ask, no --yes";
  EXPECT_FALSE(bench.is_there("other"));
}

TEST(Disclose, WritesNothingThatIsNotWhatWasAskedFor) {
  DiscloseBench bench;
  for (int wrong = 0; wrong < 5; ++wrong) {
    bench.disclosure = log_of(1);
    bench.disclosure.network = some_status().network;
    bench.disclosure.member = bench.disclosure.discloser = some_status().member;
    if (wrong == 0) bench.disclosure.recipient = "another";
    if (wrong == 1) bench.disclosure.purpose = "another";
    if (wrong == 2) bench.disclosure.network = NetworkId{{9}};
    if (wrong == 3) bench.disclosure.member = bench.disclosure.discloser = MemberId{{9}};
    bench.give();
    if (wrong == 4) bench.answer.file = "kith-disclosure v1\n";
    if (wrong == 4) bench.daemon.on<local::DiscloseRequest>(bench.answer);
    const Outcome outcome = bench.disclose({"--out", "k", "--yes"});
    EXPECT_EQ(outcome.exit, Exit::refused) << wrong;
    EXPECT_NE(outcome.err.find("trail of kithd says"), std::string::npos) << outcome.err;
    EXPECT_FALSE(bench.is_there("k"));
  }
}

TEST(Disclose, HasOneShapeInJsonAndNoKeyInIt) {
  DiscloseBench bench;
  const Outcome outcome = bench.disclose({"--out", "k", "--yes", "--json"});
  const auto json = outcome.json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"code", "consent", "discloser", "file", "log",
                                                     "member", "network", "opens", "purpose",
                                                     "recipient", "records", "time"}));
  EXPECT_EQ(json["opens"], "log");
  const Key32& key = bench.disclosure.log_keys[0].r;
  for (const std::string& form : {to_base32(key.view()), to_hex(key.view())}) {
    EXPECT_EQ(outcome.out.find(form), std::string::npos);
    EXPECT_EQ(outcome.err.find(form), std::string::npos);
  }
}

TEST(Disclose, PublishesAConsentThatReadsAsItIsMeant) {
  DiscloseBench bench;
  auto shown = some_practice();
  shown.record.member = "ASH";
  bench.daemon.on<local::ShowRequest>(shown);
  bench.daemon.on<local::PublishRequest>(
      local::PublishAnswer{std::vector<local::PublishedRow>(1), 20, "note", ""});
  const Outcome outcome = bench.run({"disclose", "abcdefgh", "--to", "an \"auditor\"", "--purpose",
                                     "audit \\ 2026", "--allow", "--yes"});
  ASSERT_EQ(outcome.exit, Exit::ok) << outcome.err;
  const auto* sent = bench.daemon.last<local::PublishRequest>();
  ASSERT_NE(sent, nullptr);
  const auto text_sent = decode_text(sent->texts[0]);
  const auto record = decode_record(std::get<SignedRecord>(*text_sent).record);
  EXPECT_EQ(record->kind, "disclosure_consent");
  const auto consent = read_disclosure_consent(text(record->body));
  ASSERT_TRUE(consent) << consent.error().detail;
  EXPECT_EQ(*consent,
            (DisclosureConsent{"an \"auditor\"", "audit \\ 2026", false, {shown.record.id}}));
  EXPECT_EQ(bench.daemon.last<local::DiscloseRequest>(), nullptr) << "no key was asked for";

  shown.record.member = "CALD";
  bench.daemon.on<local::ShowRequest>(shown);
  const Outcome other = bench.disclose({"abcdefgh", "--allow", "--yes"});
  EXPECT_EQ(other.exit, Exit::refused);
  EXPECT_NE(other.err.find("only that member can consent"), std::string::npos);
  EXPECT_EQ(bench.disclose({"--allow"}).exit, Exit::usage) << "nobody to ask, no --yes";
  // What YAML does not take must not be signed as something else.
  EXPECT_EQ(
      bench.run({"disclose", "--to", "a\xEF\xBF\xBE", "--purpose", "x", "--allow", "--yes"}).exit,
      Exit::usage);
}

TEST(Disclose, AFileOfKeysIsNeverPublished) {
  DiscloseBench bench;
  bench.write("k.md", bench.answer.file);
  const Outcome outcome = bench.run({"publish", "--yes", "k.md"});
  EXPECT_EQ(outcome.exit, Exit::usage);
  EXPECT_NE(outcome.err.find("never share it"), std::string::npos);
}

testing::ArchiveOptions two_logs() {
  testing::ArchiveOptions options;
  options.logs = 2;
  return options;
}

/// A folder with an export, and the keys of its first log.
class KeysBench : public Bench {
 public:
  explicit KeysBench(const testing::ArchiveOptions& options = two_logs()) {
    for (const auto& [path, content] : make_archive(options).files) {
      std::filesystem::create_directories((folder.path() / "ex" / path).parent_path());
      std::ofstream file(folder.path() / "ex" / path, std::ios::binary);
      file << text(content);
    }
    write("own", encode_disclosure(log_of(1)));
  }
};

TEST(VerifyWithKeys, SaysHowManyAuthorSignaturesWereChecked) {
  KeysBench bench;
  const Outcome without = bench.run({"verify", "ex"});
  EXPECT_EQ(without.out.find("Checked: the author"), std::string::npos);
  const Outcome outcome = bench.run({"verify", "ex", "--keys", "own"});
  EXPECT_EQ(outcome.exit, Exit::ok) << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("Checked: the author signatures of 18 entries"), std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("Not checked: the author signatures of 18 entries"), std::string::npos)
      << "those of the other log";
  EXPECT_NE(outcome.out.find("Keys of own: given by the member itself on 2026-09-21 to auditor for "
                             "audit;\n  they open 18 entries of member"),
            std::string::npos);
  bench.write("other", encode_disclosure(log_of(2)));
  const auto json =
      bench.run({"verify", "ex", "--keys", "own", "--keys", "other", "--json"}).json();
  EXPECT_EQ(json["logs"][0]["author_signatures"], 18);
  EXPECT_EQ(json["logs"][1]["opened"], 18);
  ASSERT_EQ(json["disclosures"].size(), 2U);
  EXPECT_EQ(keys_of(json["disclosures"][0]),
            (std::vector<std::string>{"consent", "discloser", "file", "log", "member", "opened",
                                      "opens", "purpose", "recipient", "records", "time"}));
  EXPECT_EQ(json["disclosures"][0]["opened"], 18);
}

TEST(VerifyWithKeys, EndsAsForgedIfAnAuthorSignedAfterBeingWithdrawn) {
  for (const bool is_late : {true, false}) {
    testing::ArchiveOptions options;
    options.size = is_late ? 6 : 5;
    options.texts = [](const ArchivedMember& whose, std::uint64_t size) {
      auto texts = testing::usual_texts(whose, 4);
      texts.emplace_back(LeafClass::clear,
                         encode_text(EnrolmentText{sign_enrolment(
                             {whose.network, whose.id(), 2, whose.author.public_key(), 0,
                              whose.steward.public_key()},
                             whose.steward)}));
      if (size == 6) {
        texts.emplace_back(LeafClass::record, testing::text_by(whose.author, whose, "document",
                                                               to_bytes(view("# late\n")), 5));
      }
      return texts;
    };
    KeysBench bench(options);
    EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::ok) << "it is sealed";
    const Outcome outcome = bench.run({"verify", "ex", "--keys", "own"});
    EXPECT_EQ(outcome.exit, is_late ? Exit::forged : Exit::ok) << outcome.out;
    EXPECT_EQ(outcome.out.find("its author may not publish there") != std::string::npos, is_late);
  }
}

TEST(VerifyWithKeys, SaysWhatIsWrongWithThem) {
  KeysBench bench;
  const std::string whole = bench.read("own");
  bench.write("cut", whole.substr(0, whole.size() - 5));
  const Outcome cut = bench.run({"verify", "ex", "--keys", "cut"});
  EXPECT_EQ(cut.exit, Exit::faults);
  EXPECT_NE(cut.err.find("cut holds no keys that can be used"), std::string::npos) << cut.err;
  bench.write("large", std::string(disclosure_bytes_max + 1, 'x'));
  EXPECT_EQ(bench.run({"verify", "ex", "--keys", "large"}).exit, Exit::faults);
  EXPECT_EQ(bench.run({"verify", "ex", "--keys", "nowhere"}).exit, Exit::usage);

  Disclosure other = log_of(1);
  other.network = NetworkId{{9}};
  bench.write("network", encode_disclosure(other));
  const Outcome network = bench.run({"verify", "ex", "--keys", "network"});
  EXPECT_EQ(network.exit, Exit::usage);
  EXPECT_NE(network.err.find("of another network"), std::string::npos);
  bench.write("log", encode_disclosure(log_of(9)));
  const Outcome log = bench.run({"verify", "ex", "--keys", "log"});
  EXPECT_EQ(log.exit, Exit::usage);
  EXPECT_NE(log.err.find("not in this export"), std::string::npos);

  other = log_of(1);
  other.log_keys = {{Key32{{1}}, Key32{{2}}}};
  bench.write("wrong", encode_disclosure(other));
  const Outcome wrong = bench.run({"verify", "ex", "--keys", "wrong"});
  EXPECT_EQ(wrong.exit, Exit::incomplete);
  EXPECT_NE(wrong.out.find("its keys open nothing"), std::string::npos) << wrong.out;
  EXPECT_NE(wrong.out.find("they open 0 entries"), std::string::npos);

  bench.write("a.tlog-proof", "c2sp.org/tlog-proof@v1\n");
  EXPECT_EQ(bench.run({"verify", "a.tlog-proof", "--keys", "own"}).exit, Exit::usage);
}

}  // namespace
}  // namespace kith::client
