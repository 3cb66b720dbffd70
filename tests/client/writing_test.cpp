#include "client/key_store.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/record.hpp"
#include "tests/client/bench.hpp"

namespace kith::client {
namespace {

class WritingBench : public Bench {
 public:
  explicit WritingBench(std::size_t records = 1) {
    author = make_author();
    daemon.on<local::StatusRequest>(some_status());
    daemon.on<local::ShowRequest>(some_practice());
    daemon.on<local::ListRequest>(local::ListAnswer{});
    local::MembersAnswer members;
    for (const char* code : {"ASH", "CALD"}) members.members.emplace_back().code = code;
    daemon.on<local::MembersRequest>(members);
    local::PublishAnswer answer{std::vector<local::PublishedRow>(records), 20, "note", ""};
    for (std::size_t i = 0; i < records; ++i) answer.records[i].index = 10 + i;
    daemon.on<local::PublishRequest>(answer);
  }

  std::vector<SignedRecord> sent() const {
    std::vector<SignedRecord> records;
    const auto* request = daemon.last<local::PublishRequest>();
    if (request == nullptr) return records;
    for (const Bytes& text : request->texts) {
      records.push_back(std::get<SignedRecord>(*decode_text(text)));
    }
    return records;
  }

  PublicKey author;
};

const std::string full_reference = to_base32(Bytes(32, 7));

TEST(New, WritesAFormThatOnlyNeedsFilling) {
  Bench bench;
  const Outcome outcome = bench.run({"new", "practice"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_EQ(outcome.out, make_form("practice"));
  EXPECT_TRUE(bench.daemon.asked.empty());
}

TEST(New, WritesAFileOnATerminalAndNeverOverOne) {
  Bench bench;
  bench.terminal = true;
  const Outcome outcome = bench.run({"new", "practice"});
  EXPECT_EQ(outcome.exit, Exit::ok);
  EXPECT_NE(outcome.out.find("kith publish practice.md"), std::string::npos);
  EXPECT_EQ(bench.read("practice.md"), make_form("practice"));

  bench.write("practice.md", "mine");
  EXPECT_EQ(bench.run({"new", "practice"}).exit, Exit::refused);
  EXPECT_EQ(bench.read("practice.md"), "mine");
  EXPECT_EQ(bench.run({"new", "practice", "--out", "other.md"}).exit, Exit::ok);
  EXPECT_EQ(bench.read("other.md"), make_form("practice"));
}

TEST(New, NamesTheFormsThereAre) {
  Bench bench;
  for (const char* kind : {"practise", "proposal", ""}) {
    const Outcome outcome = bench.run({"new", kind});
    EXPECT_EQ(outcome.exit, Exit::usage);
    EXPECT_NE(outcome.err.find("practice: "), std::string::npos);
  }
  EXPECT_EQ(bench.run({"new"}).exit, Exit::usage);
}

TEST(New, HasOneShapeInJson) {
  Bench bench;
  const auto json = bench.run({"new", "practice", "--json"}).json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"file", "form", "kind"}));
}

TEST(Publish, SignsTheFilesBytesAsOneBatch) {
  WritingBench bench(2);
  bench.write("a.md", good_practice());
  bench.write("b.md", "# Just a note\n");
  const Outcome outcome = bench.run({"publish", "a.md", "b.md"});
  ASSERT_EQ(outcome.exit, Exit::ok) << outcome.err;
  EXPECT_EQ(lines_of(outcome.out), 2U);
  EXPECT_NE(outcome.out.find("  practice  Falls on the night shift\n"), std::string::npos);
  EXPECT_NE(outcome.out.find("  document  Just a note\n"), std::string::npos);

  const auto sent = bench.sent();
  ASSERT_EQ(sent.size(), 2U);
  BatchVerifier verifier;
  const auto first = verifier.verify(sent[0], some_status().network, some_status().commons_log);
  const auto second = verifier.verify(sent[1], some_status().network, some_status().commons_log);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(sent[0].count, 2U);
  EXPECT_EQ(sent[0].signature, sent[1].signature);
  EXPECT_EQ(text(first->record.body), good_practice());
  EXPECT_EQ(first->record.kind, "practice");
  EXPECT_EQ(second->record.kind, "document");
  EXPECT_EQ(first->record.author, bench.author);
  EXPECT_EQ(first->record.time, bench.desk.now());
  EXPECT_FALSE(first->record.nonce == second->record.nonce);
}

TEST(Publish, WaitsUntilSoManyHaveConfirmedIt) {
  WritingBench bench;
  bench.write("a.md", "# A\n\ntext\n");
  local::ShowAnswer shown = some_practice();
  shown.witnesses = 4;
  shown.confirmed = 0;
  bench.daemon.on<local::ShowRequest>(local::Refusal{Errc::not_found, "not in the views yet"});
  bench.desk.wait = [&](std::chrono::milliseconds) {
    if (++bench.waits > 1) ++shown.confirmed;
    bench.daemon.on<local::ShowRequest>(shown);
  };
  EXPECT_EQ(bench.run({"publish", "a.md", "--wait-witnesses", "3"}).exit, Exit::ok);
  EXPECT_EQ(shown.confirmed, 3U);

  bench.desk.wait = [&](std::chrono::milliseconds) { ++bench.waits; };
  const Outcome late = bench.run({"publish", "a.md", "--again", "--wait-witnesses", "4"});
  EXPECT_EQ(late.exit, Exit::refused);
  EXPECT_NE(late.err.find("in ten minutes only 3 of 4"), std::string::npos) << late.err;
  EXPECT_NE(late.out, "") << "it is published all the same";
  const Outcome never = bench.run({"publish", "a.md", "--again", "--wait-witnesses", "5"});
  EXPECT_EQ(never.exit, Exit::usage);
  EXPECT_NE(never.err.find("only 4 others"), std::string::npos) << never.err;
}

TEST(Publish, PublishesNothingWhenOneFileIsWrongAndSaysAllThatIs) {
  WritingBench bench;
  bench.write("good.md", good_practice());
  bench.write("bad.md", "---\nkind: practice\ntitel: x\x1b[2J\n---\n");
  bench.write("empty.md", "");
  const Outcome outcome = bench.run({"publish", "good.md", "bad.md", "empty.md", "none.md"});
  EXPECT_EQ(outcome.exit, Exit::usage);
  EXPECT_NE(outcome.err.find("bad.md:"), std::string::npos);
  EXPECT_NE(outcome.err.find("empty.md"), std::string::npos);
  EXPECT_NE(outcome.err.find("none.md"), std::string::npos);
  EXPECT_EQ(outcome.err.find("good.md"), std::string::npos);
  EXPECT_TRUE(is_harmless(outcome.err));
  EXPECT_TRUE(bench.daemon.asked.empty());
}

TEST(Publish, SaysWhatIsWrongInJsonToo) {
  WritingBench bench;
  bench.write("bad.md", "---\nkind: practice\ntitel: x\n---\n");
  const auto json = bench.run({"publish", "bad.md", "--json"}).json();
  EXPECT_EQ(keys_of(json["error"]), (std::vector<std::string>{"code", "complaints", "message"}));
  EXPECT_EQ(keys_of(json["error"]["complaints"][0]),
            (std::vector<std::string>{"field", "file", "line", "said"}));
}

TEST(Publish, SaysWhoIsInTheRoomAndAsks) {
  WritingBench bench;
  bench.terminal = true;
  bench.write("a.md", good_practice());
  bench.input = "n\n";
  const Outcome no = bench.run({"publish", "a.md"});
  EXPECT_EQ(no.exit, Exit::refused);
  EXPECT_NE(no.err.find("  practice  Falls on the night shift  (a.md)\n"), std::string::npos);
  EXPECT_NE(no.err.find("1 entry for the 2 members of Learning Network:\n  ASH, CALD"),
            std::string::npos)
      << no.err;
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);

  bench.input = "y\n";
  EXPECT_EQ(bench.run({"publish", "a.md"}).exit, Exit::ok);
  bench.input = "";
  EXPECT_EQ(bench.run({"publish", "a.md", "--yes"}).exit, Exit::ok);
}

TEST(Publish, RefusesWhatWasPublishedBeforeUnlessToldTo) {
  WritingBench bench;
  bench.write("a.md", good_practice());
  local::RecordSummary ours = some_entry(7, "Falls on the night shift");
  ours.member = "ASH";
  ours.body_bytes = good_practice().size();
  local::RecordSummary theirs = ours;
  theirs.member = "CALD";
  bench.daemon.on<local::ListRequest>(local::ListAnswer{{theirs}, false});
  EXPECT_EQ(bench.run({"publish", "a.md"}).exit, Exit::ok) << "others may say the same";

  bench.daemon.on<local::ListRequest>(local::ListAnswer{{ours}, false});
  bench.daemon.on<local::ShowRequest>(some_practice());
  bench.daemon.asked.clear();
  const Outcome twice = bench.run({"publish", "a.md"});
  EXPECT_EQ(twice.exit, Exit::usage);
  EXPECT_NE(twice.err.find("was published before, as a4dqobyh"), std::string::npos) << twice.err;
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
  EXPECT_EQ(bench.run({"publish", "--again", "a.md"}).exit, Exit::ok);

  local::ShowAnswer alike = some_practice();
  alike.body.back() = '!';
  bench.daemon.on<local::ShowRequest>(alike);
  EXPECT_EQ(bench.run({"publish", "a.md"}).exit, Exit::ok) << "of one length, but another text";
}

TEST(Publish, RefusesOneTextUnderTwoNames) {
  WritingBench bench;
  bench.write("a.md", good_practice());
  bench.write("b.md", good_practice());
  const Outcome twice = bench.run({"publish", "a.md", "b.md"});
  EXPECT_EQ(twice.exit, Exit::usage);
  EXPECT_NE(twice.err.find("has the text of a.md"), std::string::npos);
}

TEST(Publish, NeverSharesASecretOfKith) {
  WritingBench bench;
  const SigningKey key(Seed::from(Bytes(32, 3)));
  std::string words;
  for (const std::string& word : recovery_words(Seed::from(Bytes(32, 4)))) {
    words += word + (words.size() % 40 > 33 ? "\n" : " ");
  }
  const std::pair<std::string, const char*> secrets[] = {{encode_key_file(key), "a key file"},
                                                         {"\nkith-invite v1\nx", "an invitation"},
                                                         {"kithd-identity v1\n", "the identity"},
                                                         {words, "the recovery words"}};
  for (const auto& [secret, what] : secrets) {
    bench.write("a.md", secret);
    const Outcome outcome = bench.run({"publish", "a.md"});
    EXPECT_EQ(outcome.exit, Exit::usage);
    EXPECT_NE(outcome.err.find(what), std::string::npos) << outcome.err;
    EXPECT_EQ(bench.run({"reply", "a4dq", "--file", "a.md"}).exit, Exit::usage);
  }
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
  bench.write("a.md", "How to keep a kith-key v1 file safe.\n");
  EXPECT_EQ(bench.run({"publish", "a.md"}).exit, Exit::ok);
}

TEST(Publish, ShowsAPersonAPageAndAScriptEveryLine) {
  WritingBench bench(30);
  std::vector<std::string> arguments = {"publish", "--yes"};
  for (int i = 0; i < 30; ++i) {
    arguments.push_back("note-" + std::to_string(i) + ".md");
    bench.write(arguments.back(), "# Note " + std::to_string(i) + "\n\ntext\n");
  }
  EXPECT_EQ(lines_of(bench.run(arguments).out), 30U);
  bench.terminal = true;
  const Outcome paged = bench.run(arguments);
  EXPECT_NE(paged.out.find("… and 20 more"), std::string::npos);
  EXPECT_EQ(paged.out.find("Note 12"), std::string::npos);
}

TEST(Publish, WritesShortReferencesOut) {
  WritingBench bench;
  bench.write("r.md",
              "---\nkind: reply\nto: a4dqobyh\nreply_kind: thanks\n---\nThanks, a4dqobyh.\n");
  ASSERT_EQ(bench.run({"publish", "r.md"}).exit, Exit::ok);
  EXPECT_EQ(bench.daemon.last<local::ShowRequest>()->id, "a4dqobyh");
  const auto record = decode_record(bench.sent()[0].record);
  EXPECT_EQ(text(record->body), "---\nkind: reply\nto: " + full_reference +
                                    "\nreply_kind: thanks\n---\nThanks, a4dqobyh.\n");
}

TEST(Publish, RefusesAReferenceWhoseLettersStandElsewhereFirst) {
  const std::vector<std::string> fronts = {
      "kind: reply\nto: \"\\x614dqobyh\"\nreply_kind: thanks",           // In the text.
      "kind: reply\nto:\n  # a4dqobyh\n  a4dqobyh\nreply_kind: thanks",  // In a comment.
      "{kind: reply, reply_kind: thanks, to: thank}",                    // In another field.
  };
  for (const std::string& front : fronts) {
    WritingBench bench;
    bench.write("r.md", "---\n" + front + "\n---\nThanks, a4dqobyh.\n");
    const Outcome outcome = bench.run({"publish", "r.md"});
    EXPECT_EQ(outcome.exit, Exit::usage) << front;
    EXPECT_NE(outcome.err.find("write to: and the id on one line"), std::string::npos) << front;
    EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr) << front;
  }
}

TEST(Publish, RefusesAReferenceThatTheDaemonDoesNotKnow) {
  WritingBench bench;
  bench.daemon.on<local::ShowRequest>(local::Refusal{Errc::not_found, "no entry a4dqobyh"});
  bench.write("r.md", "---\nkind: reply\nto: a4dqobyh\nreply_kind: thanks\n---\nThanks.\n");
  EXPECT_EQ(bench.run({"publish", "r.md"}).exit, Exit::refused);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
}

TEST(Publish, NeedsAMemberAndAKey) {
  WritingBench bench;
  bench.write("a.md", good_practice());
  local::StatusAnswer joining = some_status();
  joining.state = "joining";
  joining.state_detail = "3 of 5 agreed so far";
  bench.daemon.on<local::StatusRequest>(joining);
  const Outcome outcome = bench.run({"publish", "a.md"});
  EXPECT_EQ(outcome.exit, Exit::refused);
  EXPECT_NE(outcome.err.find("3 of 5 agreed so far"), std::string::npos);

  bench.daemon.on<local::StatusRequest>(some_status());
  std::filesystem::remove(bench.desk.key_file);
  EXPECT_EQ(bench.run({"publish", "a.md"}).exit, Exit::refused);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
}

TEST(Publish, TellsARefusalAndAnAnswerThatDoesNotFit) {
  WritingBench bench(3);
  bench.write("a.md", good_practice());
  EXPECT_EQ(bench.run({"publish", "a.md"}).exit, Exit::refused);
  bench.daemon.on<local::PublishRequest>(local::Refusal{Errc::forbidden, "not enrolled"});
  EXPECT_NE(bench.run({"publish", "a.md"}).err.find("not enrolled"), std::string::npos);
  EXPECT_EQ(bench.run({"publish"}).exit, Exit::usage);
  bench.daemon.unreachable = true;
  EXPECT_EQ(bench.run({"publish", "a.md"}).exit, Exit::unreachable);
}

TEST(Publish, HasOneShapeInJson) {
  WritingBench bench;
  bench.write("a.md", good_practice());
  const auto json = bench.run({"publish", "a.md", "--json"}).json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"checkpoint", "entries", "size", "waiting"}));
  EXPECT_EQ(keys_of(json["entries"][0]),
            (std::vector<std::string>{"file", "id", "index", "kind", "title"}));
  EXPECT_EQ(json["entries"][0]["index"], 10);
  EXPECT_EQ(json["entries"][0]["id"].get<std::string>().size(), 52U);
}

TEST(Reply, BuildsADocumentThatNamesTheWholeId) {
  WritingBench bench;
  const Outcome outcome =
      bench.run({"reply", "a4dq", "--as", "question", "--text", "Who trained the night staff?"});
  ASSERT_EQ(outcome.exit, Exit::ok) << outcome.err;
  const auto record = decode_record(bench.sent()[0].record);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->kind, "reply");
  EXPECT_EQ(text(record->body),
            "---\nkind: reply\nto: " + full_reference +
                "\nreply_kind: question\n---\n\nWho trained the night staff?\n");
  EXPECT_TRUE(parse_document(text(record->body)).complaints.empty());
  EXPECT_EQ(bench.daemon.last<local::ShowRequest>()->id, "a4dq");
}

TEST(Reply, TakesItsWordsFromAFileOrFromStandardInput) {
  WritingBench bench;
  bench.write("words.txt", "From a file.\n");
  ASSERT_EQ(bench.run({"reply", "a4dq", "--file", "words.txt"}).exit, Exit::ok);
  EXPECT_TRUE(std::string(text(decode_record(bench.sent()[0].record)->body))
                  .ends_with("\nreply_kind: note\n---\n\nFrom a file.\n"));
  bench.input = "From input.\n";
  ASSERT_EQ(bench.run({"reply", "a4dq", "--file", "-"}).exit, Exit::ok);
  EXPECT_TRUE(
      std::string(text(decode_record(bench.sent()[0].record)->body)).ends_with("From input.\n"));
}

TEST(Reply, OpensTheEditorAndSendsOnlyWhatIsAboveTheCut) {
  WritingBench bench;
  bench.terminal = true;
  bench.edited = "My own words.";
  ASSERT_EQ(bench.run({"reply", "a4dq"}).exit, Exit::ok);
  EXPECT_NE(bench.shown_in_editor.find("> procedures: Look every hour."), std::string::npos);
  EXPECT_TRUE(std::string(text(decode_record(bench.sent()[0].record)->body))
                  .ends_with("---\n\nMy own words.\n"));
}

TEST(Reply, SendsNothingWithoutWords) {
  WritingBench bench;
  bench.terminal = true;
  EXPECT_EQ(bench.run({"reply", "a4dq"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"reply", "a4dq", "--text", " \n"}).exit, Exit::usage);
  bench.terminal = false;
  EXPECT_EQ(bench.run({"reply", "a4dq"}).exit, Exit::usage);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
}

TEST(Reply, SendsNothingWhileWordsStandBelowTheCut) {
  WritingBench bench;
  bench.terminal = true;
  std::string below;
  bench.desk.edit = [&](const std::string& shown) -> Result<std::string> {
    return "Above.\n" + shown + below;
  };
  EXPECT_EQ(bench.run({"reply", "a4dq"}).exit, Exit::ok);
  below = "My answer, as in a letter.\n";
  bench.daemon.asked.clear();
  const Outcome outcome = bench.run({"reply", "a4dq"});
  EXPECT_EQ(outcome.exit, Exit::usage);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
  EXPECT_NE(bench.read("unsent-reply-1.md").find("My answer"), std::string::npos);

  // An editor may take blanks off line ends, and a person what was only quoted.
  bench.desk.edit = [](const std::string& shown) -> Result<std::string> {
    std::string stripped;
    for (const char c : "Above.\n" + shown) {
      if (c == '\n' && stripped.ends_with(' ')) stripped.pop_back();
      stripped.push_back(c);
    }
    return stripped.substr(0, stripped.find("> kind:"));
  };
  EXPECT_EQ(bench.run({"reply", "a4dq"}).exit, Exit::ok);
  // The cut counts in what was kept, too.
  bench.desk.edit = [&](const std::string& shown) -> Result<std::string> { return shown + below; };
  EXPECT_EQ(bench.run({"reply", "a4dq"}).exit, Exit::usage);
  const std::string kept = bench.read("unsent-reply-2.md");
  ASSERT_TRUE(kept.ends_with(below));
  bench.write("kept.md", "Moved.\n" + kept);
  bench.daemon.asked.clear();
  EXPECT_EQ(bench.run({"reply", "a4dq", "--file", "kept.md"}).exit, Exit::usage);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
  bench.write("kept.md", "Moved.\n" + kept.substr(0, kept.size() - below.size()));
  EXPECT_EQ(bench.run({"reply", "a4dq", "--file", "kept.md"}).exit, Exit::ok);
  const auto record = decode_record(bench.sent()[0].record);
  EXPECT_TRUE(std::string(text(record->body)).ends_with("\n\nMoved.\n"));
}

TEST(Reply, LooksAtTheKeyBeforeAnybodyWritesAndKeepsWhatWasWritten) {
  WritingBench bench;
  bench.terminal = true;
  bench.edited = "A long answer.\n";
  bench.daemon.on<local::PublishRequest>(local::Refusal{Errc::forbidden, "not enrolled"});
  const Outcome refused = bench.run({"reply", "a4dq"});
  EXPECT_EQ(refused.exit, Exit::refused);
  EXPECT_NE(refused.err.find("unsent-reply-1.md"), std::string::npos) << refused.err;
  EXPECT_NE(bench.read("unsent-reply-1.md").find("A long answer."), std::string::npos);
  bench.edited =
      "Gr\xFC\xDF"
      "e.\n";
  EXPECT_EQ(bench.run({"reply", "a4dq"}).exit, Exit::usage);
  EXPECT_NE(bench.read("unsent-reply-1.md").find("A long answer."), std::string::npos);
  EXPECT_NE(bench.read("unsent-reply-2.md").find("Gr\xFC"), std::string::npos);

  bench.shown_in_editor.clear();
  std::filesystem::remove(bench.desk.key_file);
  EXPECT_EQ(bench.run({"reply", "a4dq"}).exit, Exit::refused);
  EXPECT_EQ(bench.shown_in_editor, "");
}

TEST(Reply, RefusesBadArguments) {
  WritingBench bench;
  EXPECT_EQ(bench.run({"reply"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"reply", "a4dq", "--text", "x", "--file", "y"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"reply", "a4dq", "--as", "insult", "--text", "x"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"reply", "a4dq", "--file", "none"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"reply", "a4dq", "--text", "a\xFF"}).exit, Exit::usage);
  bench.daemon.on<local::ShowRequest>(local::Refusal{Errc::not_found, "no entry"});
  EXPECT_EQ(bench.run({"reply", "a4dq", "--text", "x"}).exit, Exit::refused);
  EXPECT_EQ(bench.daemon.last<local::PublishRequest>(), nullptr);
}

TEST(Reply, HasOneShapeInJson) {
  WritingBench bench;
  const auto json = bench.run({"reply", "a4dq", "--text", "x", "--json"}).json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"checkpoint", "entries", "size", "waiting"}));
  EXPECT_TRUE(json["entries"][0]["file"].is_null());
}

}  // namespace
}  // namespace kith::client
