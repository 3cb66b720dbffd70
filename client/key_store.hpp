#pragma once

#include "client/desk.hpp"
#include "protocol/crypto/crypto.hpp"

/// The author key of the person at this desk. It never leaves the client.
namespace kith::client {

/// Makes a key and writes its file, readable by this user only. conflict if the file exists: a key
/// is never overwritten.
[[nodiscard]] Result<PublicKey> make_key(const Desk& desk, bool with_passphrase);

/// Who this person is, without any passphrase. not_found if there is no key file.
[[nodiscard]] Result<PublicKey> own_author(const Desk& desk);

/// Opens the key, with the passphrase from KITH_PASSPHRASE_FILE or the terminal if it needs one.
[[nodiscard]] Result<SigningKey> open_key(const Desk& desk);

}  // namespace kith::client
