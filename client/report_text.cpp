// An audit's page on a terminal, or for a letter.
#include <algorithm>

#include "client/layout.hpp"
#include "client/report_page.hpp"
#include "protocol/base/text.hpp"

namespace kith::client {
namespace {

constexpr std::size_t columns_max = 80;
constexpr std::size_t columns_min = 20;
constexpr std::size_t between = 2;

class TextPage {
 public:
  explicit TextPage(const Console& console)
      : console_(console),
        columns_(console.width == 0 ? columns_max
                                    : std::clamp(console.width, columns_min, columns_max)) {}

  void print(const PageBlock& block) {
    draw(block);
    before_ = block.kind;
  }
  void title(const std::string& text, char under) {
    const std::string line = clean_line(text);
    console_.out << '\n' << kith::client::heading(console_, line) << '\n';
    console_.out << std::string(std::min(columns_of(line), columns_), under) << '\n';
  }

 private:
  using Kind = PageBlock::Kind;

  void draw(const PageBlock& block) {
    switch (block.kind) {
      case Kind::heading:
        title(block.text, '=');
        return;
      case Kind::subheading:
        console_.out << '\n' << kith::client::heading(console_, clean_line(block.text)) << '\n';
        return;
      case Kind::paragraph:
        hanging("", block.text);
        return;
      case Kind::facts:
        return facts(block);
      case Kind::grid:
        return grid(block);
      case Kind::list:
        for (const auto& row : block.rows) hanging("- ", row[0]);
        return;
    }
  }
  /// `text` beside `label`, and below it.
  void hanging(const std::string& label, const std::string& text) {
    const std::string indent(columns_of(label), ' ');
    std::string lines = folded(clean_line(text), columns_ - indent.size());
    for (std::size_t at = 0; (at = lines.find('\n', at)) != std::string::npos; ++at) {
      lines.insert(at + 1, indent);
    }
    console_.out << label << lines << '\n';
  }

  /// An empty line, but below a title.
  void part() {
    if (before_ != Kind::heading && before_ != Kind::subheading) console_.out << '\n';
  }

  void facts(const PageBlock& block) {
    part();
    std::size_t width = 0;
    for (const auto& row : block.rows) width = std::max(width, columns_of(row[0]));
    for (const auto& row : block.rows) {
      hanging(row[0] + std::string(width + between - columns_of(row[0]), ' '), row[1]);
    }
  }

  void grid(const PageBlock& block) {
    part();
    if (block.rows.empty()) return hanging("", block.text + ": none");
    std::size_t needed = 0;
    for (std::size_t column = 0; column < block.columns.size(); ++column) {
      std::size_t width = columns_of(block.columns[column]);
      for (const auto& row : block.rows) {
        width = std::max(width, columns_of(clean_line(row[column])));
      }
      needed += width + (column == 0 ? 0 : between);
    }
    if (needed > columns_) return stacked(block);
    Table table(block.columns);
    for (const auto& row : block.rows) table.add(row);
    table.print(console_);
  }

  /// For what is too wide: each row's first cell, and below it the others.
  void stacked(const PageBlock& block) {
    console_.out << clean_line(block.text) << '\n';
    for (const auto& row : block.rows) {
      hanging("  ", row[0]);
      std::string others;
      for (std::size_t column = 1; column < row.size(); ++column) {
        others += (column == 1 ? "" : "; ") + block.columns[column] + ": " + row[column];
      }
      hanging("    ", others);
    }
  }

  const Console& console_;
  std::size_t columns_;
  Kind before_ = Kind::heading;
};

}  // namespace

void print_page(const Console& console, const ReportPage& page) {
  TextPage text(console);
  text.title(page.title, '=');
  for (const PageBlock& block : page.blocks) text.print(block);
}

}  // namespace kith::client
