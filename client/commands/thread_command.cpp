#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "protocol/base/text.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith::client {
namespace {

constexpr std::size_t lines_max = 12;  // Of one entry; the rest is behind kith show.
constexpr std::size_t depth_max = 8;   // Deeper replies are not moved further to the right.
constexpr std::size_t indent_columns = 3;

/// What a person wrote below the front matter.
std::string words_of(const Bytes& body) {
  if (!is_utf8(text(body))) return "";
  return clean_block(parse_document(text(body)).document.text);
}

/// Whether the front matter says more than a thread shows of it: all of a reply's is shown.
bool has_more_above(const Bytes& body) {
  if (!is_utf8(text(body))) return false;
  const Parsed parsed = parse_document(text(body));
  return parsed.document.kind != "reply" &&
         std::ranges::any_of(parsed.document.fields, [&](const Field& field) {
           return field.line <= parsed.document.front_end_line && field.name != "title" &&
                  field.name != "kind";
         });
}

void print_entry(const Console& console, const local::ThreadRow& row) {
  const std::string indent(std::min<std::size_t>(row.depth, depth_max) * indent_columns, ' ');
  const local::RecordSummary& record = row.record;
  console.out << indent
              << heading(console, short_id(record.id) + "  " + clean_line(record.member) + "  " +
                                      date_of(record.time) + "  " + kind_of(record))
              << '\n';
  const std::string words = words_of(row.body);
  if (row.depth == 0 || words.empty()) {
    console.out << fit(indent + clean_line(record.title), console.width) << '\n';
  }
  std::size_t lines = 0;
  std::size_t at = 0;
  for (; at < words.size() && lines < lines_max; ++lines) {
    const std::size_t end = std::min(words.find('\n', at), words.size());
    console.out << indent << words.substr(at, end - at) << '\n';
    at = end + 1;
  }
  if (at < words.size() || has_more_above(row.body)) {
    console.out << indent << "… all of it: kith show " << short_id(record.id) << '\n';
  }
}

}  // namespace

Exit thread(const std::string& id, Daemon& daemon, const Console& console) {
  const auto answer = ask<local::ThreadAnswer>(daemon, console, local::ThreadRequest{id});
  if (!answer) return answer.exit;
  if (console.json) {
    console.out << json_of(*answer) << '\n';
    return Exit::ok;
  }
  for (const local::ThreadRow& row : answer->rows) {
    if (&row != &answer->rows.front()) console.out << '\n';
    print_entry(console, row);
  }
  return Exit::ok;
}

}  // namespace kith::client
