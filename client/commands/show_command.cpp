#include <algorithm>

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
  console.out << heading(console, fit(clean_line(record.title), console.width)) << '\n'
              << clean_line(record.kind) << ' ' << short_id(record.id) << ", from "
              << clean_line(record.member) << ", " << date_of(record.time) << '\n'
              << confirmed_by(shown.confirmed, shown.witnesses);
  if (record.replies > 0) {
    console.out << "; " << counted(record.replies, "reply", "replies") << ": kith thread "
                << short_id(record.id);
  }
  if (record.to) console.out << "\nin reply to " << short_id(*record.to);
  console.out << "\n\n";
}

void print_contact(const Console& console, const local::ShowAnswer& shown) {
  const Parsed parsed = parse_document(text(shown.body));
  const Field* role = parsed.document.find("contact_role");
  const std::string member = clean_line(shown.record.member);
  console.out << "\nTalk to: ";
  if (role != nullptr && !role->values.empty()) {
    console.out << clean_line(role->values[0]) << ", " << member << '\n';
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
    const std::string body = clean_text(text(shown->body));
    console.out << body << (body.ends_with('\n') ? "" : "\n");
    print_contact(console, *shown);
  } else {
    console.out << "This entry is for programs: " << size_of(shown->body.size())
                << " that kith show --raw writes out.\n";
  }
  return Exit::ok;
}

}  // namespace kith::client
