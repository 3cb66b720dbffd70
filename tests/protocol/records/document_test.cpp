#include "protocol/records/document.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "protocol/base/limits.hpp"
#include "protocol/records/field_check.hpp"
#include "protocol/records/kind_table.hpp"
#include "protocol/records/outline.hpp"
#include "protocol/schema/record_codec.hpp"
#include "tests/support/shared.hpp"

namespace kith {
namespace {

const std::string good_practice =
    "---\n"
    "kind: practice\n"
    "title: Falls round at eight\n"
    "problem: Falls before breakfast were twice as many as at any other time.\n"
    "procedures: |\n"
    "  1. Walk the bay.\n"
    "  2. Ask: \"anything out of reach?\"\n"
    "results: Too early to say.\n"
    "keywords: [falls, mornings]\n"
    "state: testing\n"
    "contact_role: ward manager\n"
    "---\n"
    "\n"
    "Come and see it.\n";

const std::string good_reply =
    "---\nkind: reply\nto: abcd2345\nreply_kind: question\n---\nDid night staff mind?\n";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

std::vector<Complaint> complaints(const std::string& file) {
  return parse_document(file).complaints;
}

/// The only complaint about `file`.
Complaint complaint(const std::string& file) {
  const auto all = complaints(file);
  EXPECT_EQ(all.size(), 1U) << describe("file.md", all);
  return all.empty() ? Complaint{} : all.front();
}

TEST(Document, APracticeIsRead) {
  const Parsed parsed = parse_document(good_practice);
  EXPECT_EQ(describe("f", parsed.complaints), "");
  const Document& document = parsed.document;
  EXPECT_EQ(document.kind, "practice");
  EXPECT_EQ(document.title, "Falls round at eight");
  EXPECT_EQ(document.text, "\nCome and see it.\n");
  ASSERT_EQ(document.fields.size(), 7U);
  EXPECT_EQ(document.fields[0], (Field{"title", {"Falls round at eight"}, 3}));
  EXPECT_EQ(*document.find("keywords"), (Field{"keywords", {"falls", "mornings"}, 9}));
  EXPECT_EQ(document.find("procedures")->values[0],
            "1. Walk the bay.\n2. Ask: \"anything out of reach?\"");
  EXPECT_EQ(document.find("kind"), nullptr);
  EXPECT_EQ(document.find("limits"), nullptr);
}

TEST(Document, AReplyIsRead) {
  const Parsed parsed = parse_document(good_reply);
  EXPECT_EQ(describe("f", parsed.complaints), "");
  EXPECT_EQ(parsed.document.kind, "reply");
  EXPECT_EQ(parsed.document.text, "Did night staff mind?\n");
  EXPECT_EQ(parsed.document.title, "Did night staff mind?");
}

TEST(Document, AByteOrderMarkAndWindowsLineEndsDoNoHarm) {
  std::string file = "\xEF\xBB\xBF";
  for (const char c : good_practice) file += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const Parsed parsed = parse_document(file);
  EXPECT_EQ(describe("f", parsed.complaints), "");
  EXPECT_EQ(parsed.document.find("state")->line, 10U);
  EXPECT_EQ(parsed.document.text, "\r\nCome and see it.\r\n");
}

TEST(Document, AMarkdownFieldMayBeASectionOfTheText) {
  std::string file = replaced(good_practice, "results: Too early to say.\n", "");
  file = replaced(file, "state: testing\n", "");
  file +=
      "\n# RESULTS\nHalf as many.\n## By ward\nA4 most.\n"
      "```\n# Results\n```\n## Cost-time ##\nOne hour.\n## Then\nMore.\n# Other\nNot this.\n";
  const Parsed parsed = parse_document(file);
  EXPECT_EQ(describe("f", parsed.complaints), "");
  EXPECT_EQ(*parsed.document.find("results"),
            (Field{"results", {"Half as many.\n## By ward\nA4 most.\n```\n# Results\n```"}, 14}));
  EXPECT_EQ(*parsed.document.find("cost_time"), (Field{"cost_time", {"One hour."}, 21}));
}

TEST(Document, TheFrontMatterGoesBeforeASection) {
  const Parsed parsed = parse_document(good_practice + "## Results\nOther words.\n");
  EXPECT_EQ(describe("f", parsed.complaints), "");
  EXPECT_EQ(parsed.document.find("results")->values[0], "Too early to say.");
}

TEST(Document, ASectionGivesMarkdownFieldsAlone) {
  const std::string file =
      replaced(good_practice, "contact_role: ward manager\n", "") + "## Contact role\nMatron\n";
  EXPECT_EQ(complaint(file).field, "contact_role");
}

TEST(Document, EachMissingFieldIsNamedWithWhatToDo) {
  EXPECT_EQ(describe("fall.md", complaints("---\nkind: practice\ntitle:\n---\nText.\n")),
            "fall.md:3: title: is missing; say in one line what is done and for whom\n"
            "fall.md:4: problem: is missing; say what was wrong, where, and how you knew; groups "
            "of people, no persons\n"
            "fall.md:4: procedures: is missing; say what people do, step by step, so that others "
            "could do it\n"
            "fall.md:4: results: is missing; say what happened, with figures where you have them; "
            "\"too early\" is an answer\n"
            "fall.md:4: contact_role: is missing; name the role to talk to, for instance the ward "
            "manager of A4; no person's name\n");
}

TEST(Document, BlankCountsAsMissing) {
  for (const char* blank : {"results:", "results: \"  \"", "results: ~", "results: |\n  "}) {
    const Complaint said = complaint(replaced(good_practice, "results: Too early to say.", blank));
    EXPECT_EQ(said.line, 8U);
    EXPECT_TRUE(said.said.starts_with("is missing; ")) << said.said;
  }
}

TEST(Document, AnUnknownFieldNamesTheNearest) {
  const Complaint near = complaint(replaced(good_practice, "state:", "staet:"));
  EXPECT_EQ(near, (Complaint{10, "staet", "is not a field of practice; did you mean \"state\"?"}));
  EXPECT_EQ(complaint(replaced(good_practice, "state:", "Key-Word:")).said,
            "is not a field of practice; did you mean \"keywords\"?");
  const Complaint far = complaint(replaced(good_reply, "to:", "to: abcd\nweather:"));
  EXPECT_EQ(far, (Complaint{4, "weather", "is not a field of reply; choose to or reply_kind"}));
}

TEST(Document, AFieldGivenTwiceNamesBothLines) {
  const Complaint said =
      complaint(replaced(good_practice, "state: testing\n", "state: testing\nstate: idea\n"));
  EXPECT_EQ(said, (Complaint{11, "state", "is given twice, also in line 10; keep one"}));
  EXPECT_EQ(complaint(replaced(good_practice, "state:", "kind: reply\nstate:")).field, "kind");
}

TEST(Document, AnUnknownKindNamesTheNearest) {
  EXPECT_EQ(complaint(replaced(good_practice, "practice", "practise")),
            (Complaint{2, "kind",
                       "\"practise\" is not something that people write; did you mean "
                       "\"practice\"?"}));
  for (const char* other : {"founding", "consent", "heat map", "\"\"", "", "[practice]x", "{a: b}",
                            "[reply, practice]", "&a practice"}) {
    const Parsed parsed =
        parse_document(std::string("---\ntitle: a\nkind: ") + other + "\n---\nText.\n");
    EXPECT_EQ(parsed.complaints.size(), 1U) << other;
  }
}

TEST(Document, AWrongWordIsShownWithTheChoice) {
  EXPECT_EQ(complaint(replaced(good_practice, "state: testing", "state: tasting")).said,
            "\"tasting\" is not one of its words; did you mean \"testing\"?");
  EXPECT_EQ(complaint(replaced(good_reply, "question", "whatever")),
            (Complaint{4, "reply_kind",
                       "\"whatever\" is not one of its words; choose question, answer, offer, "
                       "challenge, thanks or note"}));
}

TEST(Document, AReferenceIsARecordIdOrItsBeginning) {
  for (const char* bad : {"abc", "ABCD2345", "abcd-234", "0189"}) {
    const Complaint said = complaint(replaced(good_reply, "abcd2345", bad));
    EXPECT_EQ(said.field, "to") << bad;
  }
  EXPECT_EQ(complaint(replaced(good_reply, "abcd2345", std::string(53, 'a'))).line, 3U);
  EXPECT_TRUE(complaints(replaced(good_reply, "abcd2345", std::string(52, 'a'))).empty());
}

TEST(Document, AReplyNeedsItsText) {
  const Complaint said = complaint(replaced(good_reply, "Did night staff mind?", " "));
  EXPECT_EQ(said, (Complaint{5, "text",
                             "is missing; write your reply below the second line of three "
                             "dashes"}));
}

TEST(Document, ValuesAreOfTheirFieldsForm) {
  const auto said = [](const std::string& value) {
    return complaint(replaced(good_practice, "Falls round at eight", value)).said;
  };
  EXPECT_EQ(said("[a, b]"), "holds a list; write one value");
  EXPECT_EQ(said("[a]"), "holds a list; write one value");
  EXPECT_EQ(said("\"a\\nb\""), "has several lines; keep it on one");
  EXPECT_EQ(said("{a: b}"), "has named parts or a list within a list; write a plain value");
  EXPECT_EQ(said("&name Falls"), "uses a YAML alias, anchor or tag; write the value itself");
  EXPECT_EQ(said("!!str Falls"), "uses a YAML alias, anchor or tag; write the value itself");
  EXPECT_EQ(complaint(replaced(good_practice, "[falls, mornings]", "[a, [b]]")).said,
            "has named parts or a list within a list; write a plain value");
  EXPECT_EQ(complaint(replaced(good_practice, "[falls, mornings]", "[a, \"b\\nc\"]")).said,
            "has an item of several lines; keep each item on one line");
  EXPECT_EQ(parse_document(replaced(good_practice, "[falls, mornings]", "falls"))
                .document.find("keywords")
                ->values,
            std::vector<std::string>{"falls"});
}

TEST(Document, AnAliasIsRefusedInEveryPlace) {
  const std::string anchored =
      replaced(good_practice, "Falls round at eight", "&t Falls round at eight");
  for (const char* alias : {"state: *t", "keywords: [*t, *t]"}) {
    const auto all = complaints(
        replaced(anchored, "results: Too early to say.", std::string("results: a\n") + alias));
    EXPECT_GE(all.size(), 2U) << alias;
  }
  EXPECT_FALSE(complaints(replaced(anchored, "state:", "*t :")).empty());
}

TEST(Document, BrokenFrontMatterIsShownWithItsLine) {
  const Complaint colon =
      complaint(replaced(good_practice, "Too early to say.", "early: too: say"));
  EXPECT_EQ(colon.line, 8U);
  EXPECT_TRUE(colon.said.starts_with("the front matter cannot be read (")) << colon.said;
  EXPECT_NE(colon.said.find("quotes"), std::string::npos);
  for (const char* open : {"\"no end\n", "'no end\n\n", "\"no end\nresults: a\n", "[a, b\n"}) {
    const std::string file = std::string("---\nkind: practice\ntitle: ") + open + "---\nText.\n";
    EXPECT_GE(complaint(file).line, 3U) << open;
    EXPECT_EQ(complaint(file).field, "") << open;
  }
  EXPECT_EQ(complaint("---\n- a\nkind: reply\n---\nText.\n").field, "");
  EXPECT_EQ(complaint("---\nkind:reply\n---\nText.\n").line, 2U);
  EXPECT_NE(complaint("---\nkind: reply\n--- a\n---\nText.\n").said.find("second YAML"),
            std::string::npos);
  EXPECT_EQ(complaint("---\nkind: reply\n...\na: b\n---\nText.\n").line, 4U);
  EXPECT_EQ(complaint("---\nkind: reply\nto: a\x01\n---\nText.\n").line, 3U);
}

TEST(Document, FrontMatterWithoutAnEndSaysSo) {
  EXPECT_EQ(complaint("---\nkind: reply\nto: abcd\n").said,
            "the front matter has no end; write a line of three dashes after its last field");
  EXPECT_TRUE(complaints("---\nA text below a line of dashes.\n").empty());
}

TEST(Document, WhatIsNoTextIsRefused) {
  EXPECT_EQ(complaint(""), (Complaint{0, "", "is empty; write something"}));
  EXPECT_EQ(complaint(" \n\t\r\n").said, "is empty; write something");
  EXPECT_EQ(complaint(std::string("GIF\0a", 5)),
            (Complaint{0, "", "is not a text file; write it as plain text or Markdown"}));
  EXPECT_EQ(complaint("one\ntwo\ncaf\xE9\n"),
            (Complaint{3, "", "holds bytes that are not UTF-8; save the file as UTF-8"}));
  const std::string most(limits::document_bytes_max, 'a');
  EXPECT_TRUE(complaints(most).empty());
  EXPECT_EQ(complaint(most + "a").said, "is larger than 960 KiB; shorten it");
}

TEST(Document, WithoutAKindAnyMarkdownIsADocument) {
  const Parsed plain = parse_document("Just words.\n\n# A heading\n");
  EXPECT_TRUE(plain.complaints.empty());
  EXPECT_EQ(plain.document.kind, "document");
  EXPECT_EQ(plain.document.title, "A heading");
  EXPECT_EQ(parse_document("\n  Just words.\nMore.\n").document.title, "Just words.");
  const std::string named =
      "---\ntitle: \"Named\"\nauthor: {a: b}\nanything: [x, y]\nempty:\n---\nWords.\n";
  const Parsed front = parse_document(named);
  EXPECT_TRUE(front.complaints.empty());
  EXPECT_EQ(front.document.title, "Named");
  EXPECT_EQ(front.document.find("anything")->values.size(), 2U);
  EXPECT_EQ(front.document.find("author"), nullptr);
  EXPECT_EQ(front.document.text, "Words.\n");
  EXPECT_TRUE(complaints("---\nkind: document\nwhatever: x\n---\nWords.\n").empty());
}

TEST(Document, WithoutAKindBrokenFrontMatterIsKept) {
  for (const char* front : {"a: b: c", "title: \"no end", "- a list", "*alias", "\t- tab: x",
                            "a word", "{{{{", "%directive"}) {
    const std::string file = std::string("---\n") + front + "\n---\nWords.\n";
    const Parsed parsed = parse_document(file);
    EXPECT_EQ(describe(front, parsed.complaints), "");
    EXPECT_EQ(parsed.document.kind, "document");
    EXPECT_EQ(parsed.document.text, "Words.\n");
  }
}

TEST(Document, LargeAndDeepFrontMatterCostsLittle) {
  const auto began = std::chrono::steady_clock::now();
  for (const std::string& unit :
       {std::string("["), std::string("{a: "), std::string("- "), std::string("? "),
        std::string("&a "), std::string("!!a "), std::string("a:\n "), std::string("a: [*a,"),
        std::string("|\n"), std::string("\"a\": ")}) {
    std::string front;
    while (front.size() < 60 * 1024) front += unit;
    (void)complaints("---\nkind: practice\nx: " + front + "\n---\nText.\n");
    (void)complaints("---\n" + front + "\n---\nText.\n");
  }
  std::string bomb = "a: &a " + std::string(30'000, 'x') + "\nb: [";
  for (int i = 0; i < 10'000; ++i) bomb += "*a,";
  const Parsed parsed = parse_document("---\n" + bomb + "]\n---\nText.\n");
  EXPECT_TRUE(parsed.complaints.empty());
  EXPECT_EQ(parsed.document.find("b"), nullptr);
  EXPECT_EQ(complaint("---\nkind: practice\nx: " + std::string(65 * 1024, 'a') + "\n---\n").said,
            "the front matter is larger than 64 KiB; move text below it");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(60));
}

TEST(Document, EveryDocumentOfTheFieldIsAcceptedAsItIs) {
  KITH_NEEDS_SHARED();
  std::size_t read = 0;
  for (const char* folder : {"data/nhsr-blog", "data/rap-cop"}) {
    for (const std::string& path : testing::files_below(*testing::shared_path(folder))) {
      if (!path.ends_with(".md")) continue;
      ++read;
      const std::string file = testing::read_whole(path);
      const Parsed parsed = parse_document(file);
      EXPECT_EQ(describe(path, parsed.complaints), "");
      EXPECT_EQ(parsed.document.kind, "document");
      EXPECT_FALSE(parsed.document.title.empty()) << path;
      EXPECT_TRUE(file.ends_with(parsed.document.text));
      if (path.find("nhsr-blog") != std::string::npos) {
        EXPECT_NE(parsed.document.find("title"), nullptr) << path;
        EXPECT_NE(parsed.document.find("categories"), nullptr) << path;
      }
    }
  }
  EXPECT_GE(read, 41U);
}

TEST(Form, FilledInItParses) {
  for (const KindSpec& kind : kinds()) {
    if (!kind.is_document) {
      EXPECT_EQ(make_form(kind.name), "");
      continue;
    }
    std::string form = make_form(kind.name);
    for (const FieldSpec& field : kind.fields) {
      const std::string name = "\n" + std::string(field.name) + ":";
      if (!field.required) {
        EXPECT_EQ(form.find(name), std::string::npos) << field.name;
        continue;
      }
      switch (field.type) {
        case FieldType::markdown:
          form =
              replaced(form, name + " |\n  \n", name + " |\n  What: it \"was\" # like.\n\n  So.\n");
          break;
        case FieldType::text:
          form = replaced(form, name + " \"\"", name + " \"A: b\"");
          break;
        case FieldType::reference:
          form = replaced(form, name, name + " abcd2345");
          break;
        case FieldType::word:
          form = replaced(form, name,
                          name + " " + std::string(field.words.substr(0, field.words.find('/'))));
          break;
        default:
          FAIL() << field.name;
      }
    }
    const Parsed parsed = parse_document(form + "What I want to say.\n");
    EXPECT_EQ(describe("form", parsed.complaints), "");
    EXPECT_EQ(parsed.document.kind, kind.name);
  }
  EXPECT_EQ(make_form("nothing"), "");
}

TEST(Form, UnfilledItComplainsOfEachRequiredFieldInItsLine) {
  const std::string form = make_form("practice");
  const auto all = complaints(form);
  ASSERT_EQ(all.size(), 5U) << describe("form", all);
  for (const Complaint& one : all) {
    std::size_t at = 0;
    std::string_view line;
    for (std::size_t number = 0; number < one.line; ++number) line = take_line(form, at);
    EXPECT_TRUE(line.starts_with(one.field + ":")) << line;
  }
}

TEST(Form, AnOptionalFieldIsUsedByTakingTheHashAway) {
  std::string form = make_form("practice");
  for (const FieldSpec& field : find_kind("practice")->fields) {
    if (field.required) continue;
    const std::string by = field.type == FieldType::word ? " working here" : " x";
    form = replaced(form, "\n#" + std::string(field.name) + ":",
                    "\n" + std::string(field.name) + ":" + by);
  }
  EXPECT_EQ(complaints(form).size(), 5U) << describe("form", complaints(form));
}

TEST(KindTable, EveryKindAndFieldIsComplete) {
  for (const char* name : {"practice", "reply", "document", "disclosure_consent", "founding",
                           "profile", "proposal", "consent", "seen", "keygrant"}) {
    ASSERT_NE(find_kind(name), nullptr) << name;
  }
  EXPECT_EQ(kinds().size(), 10U);
  EXPECT_EQ(find_kind("gossip"), nullptr);
  for (const KindSpec& kind : kinds()) {
    EXPECT_TRUE(is_kind_word(kind.name));
    EXPECT_TRUE(kind.help.ends_with('.')) << kind.name;
    EXPECT_EQ(kind.is_document, kind.leaf_class == LeafClass::record);
    for (const FieldSpec& field : kind.fields) {
      EXPECT_TRUE(is_kind_word(field.name)) << field.name;
      EXPECT_TRUE(field.help.ends_with('.')) << field.name;
      EXPECT_EQ(field.words.empty(), field.type != FieldType::word) << field.name;
      EXPECT_EQ(kind.find(field.name), &field);
    }
  }
}

TEST(FieldCheck, DatesAreDaysThatExist) {
  const FieldSpec date{"since", FieldType::date, true, "Since when.", "", ""};
  for (const char* good : {"2024-02-29", "2000-02-29", "1999-12-31"}) {
    EXPECT_FALSE(wrong_value(date, {good})) << good;
  }
  for (const char* bad : {"2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-04-31",
                          "2024-4-01", "24-04-01", "2024/04/01", "yesterday", "2024-01-0x"}) {
    EXPECT_TRUE(wrong_value(date, {bad})) << bad;
  }
}

TEST(FieldCheck, IntegersAreDigitsAlone) {
  const FieldSpec integer{"count", FieldType::integer, true, "How many.", "", ""};
  for (const char* good : {"0", "7", "-12", "9223372036854775807"}) {
    EXPECT_FALSE(wrong_value(integer, {good})) << good;
  }
  for (const char* bad : {"-", "1.5", "007", "seven", "1 000", "9223372036854775808", "+1"}) {
    EXPECT_TRUE(wrong_value(integer, {bad})) << bad;
  }
}

TEST(Outline, HeadingsAreFoundOutsideCodeAlone) {
  const std::string text =
      "# One\n#No\n   ## Two ##\n    # code\n```\n# in\n~~~\n```` \n# Three #x\n####### "
      "no\n#\n~~~\n# in";
  std::string seen;
  for (const Heading& heading : headings(text, 1)) {
    seen += std::to_string(heading.line) + ":" + std::to_string(heading.level) + ":" +
            std::string(heading.title) + "|";
  }
  EXPECT_EQ(seen, "1:1:One|3:2:Two|9:1:Three #x|11:1:|");
}

TEST(Describe, OneLineForEachComplaint) {
  EXPECT_EQ(describe("a.md", {{0, "", "is empty"}, {3, "to", "is missing"}, {4, "", "is broken"}}),
            "a.md: is empty\na.md:3: to: is missing\na.md:4: is broken\n");
}

TEST(Document, ValueIsTheFirstOfAField) {
  const auto parsed = parse_document("---\na: x\nb: [y, z]\nc:\n---\ntext\n");
  EXPECT_EQ(parsed.document.value("a"), "x");
  EXPECT_EQ(parsed.document.value("b"), "y");
  EXPECT_EQ(parsed.document.value("c"), "");
  EXPECT_EQ(parsed.document.value("d"), "");
  EXPECT_EQ(parsed.document.front_end_line, 5U);
  EXPECT_EQ(parse_document("text\n").document.front_end_line, 0U);
}

}  // namespace
}  // namespace kith
