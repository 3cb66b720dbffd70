#include <sys/stat.h>

#include "client/key_store.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/key_file.hpp"
#include "tests/client/bench.hpp"

namespace kith::client {
namespace {

PublicKey some_author(std::uint8_t number) {
  Seed seed;
  seed.bytes.fill(number);
  return SigningKey(seed).public_key();
}

local::AuthorsAnswer some_authors(const PublicKey& steward) {
  return {7, {{steward, all_scopes}, {some_author(40), 1}, {some_author(41), 0}}};
}

TEST(Init, MakesAKeyThatOnlyItsOwnerMayRead) {
  Bench bench;
  const Outcome outcome = bench.run({"init"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  struct stat status{};
  ASSERT_EQ(stat(bench.desk.key_file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const auto key = open_key(bench.desk);
  ASSERT_TRUE(key);
  EXPECT_EQ(outcome.out, encode_author(key->public_key()) + "\n");
  EXPECT_NE(outcome.err.find("kith author enrol kith-author-"), std::string::npos);
  EXPECT_NE(outcome.err.find("kithd init --steward kith-author-"), std::string::npos);
  EXPECT_TRUE(bench.daemon.asked.empty());
}

TEST(Init, NeverOverwritesAKey) {
  Bench bench;
  const PublicKey first = bench.make_author();
  EXPECT_EQ(bench.run({"init"}).exit, Exit::refused);
  EXPECT_EQ(*own_author(bench.desk), first);
}

TEST(Init, ProtectsTheKeyWithAPassphraseGivenTwice) {
  Bench bench;
  bench.secrets = {"four good words here", "four good words here"};
  ASSERT_EQ(bench.run({"init", "--passphrase"}).exit, Exit::ok);
  EXPECT_TRUE(own_author(bench.desk)) << "who it is can be read without the passphrase";
  bench.secrets = {"wrong words"};
  const auto wrong = open_key(bench.desk);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Errc::forbidden);
  bench.secrets = {"four good words here"};
  EXPECT_TRUE(open_key(bench.desk));
}

TEST(Init, MakesNoKeyWhenThePassphrasesDifferOrAreShort) {
  Bench bench;
  bench.secrets = {"four good words here", "four other words here"};
  EXPECT_EQ(bench.run({"init", "--passphrase"}).exit, Exit::usage);
  bench.secrets = {"short", "short"};
  EXPECT_EQ(bench.run({"init", "--passphrase"}).exit, Exit::usage);
  EXPECT_FALSE(std::filesystem::exists(bench.desk.key_file));
}

TEST(Init, TakesThePassphraseFromAFileThatOthersCannotRead) {
  Bench bench;
  bench.write("passphrase", "four good words here\n");
  bench.desk.passphrase_file = bench.folder.path() / "passphrase";
  chmod(bench.desk.passphrase_file->c_str(), 0644);
  EXPECT_EQ(bench.run({"init", "--passphrase"}).exit, Exit::refused);
  chmod(bench.desk.passphrase_file->c_str(), 0600);
  EXPECT_EQ(bench.run({"init", "--passphrase"}).exit, Exit::ok);
  EXPECT_TRUE(open_key(bench.desk));
}

TEST(Init, HasOneShapeInJson) {
  Bench bench;
  const auto json = bench.run({"init", "--json"}).json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"author", "key_file", "passphrase"}));
  EXPECT_EQ(json["author"], encode_author(*own_author(bench.desk)));
  EXPECT_EQ(keys_of(bench.run({"init", "--json"}).json()), (std::vector<std::string>{"error"}));
}

TEST(Key, ThatOthersMayReadIsNotUsed) {
  Bench bench;
  bench.make_author();
  chmod(bench.desk.key_file.c_str(), 0640);
  const auto key = open_key(bench.desk);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, Errc::forbidden);
  EXPECT_NE(key.error().detail.find("chmod 600"), std::string::npos);
}

TEST(AuthorEnrol, SendsAStatementSignedByTheSteward) {
  Bench bench;
  const PublicKey steward = bench.make_author();
  bench.daemon.on<local::StatusRequest>(some_status());
  bench.daemon.on<local::AuthorsRequest>(some_authors(steward));
  bench.daemon.on<local::EnrolRequest>(local::EnrolAnswer{12});
  const PublicKey author = some_author(50);

  const Outcome outcome =
      bench.run({"author", "enrol", encode_author(author), "--scope", "publish,speak"});

  EXPECT_EQ(outcome.exit, Exit::ok) << outcome.err;
  const auto* request = bench.daemon.last<local::EnrolRequest>();
  ASSERT_NE(request, nullptr);
  const auto enrolment = verify_enrolment(request->statement);
  ASSERT_TRUE(enrolment);
  EXPECT_EQ(*enrolment, (Enrolment{some_status().network, some_status().member, 7, author,
                                   Scopes{3}, steward}));
}

TEST(AuthorEnrol, GivesPublishAloneUnlessToldOtherwise) {
  Bench bench;
  bench.daemon.on<local::StatusRequest>(some_status());
  bench.daemon.on<local::AuthorsRequest>(some_authors(bench.make_author()));
  bench.daemon.on<local::EnrolRequest>(local::EnrolAnswer{12});
  const auto json = bench.run({"author", "enrol", encode_author(some_author(50)), "--json"}).json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"author", "index", "number", "scopes"}));
  EXPECT_EQ(json["scopes"], nlohmann::json::array({"publish"}));
}

TEST(AuthorEnrol, RefusesBadArguments) {
  Bench bench;
  const std::string author = encode_author(some_author(50));
  EXPECT_EQ(bench.run({"author"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"author", "enrol"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"author", "enrol", "somebody"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"author", "enrol", author, "--scope", "king"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"author", "enrol", author, "--scope", ""}).exit, Exit::usage);
  EXPECT_TRUE(bench.daemon.asked.empty());
}

TEST(AuthorEnrol, SaysThatAKeyIsNeededAndTellsARefusal) {
  Bench bench;
  bench.daemon.on<local::StatusRequest>(some_status());
  bench.daemon.on<local::AuthorsRequest>(some_authors(some_author(1)));
  const std::string author = encode_author(some_author(50));
  const Outcome keyless = bench.run({"author", "enrol", author});
  EXPECT_EQ(keyless.exit, Exit::refused);
  EXPECT_NE(keyless.err.find("kith init"), std::string::npos);

  const PublicKey own = bench.make_author();
  const Outcome stranger = bench.run({"author", "enrol", author});
  EXPECT_EQ(stranger.exit, Exit::refused);
  EXPECT_NE(stranger.err.find("your key is not a steward's"), std::string::npos);
  EXPECT_EQ(bench.daemon.last<local::EnrolRequest>(), nullptr);

  bench.daemon.on<local::AuthorsRequest>(some_authors(own));
  bench.daemon.on<local::EnrolRequest>(local::Refusal{Errc::forbidden, "you are no steward"});
  const Outcome refused = bench.run({"author", "enrol", author});
  EXPECT_EQ(refused.exit, Exit::refused);
  EXPECT_NE(refused.err.find("you are no steward"), std::string::npos);
}

TEST(AuthorEnrol, ChangesNothingForWhoMayThatAlready) {
  Bench bench;
  bench.daemon.on<local::StatusRequest>(some_status());
  const PublicKey own = bench.make_author();
  bench.daemon.on<local::AuthorsRequest>(local::AuthorsAnswer{3, {{own, Scopes{7}}}});
  const Outcome again =
      bench.run({"author", "enrol", encode_author(own), "--scope", "publish,speak,steward"});
  EXPECT_EQ(again.exit, Exit::refused);
  EXPECT_NE(again.err.find("already"), std::string::npos);
  EXPECT_EQ(bench.daemon.last<local::EnrolRequest>(), nullptr);
}

TEST(AuthorEnrol, KeepsTheOnlyStewardUnlessToldTwice) {
  Bench bench;
  bench.daemon.on<local::StatusRequest>(some_status());
  const PublicKey own = bench.make_author();
  bench.daemon.on<local::AuthorsRequest>(local::AuthorsAnswer{3, {{own, Scopes{7}}}});
  bench.daemon.on<local::EnrolRequest>(local::EnrolAnswer{12});
  const std::string line = " " + encode_author(own) + "\n";  // As it comes out of a letter.
  const Outcome refused = bench.run({"author", "enrol", line});
  EXPECT_EQ(refused.exit, Exit::refused);
  EXPECT_NE(refused.err.find("only steward"), std::string::npos);
  EXPECT_EQ(bench.daemon.last<local::EnrolRequest>(), nullptr);
  const Outcome shrinks = bench.run({"author", "enrol", line, "--scope", "steward"});
  EXPECT_EQ(shrinks.exit, Exit::refused);
  EXPECT_NE(shrinks.err.find("take away: publish, speak"), std::string::npos) << shrinks.err;
  EXPECT_EQ(bench.daemon.last<local::EnrolRequest>(), nullptr);
  const Outcome done = bench.run({"author", "enrol", line, "--yes"});
  EXPECT_EQ(done.exit, Exit::ok);
  EXPECT_NE(done.out.find("may publish; before: publish, speak, steward"), std::string::npos)
      << done.out;
}

TEST(AuthorWithdraw, SendsAnEnrolmentWithoutScopes) {
  Bench bench;
  bench.daemon.on<local::StatusRequest>(some_status());
  bench.daemon.on<local::AuthorsRequest>(some_authors(bench.make_author()));
  bench.daemon.on<local::EnrolRequest>(local::EnrolAnswer{12});
  EXPECT_EQ(bench.run({"author", "withdraw", encode_author(some_author(40))}).exit, Exit::ok);
  const auto enrolment = verify_enrolment(bench.daemon.last<local::EnrolRequest>()->statement);
  ASSERT_TRUE(enrolment);
  EXPECT_EQ(enrolment->scopes, 0);
  EXPECT_EQ(enrolment->author, some_author(40));
}

TEST(AuthorWithdraw, RefusesWhoIsNotEnrolled) {
  Bench bench;
  bench.daemon.on<local::AuthorsRequest>(some_authors(bench.make_author()));
  for (const std::uint8_t number : {std::uint8_t{41}, std::uint8_t{60}}) {
    EXPECT_EQ(bench.run({"author", "withdraw", encode_author(some_author(number))}).exit,
              Exit::refused);
  }
  EXPECT_EQ(bench.daemon.last<local::EnrolRequest>(), nullptr);
}

TEST(AuthorWithdraw, KeepsTheOnlyStewardUnlessToldTwice) {
  Bench bench;
  const PublicKey steward = bench.make_author();
  bench.daemon.on<local::StatusRequest>(some_status());
  bench.daemon.on<local::AuthorsRequest>(some_authors(steward));
  bench.daemon.on<local::EnrolRequest>(local::EnrolAnswer{12});
  EXPECT_EQ(bench.run({"author", "withdraw", encode_author(steward)}).exit, Exit::refused);
  EXPECT_EQ(bench.daemon.last<local::EnrolRequest>(), nullptr);
  EXPECT_EQ(bench.run({"author", "withdraw", encode_author(steward), "--yes"}).exit, Exit::ok);
}

TEST(AuthorList, ShowsWhoMayDoWhatWithWholeNames) {
  Bench bench;
  bench.terminal = true;
  bench.width = 40;
  const PublicKey steward = bench.make_author();
  bench.daemon.on<local::AuthorsRequest>(some_authors(steward));
  const Outcome outcome = bench.run({"author", "list"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_NE(outcome.out.find(encode_author(steward)), std::string::npos);
  EXPECT_NE(outcome.out.find("publish, speak, steward"), std::string::npos);
  EXPECT_NE(outcome.out.find("(you)"), std::string::npos);
  EXPECT_NE(outcome.out.find("withdrawn"), std::string::npos);
}

TEST(AuthorList, HasOneShapeInJson) {
  Bench bench;
  bench.daemon.on<local::AuthorsRequest>(some_authors(bench.make_author()));
  const auto json = bench.run({"author", "list", "--json"}).json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"authors", "next_number"}));
  EXPECT_EQ(keys_of(json["authors"][0]), (std::vector<std::string>{"author", "own", "scopes"}));
  EXPECT_EQ(json["authors"][0]["own"], true);
  EXPECT_EQ(json["authors"][1]["own"], false);
}

TEST(AuthorList, TellsARefusal) {
  Bench bench;
  EXPECT_EQ(bench.run({"author", "list"}).exit, Exit::refused);
  EXPECT_EQ(bench.run({"author", "list", "more"}).exit, Exit::usage);
}

}  // namespace
}  // namespace kith::client
