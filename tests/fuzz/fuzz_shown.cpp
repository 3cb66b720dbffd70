// What others wrote, as it reaches a terminal or a script: no control character, no mark that turns
// the reading direction, nothing but ASCII in JSON.
#include <sstream>

#include "client/json_output.hpp"
#include "client/layout.hpp"
#include "protocol/base/check.hpp"
#include "protocol/base/text.hpp"

using namespace kith;
using namespace kith::client;

namespace {

bool is_harmless(std::string_view shown, bool may_have_lines) {
  // U+202E turns the direction, U+200B hides: two for all.
  if (!is_utf8(shown) || shown.find("\xE2\x80\xAE") != std::string_view::npos ||
      shown.find("\xE2\x80\x8B") != std::string_view::npos) {
    return false;
  }
  return std::ranges::none_of(shown, [&](char c) {
    return (c >= 0 && c < ' ' && !(may_have_lines && c == '\n')) || c == '\x7F';
  });
}

bool is_ascii(std::string_view json) {
  return std::ranges::all_of(json, [](char c) { return c == '\n' || (c >= ' ' && c < '\x7F'); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string written(text({data, size}));
  const std::string line = clean_line(written);
  KITH_CHECK(is_harmless(line, false) && clean_line(line) == line);
  const std::string all = clean_text(written);
  KITH_CHECK(is_harmless(all, true) && clean_text(all) == all);
  KITH_CHECK(columns_of(fit(line, 10)) <= 10);
  const std::string word = shell_word(line);
  KITH_CHECK(is_harmless(word, false) && (line.empty() || !word.empty()));

  std::ostringstream out;
  std::istringstream in;
  const Console console{.out = out, .err = out, .in = in, .width = 30};
  Table table({"A", "B"});
  table.add({written, written});
  table.print(console);
  KITH_CHECK(is_harmless(out.str(), true));

  local::ShowAnswer shown;
  shown.record.title = written;
  shown.record.kind = written;
  shown.body = to_bytes(view(written));
  if (size >= sizeof(Millis)) shown.record.time = read_integer<Millis>({data, size});
  KITH_CHECK(is_ascii(json_of(shown)));
  KITH_CHECK(is_harmless(date_of(shown.record.time), false));
  KITH_CHECK(is_harmless(utc_of(shown.record.time), false));
  return 0;
}
