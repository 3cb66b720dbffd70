#include "protocol/log/checkpoint.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/merkle.hpp"
#include "protocol/schema/peer_codec.hpp"
#include "storage/log_mend.hpp"
#include "storage/packing.hpp"
#include "tests/daemon/support/doors.hpp"

/// What kith export is given by a daemon.
namespace kith::daemon {
namespace {

class Exporting : public Doors {
 protected:
  Exporting() {
    std::vector<Bytes> records;
    for (int i = 0; i < 300; ++i) records.push_back(record("t" + std::to_string(i)));
    EXPECT_TRUE(published(signed_texts(records)));
  }
  [[nodiscard]] local::ExportLogsAnswer logs() {
    return std::get<local::ExportLogsAnswer>(ask(local::ExportLogsRequest{""}));
  }
  [[nodiscard]] bool refused(const local::ExportEntriesRequest& request) {
    return std::holds_alternative<local::Refusal>(ask(request));
  }
};

TEST_F(Exporting, GivesEveryLeafUnderTheCheckpointAndThePayloadsThatAreWanted) {
  const auto answer = logs();
  ASSERT_EQ(answer.logs.size(), 1U);
  const local::ExportedLog& log = answer.logs[0];
  EXPECT_EQ(log.code, "ZZA");
  EXPECT_EQ(log.size, log_size());
  const auto checkpoint =
      verify_checkpoint(log.checkpoint, log.log, SigningKey(me_.log_key).public_key());
  ASSERT_TRUE(checkpoint);

  CompactRange range;
  std::size_t held = 0;
  std::size_t clear = 0;
  for (std::uint64_t first = 0; first < log.size; first += limits::tile_hashes) {
    const std::uint64_t last = std::min<std::uint64_t>(log.size, first + limits::tile_hashes);
    for (const bool with_sealed : {true, false}) {
      const auto entries = std::get<local::ExportEntriesAnswer>(
          ask(local::ExportEntriesRequest{log.log, first, last, first, with_sealed}));
      EXPECT_EQ(entries.payloads_to, last);
      const auto leaves = split_bundle(entries.leaves, limits::tile_hashes);
      ASSERT_TRUE(leaves);
      const auto payloads = peer::split_payloads(entries.payloads, limits::tile_hashes);
      ASSERT_TRUE(payloads);
      ASSERT_EQ(payloads->size(), leaves->size());
      for (std::size_t i = 0; i < leaves->size(); ++i) {
        const auto leaf = decode_leaf(text((*leaves)[i]));
        ASSERT_TRUE(leaf);
        const bool is_clear = leaf->leaf_class == LeafClass::clear;
        EXPECT_EQ((*payloads)[i].has_value(), with_sealed || is_clear);
        EXPECT_TRUE(!(*payloads)[i] || commits_to(*leaf, *(*payloads)[i]));
        if (with_sealed) range.push(leaf_hash((*leaves)[i]));
        held += with_sealed ? 1 : 0;
        clear += !with_sealed && is_clear ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(held, log.size);
  EXPECT_EQ(clear, 3U) << "Founding, the certificate and the grant";
  EXPECT_EQ(range.root(), checkpoint->root);
}

TEST_F(Exporting, GoesOnWhereAnAnswerEnded) {
  const local::ExportedLog log = logs().logs[0];
  const auto rest = std::get<local::ExportEntriesAnswer>(
      ask(local::ExportEntriesRequest{log.log, 0, 256, 200, true}));
  EXPECT_TRUE(rest.leaves.empty()) << "they came before";
  const auto payloads = peer::split_payloads(rest.payloads, limits::tile_hashes);
  ASSERT_TRUE(payloads);
  EXPECT_EQ(payloads->size(), 56U);
}

TEST_F(Exporting, SaysWhatToDoAboutDamagedEntries) {
  const LogId log = logs().logs[0].log;
  const auto said = [&](std::uint64_t first, std::uint64_t last) {
    const auto answer = ask(local::ExportEntriesRequest{log, first, last, first, true});
    const auto* refused = std::get_if<local::Refusal>(&answer);
    return refused == nullptr ? std::string() : refused->said;
  };
  EXPECT_EQ(said(0, 256), "") << "the control";
  const auto txn = desk_.disk().write();
  const auto row = storage::numbered_key(log, 0);
  Bytes bundle = to_bytes(*txn->get(storage::Table::bundles, row));
  bundle[10] ^= 0x80;
  txn->put(storage::Table::bundles, row, bundle);
  txn->commit();
  EXPECT_NE(
      said(0, 256).find("entries 0 to 255 of this log are damaged here: stop kithd, run kithd "
                        "check --repair"),
      std::string::npos)
      << said(0, 256);
  EXPECT_EQ(said(256, log_size()), "") << "the others can be had";

  const auto repaired = desk_.disk().write();
  storage::log_store::set_wanted_bundles(*repaired, log, {0});
  repaired->commit();
  EXPECT_NE(said(0, 256).find("come again from another member"), std::string::npos) << said(0, 256);
}

/// A second member whose log is held here too.
class ExportingTwo : public Exporting {
 protected:
  ExportingTwo() {
    const auto other = candidate(DhSecret{{7}});
    const auto basis = std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{})).basis;
    EXPECT_TRUE(published(admission(other, basis)));
    const MemberId member = *read_member(other.certificate);
    replica_->peer_connected({1, false, member, std::nullopt, {}, {}});
    desk_.run();
    const Bytes payload = encode_text(CertificateText{other.certificate});
    const std::string leaf = encode_leaf(make_leaf(LeafClass::clear, 0, payload));
    Bytes leaves;
    append_to_bundle(leaves, view(leaf));
    Bytes payloads;
    peer::append_payload(payloads, payload);
    const LogId log = log_id(me_.network, member, commons);
    // Every key in the certificate of a candidate here is that of the steward.
    say(1, peer::Push{log, sign_checkpoint(log, 1, leaf_hash(view(leaf)), steward_), 0, leaves,
                      payloads});
  }
};

TEST_F(ExportingTwo, TellsOfLogsInAsManyAnswersAsItTakes) {
  const auto all = logs();
  ASSERT_EQ(all.logs.size(), 2U);
  EXPECT_FALSE(all.more);
  EXPECT_LT(all.logs[0].log, all.logs[1].log);

  const auto first = std::get<local::ExportLogsAnswer>(ask(local::ExportLogsRequest{"", {}, 1}));
  ASSERT_EQ(first.logs.size(), 1U);
  EXPECT_EQ(first.logs[0], all.logs[0]);
  EXPECT_TRUE(first.more);
  const auto second =
      std::get<local::ExportLogsAnswer>(ask(local::ExportLogsRequest{"", first.logs[0].log, 1}));
  ASSERT_EQ(second.logs.size(), 1U);
  EXPECT_EQ(second.logs[0], all.logs[1]);
  EXPECT_FALSE(second.more) << "and says that there are no others";
  const auto after =
      std::get<local::ExportLogsAnswer>(ask(local::ExportLogsRequest{"", second.logs[0].log, 1}));
  EXPECT_TRUE(after.logs.empty());
  EXPECT_FALSE(after.more);

  // Only those that are asked for are counted.
  const auto own = std::get<local::ExportLogsAnswer>(ask(local::ExportLogsRequest{"zza", {}, 1}));
  ASSERT_EQ(own.logs.size(), 1U);
  EXPECT_EQ(own.logs[0].code, "ZZA");
  EXPECT_FALSE(own.more);
}

TEST_F(Exporting, RefusesWhatThereIsNot) {
  const LogId log = logs().logs[0].log;
  EXPECT_TRUE(std::holds_alternative<local::Refusal>(ask(local::ExportLogsRequest{"YYY"})));
  EXPECT_TRUE(refused({LogId{{9}}, 0, 256, 0, true}));
  EXPECT_TRUE(refused({log, 0, 0, 0, true}));
  EXPECT_TRUE(refused({log, 1, 256, 1, true}));
  EXPECT_TRUE(refused({log, 0, 257, 0, true}));
  EXPECT_TRUE(refused({log, 0, 256, 256, true}));
  EXPECT_TRUE(refused({log, 256, 512, 256, true})) << "beyond the end";
  EXPECT_TRUE(refused({log, ~0ULL - 255, ~0ULL, ~0ULL - 255, true}));
}

}  // namespace
}  // namespace kith::daemon
