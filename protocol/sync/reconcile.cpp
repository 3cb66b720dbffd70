#include "protocol/sync/reconcile.hpp"

#include "protocol/crypto/crypto.hpp"

namespace kith::sync {
namespace {

constexpr std::string_view domain = "kith/digest/v1\n";

}  // namespace

Hash space_digest(const std::map<LogId, peer::LogSummary>& logs) {
  Bytes all = to_bytes(view(domain));
  append_integer<std::uint64_t>(all, logs.size());
  for (const auto& [id, log] : logs) {
    append(all, id.view());
    append_integer(all, log.size);
    append(all, log.root.view());
    append_integer(all, log.agreed);
    append(all, log.gaps.view());
    all.push_back(log.frozen ? 1 : 0);
  }
  return blake2b({all});
}

Hash overall_digest(const std::map<SpaceId, Hash>& spaces) {
  Bytes all = to_bytes(view(domain));
  append_integer<std::uint64_t>(all, spaces.size());
  for (const auto& [space, digest] : spaces) {
    append(all, space.view());
    append(all, digest.view());
  }
  return blake2b({all});
}

Hash gaps_hash(std::span<const std::uint64_t> indices) {
  if (indices.empty()) return {};
  Bytes all = to_bytes(view(domain));
  for (const std::uint64_t index : indices) append_integer(all, index);
  return blake2b({all});
}

DigestHalf first_half(const Hash& digest) {
  return DigestHalf::from(digest.view().first(DigestHalf::size));
}

}  // namespace kith::sync
