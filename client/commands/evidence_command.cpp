#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/commands/verify_parts.hpp"
#include "client/layout.hpp"
#include "protocol/audit/evidence.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

constexpr unsigned for_everybody = 0644;
constexpr std::size_t id_characters = 8;

/// Every piece that the daemon holds, verified here once more.
Answered<std::vector<HeldEvidence>> ask_evidence(Daemon& daemon, const Console& console) {
  const auto answer = ask<local::EvidenceAnswer>(daemon, console, local::EvidenceRequest{});
  if (!answer) return {std::nullopt, answer.exit};
  std::vector<HeldEvidence> pieces;
  for (const local::EvidenceRow& row : answer->pieces) {
    const auto evidence = decode_evidence(row.file);
    const auto proven = evidence ? verify_evidence(*evidence) : evidence.error();
    if (!proven) {
      return {std::nullopt,
              complain(console, fail(Errc::bad_proof, "kithd holds evidence that proves nothing (" +
                                                          proven.error().detail +
                                                          "); stop it and run kithd check"))};
    }
    pieces.push_back({full_id(blake2b({view(row.file)}).view()), row, *proven, ""});
  }
  std::ranges::sort(pieces, {}, &HeldEvidence::id);
  return {std::move(pieces), Exit::ok};
}

std::string what(const HeldEvidence& piece) {
  const Contradiction& proven = piece.proven;
  if (proven.liar == Liar::recovery_key) return "signed two certificates of one number";
  std::string sizes = std::to_string(proven.said[0].size);
  if (proven.said[1].size != proven.said[0].size) {
    sizes += " and " + std::to_string(proven.said[1].size);
  }
  if (proven.liar == Liar::log_key) return "signed two histories of its log, at " + sizes;
  const std::string owner = piece.row.owner.empty() ? "a log" : "the log of " + piece.row.owner;
  return "confirmed two histories of " + owner + ", at " + sizes;
}

std::string follows(const HeldEvidence& piece) { return piece.row.counts ? "counts" : "mended"; }

}  // namespace

Exit evidence_list(Daemon& daemon, const Console& console) {
  const auto pieces = ask_evidence(daemon, console);
  if (!pieces) return pieces.exit;
  if (console.json) {
    console.out << json_of(*pieces) << '\n';
    return Exit::ok;
  }
  if (pieces->empty()) {
    console.out << "Nothing is held that proves two histories of anything.\n";
    return Exit::ok;
  }
  Table table({"id", "member", "still", "what its key did"});
  for (const HeldEvidence& piece : *pieces) {
    table.add({piece.id.substr(0, id_characters), piece.row.code, follows(piece), what(piece)});
  }
  table.print(console);
  console.err << "kith evidence show ID --out FILE writes one of them to hand on\n";
  return Exit::ok;
}

Exit evidence_show(const EvidenceOptions& options, Daemon& daemon, const Console& console,
                   const Desk& desk) {
  const auto pieces = ask_evidence(daemon, console);
  if (!pieces) return pieces.exit;
  const std::string prefix = lower_case(options.id);
  std::vector<HeldEvidence> found;
  for (const HeldEvidence& piece : *pieces) {
    if (piece.id.starts_with(prefix)) found.push_back(piece);
  }
  if (found.size() != 1) {
    return complain(console, fail(found.empty() ? Errc::not_found : Errc::usage,
                                  (found.empty() ? "no evidence begins with "
                                                 : "more than one piece begins with ") +
                                      one_line(options.id, 60) + "; see kith evidence list"));
  }
  HeldEvidence& piece = found.front();
  if (!options.out.empty()) {
    const auto written =
        files::create(desk.working_folder / options.out, view(piece.row.file), for_everybody);
    if (!written) return complain(console, written.error());
    piece.file = options.out;
  }
  if (console.json) {
    console.out << json_of(piece) << '\n';
    return Exit::ok;
  }
  console.out << "Evidence " << piece.id << "\nabout " << clean_line(piece.row.code) << ", member "
              << full_id(piece.proven.member.view()) << '\n';
  print_contradiction(console, piece.proven);
  console.out << (piece.row.counts
                      ? "It still counts: until that member has a new certificate, see "
                        "docs/AUDITING.md.\n"
                      : "It is mended: a later certificate of that member put an end to it.\n");
  if (!options.out.empty()) {
    console.err << "Written to " << clean_line(options.out) << "; anyone can check it: kith verify "
                << shell_word(options.out) << '\n';
  }
  return Exit::ok;
}

}  // namespace kith::client
