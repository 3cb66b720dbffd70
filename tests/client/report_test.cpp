#include "client/report_page.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/key_file.hpp"
#include "tests/client/bench.hpp"
#include "tests/support/archive.hpp"

/// What an auditor hands in, as text and as a page to print.
namespace kith::client {
namespace {

using testing::ArchivedMember;
using testing::ArchiveOptions;

constexpr std::uint64_t second_certificate = 5;
constexpr std::uint64_t withdrawal = 12;

/// A log whose keys were replaced at entry 5 and whose author was withdrawn at entry 12.
std::vector<std::pair<LeafClass, Bytes>> eventful(const ArchivedMember& owner, std::uint64_t size) {
  auto texts = testing::usual_texts(owner, size);
  Certificate later = owner.certificate;
  later.number += 86'400'000;
  later.reason = Certificate::Reason::planned;
  texts[second_certificate] = {
      LeafClass::clear, encode_text(CertificateText{sign_certificate(later, owner.identity)})};
  texts[withdrawal] = {
      LeafClass::clear,
      encode_text(EnrolmentText{sign_enrolment(
          {owner.network, owner.id(), 2, owner.author.public_key(), 0, owner.steward.public_key()},
          owner.steward)})};
  texts.resize(withdrawal + 1);
  return texts;
}

/// An export of two such logs; of the first a fork is known, and its contents are missing.
class ReportBench : public Bench {
 public:
  ReportBench() {
    ArchiveOptions options;
    options.logs = 2;
    options.further = 1;
    options.size = withdrawal + 1;
    options.texts = eventful;
    auto archive = testing::make_archive(options);
    options.is_whole = false;
    const char* payloads = "commons/ZZA/kith/payloads/000.p/13";
    archive.files.at(payloads) = testing::make_archive(options).files.at(payloads);
    testing::add_evidence(archive, testing::fork_by(owner));
    testing::write_archive(archive, folder.path() / "ex");
  }
  ArchivedMember owner{1, testing::archive_network()};
};

/// Nothing is wider than a page of text.
void expect_narrow(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::size_t columns = 0;
    for (const char c : line) columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    EXPECT_LE(columns, 80U) << line;
  }
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Report, SaysFirstWhatNoLogProvesAndThenEverythingElse) {
  ReportBench bench;
  const Outcome outcome = bench.run({"verify", "ex", "--report"});
  EXPECT_EQ(outcome.exit, Exit::forked);
  const std::size_t begin = outcome.out.find("What this report cannot show, because no log can");
  ASSERT_NE(begin, std::string::npos) << outcome.out;
  const std::string report = outcome.out.substr(begin);
  expect_narrow(report);
  EXPECT_TRUE(is_harmless(report));
  const std::string author = encode_author(bench.owner.author.public_key());
  for (const std::string& part : {
           std::string("Verdict     forked: two signed statements cannot both be true"),
           std::string("cannot tell what was erased from what was lost"),
           std::string("log          verdict  entries  confirmed  existed by  sealed  missing"),
           std::string("commons/ZZA  forked   13       by 2       2026-09-21"),
           std::string("commons/ZZB  intact   13       by 2       2026-09-21"),
           std::string("certified             reason     from entry"),
           std::string("2026-09-21 14:13 UTC  the first  0"),
           std::string("2026-09-22 14:13 UTC  planned    5"),
           "  " + author + "\n    entries: 1 to 11; may: publish, speak\n",
           std::string("entries: 0 to the end; may: publish, speak, steward"),
           std::string("entries: all 13; at: 2026-09-21 14:15 UTC"),
           std::string("entries: the first 6; at: 2026-09-21 14:15 UTC"),
           std::string("- kith-evidence/001.kith-evidence: member\n"),
           std::string("No evidence of a second one is here."),
           std::string("- incomplete: commons/ZZA/kith/payloads/000.p/13: entry 2: its content is"),
           std::string("Nothing was found wrong."),
       }) {
    EXPECT_TRUE(has(report, part)) << part << "\nis not in\n" << report;
  }
}

TEST(Report, IsAPageToPrintThatNeedsNothingElse) {
  ReportBench bench;
  const Outcome outcome = bench.run({"verify", "ex", "--html", "report.html"});
  EXPECT_EQ(outcome.exit, Exit::forked) << "what was found decides, not what was written";
  const std::string html = bench.read("report.html");
  EXPECT_TRUE(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
  for (const char* part : {
           "<title>Audit of the network Five Rivers</title>",
           "<p class=\"limits\">What this report cannot show",
           "<th scope=\"row\">Verdict</th><td>forked: two signed statements",
           "<caption>The logs</caption>",
           "<th scope=\"col\">existed by</th>",
           "<h2>commons/ZZA</h2>",
           "<td>planned</td><td>5</td>",
           "<td>1 to 11</td><td>publish, speak</td>",
           "<li>kith-evidence/001.kith-evidence: member ",
           "size: A4",
       }) {
    EXPECT_TRUE(has(html, part)) << part;
  }
  for (const char* part : {"<script", "http:", "https:", "url(", "@import", "<img", "<link"}) {
    EXPECT_FALSE(has(html, part)) << part;
  }
  const Outcome again = bench.run({"verify", "ex", "--html", "report.html"});
  EXPECT_EQ(again.exit, Exit::refused) << "nothing is overwritten";
  EXPECT_EQ(bench.read("report.html"), html);
  EXPECT_EQ(bench.run({"verify", "report.html", "--html", "other.html"}).exit, Exit::usage);
}

TEST(Report, LetsNoNameDoAnythingToTerminalOrPage) {
  AuditReport report;
  report.network_name = "<script>alert(1)</script> & \"rivers\" " + nasty;
  report.source = "'<b>' " + nasty;
  report.findings = {{Verdict::damaged, "<i>" + nasty, "&amp; </li>" + nasty}};
  ReportedLog& log = report.logs.emplace_back();
  log.name = "<h1>ZZ</h1>" + nasty;
  log.policy = PolicyOutcome{false, false, {"<u>" + nasty}, {}, {}, "1 of <u>" + nasty};
  log.evidence = {{"<a href=x>" + nasty, {}, true}};
  log.confirmations = {{{}, 3, 1}};
  report.codes[MemberId{}] = "<td>" + nasty;
  const ReportPage page = page_of(report);
  const std::string html = html_of(page);
  EXPECT_TRUE(is_harmless(html));
  EXPECT_TRUE(has(html,
                  "<h1>Audit of the network &lt;script&gt;alert(1)&lt;/script&gt; &amp; "
                  "&quot;rivers&quot; a [2Jb"))
      << html;
  EXPECT_TRUE(has(html, "&#39;&lt;b&gt;&#39;"));
  EXPECT_TRUE(has(html, "&amp;amp; &lt;/li&gt;"));
  for (const char* part : {"<script", "<b>", "<i>", "<u>", "<a ", "<h1>ZZ", "(<td>"}) {
    EXPECT_FALSE(has(html, part)) << part;
  }
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  const Console console{out, err, in};
  print_page(console, page);
  EXPECT_TRUE(is_harmless(out.str()));
}

TEST(Report, FitsANarrowTerminal) {
  AuditReport report;
  ReportedLog& log = report.logs.emplace_back();
  log.name = "commons/ZZA";
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  Console console{out, err, in};
  console.width = 40;
  print_page(console, page_of(report));
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_TRUE(line.size() <= 40 || line.find(' ', 16) == std::string::npos)
        << "only an id may be wider: " << line;
  }
}

TEST(Report, SaysWhereKeysAreNotKnown) {
  AuditReport report;
  ReportedLog& log = report.logs.emplace_back();
  log.are_keys_known = false;
  log.evidence = {{"", {}, false}};
  log.evidence[0].proven.liar = Liar::recovery_key;
  const std::string html = html_of(page_of(report));
  EXPECT_TRUE(has(html, "nothing that follows it could be judged"));
  EXPECT_TRUE(has(html, "signed two certificates of one number (mended: a later certificate"));
}

TEST(Report, IsInTheDocumentOfVerify) {
  ReportBench bench;
  const auto json = bench.run({"verify", "ex", "--json"}).json();
  const auto& report = json["report"];
  EXPECT_EQ(keys_of(report), (std::vector<std::string>{
                                 "checked", "evidence", "expected", "findings", "logs",
                                 "more_findings", "network", "network_name", "time", "verdict"}));
  const auto& log = report["logs"][0];
  EXPECT_EQ(
      keys_of(log),
      (std::vector<std::string>{
          "authors",    "certificates",  "confirmations", "confirmed", "evidence", "existed_by",
          "findings",   "first_time",    "keys_known",    "last_time", "log",      "member",
          "missing",    "more_findings", "name",          "policy",    "root",     "sealed",
          "signatures", "size",          "verdict",       "witnesses"}));
  EXPECT_EQ(log["certificates"][1],
            (nlohmann::json{
                {"certified", "2026-09-22T14:13:20.000Z"}, {"reason", "planned"}, {"from", 5}}));
  EXPECT_EQ(log["authors"][1]["until"], withdrawal);
  EXPECT_TRUE(log["authors"][0]["until"].is_null());
  EXPECT_TRUE(log["witnesses"].is_null());
}

}  // namespace
}  // namespace kith::client
