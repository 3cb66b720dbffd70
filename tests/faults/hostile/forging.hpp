#pragma once

#include "client/connection.hpp"
#include "daemon/clock.hpp"
#include "daemon/random.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/records/record.hpp"
#include "tests/faults/hostile/scene.hpp"

/// What the attacks with records share: a key, records for one log that are right or wrong, and
/// what a daemon says of itself.
namespace kith::hostile {

constexpr milliseconds patience{15'000};

/// An author key without a passphrase; ends the attack if it cannot be read.
[[nodiscard]] SigningKey author_key(const std::string& path);

/// Asks a local socket; ends the attack if it answers something else.
template <class Answer, class Request>
Answer ask(const std::string& socket, const Request& request) {
  client::Connection connection(socket);
  auto answer = connection.ask(request, {});
  if (!answer) give_up(answer.error().detail);
  if (!std::holds_alternative<Answer>(*answer)) give_up("the daemon answered something else");
  return std::get<Answer>(std::move(*answer));
}

/// Makes records for one log.
struct Desk {
  NetworkId network;
  LogId log;
  SigningKey key;
  PublicKey author = key.public_key();

  [[nodiscard]] Bytes record(std::string_view body, const std::string& kind = "document") const {
    Record record;
    daemon::fill_random(record.nonce.bytes);
    record.kind = kind;
    record.body = to_bytes(view(body));
    record.author = author;
    record.time = daemon::wall_now();
    record.network = network;
    record.log = log;
    return encode(record);
  }
  [[nodiscard]] std::vector<SignedRecord> batch(const std::vector<Bytes>& records) const {
    return sign_batch(network, log, records, key);
  }
  [[nodiscard]] Bytes text(std::string_view body, const std::string& kind = "document") const {
    return encode_text(batch({record(body, kind)}).front());
  }
};

/// Everything that can be wrong with a signed record, by name. `desk` may publish there.
[[nodiscard]] std::map<std::string, Bytes> forgeries(const Desk& desk, const LogId& elsewhere);

/// How much of a member's log the daemon holds.
[[nodiscard]] std::uint64_t held_of(const std::string& socket, const MemberId& member);
/// Waits, not for ever, until it holds so much; whether it does.
[[nodiscard]] bool comes_to_hold(const std::string& socket, const MemberId& member,
                                 std::uint64_t size);

}  // namespace kith::hostile
