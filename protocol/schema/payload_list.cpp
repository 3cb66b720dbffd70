#include "protocol/schema/payload_list.hpp"

#include "protocol/base/limits.hpp"

namespace kith::peer {
namespace {

constexpr std::uint32_t not_held = 0xFFFF'FFFF;

}  // namespace

void append_payload(Bytes& list, std::optional<BytesView> payload) {
  append_integer<std::uint32_t>(list,
                                payload ? static_cast<std::uint32_t>(payload->size()) : not_held);
  if (payload) append(list, *payload);
}

Result<std::vector<std::optional<BytesView>>> split_payloads(BytesView list, std::size_t max) {
  std::vector<std::optional<BytesView>> out;
  while (!list.empty()) {
    if (list.size() < 4 || out.size() == max) {
      return fail(Errc::malformed, "a list of payloads does not end well");
    }
    const auto length = read_integer<std::uint32_t>(list);
    list = list.subspan(4);
    if (length == not_held) {
      out.emplace_back(std::nullopt);
      continue;
    }
    if (length > list.size() || length > limits::payload_bytes_max) {
      return fail(Errc::malformed, "a payload claims more than there is");
    }
    out.emplace_back(list.first(length));
    list = list.subspan(length);
  }
  return out;
}

}  // namespace kith::peer
