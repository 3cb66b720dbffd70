// What the daemon itself keeps: invitations, candidates, agreed sizes. The high bit of the first
// byte gives the row the checksum that it should have.
#include "daemon/waiting_rows.hpp"
#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "storage/packing.hpp"

using namespace kith;
using namespace kith::daemon;
using storage::Table;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const BytesView rest(data + 1, size - 1);
  const auto row = [&](Table table, BytesView key) {
    return (data[0] & 0x80) == 0 ? to_bytes(rest)
                                 : storage::with_checksum(table, key, to_bytes(rest));
  };
  if ((data[0] & 7) == 0) {
    const Bytes invitations = row(Table::waiting, invitations_key());
    const auto decoded = decode_invitations(invitations);
    if (!decoded) return 0;
    KITH_CHECK(decoded->size() <= limits::invitations_max);
    KITH_CHECK(equal(encode_invitations(*decoded), invitations));
  } else if ((data[0] & 7) == 1) {
    // The member of the kept corpus.
    const SigningKey recovery(Seed::from(Bytes(32, 1)));
    const Bytes key = candidate_key(MemberId::from(recovery.public_key().view()));
    const Bytes candidate = row(Table::waiting, key);
    const auto decoded = decode_candidate(key, candidate);
    if (!decoded) return 0;
    KITH_CHECK(candidate_key(decoded->certificate.member) == key);
    KITH_CHECK(equal(encode_candidate(*decoded), candidate));
  } else if ((data[0] & 7) == 2) {
    const Bytes key = confirmed_key(MemberId::from(Bytes(32, 1)));
    const Bytes confirmed = row(Table::meta, key);
    const auto decoded = decode_confirmed(key, confirmed);
    if (decoded) KITH_CHECK(equal(encode_confirmed(*decoded), confirmed));
  } else if ((data[0] & 7) == 4) {
    const Bytes key = waiting_enrolment_key(1);
    const Bytes enrolment = row(Table::waiting, key);
    const auto decoded = decode_waiting_enrolment(key, enrolment);
    if (decoded) KITH_CHECK(equal(encode_waiting_enrolment(1, *decoded), enrolment));
  } else if ((data[0] & 7) == 5) {
    const LogId log = LogId::from(Bytes(32, 1));
    const Bytes elsewhere = row(Table::meta, agreed_elsewhere_key(log));
    const auto decoded = decode_agreed_elsewhere(log, elsewhere);
    if (decoded) KITH_CHECK(equal(encode_agreed_elsewhere(log, *decoded), elsewhere));
  } else {
    const LogId log = LogId::from(Bytes(32, 1));
    const Bytes agreed = row(Table::meta, log.view());
    const auto decoded = decode_agreed(log, agreed);
    if (decoded) KITH_CHECK(equal(encode_agreed(log, *decoded), agreed));
  }
  return 0;
}
