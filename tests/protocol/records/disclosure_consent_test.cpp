#include "protocol/records/disclosure_consent.hpp"

#include <gtest/gtest.h>

#include "protocol/base/limits.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith {
namespace {

const RecordId one{{1}};
const RecordId two{{2}};
const RecordId three{{3}};

DisclosureConsent of_records() { return {"auditor", "audit", false, {one, two}}; }

TEST(DisclosureConsent, ComesBackAsItWasWhateverItsWords) {
  for (const char* words : {"auditor", "a \"quoted\" one", "back\\slash", "# no comment", "a: b",
                            "- x", "[1, 2]", "null", "Zoë's für alle", "'", "{}", "log"}) {
    for (const bool whole : {true, false}) {
      const DisclosureConsent consent{words, words, whole,
                                      whole ? std::vector<RecordId>{} : std::vector{one, two}};
      const auto read = read_disclosure_consent(make_disclosure_consent(consent));
      ASSERT_TRUE(read) << words << ": " << read.error().detail;
      EXPECT_EQ(*read, consent) << words;
    }
  }
}

TEST(DisclosureConsent, CoversWhatItNamesAndNoMore) {
  const DisclosureConsent some = of_records();
  EXPECT_TRUE(some.covers("auditor", "audit", {one, two}));
  EXPECT_TRUE(some.covers("auditor", "audit", {two}));
  EXPECT_FALSE(some.covers("auditor", "audit", {one, three}));
  EXPECT_FALSE(some.covers("auditor", "audit", {})) << "that is the whole log";
  EXPECT_FALSE(some.covers("Auditor", "audit", {one}));
  EXPECT_FALSE(some.covers("auditor", "audit ", {one}));
  EXPECT_FALSE(some.covers("auditor", "", {one}));
  const DisclosureConsent all{"auditor", "audit", true, {}};
  EXPECT_TRUE(all.covers("auditor", "audit", {}));
  EXPECT_TRUE(all.covers("auditor", "audit", {three}));
  EXPECT_FALSE(all.covers("another", "audit", {}));
}

TEST(DisclosureConsent, RefusesWhatIsNone) {
  const auto document = [](const std::string& lines) {
    return "---\nkind: disclosure_consent\n" + lines + "---\n\ntext\n";
  };
  const std::string words = "recipient: a\npurpose: b\n";
  const std::string id = std::string(51, 'a') + "a";
  EXPECT_TRUE(read_disclosure_consent(document(words + "opens: log\n")));
  EXPECT_TRUE(read_disclosure_consent(document(words + "opens: records\nrecords: " + id + "\n")));
  for (const std::string& lines :
       {words, std::string("opens: log\n"), words + "opens: all\n", words + "opens: records\n",
        words + "opens: log\nrecords: " + id + "\n",
        words + "opens: records\nrecords: " + id.substr(1) + "\n",
        words + "opens: records\nrecords: " + id + "\nmore: x\n",
        "recipient: " + std::string(limits::recipient_bytes_max + 1, 'x') +
            "\npurpose: b\nopens: log\n"}) {
    EXPECT_FALSE(read_disclosure_consent(document(lines))) << lines;
  }
  EXPECT_FALSE(read_disclosure_consent("---\nkind: document\nrecipient: a\n---\ntext\n"));
  DisclosureConsent many = of_records();
  many.records.assign(limits::disclosed_records_max, one);
  EXPECT_TRUE(read_disclosure_consent(make_disclosure_consent(many)));
  many.records.push_back(one);
  EXPECT_FALSE(read_disclosure_consent(make_disclosure_consent(many)));
}

TEST(DisclosureConsent, BindsTheMemberAndCanBeErased) {
  const KindSpec* kind = find_kind(disclosure_consent_kind);
  ASSERT_NE(kind, nullptr);
  EXPECT_TRUE(kind->needs_speak);
  EXPECT_EQ(kind->leaf_class, LeafClass::record) << "its words may name somebody";
  const Parsed parsed = parse_document(make_disclosure_consent(of_records()));
  EXPECT_EQ(parsed.document.title, "Consent to open 2 entries to auditor");
}

}  // namespace
}  // namespace kith
