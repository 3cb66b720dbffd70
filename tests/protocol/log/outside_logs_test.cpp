// Whole logs that other software wrote: exports, checkpoints with their signatures, requests to a
// witness.
#include <gtest/gtest.h>

#include <filesystem>

#include "protocol/base/text.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/lines.hpp"
#include "protocol/log/proof.hpp"
#include "protocol/log/tile.hpp"
#include "tests/support/shared.hpp"

namespace kith {
namespace {

using testing::files_below;
using testing::read_whole;
using testing::shared_path;

/// A static log in a folder, read as an auditor reads it.
class Export {
 public:
  explicit Export(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] std::string file(const std::string& path) const {
    return read_whole(folder_ + "/" + path);
  }
  /// The leaf hashes of a tree of `size`, from its entry bundles alone.
  [[nodiscard]] std::vector<TreeHash> leaf_hashes(std::uint64_t size) const {
    std::vector<TreeHash> hashes;
    for (std::uint64_t i = 0; i * 256 < size; ++i) {
      const unsigned width = tile_width(size, 0, i);
      const std::string bytes = file(bundle_path(i, width));
      const auto entries = split_bundle(view(bytes), width);
      EXPECT_TRUE(entries);
      EXPECT_EQ(entries->size(), width);
      for (const BytesView entry : *entries) hashes.push_back(leaf_hash(entry));
    }
    return hashes;
  }
  /// The hashes of each edge tile of a tree of `size`, as exported.
  [[nodiscard]] std::vector<std::vector<TreeHash>> edge(std::uint64_t size) const {
    std::vector<std::vector<TreeHash>> edge;
    for (const TileId& tile : edge_tiles(size)) {
      edge.push_back(*decode_hashes(view(file(tile_path(tile)))));
    }
    return edge;
  }
  /// Compares every hash tile of the folder with the leaves; how many there are.
  [[nodiscard]] int compare_tiles(const MemoryTree& tree) const {
    int tiles = 0;
    for (const std::string& path : files_below(folder_ + "/tile")) {
      const std::string below = path.substr(folder_.size() + 1);
      if (below.starts_with("tile/entries/")) continue;
      const auto tile = parse_tile_path(below);
      EXPECT_TRUE(tile) << below;
      EXPECT_EQ(tile_path(*tile), below);
      const auto hashes = decode_hashes(view(read_whole(path)));
      EXPECT_TRUE(hashes);
      EXPECT_EQ(hashes->size(), tile->width) << below;
      for (unsigned i = 0; i < tile->width; ++i) {
        EXPECT_EQ((*hashes)[i], tree.subtree(8 * tile->level, tile->index * 256 + i)) << below;
      }
      ++tiles;
    }
    return tiles;
  }

 private:
  std::string folder_;
};

std::string without_line_end(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

SubtreeReader reader_of(const MemoryTree& tree) {
  return [&tree](unsigned height, std::uint64_t index) { return tree.subtree(height, index); };
}

TEST(OutsideLog, EveryCheckpointOfTheTesseraExportHasTheRootOfItsBundlesAndTiles) {
  KITH_NEEDS_SHARED();
  const Export log(*shared_path("vectors/transparency-dev-tessera"));
  const auto key = decode_vkey(without_line_end(log.file("vkey")));
  ASSERT_TRUE(key);
  EXPECT_EQ(log.file("checkpoint"), log.file("checkpoint.15"));

  const MemoryTree tree(log.leaf_hashes(15));
  TreeHash previous{};
  for (std::uint64_t size = 0; size <= 15; ++size) {
    SCOPED_TRACE(size);
    const auto note = decode_note(log.file("checkpoint." + std::to_string(size)));
    ASSERT_TRUE(note);
    const auto checkpoint = verify_checkpoint(*note, *key);
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->size, size);
    EXPECT_EQ(encode_checkpoint(*checkpoint), note->text);
    EXPECT_EQ(checkpoint->root, tree_root(log.leaf_hashes(size)));
    EXPECT_EQ(checkpoint->root, *root_from_edge(size, log.edge(size)));
    if (size > 1) {
      const Path path = consistency_path(size - 1, size, reader_of(tree));
      EXPECT_TRUE(verify_consistency(size - 1, size, path, previous, checkpoint->root));
    }
    previous = checkpoint->root;
  }
  EXPECT_EQ(log.compare_tiles(tree), 15);
}

class Sample : public ::testing::Test {
 protected:
  void SetUp() override {
    KITH_NEEDS_SHARED();
    folder_ = *shared_path("vectors/tlog-tiles-sample");
    std::string text = read_whole(folder_ + "/keys.txt");
    std::string_view rest = text;
    while (const auto line = take_line(rest)) {
      const std::size_t quote = line->find('\'');
      const auto key = decode_vkey(line->substr(quote + 1, line->size() - quote - 2));
      ASSERT_TRUE(key) << *line;
      keys_.push_back(*key);
    }
    ASSERT_EQ(keys_.size(), 3U);
  }

  std::string folder_;
  std::vector<NoteKey> keys_;  // The log's, then two witnesses'.
};

TEST_F(Sample, CheckpointsCarryTheLogsSignatureAndBothCosignatures) {
  EXPECT_EQ(keys_[0].type, KeyType::ed25519);
  EXPECT_EQ(keys_[1].type, KeyType::cosignature_v1);
  EXPECT_EQ(keys_[2].type, KeyType::cosignature_v1);
  for (const std::string file : {"/export/checkpoint", "/old-checkpoint"}) {
    const std::string bytes = read_whole(folder_ + file);
    const auto note = decode_note(bytes);
    ASSERT_TRUE(note);
    EXPECT_EQ(encode_note(*note), bytes);
    EXPECT_EQ(*verify_note(*note, keys_), keys_);
    EXPECT_TRUE(verify_checkpoint(*note, keys_[0]));
  }
}

TEST_F(Sample, ACosignatureKeyTakenForALogKeyVerifiesNothing) {
  const auto note = decode_note(read_whole(folder_ + "/export/checkpoint"));
  ASSERT_TRUE(note);
  for (const std::size_t i : {1U, 2U}) {
    NoteKey wrong = keys_[i];
    wrong.type = KeyType::ed25519;
    EXPECT_EQ(verify_note(*note, {wrong}).error().code, Errc::bad_signature);
  }
}

TEST_F(Sample, EverySingleBitFlipOfTheCheckpointIsRefusedOrInNoSignedPart) {
  const std::string bytes = read_whole(folder_ + "/export/checkpoint");
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const auto note = decode_note(changed);
    if (!note) continue;
    const auto signers = verify_note(*note, keys_);
    EXPECT_TRUE(!signers || signers->size() < keys_.size()) << bit;
  }
}

TEST_F(Sample, BundlesAndTilesGiveTheSignedRoot) {
  const Export log(folder_ + "/export");
  const auto checkpoint = verify_checkpoint(*decode_note(log.file("checkpoint")), keys_[0]);
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->size, 300U);
  const std::vector<TreeHash> leaves = log.leaf_hashes(300);
  EXPECT_EQ(tree_root(leaves), checkpoint->root);
  EXPECT_EQ(*root_from_edge(300, log.edge(300)), checkpoint->root);
  EXPECT_EQ(log.compare_tiles(MemoryTree(leaves)), 4);
  EXPECT_EQ(log.leaf_hashes(270), std::vector<TreeHash>(leaves.begin(), leaves.begin() + 270));
}

TEST_F(Sample, IsConsistentWithItsOlderCheckpoint) {
  const Export log(folder_ + "/export");
  const auto older =
      verify_checkpoint(*decode_note(read_whole(folder_ + "/old-checkpoint")), keys_[0]);
  const auto newer = verify_checkpoint(*decode_note(log.file("checkpoint")), keys_[0]);
  ASSERT_TRUE(older && newer);
  ASSERT_EQ(older->size, 270U);
  EXPECT_EQ(*root_from_edge(270, log.edge(270)), older->root);
  const MemoryTree tree(log.leaf_hashes(300));
  const Path path = consistency_path(270, 300, reader_of(tree));
  EXPECT_TRUE(verify_consistency(270, 300, path, older->root, newer->root));
  EXPECT_FALSE(verify_consistency(271, 300, path, older->root, newer->root));
  EXPECT_FALSE(verify_consistency(270, 300, path, newer->root, older->root));
}

TEST_F(Sample, ProofFileVerifiesForItsEntryOnly) {
  const std::string bytes = read_whole(folder_ + "/entry-42.tlog-proof");
  const std::string entry = read_whole(folder_ + "/entry-42");
  const auto proof = decode_proof(bytes);
  ASSERT_TRUE(proof);
  EXPECT_EQ(proof->index, 42U);
  EXPECT_EQ(encode_proof(*proof), bytes);
  const auto checkpoint = verify_proof(*proof, view(entry), keys_[0]);
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->size, 300U);
  EXPECT_EQ(verify_proof(*proof, view(entry + "x"), keys_[0]).error().code, Errc::bad_proof);
  // A witness's key is not a log's.
  EXPECT_FALSE(verify_proof(*proof, view(entry), keys_[1]));

  const MemoryTree tree(Export(folder_ + "/export").leaf_hashes(300));
  EXPECT_EQ(tree.inclusion_path(42), proof->path);
}

TEST(OutsideLog, TwoCheckpointsOfTheGoChecksumDatabaseVerify) {
  KITH_NEEDS_SHARED();
  const std::string folder = *shared_path("vectors/c2sp-notes/");
  const auto key = decode_vkey(without_line_end(read_whole(folder + "sumdb.vkey")));
  ASSERT_TRUE(key);
  for (const std::uint64_t size : {35'225'469, 6'476'701}) {
    const std::string bytes = read_whole(folder + "sumdb-" + std::to_string(size) + ".checkpoint");
    const auto note = decode_note(bytes);
    ASSERT_TRUE(note);
    EXPECT_EQ(encode_note(*note), bytes);
    EXPECT_TRUE(verify_note(*note, {*key}));
    const auto checkpoint = decode_checkpoint(note->text);
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->size, size);
    EXPECT_EQ(checkpoint->origin, "go.sum database tree");
    // Its key is not named as its origin, which kith wants of every log.
    EXPECT_EQ(verify_checkpoint(*note, *key).error().code, Errc::malformed);
  }
}

/// A request to a witness, taken apart.
struct AddCheckpoint {
  std::uint64_t old_size = 0;
  Path path;
  Note note;
};

std::optional<AddCheckpoint> parse_request(std::string_view body) {
  AddCheckpoint request;
  const auto old_line = take_line(body);
  if (!old_line || !old_line->starts_with("old ")) return std::nullopt;
  const auto size = parse_decimal(old_line->substr(4), limits::tree_size_max);
  if (!size) return std::nullopt;
  request.old_size = *size;
  for (auto line = take_line(body); line && !line->empty(); line = take_line(body)) {
    const auto hash = value_from_base64<TreeHash>(*line);
    if (!hash) return std::nullopt;
    request.path.push_back(*hash);
  }
  const auto note = decode_note(body);
  if (!note) return std::nullopt;
  request.note = *note;
  return request;
}

/// The status that the public witness tests want, from kith's own checks.
int status_of(const std::string& body, const NoteKey& key, const std::optional<Checkpoint>& held) {
  const auto request = parse_request(body);
  if (!request) return 400;
  if (!verify_note(request->note, {key})) return 403;
  const auto checkpoint = decode_checkpoint(request->note.text);
  if (!checkpoint || request->old_size > checkpoint->size) return 400;
  if (request->old_size != (held ? held->size : 0)) return 409;
  // A first checkpoint follows nothing, so there is no consistency to verify.
  if (!held) return request->path.empty() ? 200 : 422;
  const bool consistent =
      verify_consistency(held->size, checkpoint->size, request->path, held->root, checkpoint->root);
  return consistent ? 200 : 422;
}

TEST(OutsideLog, RequestsToAWitnessGetTheStatusThatTheirNameStates) {
  KITH_NEEDS_SHARED();
  const std::string folder = *shared_path("vectors/c2sp-notes/");
  const auto key = decode_vkey(without_line_end(read_whole(folder + "sigsum-style.vkey")));
  ASSERT_TRUE(key);
  const auto held = [&](const std::string& file) {
    const auto checkpoint = verify_checkpoint(*decode_note(read_whole(folder + file)), *key);
    EXPECT_TRUE(checkpoint);
    return *checkpoint;
  };
  const Checkpoint one = held("add-checkpoint-held-1.checkpoint");
  const Checkpoint three = held("add-checkpoint-held-3.checkpoint");
  const auto status = [&](const std::string& name, const std::optional<Checkpoint>& before) {
    return status_of(read_whole(folder + "add-checkpoint-" + name + ".request"), *key, before);
  };
  EXPECT_EQ(status("0-1", std::nullopt), 200);
  EXPECT_EQ(status("1-3-ok200", one), 200);
  EXPECT_EQ(status("1-3-badproof422", one), 422);
  EXPECT_EQ(status("1-3-noproof422", one), 422);
  // The digit that was changed has a spare bit set, so strict base64 stops the request (400) before
  // its signature could (403). The same change without the spare bit gets there.
  EXPECT_EQ(status("1-3-badsig403", one), 400);
  std::string bad = read_whole(folder + "add-checkpoint-1-3-badsig403.request");
  ASSERT_TRUE(bad.ends_with("gx=\n"));
  bad[bad.size() - 3] = 'w';
  EXPECT_EQ(status_of(bad, *key, one), 403);
  EXPECT_EQ(status("1-5-stale409", three), 409);
  EXPECT_EQ(status("3-5-ok200", three), 200);
}

}  // namespace
}  // namespace kith
