#include "client/signing.hpp"

#include "protocol/base/limits.hpp"
#include "protocol/records/record.hpp"

namespace kith::client {
namespace {

constexpr std::size_t bytes_beside_text = 32;  // Of the message around each text, at most.

}  // namespace

Bytes make_record(const std::string& kind, Bytes body, const local::StatusAnswer& status,
                  const PublicKey& author, const Desk& desk) {
  Record record;
  desk.random(record.nonce.bytes);
  record.kind = kind;
  record.body = std::move(body);
  record.author = author;
  record.time = desk.now();
  record.network = status.network;
  record.log = status.commons_log;
  return encode(record);
}

Result<local::PublishRequest> sign_records(const std::vector<Bytes>& records,
                                           const local::StatusAnswer& status,
                                           const SigningKey& author) {
  if (records.size() > limits::batch_records_max) {
    return fail(Errc::usage, "more than " + std::to_string(limits::batch_records_max) +
                                 " entries at once; publish them in several calls");
  }
  local::PublishRequest request;
  std::size_t total = bytes_beside_text;
  for (SignedRecord& signed_record :
       sign_batch(status.network, status.commons_log, records, author)) {
    request.texts.push_back(encode_text(std::move(signed_record)));
    total += request.texts.back().size() + bytes_beside_text;
  }
  if (total > limits::local_message_bytes_max) {
    return fail(Errc::usage, "more than " +
                                 std::to_string(limits::local_message_bytes_max / limits::mi) +
                                 " MiB at once; publish it in several calls");
  }
  return request;
}

}  // namespace kith::client
