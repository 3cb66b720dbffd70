#include "protocol/keys/space_key.hpp"

#include "protocol/base/check.hpp"

namespace kith {
namespace {

constexpr std::string_view log_domain = "kith/log/v1\n";
constexpr std::string_view record_domain = "kith/record/v1\n";
constexpr std::string_view space_key_domain = "kith/space-key/v1\n";

}  // namespace

LogId log_id(const NetworkId& network, const MemberId& member, const SpaceId& space) {
  const Hash hash = blake2b({view(log_domain), network.view(), member.view(), space.view()});
  return LogId::from(hash.view());
}

RecordId record_id(BytesView record) {
  return RecordId::from(blake2b({view(record_domain), record}).view());
}

Hash space_key_id(const NetworkId& network, const SpaceId& space, char leaf_class,
                  const Key32& key) {
  const std::uint8_t letter = static_cast<std::uint8_t>(leaf_class);
  return blake2b(
      {view(space_key_domain), network.view(), space.view(), BytesView(&letter, 1), key.view()});
}

KeyGrant make_key_grant(const NetworkId& network, const SpaceId& space, const DecisionId& basis,
                        const SpaceKeys& keys, std::vector<GrantReceiver> receivers,
                        std::span<const Seed> ephemerals) {
  KITH_CHECK(receivers.size() == ephemerals.size());
  std::ranges::sort(receivers, {}, &GrantReceiver::member);

  KeyGrant grant;
  grant.space = space;
  grant.basis = basis;
  grant.key_id_g = space_key_id(network, space, 'g', keys.g);
  grant.key_id_r = space_key_id(network, space, 'r', keys.r);
  Bytes both = to_bytes(keys.g.view());
  append(both, keys.r.view());
  for (std::size_t i = 0; i < receivers.size(); ++i) {
    grant.boxes.push_back(box_seal(receivers[i].sealing_key, both, ephemerals[i]));
  }
  wipe(both);
  return grant;
}

Result<SpaceKeys> open_key_grant(const KeyGrant& grant, const NetworkId& network,
                                 const DhSecret& sealing_key) {
  bool opened = false;
  for (const Bytes& box : grant.boxes) {
    auto both = box_open(sealing_key, box);
    if (!both || both->size() != 2 * Key32::size) continue;
    opened = true;
    const BytesView bytes = *both;
    const SpaceKeys keys{Key32::from(bytes.first(Key32::size)),
                         Key32::from(bytes.subspan(Key32::size))};
    wipe(*both);
    if (space_key_id(network, grant.space, 'g', keys.g) == grant.key_id_g &&
        space_key_id(network, grant.space, 'r', keys.r) == grant.key_id_r) {
      return keys;
    }
  }
  if (opened) return fail(Errc::bad_proof, "the keys granted are not those that the grant names");
  return fail(Errc::not_found, "no box of the grant is for this sealing key");
}

}  // namespace kith
