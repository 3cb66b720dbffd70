#include <algorithm>
#include <set>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "protocol/base/text.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith::client {
namespace {

bool is_for_people(const local::ShowAnswer& shown) {
  const KindSpec* kind = find_kind(shown.record.kind);
  return (kind == nullptr || kind->is_document) && is_utf8(text(shown.body));
}

/// Exactly the bytes that the author signed.
Exit print_raw(const Console& console, const Bytes& body) {
  const std::string_view bytes = text(body);
  if (console.out_is_terminal && clean_text(bytes) != bytes) {
    return complain(console, fail(Errc::forbidden,
                                  "this entry holds characters that could do "
                                  "things to your terminal; write it to a file: "
                                  "kith show --raw ID > FILE"));
  }
  console.out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return Exit::ok;
}

void print_header(const Console& console, const local::ShowAnswer& shown) {
  const local::RecordSummary& record = shown.record;
  console.out << heading(console, clean_line(record.title)) << '\n'
              << kind_of(record) << ' ' << short_id(record.id) << ", from "
              << clean_line(record.member) << ", " << date_of(record.time) << '\n'
              << confirmed_by(shown.confirmed, shown.witnesses);
  if (record.replies > 0) {
    console.out << "; " << counted(record.replies, "reply", "replies") << ": kith thread "
                << short_id(record.id);
  }
  if (record.to) console.out << "\nin reply to " << short_id(*record.to);
  console.out << "\n\n";
}

/// "when_how_much" as "When how much".
std::string spoken(std::string_view field) {
  std::string words = clean_line(field);
  std::ranges::replace(words, '_', ' ');
  if (!words.empty()) words[0] = upper_case(words.substr(0, 1))[0];
  return words;
}

void print_text(const Console& console, std::string_view text) {
  const std::string block = clean_block(text);
  if (!block.empty()) console.out << block << '\n';
}

/// A form as sections: its fields in their order, then the text below them. What the header and the
/// last line say is left out. Everything else, and what is no good form, stands as it was signed.
void print_document(const Console& console, const local::ShowAnswer& shown, const Parsed& parsed) {
  const KindSpec* kind = find_kind(shown.record.kind);
  const bool is_form = kind != nullptr && !kind->open_front_matter && parsed.complaints.empty() &&
                       parsed.document.kind == shown.record.kind;
  if (!is_form) return print_text(console, text(shown.body));
  std::set<std::string_view> elsewhere = {"to", "reply_kind", "contact_role"};
  if (parsed.document.value("title") == shown.record.title) elsewhere.insert("title");
  for (const Field& field : parsed.document.fields) {
    // A section of the text is read in its place there.
    const bool is_section = field.line > parsed.document.front_end_line;
    if (is_section || elsewhere.contains(field.name)) continue;
    console.out << heading(console, spoken(field.name)) << '\n';
    for (const std::string& value : field.values) {
      if (field.values.size() > 1) console.out << "- ";
      print_text(console, value);
    }
    console.out << '\n';
  }
  print_text(console, parsed.document.text);
}

void print_contact(const Console& console, const local::ShowAnswer& shown,
                   const Document& document) {
  const std::string role = clean_line(document.value("contact_role"));
  const std::string member = clean_line(shown.record.member);
  console.out << "\nTalk to: ";
  if (!role.empty()) {
    console.out << role << ", " << member << '\n';
  } else {
    console.out << "whoever wrote this at " << member << "; ask with: kith reply "
                << short_id(shown.record.id) << " --as question\n";
  }
}

}  // namespace

Exit show(const ShowOptions& options, Daemon& daemon, const Console& console) {
  if (options.raw && console.json) {
    return complain(console, fail(Errc::usage, "give --raw or --json, not both"));
  }
  const auto shown = ask<local::ShowAnswer>(daemon, console, local::ShowRequest{options.id});
  if (!shown) return shown.exit;
  if (options.raw) return print_raw(console, shown->body);
  if (console.json) {
    console.out << json_of(*shown) << '\n';
    return Exit::ok;
  }

  print_header(console, *shown);
  if (is_for_people(*shown)) {
    const Parsed parsed = parse_document(text(shown->body));
    print_document(console, *shown, parsed);
    print_contact(console, *shown, parsed.document);
  } else {
    console.out << "This entry is for programs: " << size_of(shown->body.size())
                << " that kith show --raw writes out.\n";
  }
  return Exit::ok;
}

}  // namespace kith::client
