#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/json_output.hpp"
#include "client/key_store.hpp"
#include "client/layout.hpp"
#include "client/state.hpp"
#include "protocol/base/text.hpp"

namespace kith::client {
namespace {

// Two lines at the top, and three times a blank line, a heading, these and "and more": 23 lines.
constexpr std::size_t items_max = 4;
constexpr std::size_t code_columns = 16;
constexpr std::size_t text_columns_min = 20;
constexpr std::size_t text_columns_wide = 60;  // Where nothing cuts the line.

/// Something to look at, and the command that goes there.
struct Item {
  std::string text;
  std::string command;
};

struct Section {
  std::string title;
  std::vector<Item> items;
  std::size_t count = 0;  // Of all, shown or not.
  std::string more_command;
};

Item entry_item(const local::RecordSummary& entry, const char* command) {
  const std::string member = fit(clean_line(entry.member), code_columns);
  const std::string as = entry.reply_kind.empty() ? "" : clean_line(entry.reply_kind) + ": ";
  return {date_of(entry.time) + "  " + member + "  " + as + clean_line(entry.title),
          std::string(command) + short_id(entry.id)};
}

Section waiting(const local::FrontAnswer& page, const Result<PublicKey>& author) {
  Section section{"Waits for you", {}, 0, "kith proposals"};
  if (!author && author.error().code == Errc::not_found) {
    section.items.push_back({"You have no author key yet", "kith init"});
  } else if (!author) {
    section.items.push_back({"Your key cannot be used: " + clean_line(author.error().detail), ""});
  }
  if (page.status.bad > 0) {
    section.items.push_back(
        {counted(page.status.bad, "entry", "entries") + " failed a check", "kith audit"});
  }
  for (const auto& candidate : page.candidates) {
    const std::string code = fit(clean_line(candidate.profile.code), code_columns);
    const auto alike = std::ranges::count_if(page.candidates, [&](const auto& other) {
      return other.profile.code == candidate.profile.code;
    });
    // Where there is more to say than a line holds, that is where to read it.
    const bool is_simple = alike == 1 && candidate.warning.empty();
    section.items.push_back({code + " " + clean_line(candidate.profile.name) + " wants to join",
                             is_simple ? "kith consent " + shell_word(code) : "kith proposals"});
  }
  for (const auto& proposal : page.proposals) {
    section.items.push_back(
        {clean_line(proposal.proposer) + " asks: " + clean_line(joined(proposal.effects, "; ")),
         "kith consent " + short_id(proposal.id)});
  }
  section.count = section.items.size();
  return section;
}

Section entries(std::string title, const std::vector<local::RecordSummary>& rows,
                std::uint32_t count, const char* command, std::string more_command) {
  Section section{
      std::move(title), {}, std::max<std::size_t>(count, rows.size()), std::move(more_command)};
  for (const auto& entry : rows) {
    if (section.items.size() == items_max) break;
    section.items.push_back(entry_item(entry, command));
  }
  return section;
}

void print_line(const Console& console, const Item& item, std::size_t text_columns) {
  const std::string text = fit(item.text, text_columns);
  const std::string padding(text_columns - columns_of(text) + 2, ' ');
  console.out << fit("  " + text + padding + item.command, console.width) << '\n';
}

void print_section(const Console& console, const Section& section) {
  if (section.count == 0) return;
  std::vector<Item> shown = section.items;
  shown.resize(std::min(shown.size(), items_max));
  if (section.count > shown.size()) {
    shown.push_back(
        {"and " + std::to_string(section.count - shown.size()) + " more", section.more_command});
  }
  std::size_t command_columns = 0;
  for (const Item& item : shown) {
    command_columns = std::max(command_columns, columns_of(item.command));
  }
  const std::size_t room =
      console.width > command_columns + 4 ? console.width - command_columns - 4 : text_columns_min;
  const std::size_t text_columns = console.width == 0 ? text_columns_wide : room;
  console.out << '\n' << heading(console, section.title) << '\n';
  for (const Item& item : shown) print_line(console, item, text_columns);
}

void print_top(const Console& console, const local::StatusAnswer& status) {
  const std::string top = clean_line(status.code) + " in " + clean_line(status.network_name) +
                          ": " + counted(status.members, "member", "members") + ", " +
                          counted(status.peers_connected, "other", "others") + " connected";
  console.out << heading(console, fit(top, console.width)) << '\n';
  if (!status.state_detail.empty()) {
    console.out << fit(clean_line(status.state_detail), console.width) << '\n';
  }
}

}  // namespace

Exit front(Daemon& daemon, const Console& console, const Desk& desk) {
  const auto author = own_author(desk);
  local::FrontRequest request;
  if (author) request.author = *author;
  request.since_sequence = last_seen(desk);
  const auto page = ask<local::FrontAnswer>(daemon, console, request);
  if (!page) return page.exit;
  if (console.json) {
    console.out << json_of(*page) << '\n';
    return Exit::ok;
  }

  // What does not fit is not new the next time: this lists it.
  const std::string since = " --after " + std::to_string(request.since_sequence);
  const Section sections[] = {
      waiting(*page, author),
      entries("Answers to you", page->answers, page->answers_count, "kith thread ",
              "kith list --kind reply" + since),
      entries("New from others", page->news, page->news_count, "kith show ", "kith list" + since)};
  print_top(console, page->status);
  for (const Section& section : sections) print_section(console, section);
  if (std::ranges::all_of(sections, [](const Section& s) { return s.count == 0; })) {
    console.out << "\nNothing new and nothing waits for you. All commands: kith --help\n";
  }

  // Only what a person had before their eyes counts as seen, not what a script read.
  if (console.out_is_terminal) {
    [[maybe_unused]] const auto remembered = remember_seen(desk, page->status.last_sequence);
  }
  return Exit::ok;
}

}  // namespace kith::client
