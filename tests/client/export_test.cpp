#include <fstream>

#include "client/archive_folder.hpp"
#include "client/commands/verifying.hpp"
#include "client/json_output.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/merkle.hpp"
#include "protocol/log/witness.hpp"
#include "protocol/schema/peer_codec.hpp"
#include "tests/client/bench.hpp"
#include "tests/support/archive.hpp"

/// kith export and kith verify, on folders.
namespace kith::client {
namespace {

using testing::ArchivedMember;
using testing::ArchiveOptions;
using testing::list_anew;
using testing::make_archive;
using testing::write_archive;

TEST(Verify, SaysOfWhatItWasCheckedAgainstAndWhatHolds) {
  Bench bench;
  write_archive(make_archive({}), bench.folder.path() / "ex");
  const Outcome outcome = bench.run({"verify", "ex"});
  EXPECT_EQ(outcome.exit, Exit::ok) << outcome.out << outcome.err;
  const std::string network = to_base32(testing::archive_network().view());
  const std::string member = to_base32(ArchivedMember(1, testing::archive_network()).id().view());
  EXPECT_TRUE(outcome.out.starts_with("Checked against network " + network + "\n  member " +
                                      member +
                                      "  commons/ZZA\nThese ids come from the export itself"))
      << outcome.out;
  EXPECT_NE(outcome.out.find("What is in it holds"), std::string::npos);
  EXPECT_NE(outcome.out.find("Not checked: the author signatures of 18 entries"), std::string::npos)
      << outcome.out;
  EXPECT_TRUE(bench.daemon.asked.empty()) << "it needs no daemon";

  const Outcome of_network = bench.run({"verify", "ex", "--expect", network});
  EXPECT_EQ(of_network.exit, Exit::ok);
  EXPECT_NE(of_network.out.find("come from the export itself"), std::string::npos)
      << "that says nothing about whose log it is";
  const Outcome expected = bench.run({"verify", "ex", "--expect", member});
  EXPECT_EQ(expected.exit, Exit::ok);
  EXPECT_NE(expected.out.find("as you expect the members to be"), std::string::npos);
  EXPECT_EQ(bench.run({"verify", "ex", "--expect", member.substr(0, 8)}).exit, Exit::usage);
  const Outcome other = bench.run({"verify", "ex", "--expect", std::string(52, 'a')});
  EXPECT_EQ(other.exit, Exit::forged);
  EXPECT_NE(other.err.find("holds nothing of aaaa"), std::string::npos);
}

TEST(Verify, ExitsByWhatIsWrong) {
  Bench bench;
  const auto exit_of = [&](const testing::MemoryArchive& archive) {
    std::filesystem::remove_all(bench.folder.path() / "ex");
    write_archive(archive, bench.folder.path() / "ex");
    return bench.run({"verify", "ex"}).exit;
  };
  const auto whole = make_archive({});
  auto damaged = whole;
  damaged.files.at("commons/ZZA/tile/0/000.p/20").back() ^= 1;
  EXPECT_EQ(exit_of(damaged), Exit::faults);
  auto forged = whole;
  auto& note = forged.files.at("commons/ZZA/checkpoint");
  auto signed_note = decode_note(text(note));
  signed_note->signatures[1].signature.back() ^= 1;
  note = to_bytes(view(encode_note(*signed_note)));
  EXPECT_EQ(exit_of(forged), Exit::faults) << "an accident, as far as the list tells";
  list_anew(forged);
  EXPECT_EQ(exit_of(forged), Exit::forged);
  auto incomplete = whole;
  ArchiveOptions clear;
  clear.is_whole = false;
  incomplete.files.at("commons/ZZA/kith/payloads/000.p/20") =
      make_archive(clear).files.at("commons/ZZA/kith/payloads/000.p/20");
  EXPECT_EQ(exit_of(incomplete), Exit::incomplete);
  EXPECT_EQ(bench.run({"verify", "nowhere"}).exit, Exit::usage);
  EXPECT_EQ(bench.run({"verify"}).exit, Exit::usage);
  bench.write("ex/kith-export", "kith-export v2\n");
  EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::faults);
}

TEST(Verify, FollowsNoLinksAndTakesNoFolderForAFile) {
  Bench bench;
  const auto folder = bench.folder.path() / "ex";
  write_archive(make_archive({}), folder);
  std::filesystem::create_symlink("/etc/passwd", folder / "commons/ZZA/more");
  EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::faults);
  std::filesystem::remove(folder / "commons/ZZA/more");
  EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::ok);
  std::filesystem::rename(folder / "commons/ZZA/checkpoint", bench.folder.path() / "elsewhere");
  std::filesystem::create_symlink(bench.folder.path() / "elsewhere",
                                  folder / "commons/ZZA/checkpoint");
  EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::faults);
}

TEST(Verify, FollowsNoLinkInTheMiddleOfAPath) {
  Bench bench;
  const auto folder = bench.folder.path() / "ex";
  write_archive(make_archive({}), folder);
  for (const char* part : {"commons", "commons/ZZA", "commons/ZZA/tile", "commons/ZZA/tile/entries",
                           "commons/ZZA/kith/payloads"}) {
    std::filesystem::rename(folder / part, bench.folder.path() / "elsewhere");
    std::filesystem::create_directory_symlink(bench.folder.path() / "elsewhere", folder / part);
    const Outcome outcome = bench.run({"verify", "ex"});
    EXPECT_EQ(outcome.exit, Exit::faults) << part;
    EXPECT_NE(outcome.out.find("is no plain file"), std::string::npos) << outcome.out;
    std::filesystem::remove(folder / part);
    std::filesystem::rename(bench.folder.path() / "elsewhere", folder / part);
    EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::ok) << "the control";
  }
}

TEST(Verify, FindsTheSameWhateverTheThreads) {
  ArchiveOptions options;
  options.size = 3'000;
  options.further = 2;
  auto archive = make_archive(options);
  // Of every kind something, in several bundles.
  archive.files.at("commons/ZZA/tile/entries/004")[40] ^= 1;
  archive.files.at("commons/ZZA/tile/0/006").back() ^= 1;
  archive.files.at("commons/ZZA/kith/payloads/002").back() ^= 1;
  archive.files.at("commons/ZZA/kith/payloads/008").resize(100);
  archive.files.erase("commons/ZZA/tile/0/009");
  std::string out;
  std::ostringstream ignored;
  std::istringstream none;
  const Console console{ignored, ignored, none};
  for (const unsigned threads : {1U, 2U, 5U, 32U}) {
    auto audit = ArchiveAudit::begin(archive, [](const LogId& log) {
      LogAudit::Keys keys;
      keys.g_keys = {log_key(testing::archive_keys().g, log)};
      keys.r_keys = {log_key(testing::archive_keys().r, log)};
      return keys;
    });
    ASSERT_TRUE(audit);
    check_logs(*audit, threads, console);
    const ArchiveReport report = audit->finish();
    const std::string said = json_of(report, report_of(report, "ex", 0, false));
    if (out.empty()) out = said;
    EXPECT_EQ(said, out) << threads;
  }
  for (const char* file : {"entries/004", "0/006", "payloads/002", "payloads/008", "0/009"}) {
    EXPECT_NE(out.find(file), std::string::npos) << file;
  }
}

TEST(Verify, ShowsHowFarItIsOnATerminal) {
  Bench bench;
  ArchiveOptions options;
  options.size = 300;
  options.logs = 2;
  write_archive(make_archive(options), bench.folder.path() / "ex");
  EXPECT_EQ(bench.run({"verify", "ex"}).err, "");
  bench.terminal = true;
  const Outcome outcome = bench.run({"verify", "ex"});
  EXPECT_NE(outcome.err.find("42 %  checked 256 of 600 entries"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("100 %  checked 600 of 600 entries"), std::string::npos);
  EXPECT_TRUE(outcome.err.ends_with("\r" + std::string(79, ' ') + "\r")) << "and leaves no trace";
}

TEST(Verify, HasOneShapeInJson) {
  Bench bench;
  write_archive(make_archive({}), bench.folder.path() / "ex");
  const auto json = bench.run({"verify", "ex", "--json"}).json();
  EXPECT_EQ(keys_of(json),
            (std::vector<std::string>{"disclosures", "evidence", "expected", "findings", "founding",
                                      "logs", "network", "payloads", "report", "verdict"}));
  EXPECT_EQ(json["verdict"], "intact");
  EXPECT_EQ(keys_of(json["logs"][0]), (std::vector<std::string>{"author_signatures",
                                                                "certificates",
                                                                "clear",
                                                                "confirmations",
                                                                "enrolments",
                                                                "evidence",
                                                                "findings",
                                                                "first_time",
                                                                "founds_network",
                                                                "last_time",
                                                                "log",
                                                                "member",
                                                                "missing",
                                                                "more_findings",
                                                                "opened",
                                                                "path",
                                                                "policy",
                                                                "root",
                                                                "sealed",
                                                                "size"}));
  EXPECT_EQ(keys_of(json["logs"][0]["confirmations"][0]),
            (std::vector<std::string>{"size", "time", "witness"}));
}

/// As the daemon of a member tells of its log in an export, confirmed by these.
local::ExportLogsAnswer told_of(const testing::MemoryArchive& archive, std::uint8_t number,
                                const std::vector<std::uint8_t>& witnesses) {
  const ArchivedMember member(number, testing::archive_network());
  local::ExportLogsAnswer told;
  told.network = member.network;
  told.network_name = "Five Rivers";
  told.member = member.id();
  local::ExportedLog& log = told.logs.emplace_back();
  log.code = "ZZ" + std::string(1, static_cast<char>('A' + number - 1));
  log.member = member.id();
  log.log = member.log();
  auto note = decode_note(text(archive.files.at("commons/" + log.code + "/checkpoint")));
  const auto checkpoint = decode_checkpoint(note->text);
  log.size = checkpoint->size;
  note->signatures.resize(1);
  log.checkpoint = encode_note(*note);
  for (const std::uint8_t one : witnesses) {
    const ArchivedMember witness(one, member.network);
    log.cosignatures.push_back(cosign(log.log, log.size, checkpoint->root, witness.id(),
                                      1'790'000'000 + one, witness.witness_key));
    told.certificates.push_back(witness.statement);
  }
  return told;
}

/// The entries of its first bundle.
local::ExportEntriesAnswer entries_of(const testing::MemoryArchive& archive,
                                      const local::ExportedLog& log) {
  const std::string folder = "commons/" + log.code + '/';
  const auto width = static_cast<unsigned>(log.size);
  return {archive.files.at(folder + bundle_path(0, width)),
          archive.files.at(folder + payloads_path(0, width)), log.size};
}

/// Its first payload, which is in clear, as if it were not held.
void lose_first(Bytes& payloads) {
  const auto length = read_integer<std::uint32_t>(payloads);
  payloads.erase(payloads.begin(), payloads.begin() + 4 + length);
  payloads.insert(payloads.begin(), 4, 0xFF);
}

/// A daemon with one log of twenty entries, cosigned by two.
class ExportBench : public Bench {
 public:
  ExportBench() {
    const auto archive = make_archive({});
    local::ExportLogsAnswer logs = told_of(archive, 1, {100, 101});
    // Of somebody who said nothing: it is not needed.
    logs.certificates.push_back(ArchivedMember(200, logs.network).statement);
    daemon.on<local::ExportLogsRequest>(logs);
    daemon.on<local::EvidenceRequest>(local::EvidenceAnswer{});
    entries = entries_of(archive, logs.logs[0]);
    daemon.on<local::ExportEntriesRequest>(entries);
  }
  local::ExportEntriesAnswer entries;
};

TEST(Export, WritesWhatVerifyAccepts) {
  ExportBench bench;
  const Outcome outcome = bench.run({"export", "ex", "--with-payloads"});
  ASSERT_EQ(outcome.exit, Exit::ok) << outcome.err;
  EXPECT_NE(outcome.out.find("1 log with 20 entries exported to ex"), std::string::npos);
  EXPECT_NE(outcome.err.find("kith verify ex"), std::string::npos);
  const Outcome verified = bench.run({"verify", "ex", "--json"});
  EXPECT_EQ(verified.exit, Exit::ok) << verified.out;
  EXPECT_EQ(verified.json()["logs"][0]["confirmations"].size(), 2U);
  EXPECT_FALSE(std::filesystem::exists(bench.folder.path() / "ex.kith-part"));

  // So little that it could still lie in a buffer when it is checked.
  auto clear = bench.entries;
  ArchiveOptions options;
  options.is_whole = false;
  clear.payloads = make_archive(options).files.at("commons/ZZA/kith/payloads/000.p/20");
  bench.daemon.on<local::ExportEntriesRequest>(clear);
  EXPECT_EQ(bench.run({"export", "small"}).exit, Exit::ok);
  EXPECT_EQ(bench.run({"export", "small"}).exit, Exit::ok) << "nothing changed since";
  EXPECT_EQ(bench.run({"verify", "small"}).exit, Exit::ok);
  bench.daemon.on<local::ExportEntriesRequest>(bench.entries);

  // Again over what stands there, unless that would take something away.
  bench.write("ex/notes", "of the auditor");
  const Outcome kept = bench.run({"export", "ex", "--with-payloads"});
  EXPECT_EQ(kept.exit, Exit::usage);
  EXPECT_NE(kept.err.find("not of the export"), std::string::npos) << kept.err;
  EXPECT_EQ(bench.read("ex/notes"), "of the auditor");
  std::filesystem::remove(bench.folder.path() / "ex" / "notes");
  EXPECT_EQ(bench.run({"export", "ex"}).exit, Exit::usage) << "it would lose the contents";
  EXPECT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok);
  EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::ok);
  const auto json = bench.run({"export", "ex", "--with-payloads", "--json"}).json();
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"evidence", "folder", "frozen", "left_out",
                                                     "logs", "missing", "network", "payloads"}));
}

TEST(Export, PutsFifteenCosignaturesIntoTheCheckpointAndTheOthersBeside) {
  std::vector<std::uint8_t> witnesses;
  for (std::uint8_t i = 100; i < 120; ++i) witnesses.push_back(i);
  ExportBench bench;
  bench.daemon.on<local::ExportLogsRequest>(told_of(make_archive({}), 1, witnesses));
  ASSERT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok);
  const auto note = decode_note(bench.read("ex/commons/ZZA/checkpoint"));
  ASSERT_TRUE(note);
  EXPECT_EQ(note->signatures.size(), 1U + 15U);
  const LogId log = ArchivedMember(1, testing::archive_network()).log();
  const auto beside = decode_cosignatures(bench.read("ex/commons/ZZA/kith/cosignatures"), log);
  ASSERT_TRUE(beside);
  EXPECT_EQ(beside->size(), 5U);
  const Outcome verified = bench.run({"verify", "ex", "--json"});
  EXPECT_EQ(verified.exit, Exit::ok) << verified.out;
  EXPECT_EQ(verified.json()["logs"][0]["confirmations"].size(), 20U) << "verify reads both";
}

TEST(Export, HoldsTheEvidenceThatConcernsIt) {
  ExportBench bench;
  const ArchivedMember owner(1, testing::archive_network());
  const local::EvidenceAnswer evidence{
      {{testing::fork_by(owner), "ZZA", "ZZA", true},
       {testing::fork_by(ArchivedMember(50, testing::archive_network())), "ZZX", "ZZX", true},
       {testing::two_words_of(ArchivedMember(100, testing::archive_network()), LogId{{7}}), "ZZY",
        "ZZW", true},
       {"kith-evidence v1\n", "ZZA", "ZZA", true}}};
  bench.daemon.on<local::EvidenceRequest>(evidence);
  ASSERT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok);
  EXPECT_EQ(bench.read("ex/kith-evidence/001.kith-evidence"), evidence.pieces[0].file);
  EXPECT_EQ(bench.read("ex/kith-evidence/002.kith-evidence"), evidence.pieces[2].file)
      << "of somebody who confirmed it";
  EXPECT_FALSE(std::filesystem::exists(bench.folder.path() / "ex/kith-evidence/003.kith-evidence"));
  EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::forked);
  EXPECT_EQ(bench.run({"export", "ex", "--with-payloads", "--json"}).json()["evidence"], 2);
  bench.daemon.on<local::EvidenceRequest>(local::EvidenceAnswer{});
  const Outcome without = bench.run({"export", "ex", "--with-payloads"});
  EXPECT_EQ(without.exit, Exit::usage) << "it would lose the evidence";
  EXPECT_NE(without.err.find("it holds evidence"), std::string::npos) << without.err;
}

TEST(Export, LeavesWhatStandsThereIfAnythingGoesWrong) {
  ExportBench bench;
  ASSERT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok);
  const std::string before = bench.read("ex/kith-export");
  auto damaged = bench.entries;
  damaged.leaves[40] ^= 1;
  bench.daemon.on<local::ExportEntriesRequest>(damaged);
  const Outcome outcome = bench.run({"export", "ex", "--with-payloads"});
  EXPECT_EQ(outcome.exit, Exit::refused);
  EXPECT_NE(outcome.err.find("kithd check"), std::string::npos) << outcome.err;
  damaged = bench.entries;
  damaged.payloads_to = 0;
  bench.daemon.on<local::ExportEntriesRequest>(damaged);
  EXPECT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::refused);
  bench.daemon.on<local::ExportEntriesRequest>(local::Refusal{Errc::not_found, "gone"});
  EXPECT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::refused);
  EXPECT_EQ(bench.read("ex/kith-export"), before);
  EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::ok);
  EXPECT_FALSE(std::filesystem::exists(bench.folder.path() / "ex.kith-part"));

  bench.write("notes.txt", "x");
  EXPECT_EQ(bench.run({"export", "notes.txt"}).exit, Exit::usage);
  std::filesystem::create_directory(bench.folder.path() / "other");
  bench.write("other/mine.txt", "x");
  EXPECT_EQ(bench.run({"export", "other"}).exit, Exit::usage);
  EXPECT_EQ(bench.read("other/mine.txt"), "x");
}

TEST(Export, TakesOverNothingThatIsDamaged) {
  // A complete bundle, which a second export would take over.
  ArchiveOptions options;
  options.size = 256;
  const auto archive = make_archive(options);
  Bench bench;
  const local::ExportLogsAnswer logs = told_of(archive, 1, {});
  bench.daemon.on<local::ExportLogsRequest>(logs);
  bench.daemon.on<local::EvidenceRequest>(local::EvidenceAnswer{});
  bench.daemon.on<local::ExportEntriesRequest>(entries_of(archive, logs.logs[0]));
  ASSERT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok);
  const auto asked = [&] {
    return std::ranges::count_if(bench.daemon.asked, [](const local::Request& request) {
      return std::holds_alternative<local::ExportEntriesRequest>(request);
    });
  };
  ASSERT_EQ(asked(), 1);
  ASSERT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok);
  EXPECT_EQ(asked(), 1) << "nothing is asked for twice";

  for (const char* file : {"ex/commons/ZZA/tile/entries/000", "ex/commons/ZZA/kith/payloads/000"}) {
    std::string content = bench.read(file);
    content[content.size() / 2] ^= 1;
    std::filesystem::remove(bench.folder.path() / file);
    bench.write(file, content);
    EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::faults);
    EXPECT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok) << file;
    EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::ok) << file;
  }
}

TEST(Export, AsksAgainForWhatIsInClearAndWasMissing) {
  ArchiveOptions options;
  options.size = 256;
  options.is_whole = false;
  const auto archive = make_archive(options);
  Bench bench;
  const local::ExportLogsAnswer logs = told_of(archive, 1, {});
  const auto entries = entries_of(archive, logs.logs[0]);
  bench.daemon.on<local::ExportLogsRequest>(logs);
  bench.daemon.on<local::EvidenceRequest>(local::EvidenceAnswer{});
  bench.daemon.on<local::ExportEntriesRequest>(entries);
  ASSERT_EQ(bench.run({"export", "ex"}).exit, Exit::ok);
  Bytes without = entries.payloads;
  lose_first(without);
  const std::string file = "ex/commons/ZZA/kith/payloads/000";
  std::filesystem::remove(bench.folder.path() / file);
  bench.write(file, std::string(text(without)));
  ASSERT_NE(bench.run({"verify", "ex"}).exit, Exit::ok);
  EXPECT_EQ(bench.run({"export", "ex"}).exit, Exit::ok);
  EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::ok);
}

TEST(Export, LeavesAnEarlierOneForEachReasonThereIs) {
  ExportBench bench;
  ASSERT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok);
  const std::string before = bench.read("ex/kith-export");
  const auto refused_with = [&](const std::string& list) {
    bench.write("ex/kith-export", list);
    const Outcome outcome = bench.run({"export", "ex", "--with-payloads"});
    EXPECT_EQ(outcome.exit, Exit::usage) << outcome.err;
    EXPECT_NE(outcome.err.find("ex is left as it is"), std::string::npos) << outcome.err;
    EXPECT_EQ(bench.read("ex/kith-export"), list);
    EXPECT_FALSE(std::filesystem::exists(bench.folder.path() / "ex.kith-part"));
    return outcome.err;
  };
  const auto refused = [&](const std::function<void(Manifest&)>& change) {
    auto manifest = *decode_manifest(before);
    change(manifest);
    return refused_with(encode_manifest(manifest));
  };
  EXPECT_NE(refused_with(before.substr(1)).find("its list of contents is damaged"),
            std::string::npos);
  EXPECT_NE(refused([](Manifest& list) { list.network.bytes[0] ^= 1; }).find("of another network"),
            std::string::npos);
  EXPECT_NE(refused([](Manifest& list) {
              list.logs[0].member.bytes[0] ^= 1;
              list.logs[0].path = "commons/ZZX";
            }).find("it holds commons/ZZX, and this would not"),
            std::string::npos);
  EXPECT_NE(refused([](Manifest& list) {
              list.logs[0].size = 21;
            }).find("it holds more of commons/ZZA than is held here"),
            std::string::npos);
  bench.write("ex/kith-export", before);
  EXPECT_NE(bench.run({"export", "ex"}).err.find("it holds contents, and this would not"),
            std::string::npos);
  std::filesystem::create_directory(bench.folder.path() / "ex" / "empty");
  EXPECT_NE(
      bench.run({"export", "ex", "--with-payloads"}).err.find("files in it that are not of the"),
      std::string::npos);
  std::filesystem::remove(bench.folder.path() / "ex" / "empty");
  EXPECT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok) << "the control";
}

TEST(Export, ComplainsWhereNoProgressBarStands) {
  ExportBench bench;
  bench.terminal = true;
  const std::string cleared = "\r" + std::string(79, ' ') + "\rkith: ";
  const auto complains = [&] {
    const Outcome outcome = bench.run({"export", "ex", "--with-payloads"});
    EXPECT_EQ(outcome.exit, Exit::refused);
    EXPECT_NE(outcome.err.find("exporting ZZA"), std::string::npos) << "the control";
    return outcome.err.find(cleared) != std::string::npos;
  };
  bench.daemon.on<local::ExportEntriesRequest>(local::Refusal{Errc::io, "damaged here"});
  EXPECT_TRUE(complains());
  auto other = bench.entries;
  other.payloads_to = 0;
  bench.daemon.on<local::ExportEntriesRequest>(other);
  EXPECT_TRUE(complains());
  other = bench.entries;
  other.leaves.clear();
  bench.daemon.on<local::ExportEntriesRequest>(other);
  EXPECT_TRUE(complains());
}

TEST(FolderFiles, TellAFileThatCannotBeReadFromItsEnd) {
  // A plain file of this process that nobody can read at its beginning.
  const auto source = FolderFiles("/proc/self").open("mem");
  ASSERT_TRUE(source) << source.error().detail;
  const auto payload = next_payload(**source, 100);
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code, Errc::io);
  EXPECT_NE(payload.error().detail.find("it cannot be read"), std::string::npos);

  Bench bench;
  bench.write("short", "abc");
  const auto ends = FolderFiles(bench.folder.path()).open("short");
  ASSERT_TRUE(ends);
  EXPECT_EQ(next_payload(**ends, 100).error().code, Errc::malformed) << "the control";
}

TEST(Export, RefusesASecondOneToTheSamePlaceAtOnce) {
  ExportBench bench;
  ASSERT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok);
  std::optional<Outcome> second;
  bench.daemon.first = [&](const local::Request& request) -> std::optional<local::Answer> {
    const bool is_under_way = std::holds_alternative<local::ExportEntriesRequest>(request);
    if (!is_under_way || second) return std::nullopt;
    second.emplace();
    *second = bench.run({"export", "ex", "--with-payloads"});
    return std::nullopt;
  };
  const Outcome first = bench.run({"export", "ex", "--with-payloads"});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->exit, Exit::refused);
  EXPECT_NE(second->err.find("another export to"), std::string::npos) << second->err;
  EXPECT_NE(second->err.find("is held by process"), std::string::npos) << second->err;
  EXPECT_EQ(first.exit, Exit::ok) << "its work was left alone: " << first.err;
  EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::ok);
  EXPECT_FALSE(std::filesystem::exists(bench.folder.path() / "ex.kith-part"));
  EXPECT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok) << "it is free again";
}

TEST(Export, TakesThePlaceOfAnAttemptThatWasEnded) {
  ExportBench bench;
  std::filesystem::create_directories(bench.folder.path() / "ex.kith-part/export/commons/ZZA");
  bench.write("ex.kith-part/lock", "1\n");
  bench.write("ex.kith-part/export/commons/ZZA/more", "left behind");
  bench.write("ex.kith-part/older", "left behind");
  EXPECT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok);
  EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::ok);
  EXPECT_FALSE(std::filesystem::exists(bench.folder.path() / "ex.kith-part"));

  // Whoever puts a link there must not have us empty what it leads to.
  std::filesystem::create_directory(bench.folder.path() / "elsewhere");
  bench.write("elsewhere/mine", "x");
  std::filesystem::create_directory_symlink(bench.folder.path() / "elsewhere",
                                            bench.folder.path() / "other.kith-part");
  const Outcome outcome = bench.run({"export", "other", "--with-payloads"});
  EXPECT_EQ(outcome.exit, Exit::usage);
  EXPECT_NE(outcome.err.find("is a link"), std::string::npos) << outcome.err;
  EXPECT_EQ(bench.read("elsewhere/mine"), "x");
}

/// A daemon with two logs of twenty entries, which it tells of one at a time.
class TwoLogsBench : public Bench {
 public:
  TwoLogsBench() {
    ArchiveOptions options;
    options.logs = 2;
    const auto archive = make_archive(options);
    for (const std::uint8_t number : {std::uint8_t{1}, std::uint8_t{2}}) {
      // One witness of each, and one of both.
      const auto told = told_of(archive, number, {100, static_cast<std::uint8_t>(100 + number)});
      const local::ExportedLog& log = told.logs[0];
      entries.emplace(log.log, entries_of(archive, log));
      pages.emplace(log.log, told);
    }
    pages.begin()->second.more = true;
    daemon.on<local::EvidenceRequest>(local::EvidenceAnswer{});
    daemon.first = [this](const local::Request& request) -> std::optional<local::Answer> {
      if (const auto* wanted = std::get_if<local::ExportLogsRequest>(&request)) {
        return wanted->after ? pages.upper_bound(*wanted->after)->second : pages.begin()->second;
      }
      if (const auto* wanted = std::get_if<local::ExportEntriesRequest>(&request)) {
        return entries.at(wanted->log);
      }
      return std::nullopt;
    };
  }
  /// The certificate of that member has not arrived.
  void lose_certificate(std::uint8_t member) {
    lose_first(entries.at(ArchivedMember(member, testing::archive_network()).log()).payloads);
  }

  std::map<LogId, local::ExportLogsAnswer> pages;
  std::map<LogId, local::ExportEntriesAnswer> entries;
};

TEST(Export, AsksOnForLogsThatAreToldInSeveralAnswers) {
  TwoLogsBench bench;
  const Outcome outcome = bench.run({"export", "ex", "--with-payloads"});
  ASSERT_EQ(outcome.exit, Exit::ok) << outcome.err;
  const Outcome verified = bench.run({"verify", "ex", "--json"});
  EXPECT_EQ(verified.exit, Exit::ok) << verified.out;
  const auto logs = verified.json()["logs"];
  ASSERT_EQ(logs.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(logs[i]["path"], i == 0 ? "commons/ZZA" : "commons/ZZB");
    EXPECT_EQ(logs[i]["confirmations"].size(), 2U);
  }
  // A daemon that goes round in circles is not followed.
  bench.pages.rbegin()->second.more = true;
  bench.daemon.first = [&](const local::Request& request) -> std::optional<local::Answer> {
    if (std::holds_alternative<local::ExportLogsRequest>(request)) {
      return bench.pages.begin()->second;
    }
    return std::nullopt;
  };
  EXPECT_EQ(bench.run({"export", "more"}).exit, Exit::refused);
}

TEST(Export, LeavesOutALogWhoseContentInClearHasNotArrived) {
  TwoLogsBench bench;
  bench.lose_certificate(1);
  const Outcome outcome = bench.run({"export", "ex", "--with-payloads"});
  EXPECT_EQ(outcome.exit, Exit::incomplete) << outcome.err;
  EXPECT_NE(outcome.err.find("left out: ZZA"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("1 log with 20 entries exported"), std::string::npos);
  const Outcome verified = bench.run({"verify", "ex", "--json"});
  EXPECT_EQ(verified.exit, Exit::ok) << verified.out << verified.err;
  EXPECT_EQ(verified.json()["logs"].size(), 1U);
  EXPECT_FALSE(std::filesystem::exists(bench.folder.path() / "ex" / "commons" / "ZZA"));
  const auto json = bench.run({"export", "ex", "--with-payloads", "--json"}).json();
  EXPECT_EQ(json["left_out"], nlohmann::json::array({"ZZA"}));

  bench.lose_certificate(2);
  const Outcome none = bench.run({"export", "none", "--with-payloads"});
  EXPECT_NE(none.exit, Exit::ok);
  EXPECT_NE(none.err.find("ZZA, ZZB have not arrived"), std::string::npos) << none.err;
  EXPECT_FALSE(std::filesystem::exists(bench.folder.path() / "none"));
}

TEST(Export, TakesNoLogOutOfAnExportThatHoldsIt) {
  TwoLogsBench bench;
  ASSERT_EQ(bench.run({"export", "ex", "--with-payloads"}).exit, Exit::ok);
  const std::string before = bench.read("ex/kith-export");
  bench.lose_certificate(2);
  const Outcome outcome = bench.run({"export", "ex", "--with-payloads"});
  EXPECT_NE(outcome.exit, Exit::ok);
  EXPECT_NE(outcome.err.find("it holds commons/ZZB"), std::string::npos) << outcome.err;
  EXPECT_EQ(bench.read("ex/kith-export"), before);
  EXPECT_EQ(bench.run({"verify", "ex"}).exit, Exit::ok);
}

/// A daemon that knows entry 11 of that log.
class ProveBench : public ExportBench {
 public:
  ProveBench() {
    const ArchivedMember member(1, testing::archive_network());
    const auto leaves = split_bundle(entries.leaves, limits::tile_hashes);
    std::vector<TreeHash> hashes;
    for (const BytesView leaf : *leaves) hashes.push_back(leaf_hash(leaf));
    answer.record = some_entry(1, "Night staff");
    answer.record.index = 11;
    answer.leaf = text((*leaves)[11]);
    answer.path = inclusion_path(11, hashes);
    const auto logs = std::get<local::ExportLogsAnswer>(
        *daemon.ask(local::ExportLogsRequest{}, [](const local::Progress&) {}));
    answer.checkpoint = logs.logs[0].checkpoint;
    answer.log = logs.logs[0].log;
    answer.cosignatures = logs.logs[0].cosignatures;
    answer.certificates = logs.certificates;
    answer.certificates.push_back(member.statement);
    answer.witnesses = 3;
    daemon.on<local::ProveRequest>(answer);
  }
  local::ProveAnswer answer;
};

TEST(Prove, WritesWhatVerifyAccepts) {
  ProveBench bench;
  const Outcome outcome = bench.run({"prove", "a4dq", "--out", "night.tlog-proof"});
  ASSERT_EQ(outcome.exit, Exit::ok) << outcome.err;
  EXPECT_NE(outcome.err.find("confirmed by 2 of 3 others"), std::string::npos) << outcome.err;
  const Outcome verified = bench.run({"verify", "night.tlog-proof"});
  EXPECT_EQ(verified.exit, Exit::ok) << verified.out << verified.err;
  EXPECT_NE(verified.out.find("It holds: entry 11"), std::string::npos) << verified.out;
  const auto json = bench.run({"verify", "night.tlog-proof", "--json"}).json();
  EXPECT_EQ(keys_of(json),
            (std::vector<std::string>{"confirmations", "expected", "findings", "index", "log",
                                      "member", "network", "policy", "size", "time", "verdict"}));
  EXPECT_EQ(json["confirmations"].size(), 2U);
  const std::string network = to_base32(testing::archive_network().view());
  EXPECT_EQ(bench.run({"verify", "night.tlog-proof", "--expect", network}).exit, Exit::ok);
  EXPECT_EQ(bench.run({"verify", "night.tlog-proof", "--expect", std::string(52, 'a')}).exit,
            Exit::forged);

  const Outcome receipt = bench.run({"receipt", "a4dq"});
  EXPECT_EQ(receipt.exit, Exit::ok);
  EXPECT_EQ(receipt.out, bench.read("night.tlog-proof"));
  EXPECT_EQ(keys_of(bench.run({"prove", "a4dq", "--json"}).json()),
            (std::vector<std::string>{"confirmed", "file", "id", "index", "proof", "witnesses"}));
}

TEST(Prove, EveryFlippedByteOfAReceiptIsRefused) {
  ProveBench bench;
  const std::string whole = bench.run({"receipt", "a4dq"}).out;
  bench.write("receipt", whole);
  ASSERT_EQ(bench.run({"verify", "receipt"}).exit, Exit::ok) << "the control";
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
    bench.write("receipt", changed);
    const Exit exit = bench.run({"verify", "receipt"}).exit;
    ASSERT_TRUE(exit == Exit::faults || exit == Exit::forged) << "byte " << i;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{17}, whole.size() - 1}) {
    bench.write("receipt", whole.substr(0, size));
    EXPECT_EQ(bench.run({"verify", "receipt"}).exit, Exit::faults) << size;
  }
}

TEST(Prove, HandsOutNothingThatDoesNotHold) {
  ProveBench bench;
  auto wrong = bench.answer;
  wrong.path[0].bytes[0] ^= 1;
  bench.daemon.on<local::ProveRequest>(wrong);
  EXPECT_EQ(bench.run({"prove", "a4dq", "--out", "p"}).exit, Exit::refused);
  EXPECT_FALSE(std::filesystem::exists(bench.folder.path() / "p"));
  wrong = bench.answer;
  wrong.certificates.pop_back();
  bench.daemon.on<local::ProveRequest>(wrong);
  EXPECT_EQ(bench.run({"prove", "a4dq"}).exit, Exit::refused) << "nobody's key signed it";
  bench.daemon.on<local::ProveRequest>(local::Refusal{Errc::not_found, "no such entry"});
  EXPECT_EQ(bench.run({"prove", "a4dq"}).exit, Exit::refused);
  bench.write("text.md", "# Not a proof\n");
  EXPECT_EQ(bench.run({"verify", "text.md"}).exit, Exit::faults);
  EXPECT_EQ(bench.run({"verify", "nowhere.tlog-proof"}).exit, Exit::usage);
}

}  // namespace
}  // namespace kith::client
