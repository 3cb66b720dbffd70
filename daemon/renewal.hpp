#pragma once

#include <functional>

#include "daemon/identity.hpp"
#include "daemon/waiting_rows.hpp"
#include "protocol/keys/authors.hpp"
#include "storage/database.hpp"

/// New keys for a member that has its recovery words: what `kithd renew` and `kithd cut` write. The
/// daemon that starts with such an identity enters the certificate in the member's log by itself.
namespace kith::daemon {

struct Renewal {
  Certificate::Reason reason = Certificate::Reason::planned;
  Millis now = 0;
  std::uint64_t highest_known = 0;  ///< Of the member's certificates, wherever they are known from.
  std::optional<PublicKey> steward = {};  ///< Nothing: the one that was named before.
  CutList cut = {};                       ///< Only with Reason::cut.
};

/// All five keys anew; the transport key that is replaced goes on answering. forbidden if
/// `recovery` is not this member's, unavailable if it is still joining.
[[nodiscard]] Result<Identity> renew(const Identity& before, const SigningKey& recovery,
                                     const Renewal& how,
                                     const std::function<void(std::span<std::uint8_t>)>& random);

/// This member's own log, as its store holds it.
struct OwnLogFound {
  LogId log;
  std::uint64_t size = 0;
  TreeHash root{};
  KeyHistory keys;
  std::optional<AgreedState> agreed;
  std::uint64_t elsewhere = 0;  ///< Agreed, but not here.
  std::uint64_t marked = 0;  ///< What the high-water file says was signed, as the caller read it.
  bool has_two_histories = false;
};

[[nodiscard]] OwnLogFound survey(const storage::ReadTxn& txn, const Identity& identity);
/// Where that log is to be cut: what is held, or of two histories what is agreed. unavailable, with
/// what to do, if more is agreed than is here.
[[nodiscard]] Result<CutLog> where_to_cut(const storage::ReadTxn& txn, const OwnLogFound& found,
                                          const Identity& identity);

}  // namespace kith::daemon
