#include <gtest/gtest.h>

#include "protocol/records/document.hpp"

/// What would be shared as plain text by a slip of the hand, and what may look like it.
namespace kith {
namespace {

TEST(MistakenForm, TakesNoSlipForAFieldOfItsOwn) {
  for (const char* slip : {"knd", "Kind", "kinds", "kidn", "knid", "kin", "KIND"}) {
    const auto parsed =
        parse_document("---\ntitle: x\n" + std::string(slip) + ": practice\n---\ntext\n");
    ASSERT_EQ(parsed.complaints.size(), 1U) << slip;
    EXPECT_EQ(parsed.complaints[0].line, 3U);
    EXPECT_EQ(parsed.complaints[0].field, slip);
    EXPECT_NE(parsed.complaints[0].said.find("write \"kind:\""), std::string::npos);
  }
  for (const char* other : {"find", "layout", "keywords", "kindness", "k"}) {
    EXPECT_TRUE(
        parse_document("---\n" + std::string(other) + ": x\n---\ntext\n").complaints.empty())
        << other;
  }
  EXPECT_TRUE(parse_document("---\nkind: document\nkinds: many\n---\ntext\n").complaints.empty())
      << "with a kind there is no doubt";
}

TEST(MistakenForm, AFormIsNoPlainTextForALineThatIsMissing) {
  const auto only = [](const std::string& file, std::size_t line, const std::string& said) {
    const auto parsed = parse_document(file);
    ASSERT_EQ(parsed.complaints.size(), 1U) << file;
    EXPECT_EQ(parsed.complaints[0].line, line);
    EXPECT_EQ(parsed.complaints[0].field, "kind");
    EXPECT_NE(parsed.complaints[0].said.find(said), std::string::npos) << parsed.complaints[0].said;
  };
  const std::string fields = "title: x\nproblem: y\nprocedures: z\n";
  only("---\n" + fields + "---\ntext\n", 1, "write \"kind: practice\"");
  only("\n---\nkind: practice\n" + fields + "---\ntext\n", 3, "begin the file with");
  only("----\nkind: practice\n" + fields + "----\ntext\n", 2, "begin the file with");
  EXPECT_TRUE(parse_document("---\ntitle: x\nresults: y\n---\ntext\n").complaints.empty())
      << "one such field may mean anything";
  EXPECT_TRUE(parse_document("What kind: practice or theory?\n").complaints.empty());
  EXPECT_TRUE(parse_document("kind: regards\n").complaints.empty());
  only("kind : \"practice\"\nresults: x\n", 1, "kind: document");
  only("title: x\nresults: y\nkind: practice\n", 3, "kind: document");
  only("kind: consent\nkind: practice\nresults: y\n", 2, "kind: document");
  EXPECT_TRUE(parse_document("Write:\n\n    kind: practice\n    title: x\n").complaints.empty());
  EXPECT_TRUE(parse_document("# How to\n\n```\n---\nkind: practice\nproblem: x\n---\n```\n")
                  .complaints.empty());
  EXPECT_TRUE(parse_document("---\nkind: document\n" + fields + "kid: yes\n---\ntext\n")
                  .complaints.empty());
  const auto slip = parse_document("---\ntitle: Kept\nkinds: [a]\n---\n# Other\n");
  EXPECT_EQ(slip.document.title, "Kept") << "it is shown as before, whoever let it through";
}

}  // namespace
}  // namespace kith
