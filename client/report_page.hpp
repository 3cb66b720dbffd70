#pragma once

#include <string>
#include <vector>

#include "client/console.hpp"
#include "protocol/audit/report.hpp"

/// An audit as something to read: the same page as text and as HTML.
namespace kith::client {

struct PageBlock {
  enum class Kind : std::uint8_t { heading, subheading, paragraph, facts, grid, list };
  Kind kind = Kind::paragraph;
  std::string text;                            ///< Of a grid: what its rows are.
  std::vector<std::string> columns;            ///< Of a grid.
  std::vector<std::vector<std::string>> rows;  ///< Of facts, two cells; of a list, one.
};

/// Nothing in it is clean: whoever draws it takes care of that.
struct ReportPage {
  std::string title;
  std::vector<PageBlock> blocks;
};

/// Everything there is to say. The first block says what a log cannot prove.
[[nodiscard]] ReportPage page_of(const AuditReport& report);

/// Within 80 columns, or those of the terminal if it has fewer.
void print_page(const Console& console, const ReportPage& page);
/// One page that needs nothing else: no script, no picture, nothing from elsewhere. For A4.
[[nodiscard]] std::string html_of(const ReportPage& page);

}  // namespace kith::client
