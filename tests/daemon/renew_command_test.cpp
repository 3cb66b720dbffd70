#include "daemon/commands/renew_command.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "daemon/commands/init_command.hpp"
#include "daemon/data_dir.hpp"
#include "daemon/waiting_rows.hpp"
#include "protocol/audit/evidence.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/checkpoint.hpp"
#include "storage/high_water.hpp"
#include "storage/lmdb.hpp"
#include "storage/log_store.hpp"
#include "tests/daemon/support/loop.hpp"

namespace kith::daemon {
namespace {

using Reason = Certificate::Reason;

/// A data directory with a founder's log of three entries, and its recovery words.
class RenewCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    InitSettings init;
    init.found = true;
    init.network_name = "Test";
    init.aim = "To learn.";
    init.code = "ZZA";
    init.member_name = "Ashdown";
    init.role = "trust";
    init.steward = encode_author(SigningKey(Seed{{5}}).public_key());
    init.words_file = words();
    std::ostringstream out;
    ASSERT_EQ(init_command(dir(), init, out, out), Exit::ok) << out.str();
    before_ = identity();
    log_ = log_id(before_.network, before_.member, commons);
  }
  [[nodiscard]] std::string dir() const { return above_.path() + "/data"; }
  [[nodiscard]] std::string words() const { return above_.path() + "/words"; }
  [[nodiscard]] Identity identity() const {
    const auto data = DataDir::open(dir());
    EXPECT_TRUE(data) << data.error().detail;
    return *data->load_identity();
  }
  [[nodiscard]] Certificate certificate() const {
    const Identity now = identity();
    return *verify_certificate(now.certificate, now.member);
  }
  [[nodiscard]] storage::HighWaterMark mark() const {
    return storage::HighWaterFile(dir() + "/high-water").marks().at(log_);
  }
  Exit renews(RenewSettings settings = {}) {
    if (settings.words_file.empty()) settings.words_file = words();
    std::ostringstream out;
    const Exit exit = renew_command(dir(), settings, out, out);
    said_ = out.str();
    return exit;
  }
  Exit cuts(bool give_up_tail = false) {
    RenewSettings settings;
    settings.cut = true;
    settings.give_up_tail = give_up_tail;
    return renews(settings);
  }
  [[nodiscard]] bool says(const std::string& text) const {
    return said_.find(text) != std::string::npos;
  }
  [[nodiscard]] std::string other_words(const std::string& text) const {
    const std::string path = above_.path() + "/other";
    std::filesystem::remove(path);
    EXPECT_TRUE(files::create(path, view(text), 0600));
    return path;
  }
  void write(const std::function<void(storage::WriteTxn&)>& work) const {
    storage::LmdbDatabase database(dir() + "/log", storage::log_tables(),
                                   storage::LmdbDatabase::Durability::full);
    const auto txn = database.write();
    work(*txn);
    txn->commit();
  }
  /// What proves that somebody else signed another history with the log key.
  void fork() const {
    const SigningKey key(before_.log_key);
    const auto tree = [&](const TreeHash& root) {
      return SignedTree{3, root, sign_checkpoint(log_, 3, root, key), before_.certificate};
    };
    const Evidence evidence =
        make_evidence(commons, tree(TreeHash{{1}}), tree(TreeHash{{2}}), {}, {});
    ASSERT_TRUE(verify_evidence(evidence));
    write([&](storage::WriteTxn& txn) {
      storage::log_store::put_evidence(txn, Bytes{1}, encode_evidence(evidence));
    });
  }
  void agree(std::uint64_t size) const {
    write([&](storage::WriteTxn& txn) {
      txn.put(storage::Table::meta, log_.view(), encode_agreed(log_, {size, {}}));
    });
  }

  testing::TemporaryDir above_;
  Identity before_;
  LogId log_;
  std::string said_;
};

TEST_F(RenewCommand, MakesAllKeysAnewWithTheRecoveryWords) {
  ASSERT_EQ(renews(), Exit::ok) << said_;
  const Identity now = identity();
  EXPECT_EQ(now.member, before_.member);
  EXPECT_EQ(certificate().reason, Reason::planned);
  EXPECT_GT(certificate().number, verify_certificate(before_.certificate)->number);
  EXPECT_NE(now.log_key, before_.log_key);
  EXPECT_NE(now.witness_key, before_.witness_key);
  EXPECT_NE(now.transport_key, before_.transport_key);
  EXPECT_NE(now.sealing_key, before_.sealing_key);
  EXPECT_NE(now.daemon_key, before_.daemon_key);
  EXPECT_EQ(now.former_transport_keys, std::vector<DhSecret>{before_.transport_key});
  EXPECT_EQ(certificate().log_key, SigningKey(now.log_key).public_key());
  EXPECT_TRUE(says("run")) << said_;

  RenewSettings lost;
  lost.reason = "lost";
  lost.steward = encode_author(SigningKey(Seed{{6}}).public_key());
  ASSERT_EQ(renews(lost), Exit::ok) << said_;
  EXPECT_EQ(certificate().reason, Reason::lost);
  EXPECT_EQ(certificate().steward, SigningKey(Seed{{6}}).public_key());
  EXPECT_TRUE(says("kith author withdraw")) << said_;
}

TEST_F(RenewCommand, WordsThatAreNotThisMembersChangeNothing) {
  RenewSettings settings;
  std::string others;
  for (const std::string& word : recovery_words(Seed{{9}})) others += word + " ";
  settings.words_file = other_words(others);
  EXPECT_EQ(renews(settings), Exit::failed);
  EXPECT_TRUE(says("another member")) << said_;
  settings.words_file = other_words("abandon abandon");
  EXPECT_EQ(renews(settings), Exit::failed);
  EXPECT_TRUE(says("24 recovery words")) << said_;
  settings.words_file = other_words(others.substr(others.find(' ') + 1) + "kithkith");
  EXPECT_EQ(renews(settings), Exit::failed);
  EXPECT_TRUE(says("word 24")) << said_;
  EXPECT_EQ(identity(), before_);
  settings.cut = true;
  EXPECT_EQ(renews(settings), Exit::failed);
  EXPECT_EQ(identity(), before_);
}

TEST_F(RenewCommand, CutEndsWhatIsHeldHereAndWhatWasMarkedBeyond) {
  storage::HighWaterFile(dir() + "/high-water").advance({{log_, {9, TreeHash{{1}}}}});
  EXPECT_EQ(cuts(), Exit::failed);
  EXPECT_TRUE(says("--give-up-tail")) << said_;
  EXPECT_EQ(identity(), before_);
  EXPECT_EQ(mark().size, 9U);
  ASSERT_EQ(cuts(true), Exit::ok) << said_;
  const Identity now = identity();
  EXPECT_EQ(certificate().reason, Reason::cut);
  EXPECT_EQ(certificate().cut_list, cut_list_hash(now.cut_list));
  const auto list = decode_cut_list(now.cut_list);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->logs.size(), 1U);
  EXPECT_EQ(list->logs[0].log, log_);
  EXPECT_EQ(list->logs[0].size, 3U);
  EXPECT_EQ(mark(), (storage::HighWaterMark{3, list->logs[0].root}));
  EXPECT_EQ(now.former_transport_keys, std::vector<DhSecret>{before_.transport_key});
}

TEST_F(RenewCommand, ACutThatDidNotEndIsDoneAgain) {
  // The mark was set, the identity was not.
  storage::HighWaterFile(dir() + "/high-water").cut({{log_, {3, mark().root}}});
  EXPECT_EQ(identity(), before_);
  ASSERT_EQ(cuts(), Exit::ok) << said_;
  const std::uint64_t first = certificate().number;
  ASSERT_EQ(cuts(), Exit::ok) << said_;
  EXPECT_GT(certificate().number, first);
  EXPECT_EQ(renews(), Exit::failed) << "it must be entered first";
  EXPECT_TRUE(says("not entered")) << said_;
}

TEST_F(RenewCommand, NothingIsChangedThatCannotBeWrittenDown) {
  std::filesystem::create_directory(dir() + "/trail");
  const auto marked = mark();
  EXPECT_EQ(cuts(), Exit::failed);
  EXPECT_EQ(renews(), Exit::failed);
  EXPECT_EQ(identity(), before_);
  EXPECT_EQ(mark(), marked);
}

TEST_F(RenewCommand, OfALogOfTwoHistoriesOnlyACutIsOfUse) {
  fork();
  EXPECT_EQ(renews(), Exit::failed);
  EXPECT_TRUE(says("kithd cut")) << said_;
  EXPECT_EQ(cuts(), Exit::failed) << "nobody knows here what was agreed";
  EXPECT_TRUE(says("is not known here")) << said_;
  agree(2);
  EXPECT_EQ(cuts(), Exit::failed) << "without its first entries there is no network";
  agree(3);
  ASSERT_EQ(cuts(), Exit::ok) << said_;
  EXPECT_EQ(decode_cut_list(identity().cut_list)->logs[0].size, 3U);
}

TEST_F(RenewCommand, WhatIsAgreedElsewhereComesFirst) {
  fork();
  agree(3);
  write([&](storage::WriteTxn& txn) {
    txn.put(storage::Table::meta, agreed_elsewhere_key(log_), encode_agreed_elsewhere(log_, 9));
  });
  EXPECT_EQ(cuts(), Exit::failed);
  EXPECT_TRUE(says("agreed on 9 entries")) << said_;
  EXPECT_EQ(identity(), before_);
}

TEST_F(RenewCommand, ADirectoryThatIsInUseOrHoldsNothingIsRefused) {
  {
    const auto held = DataDir::open(dir());
    EXPECT_EQ(renews(), Exit::failed);
    EXPECT_TRUE(says("in use")) << said_;
  }
  std::ostringstream out;
  EXPECT_EQ(renew_command(above_.path() + "/none", {}, out, out), Exit::configuration);
}

}  // namespace
}  // namespace kith::daemon
