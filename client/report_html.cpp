// An audit's page to print.
#include "client/layout.hpp"
#include "client/report_page.hpp"

namespace kith::client {
namespace {

constexpr const char* head = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<style>
@page { size: A4; margin: 18mm 16mm 20mm; @bottom-right { content: counter(page) " / " counter(pages); } }
body { font: 10.5pt/1.45 "Liberation Sans", Arial, sans-serif; color: #111; background: #fff;
  max-width: 46em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.7em; line-height: 1.2; margin: 0 0 .6em; }
h2 { font-size: 1.3em; margin: 2em 0 .5em; border-top: 2px solid #111; padding-top: .5em; }
h3 { font-size: 1.05em; margin: 1.3em 0 .3em; }
h1, h2, h3, caption { break-after: avoid; }
.limits { border: 1px solid #111; padding: .6em .8em; }
table { border-collapse: collapse; width: 100%; margin: .5em 0 1em; }
caption { text-align: left; font-weight: bold; padding: .2em 0; }
th, td { text-align: left; vertical-align: top; padding: .25em .6em .25em 0;
  border-bottom: 1px solid #aaa; overflow-wrap: anywhere; }
.facts th { width: 8em; }
.grid tbody th { font-weight: normal; }
tr { break-inside: avoid; }
thead { display: table-header-group; }
code { font: 8pt/1.4 "Liberation Mono", monospace; }
@media print { body { margin: 0; padding: 0; max-width: none; } }
</style>
)";

/// Longer words without blanks are ids and keys.
constexpr std::size_t id_bytes_min = 40;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : clean_line(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string cell(const std::string& text) {
  const std::size_t word = std::min(text.find(' '), text.size());
  if (word < id_bytes_min) return escaped(text);
  return "<code>" + escaped(text.substr(0, word)) + "</code>" + escaped(text.substr(word));
}

std::string element(const char* name, const std::string& text) {
  return '<' + std::string(name) + '>' + escaped(text) + "</" + name + ">\n";
}

std::string facts(const PageBlock& block) {
  std::string html = "<table class=\"facts\">\n<tbody>\n";
  for (const auto& row : block.rows) {
    html +=
        "<tr><th scope=\"row\">" + escaped(row[0]) + "</th><td>" + cell(row[1]) + "</td></tr>\n";
  }
  return html + "</tbody>\n</table>\n";
}

std::string grid(const PageBlock& block) {
  if (block.rows.empty()) return element("p", block.text + ": none");
  std::string html =
      "<table class=\"grid\">\n<caption>" + escaped(block.text) + "</caption>\n<thead><tr>";
  for (const std::string& column : block.columns) {
    html += "<th scope=\"col\">" + escaped(column) + "</th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const auto& row : block.rows) {
    html += "<tr>";
    for (const std::string& one : row) {
      const bool is_first = &one == &row.front();
      html +=
          (is_first ? "<th scope=\"row\">" : "<td>") + cell(one) + (is_first ? "</th>" : "</td>");
    }
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n";
}

std::string list(const PageBlock& block) {
  std::string html = "<ul>\n";
  for (const auto& row : block.rows) html += element("li", row[0]);
  return html + "</ul>\n";
}

std::string html_of(const PageBlock& block) {
  using Kind = PageBlock::Kind;
  switch (block.kind) {
    case Kind::heading:
      return element("h2", block.text);
    case Kind::subheading:
      return element("h3", block.text);
    case Kind::paragraph:
      return element("p", block.text);
    case Kind::facts:
      return facts(block);
    case Kind::grid:
      return grid(block);
    case Kind::list:
      break;
  }
  return list(block);
}

}  // namespace

std::string html_of(const ReportPage& page) {
  std::string html = head;
  html += element("title", page.title) + "</head>\n<body>\n<main>\n" + element("h1", page.title);
  for (const PageBlock& block : page.blocks) {
    const bool is_first = &block == &page.blocks.front();
    html += is_first ? "<p class=\"limits\">" + escaped(block.text) + "</p>\n" : html_of(block);
  }
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace kith::client
