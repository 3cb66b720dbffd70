#pragma once

#include <optional>
#include <span>
#include <vector>

#include "protocol/crypto/crypto.hpp"
#include "protocol/schema/record_codec.hpp"

/// The two keys of a space, how they are named, granted and opened; ids of networks, logs, records.
namespace kith {

/// H(`kith/log/v1` | network | member | space).
[[nodiscard]] LogId log_id(const NetworkId& network, const MemberId& member, const SpaceId& space);
/// H(`kith/record/v1` | record bytes).
[[nodiscard]] RecordId record_id(BytesView record);

struct SpaceKeys {
  Key32 g;  ///< Seals governance payloads.
  Key32 r;  ///< Seals everything else.
  friend bool operator==(const SpaceKeys&, const SpaceKeys&) = default;
};
/// H(`kith/space-key/v1` | network | space | class letter | key).
[[nodiscard]] Hash space_key_id(const NetworkId& network, const SpaceId& space, char leaf_class,
                                const Key32& key);

struct GrantReceiver {
  MemberId member;
  DhPublic sealing_key;
};
/// `receivers` need not be sorted; `ephemerals` holds one fresh random seed for each.
[[nodiscard]] KeyGrant make_key_grant(const NetworkId& network, const SpaceId& space,
                                      const DecisionId& basis, const SpaceKeys& keys,
                                      std::vector<GrantReceiver> receivers,
                                      std::span<const Seed> ephemerals);
/// Tries every box with `sealing_key`; checks both ids. not_found if none is for us.
[[nodiscard]] Result<SpaceKeys> open_key_grant(const KeyGrant& grant, const NetworkId& network,
                                               const DhSecret& sealing_key);

}  // namespace kith
