#include "client/commands/common.hpp"

#include "client/layout.hpp"
#include "client/signing.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/keys/space_key.hpp"

namespace kith::client {

Answered<local::StatusAnswer> ask_member_status(Daemon& daemon, const Console& console) {
  auto status = ask<local::StatusAnswer>(daemon, console, local::StatusRequest{});
  if (!status || status->state != "joining") return status;
  const Error not_yet =
      fail(Errc::unavailable, "your organisation is no member yet: " + status->state_detail);
  return {std::nullopt, complain(console, not_yet)};
}

Answered<Published> send_records(const std::vector<Outgoing>& outgoing,
                                 const local::StatusAnswer& status, const SigningKey& author,
                                 Daemon& daemon, const Console& console) {
  std::vector<Bytes> records;
  records.reserve(outgoing.size());
  for (const Outgoing& each : outgoing) records.push_back(each.record);
  auto request = sign_records(records, status, author);
  if (!request) return {std::nullopt, complain(console, request.error())};

  // A few are sent in no time.
  constexpr std::size_t many = 500;
  std::optional<local::Progress> sending;
  if (records.size() > many) sending = local::Progress{records.size(), 0, "entries: sending them"};
  const auto answer = ask<local::PublishAnswer>(daemon, console, std::move(*request), sending);
  if (!answer && answer.exit == Exit::unreachable) {
    console.err << "kith: it may have been published all the same: look at kith list, or kith "
                   "proposals, before you try again\n";
  }
  if (!answer) return {std::nullopt, answer.exit};
  if (answer->records.size() != records.size()) {
    const Error wrong = fail(Errc::malformed,
                             "kithd answered for another number of entries; see "
                             "kith list for what was published");
    return {std::nullopt, complain(console, wrong)};
  }

  Published published;
  published.size = answer->size;
  published.checkpoint = answer->checkpoint;
  published.waiting = answer->waiting;
  for (std::size_t i = 0; i < outgoing.size(); ++i) {
    published.entries.push_back({record_id(outgoing[i].record), outgoing[i].kind, outgoing[i].title,
                                 outgoing[i].file, answer->records[i].index});
  }
  if (!published.waiting.empty()) {
    console.err << "it is kept on this machine and goes out by itself later: "
                << clean_line(published.waiting) << '\n';
  }
  return {std::move(published), Exit::ok};
}

std::string kind_of(const local::RecordSummary& entry) {
  const std::string kind = clean_line(entry.kind);
  return entry.reply_kind.empty() ? kind : kind + ": " + clean_line(entry.reply_kind);
}

void print_entries(const Console& console, std::span<const local::RecordSummary> entries) {
  Table table({"id", "date", "member", "kind", "replies", "title"});
  for (const local::RecordSummary& entry : entries) {
    table.add({short_id(entry.id), date_of(entry.time), entry.member, kind_of(entry),
               entry.replies == 0 ? "" : std::to_string(entry.replies), entry.title});
  }
  table.print(console);
}

Console quiet(const Console& console) {
  Console without = console;
  without.json = false;
  return without;
}

std::string confirmed_by(std::uint32_t confirmed, std::uint32_t others) {
  if (others == 0) return "no others to confirm it yet";
  return "confirmed by " + std::to_string(confirmed) + " of " + counted(others, "other", "others");
}

const local::ProposalRow* proposed_already(const local::ProposalsAnswer& open,
                                           const local::CandidateRow& candidate) {
  for (const auto& proposal : open.proposals) {
    if (std::ranges::count(proposal.admits, candidate.member) > 0) return &proposal;
  }
  return nullptr;
}

void print_wide(const Console& console, const std::string& label, const std::string& value) {
  const std::string indent(label.size(), ' ');
  const std::size_t room =
      console.width > label.size() ? console.width - label.size() : value.size();
  std::string lines = folded(value, room);
  for (std::size_t at = 0; (at = lines.find('\n', at)) != std::string::npos; ++at) {
    lines.insert(at + 1, indent);
  }
  console.out << label << lines << '\n';
}

std::string fingerprint_of(const MemberId& member) {
  return joined(fingerprint_words(member), " ");
}

}  // namespace kith::client
