#include <algorithm>
#include <chrono>
#include <map>
#include <span>
#include <tuple>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/commands/references.hpp"
#include "client/key_store.hpp"
#include "client/layout.hpp"
#include "client/secrets.hpp"
#include "client/signing.hpp"
#include "protocol/base/limits.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

constexpr std::size_t files_between_steps = 64;  // Of the progress bar.
constexpr std::size_t entries_on_a_page = 20;

struct Prepared {
  std::string file;
  std::string kind;
  std::string title;
  std::string content;  ///< Exactly what will be signed.
};

/// Everything that was wrong with any file: a person mends them in one go.
struct Wrong {
  std::string text;
  std::vector<FileComplaint> complaints;
};

void add(Wrong& wrong, const std::string& file, const std::vector<Complaint>& complaints) {
  std::string described = describe(file, complaints);
  if (!described.empty() && !described.ends_with('\n')) described.push_back('\n');
  wrong.text += described;
  for (const Complaint& complaint : complaints) wrong.complaints.push_back({file, complaint});
}

std::vector<Prepared> prepare(const PublishOptions& options, const Console& console,
                              const Desk& desk, Wrong& wrong) {
  std::vector<Prepared> prepared;
  std::map<Hash, std::string> by_content;
  ProgressBar bar(console);
  for (const std::string& file : options.files) {
    if (prepared.size() % files_between_steps == files_between_steps - 1) {
      bar.show(prepared.size(), options.files.size(), "reading");
    }
    auto content = files::read(desk.working_folder / file, limits::document_bytes_max);
    if (!content) {
      const bool is_large = content.error().code == Errc::too_large;
      add(wrong, file,
          {{0, "",
            is_large ? "is larger than " + size_of(limits::document_bytes_max) + "; shorten it"
                     : "cannot be read: " + content.error().detail}});
      continue;
    }
    if (const auto secret = secret_in(*content)) {
      add(wrong, file, {{0, "", "is " + *secret + "; never share it"}});
      continue;
    }
    const Parsed parsed = parse_document(*content);
    add(wrong, file, parsed.complaints);
    const auto [twin, is_new] = by_content.try_emplace(blake2b({view(*content)}), file);
    if (!is_new) {
      add(wrong, file, {{0, "", "has the text of " + twin->second + "; leave one of them out"}});
    } else if (parsed.complaints.empty()) {
      prepared.push_back({file, parsed.document.kind, parsed.document.title, std::move(*content)});
    }
  }
  return prepared;
}

/// Files whose very text this member published before: an entry cannot be taken back, so a second
/// one should be meant. Looks through the newest entries only.
Answered<bool> look_for_twins(const std::vector<Prepared>& prepared,
                              const local::StatusAnswer& status, Daemon& daemon,
                              const Console& console, Wrong& wrong) {
  constexpr std::uint32_t looked_at = 1000;
  const auto newest =
      ask<local::ListAnswer>(daemon, console, local::ListRequest{"", "", ~0ULL, looked_at});
  if (!newest) return {std::nullopt, newest.exit};
  using Look = std::tuple<std::string, std::string, std::uint64_t>;  // Kind, title, size.
  std::multimap<Look, RecordId> ours;
  for (const auto& entry : newest->records) {
    if (entry.member != status.code) continue;
    ours.emplace(Look{entry.kind, entry.title, entry.body_bytes}, entry.id);
  }
  for (const Prepared& each : prepared) {
    const auto [first, last] = ours.equal_range({each.kind, each.title, each.content.size()});
    for (auto alike = first; alike != last; ++alike) {
      const auto shown = ask<local::ShowAnswer>(daemon, console,
                                                local::ShowRequest{full_id(alike->second.view())});
      if (!shown) return {std::nullopt, shown.exit};
      if (text(shown->body) != each.content) continue;
      add(wrong, each.file,
          {{0, "",
            "was published before, as " + short_id(alike->second) +
                "; change it, or add --again to publish it once more"}});
      break;
    }
  }
  return {true, Exit::ok};
}

Exit complain_about(const Wrong& wrong, const Console& console) {
  console.err << clean_text(wrong.text);
  const Error error = fail(Errc::usage, "nothing was published; mend the above and try again");
  console.err << "kith: " << error.detail << '\n';
  if (console.json) console.out << json_of(error, wrong.complaints) << '\n';
  return Exit::usage;
}

/// Says who is in the room, and asks. Only where there is a person to ask.
Answered<bool> person_publishes(const std::vector<Prepared>& prepared,
                                const local::StatusAnswer& status, Daemon& daemon,
                                const Console& console) {
  const auto members = ask<local::MembersAnswer>(daemon, console, local::MembersRequest{});
  if (!members) return {std::nullopt, members.exit};
  std::vector<std::string> codes;
  for (const auto& member : members->members) codes.push_back(clean_line(member.code));
  for (const Prepared& each :
       std::span(prepared).first(std::min(prepared.size(), entries_on_a_page))) {
    console.err << "  " << each.kind << "  " << clean_line(each.title) << "  ("
                << clean_line(each.file) << ")\n";
  }
  if (prepared.size() > entries_on_a_page) console.err << "  …\n";
  console.err << counted(prepared.size(), "entry", "entries") << " for the "
              << counted(codes.size(), "member", "members") << " of "
              << clean_line(status.network_name) << ":\n  " << joined(codes, ", ") << '\n';
  if (confirm(console, "Publish?")) return {true, Exit::ok};
  return {std::nullopt, complain(console, fail(Errc::unavailable, "nothing was published"))};
}

/// Waits until so many others have confirmed the last of what was published, and with it all.
Exit wait_for_witnesses(std::uint32_t wanted, const Published& published, Daemon& daemon,
                        const Console& console, const Desk& desk) {
  constexpr std::chrono::milliseconds step{250};
  constexpr std::uint32_t steps_max = 10 * 60 * 4;  // Ten minutes.
  const std::string last = full_id(published.entries.back().id.view());
  ProgressBar bar(console);
  local::ShowAnswer shown;
  for (std::uint32_t steps = 0; steps < steps_max; ++steps) {
    const auto said = daemon.ask(local::ShowRequest{last}, [](const local::Progress&) {});
    if (!said) return complain(console, said.error(), Exit::unreachable);
    // A refusal: what people read follows a moment behind.
    const auto* answer = std::get_if<local::ShowAnswer>(&*said);
    if (answer != nullptr) shown = *answer;
    if (answer != nullptr && shown.witnesses < wanted) {
      return complain(console, fail(Errc::usage, "it is published, but only " +
                                                     std::to_string(shown.witnesses) +
                                                     " others confirm the log of this member"));
    }
    if (answer != nullptr && shown.confirmed >= wanted) return Exit::ok;
    bar.show(shown.confirmed, wanted, "waiting for others to confirm it");
    desk.wait(step);
  }
  bar.clear();
  return complain(
      console,
      fail(Errc::unavailable,
           "it is published, but in ten minutes only " + std::to_string(shown.confirmed) + " of " +
               std::to_string(wanted) + " have confirmed it; kith show tells when more do"));
}

void tell(const Console& console, const Published& published) {
  if (console.json) {
    console.out << json_of(published) << '\n';
    return;
  }
  // A script gets every line; a person gets a page.
  const bool paged = console.width != 0 && published.entries.size() > entries_on_a_page;
  const std::size_t shown = paged ? entries_on_a_page / 2 : published.entries.size();
  for (const PublishedEntry& entry : std::span(published.entries).first(shown)) {
    console.out << fit(short_id(entry.id) + "  " + entry.kind + "  " + clean_line(entry.title),
                       console.width)
                << '\n';
  }
  if (paged) {
    console.out << "… and " << counted(published.entries.size() - shown, "more", "more")
                << "; see kith list\n";
  }
  if (!published.waiting.empty()) return;  // It was said already what becomes of it.
  console.err << counted(published.entries.size(), "entry", "entries") << " published; kith show "
              << short_id(published.entries.front().id) << " tells by how many it is confirmed\n";
}

}  // namespace

Exit publish(const PublishOptions& options, Daemon& daemon, const Console& console,
             const Desk& desk) {
  Wrong wrong;
  std::vector<Prepared> prepared = prepare(options, console, desk, wrong);
  if (!wrong.complaints.empty()) return complain_about(wrong, console);

  const auto status = ask_member_status(daemon, console);
  if (!status) return status.exit;
  ProgressBar bar(console);
  std::size_t done = 0;
  for (Prepared& each : prepared) {
    if (++done % files_between_steps == 0) bar.show(done, prepared.size(), "looking at references");
    const auto completed = complete_references(each.content, daemon, console);
    if (!completed) return completed.exit;
    each.content = *completed;
  }
  bar.clear();
  if (!options.again) {
    const auto looked = look_for_twins(prepared, *status, daemon, console, wrong);
    if (!looked) return looked.exit;
    if (!wrong.complaints.empty()) return complain_about(wrong, console);
  }
  if (!options.yes && can_ask(console)) {
    const auto agreed = person_publishes(prepared, *status, daemon, console);
    if (!agreed) return agreed.exit;
  }
  const auto key = open_key(desk);
  if (!key) return complain(console, key.error());

  std::vector<Outgoing> outgoing;
  outgoing.reserve(prepared.size());
  for (const Prepared& each : prepared) {
    if (outgoing.size() % files_between_steps == files_between_steps - 1) {
      bar.show(outgoing.size(), prepared.size(), "signing");
    }
    outgoing.push_back(
        {each.kind, each.title, each.file,
         make_record(each.kind, to_bytes(view(each.content)), *status, key->public_key(), desk)});
  }
  bar.clear();
  const auto published = send_records(outgoing, *status, *key, daemon, console);
  if (!published) return published.exit;
  tell(console, *published);
  if (options.wait_witnesses == 0) return Exit::ok;
  if (!published->waiting.empty()) {
    return complain(console, fail(Errc::unavailable, "nobody can confirm it before it goes out"));
  }
  return wait_for_witnesses(options.wait_witnesses, *published, daemon, quiet(console), desk);
}

}  // namespace kith::client
