#include "protocol/log/leaf.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/log/merkle.hpp"

namespace kith {
namespace {

// BLAKE2b-256 of "hello" and the leaf around it, both from Python's hashlib.
constexpr std::string_view known_leaf =
    "kith/leaf/v1\nr\n1790000000000\n5\nMk3PAn3UowqTLEQfNlol6GsXPe+kuOWJSCU0cbgbcs8=\n";

std::string with_line(std::size_t changed, std::string_view line) {
  const std::vector<std::string> lines{"kith/leaf/v1", "r", "1790000000000", "5",
                                       "Mk3PAn3UowqTLEQfNlol6GsXPe+kuOWJSCU0cbgbcs8="};
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += (i == changed ? std::string(line) : lines[i]) + '\n';
  }
  return text;
}

Errc refusal(std::string_view text) {
  const auto leaf = decode_leaf(text);
  EXPECT_FALSE(leaf) << text;
  return leaf ? Errc::usage : leaf.error().code;
}

TEST(Leaf, IsTheFiveLinesThatAnotherImplementationWrites) {
  const Leaf leaf = make_leaf(LeafClass::record, 1790000000000, view("hello"));
  EXPECT_EQ(encode_leaf(leaf), known_leaf);
  EXPECT_EQ(to_hex(leaf_hash(view(encode_leaf(leaf))).view()),
            "8c98d9f316d82c4c022a01dba67da7c33c62d635befc3016552728a7c05aff85");
}

TEST(Leaf, ComesBackAsItWas) {
  for (const LeafClass leaf_class : {LeafClass::clear, LeafClass::governance, LeafClass::record}) {
    for (const Millis time : {Millis{0}, Millis{1}, std::numeric_limits<Millis>::max()}) {
      const Leaf leaf = make_leaf(leaf_class, time, view("some payload"));
      const auto decoded = decode_leaf(encode_leaf(leaf));
      ASSERT_TRUE(decoded);
      EXPECT_EQ(*decoded, leaf);
      EXPECT_LE(encode_leaf(leaf).size(), limits::leaf_bytes_max);
    }
  }
}

TEST(Leaf, CommitsToItsPayloadAndToNoOther) {
  Leaf leaf = make_leaf(LeafClass::clear, 1, view("hello"));
  EXPECT_TRUE(commits_to(leaf, view("hello")));
  EXPECT_FALSE(commits_to(leaf, view("hellO")));
  EXPECT_FALSE(commits_to(leaf, view("hello ")));
  EXPECT_FALSE(commits_to(leaf, {}));
  leaf.payload_bytes = 6;  // The hash fits, the length does not.
  EXPECT_FALSE(commits_to(leaf, view("hello")));
}

TEST(Leaf, HasOnlyOneEncoding) {
  EXPECT_TRUE(decode_leaf(with_line(9, "")));  // The control: nothing changed.
  const std::vector<std::pair<std::size_t, std::string_view>> bad{
      {0, "kith/leaf/v2"},
      {0, "kith/leaf/v1 "},
      {0, ""},
      {0, "kith/leaf/v1\r"},
      {1, "x"},
      {1, "R"},
      {1, ""},
      {1, "rr"},
      {1, "r "},
      {2, "01"},
      {2, ""},
      {2, "+1"},
      {2, "-1"},
      {2, " 1"},
      {2, "1.0"},
      {2, "0x1"},
      {2, "18446744073709551616"},  // 2^64.
      {3, "05"},
      {3, ""},
      {3, "-5"},
      {3, "5 "},
      {4, "Mk3PAn3UowqTLEQfNlol6GsXPe+kuOWJSCU0cbgbcs8"},   // No padding.
      {4, "Mk3PAn3UowqTLEQfNlol6GsXPe+kuOWJSCU0cbgbcs9="},  // Spare bits are set.
      {4, "Mk3PAn3UowqTLEQfNlol6GsXPe-kuOWJSCU0cbgbcs8="},  // The URL alphabet.
      {4, "Mk3PAn3UowqTLEQfNlol6GsXPe+kuOWJSCU0cbgb"},      // 30 bytes.
      {4, "Mk3PAn3UowqTLEQfNlol6GsXPe+kuOWJSCU0cbgbcs8A"},  // 33 bytes.
      {4, "Mk3PAn3UowqTLEQfNlol6GsXPe+kuOWJSCU0cbgbcs8=\n"},
      {4, ""}};
  for (const auto& [line, text] : bad) EXPECT_EQ(refusal(with_line(line, text)), Errc::malformed);

  EXPECT_EQ(refusal(""), Errc::malformed);
  EXPECT_EQ(refusal(known_leaf.substr(0, known_leaf.size() - 1)), Errc::malformed);
  EXPECT_EQ(refusal(std::string(known_leaf) + "x"), Errc::malformed);
  EXPECT_EQ(refusal(std::string(known_leaf) + "x\n"), Errc::malformed);
  EXPECT_EQ(refusal("\n" + std::string(known_leaf)), Errc::malformed);
  EXPECT_EQ(refusal(std::string(1000, '1')), Errc::malformed);
}

TEST(Leaf, OfAPayloadBeyondTheLimitIsRefusedAsTooLarge) {
  EXPECT_TRUE(decode_leaf(with_line(3, "1048576")));
  EXPECT_EQ(refusal(with_line(3, "1048577")), Errc::too_large);
  EXPECT_EQ(refusal(with_line(3, "99999999999999999999")), Errc::too_large);
}

TEST(Leaf, EverySingleBitFlipIsRefusedOrSaysSomethingElse) {
  const auto original = decode_leaf(known_leaf);
  ASSERT_TRUE(original);
  for (std::size_t bit = 0; bit < known_leaf.size() * 8; ++bit) {
    std::string text(known_leaf);
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
    const auto leaf = decode_leaf(text);
    if (!leaf) continue;
    EXPECT_NE(*leaf, *original) << bit;
    EXPECT_EQ(encode_leaf(*leaf), text);
  }
}

TEST(Bundle, IsLengthsAndLeaves) {
  Bytes bundle;
  append_to_bundle(bundle, view("one"));
  append_to_bundle(bundle, {});
  append_to_bundle(bundle, view(std::string(300, 'x')));
  ASSERT_EQ(bundle.size(), 2 + 3 + 2 + 2 + 300U);
  EXPECT_EQ(to_hex(BytesView(bundle).first(9)), "00036f6e650000012c");

  const auto leaves = split_bundle(bundle, 3);
  ASSERT_TRUE(leaves);
  ASSERT_EQ(leaves->size(), 3U);
  EXPECT_EQ(text((*leaves)[0]), "one");
  EXPECT_EQ((*leaves)[1].size(), 0U);
  EXPECT_EQ((*leaves)[2].size(), 300U);
  EXPECT_TRUE(split_bundle({}, 0)->empty());
}

TEST(Bundle, WithMoreLeavesThanAskedForIsRefused) {
  Bytes bundle;
  for (int i = 0; i < 257; ++i) append_to_bundle(bundle, view("x"));
  EXPECT_EQ(split_bundle(bundle, 256).error().code, Errc::too_large);
  EXPECT_EQ(split_bundle(bundle, 257)->size(), 257U);
}

TEST(Bundle, CutOffAnywhereWithinALeafIsRefused) {
  Bytes bundle;
  append_to_bundle(bundle, view("one"));
  append_to_bundle(bundle, view("three"));
  for (std::size_t size = 1; size < bundle.size(); ++size) {
    const auto leaves = split_bundle(BytesView(bundle).first(size), 256);
    if (size == 5) {  // Exactly the first leaf.
      EXPECT_TRUE(leaves);
    } else {
      ASSERT_FALSE(leaves) << size;
      EXPECT_EQ(leaves.error().code, Errc::malformed);
    }
  }
}

TEST(BundleDeathTest, StopsRatherThanWriteALengthThatDoesNotFit) {
  Bytes bundle;
  append_to_bundle(bundle, Bytes(65'535));
  EXPECT_EQ(split_bundle(bundle, 1)->front().size(), 65'535U);
  EXPECT_DEATH(append_to_bundle(bundle, Bytes(65'536)), "internal error");
}

}  // namespace
}  // namespace kith
