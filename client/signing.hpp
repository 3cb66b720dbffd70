#pragma once

#include <vector>

#include "client/desk.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/schema/local_codec.hpp"

/// Records are built and signed here, by the author, and nowhere else.
namespace kith::client {

/// The signed bytes of a record for this member's commons, said now.
[[nodiscard]] Bytes make_record(const std::string& kind, Bytes body,
                                const local::StatusAnswer& status, const PublicKey& author,
                                const Desk& desk);

/// Signs the records as one act of publishing. usage if there are more, or they are larger, than
/// one request holds.
[[nodiscard]] Result<local::PublishRequest> sign_records(const std::vector<Bytes>& records,
                                                         const local::StatusAnswer& status,
                                                         const SigningKey& author);

}  // namespace kith::client
