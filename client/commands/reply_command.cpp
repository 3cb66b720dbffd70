#include <algorithm>
#include <iterator>
#include <set>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/key_store.hpp"
#include "client/layout.hpp"
#include "client/secrets.hpp"
#include "client/signing.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"
#include "protocol/records/outline.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

constexpr std::string_view cut_line =
    "---- 8< ---- what is below this line is not sent ---- >8 ----";

/// Standard input, one byte more than allowed at most, so that too much is noticed.
std::string read_input(std::istream& in) {
  std::string text;
  for (char c = 0; text.size() <= limits::document_bytes_max && in.get(c);) text.push_back(c);
  return text;
}

/// What the person sees below the cut while writing.
std::string editor_text(const local::ShowAnswer& to) {
  std::string quoted = "> " + clean_text(text(to.body));
  for (std::size_t at = 0; (at = quoted.find('\n', at)) != std::string::npos; at += 3) {
    quoted.insert(at + 1, "> ");
  }
  return "\n\n" + std::string(cut_line) + "\n" + clean_line(to.record.member) + " wrote \"" +
         clean_line(to.record.title) + "\":\n\n" + quoted + "\n";
}

/// What somebody wrote in an editor must not be lost, whatever went wrong, nor replace another
/// file. `advice` is what to do with it.
void keep_unsent(const std::string& words, const char* advice, const Console& console,
                 const Desk& desk) {
  constexpr int files_max = 100;
  for (const auto& folder : {desk.working_folder, desk.state_folder}) {
    for (int number = 1; number <= files_max; ++number) {
      const auto path = folder / ("unsent-reply-" + std::to_string(number) + ".md");
      const auto kept = files::create(path, view(words), 0600);
      if (!kept && kept.error().code == Errc::conflict) continue;
      if (!kept) break;
      console.err << "kith: your words are in " << path.string() << advice << '\n';
      return;
    }
  }
  console.err << "kith: your words, which could not be kept in a file:\n"
              << clean_text(words) << '\n';
}

std::string above_cut(const std::string& text) { return text.substr(0, text.find(cut_line)); }

/// Whether anything stands below the cut that was not shown there. Blanks at the ends of lines do
/// not count, and what was shown may be deleted.
bool has_words_below(std::string_view edited, std::string_view shown) {
  const auto lines_below = [](std::string_view all) {
    std::set<std::string_view> lines;
    const std::size_t cut = all.find(cut_line);
    for (std::size_t at = cut; cut != std::string_view::npos && at < all.size();) {
      lines.insert(trimmed(take_line(all, at)));
    }
    return lines;
  };
  const auto known = lines_below(shown);
  return std::ranges::any_of(lines_below(edited), [&](std::string_view line) {
    return !line.empty() && !known.contains(line);
  });
}

Result<std::string> text_of(const ReplyOptions& options, const local::ShowAnswer& to,
                            const Console& console, const Desk& desk) {
  if (options.text) return *options.text;
  const std::string shown = editor_text(to);
  const Error below = fail(Errc::usage,
                           "there are words below the cut, and those would not be sent; move "
                           "them above it");
  if (options.file) {
    auto words = *options.file == "-"
                     ? Result<std::string>(read_input(console.in))
                     : files::read(desk.working_folder / *options.file, limits::document_bytes_max);
    if (!words) return fail(Errc::usage, "--file: " + words.error().detail);
    if (has_words_below(*words, shown)) return below;
    return above_cut(*words);
  }
  if (!can_ask(console)) {
    return fail(Errc::usage,
                "give your words with --text TEXT or --file FILE (- for standard "
                "input)");
  }
  auto edited = desk.edit(shown);
  if (!edited) return edited;
  if (has_words_below(*edited, shown)) {
    keep_unsent(*edited, "; move them above its cut, then send them with --file", console, desk);
    return below;
  }
  return above_cut(*edited);
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::string reply_document(const ReplyOptions& options, const RecordId& to, std::string words) {
  while (words.ends_with('\n') || words.ends_with(' ')) words.pop_back();
  words.erase(0, words.find_first_not_of("\r\n"));
  return "---\nkind: reply\nto: " + full_id(to.view()) + "\nreply_kind: " + options.as +
         "\n---\n\n" + words + "\n";
}

Answered<Published> send_reply(const ReplyOptions& options, const local::ShowAnswer& to,
                               const std::string& words, const local::StatusAnswer& status,
                               const SigningKey& key, Daemon& daemon, const Console& console,
                               const Desk& desk) {
  const auto refuse = [&](const std::string& why) -> Answered<Published> {
    return {std::nullopt, complain(console, fail(Errc::usage, why))};
  };
  if (is_blank(words)) {
    return refuse(
        "there are no words in this reply (above the cut, if it was written in an editor); nothing "
        "was sent");
  }
  if (const auto secret = secret_in(words)) {
    return refuse("this is " + *secret + "; never share it");
  }
  const std::string document = reply_document(options, to.record.id, words);
  const Parsed parsed = parse_document(document);
  if (!parsed.complaints.empty()) return refuse(describe("reply", parsed.complaints));
  return send_records(
      {{"reply", parsed.document.title, "",
        make_record("reply", to_bytes(view(document)), status, key.public_key(), desk)}},
      status, key, daemon, console);
}

}  // namespace

Exit reply(const ReplyOptions& options, Daemon& daemon, const Console& console, const Desk& desk) {
  if (options.text && options.file) {
    return complain(console, fail(Errc::usage, "give --text or --file, not both"));
  }
  const auto status = ask_member_status(daemon, console);
  if (!status) return status.exit;
  const auto to = ask<local::ShowAnswer>(daemon, console, local::ShowRequest{options.id});
  if (!to) return to.exit;
  // Whatever could stop it later is looked at before anybody writes.
  const auto key = open_key(desk);
  if (!key) return complain(console, key.error());
  const auto words = text_of(options, *to, console, desk);
  if (!words) return complain(console, words.error());
  const auto sent = send_reply(options, *to, *words, *status, *key, daemon, console, desk);
  if (!sent) {
    const bool was_edited = !options.text && !options.file;
    const bool may_be_sent = sent.exit == Exit::unreachable || secret_in(*words).has_value();
    const char* advice = may_be_sent ? "" : "; send them with --file";
    if (was_edited && !is_blank(*words)) keep_unsent(*words, advice, console, desk);
    return sent.exit;
  }
  const PublishedEntry& entry = sent->entries.front();
  if (console.json) {
    console.out << json_of(*sent) << '\n';
  } else {
    console.out << short_id(entry.id) << "  " << clean_line(entry.title) << '\n';
    if (!sent->waiting.empty()) return Exit::ok;
    console.err << "sent in reply to " << short_id(to->record.id) << "; see kith thread "
                << short_id(to->record.id) << '\n';
  }
  return Exit::ok;
}

}  // namespace kith::client
