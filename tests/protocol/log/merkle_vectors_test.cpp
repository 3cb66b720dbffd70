#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>

#include "protocol/base/text.hpp"
#include "protocol/log/merkle.hpp"
#include "tests/support/shared.hpp"

namespace kith {
namespace {

using nlohmann::json;
using testing::files_below;
using testing::read_whole;
using testing::shared_path;

/// Nothing if the field is empty, which no decoder of kith lets through. Some cases hold a
/// placeholder ("don't care") for a root, shorter than a hash: filled up with zeros.
std::optional<TreeHash> hash_of(const json& field) {
  const auto bytes = from_base64(field.get<std::string>());
  EXPECT_TRUE(bytes);
  if (bytes->empty()) return std::nullopt;
  return TreeHash::from(*bytes);
}

/// Nothing if a hash of the path has not 32 bytes: no decoder of kith lets such a path through.
std::optional<Path> path_of(const json& field) {
  Path path;
  for (const json& item : field) {
    const auto bytes = from_base64(item.get<std::string>());
    EXPECT_TRUE(bytes);
    if (bytes->size() != TreeHash::size) return std::nullopt;
    path.push_back(TreeHash::from(*bytes));
  }
  return path;
}

struct Counts {
  int accepted = 0;
  int refused = 0;
};

TEST(OutsideVectors, TheClassicTreeHasTheRootsOfCertificateTransparency) {
  KITH_NEEDS_SHARED();
  std::istringstream lines(read_whole(*shared_path("vectors/rfc6962-roots/roots.txt")));
  CompactRange range;
  int sizes = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    std::uint64_t size = 0;
    std::string leaf;
    std::string root;
    fields >> size >> leaf >> root;
    if (leaf != "-") range.push(leaf_hash(leaf == "(empty)" ? Bytes{} : *from_hex(leaf)));
    EXPECT_EQ(range.size(), size);
    EXPECT_EQ(to_hex(range.root().view()), root);
    ++sizes;
  }
  EXPECT_EQ(sizes, 9);
}

TEST(OutsideVectors, All98InclusionProofsAreJudgedAsStated) {
  KITH_NEEDS_SHARED();
  Counts counts;
  for (const std::string& file :
       files_below(*shared_path("vectors/transparency-dev-merkle/inclusion"))) {
    const json test = json::parse(read_whole(file));
    const auto path = path_of(test["proof"]);
    const auto leaf = hash_of(test["leafHash"]);
    const auto root = hash_of(test["root"]);
    const bool accepted = path && leaf && root &&
                          verify_inclusion(test["leafIdx"], test["treeSize"], *leaf, *path, *root);
    EXPECT_EQ(accepted, !test["wantErr"].get<bool>()) << file;
    ++(accepted ? counts.accepted : counts.refused);
  }
  EXPECT_EQ(counts.accepted + counts.refused, 98);
  EXPECT_GT(counts.accepted, 0);
}

// Where implementations differ: some accept an empty proof from size 0. kith refuses every proof
// from size 0, as these vectors want it too. With the other choice these three would be accepted.
const std::set<std::string> size_0_without_proof{"sizes are equal (zero) and proof is empty",
                                                 "size1 is zero and size2 is not zero",
                                                 "size1 is zero and does not equal size2"};

TEST(OutsideVectors, All98ConsistencyProofsAreJudgedAsStatedAndSize0IsRefused) {
  KITH_NEEDS_SHARED();
  Counts counts;
  int by_choice = 0;
  for (const std::string& file :
       files_below(*shared_path("vectors/transparency-dev-merkle/consistency"))) {
    const json test = json::parse(read_whole(file));
    const auto path = path_of(test["proof"]);
    const auto old_root = hash_of(test["root1"]);
    const auto new_root = hash_of(test["root2"]);
    const bool accepted =
        path && old_root && new_root &&
        verify_consistency(test["size1"], test["size2"], *path, *old_root, *new_root);
    if (size_0_without_proof.contains(test["desc"])) {
      EXPECT_EQ(test["size1"], 0);
      EXPECT_FALSE(accepted) << file;
      ++by_choice;
      continue;
    }
    EXPECT_EQ(accepted, !test["wantErr"].get<bool>()) << file;
    ++(accepted ? counts.accepted : counts.refused);
  }
  EXPECT_EQ(by_choice, 3);
  // With the 98 of inclusion: 193 that every choice judges alike, and the three above.
  EXPECT_EQ(counts.accepted + counts.refused, 95);
  EXPECT_EQ(counts.accepted, 6);
}

}  // namespace
}  // namespace kith
