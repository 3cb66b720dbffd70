#include "daemon/commands/recover_command.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "daemon/clock.hpp"
#include "daemon/commands/init_command.hpp"
#include "daemon/data_dir.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/key_file.hpp"
#include "tests/daemon/support/loop.hpp"

namespace kith::daemon {
namespace {

/// A member's directory and its sheet of words, and an invitation from another member.
class RecoverCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    InitSettings init;
    init.found = true;
    init.network_name = "Test";
    init.aim = "To learn.";
    init.code = "ZZA";
    init.member_name = "Ashdown";
    init.role = "trust";
    init.steward = steward_;
    init.words_file = path("sheet");
    std::ostringstream out;
    ASSERT_EQ(init_command(path("data"), init, out, out), Exit::ok) << out.str();
    identity_ = *DataDir::read_identity(path("data"));
    words_ = *files::read(path("sheet"), 4'096);
    invitation_.network = identity_.network;
    invitation_.network_name = "Test";
    invitation_.sponsor = MemberId{{9}};
    invitation_.sponsor_transport = dh_public(DhSecret{{9}});
    invitation_.addresses = {"b.example:1"};
    invitation_.expires = wall_now() + 1'000'000;
    invitation_.founder = identity_.member;
    write("invite", encode_invitation(invitation_));
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return above_.path() + "/" + name;
  }
  void write(const std::string& name, const std::string& text, unsigned mode = 0600) {
    ASSERT_TRUE(files::write(path(name), view(text), mode));
  }
  [[nodiscard]] std::string changed(std::size_t at, const std::string& to) const {
    std::istringstream in(words_);
    std::string all;
    std::size_t number = 0;
    for (std::string word; in >> word;) all += (number++ == at ? to : word) + " ";
    return all;
  }
  Exit run(const std::string& dir, const RecoverSettings& settings) {
    std::ostringstream out;
    const Exit exit = recover_command(dir, settings, out, out);
    said_ = out.str();
    return exit;
  }
  Exit rehearse(const std::string& text, const std::string& member = "") {
    write("typed", text);
    RecoverSettings settings;
    settings.rehearse = true;
    settings.words_file = path("typed");
    settings.member = member;
    return run(member.empty() ? path("data") : "", settings);
  }
  [[nodiscard]] RecoverSettings wanted() const {
    RecoverSettings settings;
    settings.join = path("invite");
    settings.steward = steward_;
    settings.words_file = path("sheet");
    return settings;
  }
  [[nodiscard]] bool says(const std::string& text) const {
    return said_.find(text) != std::string::npos;
  }
  [[nodiscard]] std::string trail() const {
    const auto text = files::read(path("data") + "/trail", 65'536);
    return text ? *text : "";
  }
  /// Whether any word of the sheet but the fingerprint's stands in a file of the directory.
  [[nodiscard]] bool holds_words(const std::string& dir) const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
      if (!entry.is_regular_file()) continue;
      const auto text = files::read(entry.path(), 1 << 26);
      const std::string two = words_.substr(0, words_.find(' ', words_.find(' ') + 1));
      if (text && text->find(two) != std::string::npos) return true;
    }
    return false;
  }

  testing::TemporaryDir above_;
  std::string steward_ = encode_author(SigningKey(Seed{{5}}).public_key());
  Identity identity_;
  std::string words_;
  Invitation invitation_;
  std::string said_;
};

TEST_F(RecoverCommand, ARehearsalSaysYesToTheRightWordsAndUsesThemForNothing) {
  const std::string before = *files::read(path("data") + "/identity", 65'536);
  EXPECT_EQ(rehearse(words_), Exit::ok) << said_;
  EXPECT_TRUE(says("Yes: these are the recovery words of ZZA")) << said_;
  EXPECT_EQ(*files::read(path("data") + "/identity", 65'536), before);
  EXPECT_NE(trail().find("\"act\":\"rehearsal\""), std::string::npos);
  EXPECT_NE(trail().find("\"words\":\"right\""), std::string::npos);
  EXPECT_FALSE(holds_words(path("data")));
  EXPECT_FALSE(says(words_.substr(0, words_.find('\n'))));
}

TEST_F(RecoverCommand, ARehearsalReadsASheetAsItIsTyped) {
  std::string typed;
  for (const char c : words_) {
    typed += c == ' ' ? std::string("  \r\n") : std::string(1, static_cast<char>(std::toupper(c)));
  }
  EXPECT_EQ(rehearse(typed), Exit::ok) << said_;
}

TEST_F(RecoverCommand, ARehearsalSaysWhatIsWrong) {
  EXPECT_EQ(rehearse(changed(6, "kith")), Exit::failed);
  EXPECT_TRUE(says("No: ")) << said_;
  EXPECT_TRUE(says("word 7 (\"kith\") is not in the list")) << said_;

  EXPECT_EQ(rehearse(changed(3, "zoo")), Exit::failed);
  EXPECT_TRUE(says("checksum") || says("another member")) << said_;

  EXPECT_EQ(rehearse(changed(23, "")), Exit::failed);
  EXPECT_TRUE(says("24 recovery words, not 23")) << said_;

  std::string others;
  for (const std::string& word : recovery_words(Seed{{1, 2, 3}})) others += word + "\n";
  EXPECT_EQ(rehearse(others), Exit::failed);
  EXPECT_TRUE(says("recovery words of another member")) << said_;
  EXPECT_EQ(trail().find("\"words\":\"right\""), std::string::npos) << trail();
  EXPECT_NE(trail().find("\"words\":\"wrong\""), std::string::npos) << trail();
}

TEST_F(RecoverCommand, ARehearsalWorksWhileTheDaemonRunsAndWithoutADirectory) {
  const auto running = DataDir::open(path("data"));
  ASSERT_TRUE(running);
  EXPECT_EQ(rehearse(words_), Exit::ok) << said_;
  const std::string id = to_base32(identity_.member.view());
  EXPECT_EQ(rehearse(words_, id), Exit::ok) << said_;
  EXPECT_EQ(rehearse(changed(6, "kith"), id), Exit::failed);
  EXPECT_EQ(rehearse(words_, "nobody"), Exit::usage);
  EXPECT_TRUE(says("--member")) << said_;
  RecoverSettings nowhere;
  nowhere.rehearse = true;
  EXPECT_EQ(run(path("nowhere"), nowhere), Exit::configuration);
}

TEST_F(RecoverCommand, AFileOfWordsThatOthersMayReadIsRefused) {
  write("typed", words_, 0644);
  RecoverSettings settings;
  settings.rehearse = true;
  settings.words_file = path("typed");
  EXPECT_EQ(run(path("data"), settings), Exit::failed);
  EXPECT_TRUE(says("chmod 600")) << said_;
}

TEST_F(RecoverCommand, MakesAnIdentityOfTheSameMemberWithNewKeys) {
  const Millis before = wall_now();
  ASSERT_EQ(run(path("new"), wanted()), Exit::ok) << said_;
  const auto made = DataDir::read_identity(path("new"));
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->member, identity_.member);
  EXPECT_EQ(made->network, identity_.network);
  EXPECT_EQ(made->founder, identity_.founder);
  EXPECT_EQ(*made->invitation, invitation_);
  EXPECT_FALSE(made->network_secret);
  EXPECT_NE(made->log_key, identity_.log_key);
  EXPECT_NE(made->transport_key, identity_.transport_key);
  const auto certificate = verify_certificate(made->certificate, identity_.member);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->reason, Certificate::Reason::lost);
  EXPECT_GE(certificate->number, before);
  EXPECT_EQ(certificate->steward, *decode_author(steward_));
  EXPECT_EQ(certificate->transport_key, dh_public(made->transport_key));
  EXPECT_FALSE(std::filesystem::exists(path("new") + "/high-water")) << "nothing was signed";
  EXPECT_FALSE(holds_words(path("new")));
  for (const std::string& word : fingerprint_words(identity_.member)) EXPECT_TRUE(says(word));
  EXPECT_TRUE(says("must never run again"));
  EXPECT_EQ(run(path("new"), wanted()), Exit::failed);
  EXPECT_TRUE(says("already holds an identity")) << said_;
}

TEST_F(RecoverCommand, NumbersTheCertificateAboveWhatIsKnown) {
  const std::uint64_t ahead = wall_now() + 5'000'000;
  auto settings = wanted();
  settings.above = std::to_string(ahead);
  ASSERT_EQ(run(path("ahead"), settings), Exit::ok) << said_;
  EXPECT_EQ(verify_certificate(DataDir::read_identity(path("ahead"))->certificate)->number,
            ahead + 1);
  settings.above = "1";
  ASSERT_EQ(run(path("now"), settings), Exit::ok);
  EXPECT_GT(verify_certificate(DataDir::read_identity(path("now"))->certificate)->number, 1'000U);
  settings.above = "many";
  EXPECT_EQ(run(path("many"), settings), Exit::usage);
}

TEST_F(RecoverCommand, WhatIsWrongIsSaidAndNoIdentityIsLeft) {
  const auto refused = [&](const RecoverSettings& settings, const std::string& words) {
    EXPECT_NE(run(path("bad"), settings), Exit::ok);
    EXPECT_TRUE(says(words)) << said_;
    EXPECT_FALSE(std::filesystem::exists(path("bad") + "/identity"));
  };
  auto settings = wanted();
  settings.join = path("nowhere");
  refused(settings, "nowhere");
  settings = wanted();
  settings.steward = "/etc/hostname";
  refused(settings, "--steward");
  settings = wanted();
  write("typed", changed(0, "kith"));
  settings.words_file = path("typed");
  refused(settings, "word 1 (\"kith\") is not in the list");
  invitation_.expires = 1;
  write("old", encode_invitation(invitation_));
  settings = wanted();
  settings.join = path("old");
  refused(settings, "expired");
  EXPECT_EQ(run(path("data"), wanted()), Exit::failed);
  EXPECT_TRUE(says("already holds an identity")) << said_;
  // Whoever mistyped tries again in the same directory.
  EXPECT_EQ(run(path("bad"), wanted()), Exit::ok) << said_;
}

}  // namespace
}  // namespace kith::daemon
