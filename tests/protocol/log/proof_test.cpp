#include "protocol/log/proof.hpp"

#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "tests/protocol/log/naive_tree.hpp"

namespace kith {
namespace {

using testing::flipped;
using testing::NaiveTree;

const LogId log_id = LogId::from(Bytes(32, 9));
const SigningKey signer(Seed::from(Bytes(32, 1)));
const NoteKey log_note_key{log_origin(log_id), KeyType::ed25519, signer.public_key()};

InclusionProof proof_of(NaiveTree& tree, std::uint64_t index) {
  const std::uint64_t size = tree.leaves().size();
  return {index,
          tree.inclusion(index, 0, size),
          sign_checkpoint(log_id, size, tree.root(size), signer),
          {}};
}

Errc refusal(std::string_view text) {
  const auto proof = decode_proof(text);
  EXPECT_FALSE(proof) << text;
  return proof ? Errc::usage : proof.error().code;
}

TEST(Proof, ComesBackAsItWasAndVerifies) {
  for (const std::size_t size : {1U, 2U, 5U, 300U}) {
    NaiveTree tree(size);
    const InclusionProof proof = proof_of(tree, size / 2);
    const auto decoded = decode_proof(encode_proof(proof));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, proof);
    const auto checkpoint =
        verify_proof(*decoded, view("leaf " + std::to_string(size / 2)), log_note_key);
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->size, size);
  }
}

TEST(Proof, OfAnotherLeafIndexOrPathIsRefused) {
  NaiveTree tree(20);
  const InclusionProof proof = proof_of(tree, 7);
  ASSERT_TRUE(verify_proof(proof, view("leaf 7"), log_note_key));
  EXPECT_EQ(verify_proof(proof, view("leaf 8"), log_note_key).error().code, Errc::bad_proof);
  for (std::uint64_t index = 0; index < 40; ++index) {
    InclusionProof changed = proof;
    changed.index = index;
    EXPECT_EQ(static_cast<bool>(verify_proof(changed, view("leaf 7"), log_note_key)), index == 7);
  }
  for (std::size_t i = 0; i < proof.path.size(); ++i) {
    InclusionProof changed = proof;
    changed.path[i] = flipped(changed.path[i], i);
    EXPECT_EQ(verify_proof(changed, view("leaf 7"), log_note_key).error().code, Errc::bad_proof);
  }
}

TEST(Proof, WithACheckpointOfAnotherKeyOrLogIsRefused) {
  NaiveTree tree(20);
  InclusionProof proof = proof_of(tree, 7);
  NoteKey other = log_note_key;
  other.key.bytes[0] ^= 1;
  EXPECT_EQ(verify_proof(proof, view("leaf 7"), other).error().code, Errc::bad_signature);
  proof.checkpoint = sign_checkpoint(LogId::from(Bytes(32, 8)), 20, tree.root(20), signer);
  EXPECT_EQ(verify_proof(proof, view("leaf 7"), log_note_key).error().code, Errc::bad_signature);
  proof.checkpoint = sign_checkpoint(log_id, 21, tree.root(19), signer);
  EXPECT_EQ(verify_proof(proof, view("leaf 7"), log_note_key).error().code, Errc::bad_proof);
  proof.checkpoint = "nonsense";
  EXPECT_EQ(verify_proof(proof, view("leaf 7"), log_note_key).error().code, Errc::malformed);
}

TEST(Proof, MayCarryAnExtraLineThatIsDropped) {
  NaiveTree tree(5);
  const InclusionProof proof = proof_of(tree, 3);
  const std::string plain = encode_proof(proof);
  const auto with = [&](const std::string& extra) {
    std::string text = plain;
    return text.insert(text.find('\n') + 1, extra);
  };
  InclusionProof said = proof;
  said.extra = to_bytes(view("hello"));
  EXPECT_EQ(*decode_proof(with("extra aGVsbG8=\n")), said);
  EXPECT_EQ(encode_proof(said), with("extra aGVsbG8=\n"));
  EXPECT_EQ(*decode_proof(with("extra \n")), proof);
  EXPECT_EQ(refusal(with("extra aGVsbG8\n")), Errc::malformed);
  EXPECT_EQ(refusal(with("extra aGVsbG9=\n")), Errc::malformed);
  EXPECT_EQ(refusal(with("extra\n")), Errc::malformed);
  EXPECT_EQ(refusal(with("extra aGVsbG8=\nextra aGVsbG8=\n")), Errc::malformed);
  EXPECT_EQ(refusal(with("extra " + std::string(2 * proof_bytes_max, 'A') + "\n")),
            Errc::too_large);
}

TEST(Proof, InAnyOtherFormIsRefused) {
  NaiveTree tree(5);
  const InclusionProof proof = proof_of(tree, 3);
  const std::string& note = proof.checkpoint;
  const std::string hash = to_base64(empty_root().view()) + "\n";
  const std::string head = "c2sp.org/tlog-proof@v1\n";
  ASSERT_TRUE(decode_proof(head + "index 3\n" + hash + "\n" + note));
  for (const std::string& text : {std::string(),
                                  head,
                                  head + "index 3\n",
                                  head + "index 3\n\n",
                                  head + "index 3\n" + hash,
                                  head + "index 3\n" + note,
                                  head + "\n" + note,
                                  "c2sp.org/tlog-proof@v2\nindex 3\n\n" + note,
                                  head + "index 03\n\n" + note,
                                  head + "index -3\n\n" + note,
                                  head + "index  3\n\n" + note,
                                  head + "index\n\n" + note,
                                  head + "Index 3\n\n" + note,
                                  head + "index 3\n\n\n" + note,
                                  head + "index 3\n" + hash.substr(1) + "\n" + note,
                                  head + "index 3\n\n" + note + "x",
                                  head + "index 3\n\n" + note.substr(0, note.size() - 1),
                                  head + "index 3\nextra aGVsbG8=\n\n" + note,
                                  "\n" + head + "index 3\n\n" + note,
                                  head + "index 3\r\n\n" + note}) {
    EXPECT_EQ(refusal(text), Errc::malformed);
  }
}

TEST(Proof, KeepsToItsLimits) {
  NaiveTree tree(5);
  InclusionProof proof = proof_of(tree, 3);
  proof.path.assign(63, empty_root());
  EXPECT_TRUE(decode_proof(encode_proof(proof)));
  proof.path.push_back(empty_root());
  EXPECT_EQ(refusal(encode_proof(proof)), Errc::too_large);
  proof.path.clear();
  proof.index = limits::tree_size_max - 1;
  EXPECT_TRUE(decode_proof(encode_proof(proof)));
  ++proof.index;
  EXPECT_EQ(refusal(encode_proof(proof)), Errc::too_large);
}

TEST(Proof, EverySingleBitFlipIsRefused) {
  NaiveTree tree(20);
  const std::string bytes = encode_proof(proof_of(tree, 7));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const auto proof = decode_proof(changed);
    EXPECT_FALSE(proof && verify_proof(*proof, view("leaf 7"), log_note_key)) << bit;
  }
}

}  // namespace
}  // namespace kith
