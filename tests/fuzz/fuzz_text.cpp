// Hex, base32, base64, decimals: what is accepted has one form. UTF-8: what is called good is.
#include "protocol/base/check.hpp"
#include "protocol/base/text.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView input(data, size);
  const std::string_view said = text(input);
  if (const auto bytes = from_hex(said)) KITH_CHECK(to_hex(*bytes) == said);
  if (const auto bytes = from_base32(said)) KITH_CHECK(to_base32(*bytes) == said);
  if (const auto bytes = from_base64(said)) KITH_CHECK(to_base64(*bytes) == said);
  for (const std::uint64_t max : {std::uint64_t{0}, std::uint64_t{65'535}, ~std::uint64_t{0}}) {
    const auto number = parse_decimal(said, max);
    if (number) KITH_CHECK(*number <= max && std::to_string(*number) == said);
  }
  KITH_CHECK(equal(*from_hex(to_hex(input)), input));
  KITH_CHECK(equal(*from_base32(to_base32(input)), input));
  KITH_CHECK(equal(*from_base64(to_base64(input)), input));

  KITH_CHECK(is_utf8(said) == !first_bad_utf8_line(said));
  const std::string line = one_line(said, 40);
  KITH_CHECK(line.size() <= 40 && is_utf8(line) && one_line(line, 40) == line);
  KITH_CHECK(std::ranges::none_of(line, [](char c) { return c >= 0 && c < ' '; }));
  return 0;
}
