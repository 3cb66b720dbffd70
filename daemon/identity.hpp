#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/keys/space_key.hpp"

/// What makes this daemon this member: the file `identity` in the data directory (0600). The
/// recovery key is not here: it exists on paper only.
namespace kith::daemon {

struct Identity {
  NetworkId network;
  MemberId member;
  Bytes certificate;  ///< Our newest statement.
  Bytes cut_list;     ///< Its list (encode(CutList)), if it cuts; else empty.
  Seed log_key;
  Seed witness_key;
  DhSecret transport_key;
  /// Newest first, at most former_transport_keys_max: who has not heard of the new one dials these.
  std::vector<DhSecret> former_transport_keys = {};
  DhSecret sealing_key;
  Seed daemon_key;
  Profile profile;  ///< As asked for at init; the newest in the log counts later.
  /// Handed over with admission (made by the founder). Nothing: still joining.
  std::optional<Key32> network_secret;
  /// The keys of the commons as made or handed over; those that KeyGrants name come from the log.
  std::optional<SpaceKeys> commons_keys;
  /// Whose commons begins with Founding, and the decision without which our fold is incomplete.
  MemberId founder;
  DecisionId decision;
  /// While joining: the invitation we came with.
  std::optional<Invitation> invitation;

  friend bool operator==(const Identity&, const Identity&) = default;
};

/// The transport keys that answer whoever dials them, newest first.
[[nodiscard]] std::vector<DhSecret> answering_keys(const Identity& identity);

/// Text, first line "kithd-identity v1".
[[nodiscard]] std::string encode_identity(const Identity& identity);
[[nodiscard]] Result<Identity> decode_identity(std::string_view text);

}  // namespace kith::daemon
