// Rows of the log tables. The first byte chooses the row; its high bit gives it the checksum that
// it should have, so that what lies behind the checksum meets arbitrary bytes too.
#include "protocol/base/check.hpp"
#include "storage/packing.hpp"

using namespace kith;
using namespace kith::storage;

namespace {

const LogId log_id = LogId::from(Bytes(32, 1));
const MemberId witness = MemberId::from(Bytes(32, 2));

void recent(BytesView row) {
  const Key key = numbered_key(log_id, 7);
  const auto entry = decode_recent(key, row);
  if (!entry) return;
  Bytes again;
  encode_recent(again, key, *entry);
  KITH_CHECK(equal(again, row));
  KITH_CHECK(!decode_recent(numbered_key(log_id, 8), row));  // It belongs to its key.
}

/// A leaf and a payload, from which a good row is made.
void recent_of(BytesView leaf_and_payload) {
  const std::size_t split = leaf_and_payload.empty() ? 0 : leaf_and_payload.front();
  const BytesView leaf = leaf_and_payload.first(std::min(split, leaf_and_payload.size()));
  Bytes row;
  encode_recent(row, numbered_key(log_id, 7), {leaf, leaf_and_payload.subspan(leaf.size())});
  recent(row);
  KITH_CHECK(decode_recent(numbered_key(log_id, 7), row));
}

void group(BytesView row) {
  const auto payloads = decode_group(row);
  if (!payloads) return;
  std::size_t bytes = 0;
  for (const auto& payload : *payloads) bytes += payload ? payload->size() : 0;
  KITH_CHECK(bytes <= row.size());
  // Who writes one never packs what is larger.
  const bool packed = std::ranges::all_of(*payloads, [](const auto& payload) {
    return !payload || payload->size() <= packed_payload_bytes_max;
  });
  if (!packed) return;
  Bytes again;
  encode_group(again, *payloads);
  KITH_CHECK(equal(again, row));
}

void head(BytesView row) {
  const auto decoded = decode_head(log_id, row);
  if (!decoded) return;
  KITH_CHECK(equal(encode_head(*decoded), row));
  KITH_CHECK(decoded->size() <= limits::tree_size_max);
  KITH_CHECK(!decode_head(LogId{}, row));
}

void checkpoint(BytesView row) {
  const auto decoded = decode_checkpoint_row(log_id, row);
  if (decoded) KITH_CHECK(equal(encode_checkpoint_row(log_id, *decoded), row));
}

void cosignature(BytesView row) {
  const auto decoded = decode_cosignature_row(cosignature_key(log_id, witness), row);
  if (!decoded) return;
  KITH_CHECK(decoded->log == log_id && decoded->witness == witness);
  KITH_CHECK(equal(encode_cosignature_row(*decoded), row));
}

void evidence(BytesView row) {
  const auto decoded = decode_evidence_row(log_id.view(), row);
  if (!decoded) return;
  KITH_CHECK(equal(encode_evidence_row(log_id.view(), *decoded), row));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const BytesView rest(data + 1, size - 1);
  const Key of_witness = cosignature_key(log_id, witness);
  const auto row = [&](Table table, BytesView key) {
    return (data[0] & 0x80) == 0 ? to_bytes(rest) : with_checksum(table, key, to_bytes(rest));
  };
  switch (data[0] & 0x7F) {
    case 0:
      recent(rest);
      break;
    case 1:
      recent_of(rest);
      break;
    case 2:
      group(rest);
      break;
    case 3:
      head(row(Table::heads, log_id.view()));
      break;
    case 4:
      checkpoint(row(Table::checkpoints, log_id.view()));
      break;
    case 5:
      cosignature(row(Table::cosignatures, of_witness));
      break;
    case 6:
      evidence(row(Table::evidence, log_id.view()));
      break;
    default:
      break;
  }
  return 0;
}
