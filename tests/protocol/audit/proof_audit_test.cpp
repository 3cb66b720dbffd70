#include "protocol/audit/proof_audit.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "protocol/log/leaf.hpp"
#include "protocol/log/witness.hpp"
#include "tests/support/archive.hpp"

namespace kith {
namespace {

using testing::ArchivedMember;

constexpr std::uint64_t size = 20;
constexpr std::uint64_t proven = 11;

/// A log of twenty entries, and the proof of one of them with the words of two witnesses.
class ProofAudit : public ::testing::Test {
 protected:
  ProofAudit() {
    const auto archive = testing::make_archive({});
    const auto leaves =
        split_bundle(archive.files.at("commons/ZZA/tile/entries/000.p/20"), limits::tile_hashes);
    std::vector<TreeHash> hashes;
    for (const BytesView leaf : *leaves) hashes.push_back(leaf_hash(leaf));
    proof.index = proven;
    proof.path = inclusion_path(proven, hashes);
    proof.checkpoint = text(archive.files.at("commons/ZZA/checkpoint"));
    context.leaf = text((*leaves)[proven]);
    context.certificates = {owner.statement, witness(0).statement, witness(1).statement};
  }
  static ArchivedMember witness(std::uint8_t number) {
    return ArchivedMember(static_cast<std::uint8_t>(100 + number), testing::archive_network());
  }
  [[nodiscard]] std::string file() const {
    InclusionProof whole = proof;
    whole.extra = encode_context(context);
    return encode_proof(whole);
  }
  [[nodiscard]] Verdict verdict() const {
    const auto report = audit_proof(file());
    return report ? report->findings.verdict() : Verdict::damaged;
  }

  ArchivedMember owner{1, testing::archive_network()};
  InclusionProof proof;
  ProofContext context;
};

TEST_F(ProofAudit, ShowsTheEntryAndWhoConfirmedIt) {
  const auto report = audit_proof(file());
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->findings.verdict(), Verdict::intact);
  EXPECT_EQ(report->member, owner.id());
  EXPECT_EQ(report->log, owner.log());
  EXPECT_EQ(report->index, proven);
  EXPECT_EQ(report->size, size);
  ASSERT_EQ(report->confirmations.size(), 2U);
  EXPECT_EQ(report->confirmations[0].witness, witness(0).id());
}

TEST_F(ProofAudit, RefusesEveryFlippedBit) {
  const bool every_bit = std::getenv("KITH_FULL") != nullptr;
  std::string changed = file();
  for (std::size_t i = 0; i < changed.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      if (!every_bit && bit != i % 8) continue;
      const char before = changed[i];
      changed[i] = static_cast<char>(before ^ (1 << bit));
      const auto report = audit_proof(changed);
      ASSERT_TRUE(!report || report->findings.verdict() != Verdict::intact) << "byte " << i;
      changed[i] = before;
    }
  }
  for (std::size_t length = 0; length < changed.size(); ++length) {
    const auto report = audit_proof(std::string_view(changed).substr(0, length));
    ASSERT_TRUE(!report || report->findings.verdict() != Verdict::intact)
        << "cut off at " << length;
  }
}

TEST_F(ProofAudit, AnotherEntryIndexOrPathLeadsElsewhere) {
  ASSERT_EQ(verdict(), Verdict::intact);
  --proof.index;
  EXPECT_EQ(verdict(), Verdict::damaged);
  ++proof.index;
  std::swap(proof.path[0], proof.path[1]);
  EXPECT_EQ(verdict(), Verdict::damaged);
  std::swap(proof.path[0], proof.path[1]);
  proof.path.pop_back();
  EXPECT_EQ(verdict(), Verdict::damaged);
}

TEST_F(ProofAudit, EveryLineNeedsItsCertificateAndEveryCertificateItsLine) {
  auto without = context;
  std::swap(without, context);
  context.certificates.pop_back();
  EXPECT_EQ(verdict(), Verdict::damaged) << "a line by nobody";
  context.certificates = without.certificates;
  context.certificates.push_back(witness(2).statement);
  EXPECT_EQ(verdict(), Verdict::damaged) << "a certificate without a line";
  context.certificates = without.certificates;
  context.certificates[0] = witness(0).statement;
  EXPECT_EQ(verdict(), Verdict::forged) << "the log of another";
  context.certificates = without.certificates;
  context.space.bytes[0] = 1;
  EXPECT_FALSE(audit_proof(file())) << "a space that is not known";
}

TEST_F(ProofAudit, AWitnessThatSignedAnotherTreeIsRefused) {
  auto note = decode_note(proof.checkpoint);
  const Cosignature other =
      cosign(owner.log(), size, TreeHash{{1}}, witness(1).id(), 7, witness(1).witness_key);
  note->signatures[2] = to_note_signature(other, witness(1).witness_key.public_key());
  proof.checkpoint = encode_note(*note);
  EXPECT_EQ(verdict(), Verdict::forged);
  note->signatures[2] = note->signatures[1];
  proof.checkpoint = encode_note(*note);
  EXPECT_EQ(verdict(), Verdict::forged) << "one witness twice";
}

TEST_F(ProofAudit, TheOwnerConfirmsNothing) {
  auto note = decode_note(proof.checkpoint);
  const TreeHash root = decode_checkpoint(note->text)->root;
  const auto confirmed_by = [&](const ArchivedMember& who) {
    Note changed = *note;
    const Cosignature word = cosign(owner.log(), size, root, who.id(), 7, who.witness_key);
    changed.signatures[2] = to_note_signature(word, who.witness_key.public_key());
    proof.checkpoint = encode_note(changed);
    context.certificates[2] = who.statement;
    return verdict();
  };
  EXPECT_EQ(confirmed_by(owner), Verdict::forged);
  EXPECT_EQ(confirmed_by(witness(2)), Verdict::intact) << "the control";
}

TEST_F(ProofAudit, AProofOfAnotherToolNeedsThatTool) {
  const auto report = audit_proof(encode_proof(proof));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::malformed);
}

}  // namespace
}  // namespace kith
