// The path and the bytes of a tile have one form each.
#include "protocol/base/check.hpp"
#include "protocol/log/tile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  const BytesView input(data, size);
  const auto tile = parse_tile_path(text(input));
  if (tile) KITH_CHECK(tile_path(*tile) == text(input));
  const auto hashes = decode_hashes(input);
  if (!hashes) return 0;
  KITH_CHECK(equal(encode_hashes(*hashes), input));
  // As the one edge tile of a small tree.
  if (hashes->empty() || hashes->size() == limits::tile_hashes) return 0;
  const std::vector<std::vector<TreeHash>> edge{*hashes};
  KITH_CHECK(root_from_edge(hashes->size(), edge));
  KITH_CHECK(!root_from_edge(hashes->size() + 1, edge));
  return 0;
}
