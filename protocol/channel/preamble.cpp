#include "protocol/channel/preamble.hpp"

#include "protocol/crypto/crypto.hpp"

namespace kith::channel {
namespace {

constexpr std::string_view magic = "kith/p2p";
constexpr std::size_t start_bytes = 9;  // Magic and version.
constexpr std::size_t mac_bytes = 16;
static_assert(magic.size() + 1 == start_bytes && start_bytes + mac_bytes == preamble_bytes);

std::array<std::uint8_t, start_bytes> start_of_preamble() {
  std::array<std::uint8_t, start_bytes> start;
  std::ranges::copy(magic, start.begin());
  start.back() = wire_version;
  return start;
}

}  // namespace

PreambleKey preamble_key(const DhPublic& responder, const NetworkId& network) {
  const Hash key = blake2b({view("kith/preamble-key/v1\n"), responder.view(), network.view()});
  return PreambleKey::from(key.view());
}

std::array<std::uint8_t, preamble_bytes> make_preamble(const PreambleKey& key,
                                                       const DhPublic& ephemeral) {
  const auto start = start_of_preamble();
  const Hash mac = blake2b_keyed(key.view(), {view("kith/preamble/v1\n"), start, ephemeral.view()});
  std::array<std::uint8_t, preamble_bytes> preamble;
  std::ranges::copy(start, preamble.begin());
  std::ranges::copy(mac.view().first(mac_bytes), preamble.begin() + start_bytes);
  return preamble;
}

bool preamble_matches(BytesView opening, const PreambleKey& key) {
  if (opening.size() != opening_bytes) return false;
  const auto ephemeral = DhPublic::from(opening.subspan(preamble_bytes, DhPublic::size));
  return equal_in_constant_time(make_preamble(key, ephemeral), opening.first(preamble_bytes));
}

}  // namespace kith::channel
