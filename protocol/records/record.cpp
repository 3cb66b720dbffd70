#include "protocol/records/record.hpp"

#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/keys/space_key.hpp"

namespace kith {
namespace {

constexpr std::string_view records_domain = "kith/records/v1\n";
constexpr std::size_t batches_known_max = 256;
constexpr std::size_t path_hashes_max = 16;  // Of a tree of batch_records_max leaves.
constexpr std::size_t head_bytes = 4 + 4 + 1;

enum class TextForm : std::uint8_t { record = 1, certificate = 2, enrolment = 3 };

TreeHash id_leaf(BytesView record) { return leaf_hash(record_id(record).view()); }

/// What the author's signature covers.
Bytes batch_message(const NetworkId& network, const LogId& log, std::uint32_t count,
                    const TreeHash& root) {
  Bytes message = to_bytes(view(records_domain));
  append(message, network.view());
  append(message, log.view());
  append_integer(message, count);
  append(message, root.view());
  return message;
}

Result<PayloadText> decode_signed_record(BytesView bytes) {
  if (bytes.size() < head_bytes) return fail(Errc::malformed, "the text ends early");
  SignedRecord signed_record;
  signed_record.count = read_integer<std::uint32_t>(bytes);
  signed_record.index = read_integer<std::uint32_t>(bytes.subspan(4));
  const std::size_t path_hashes = bytes[8];
  if (signed_record.count == 0 || signed_record.index >= signed_record.count) {
    return fail(Errc::malformed, "the record has no place in its batch");
  }
  if (signed_record.count > limits::batch_records_max || path_hashes > path_hashes_max) {
    return fail(Errc::too_large, "the batch is too large");
  }

  BytesView rest = bytes.subspan(head_bytes);
  if (rest.size() <= path_hashes * TreeHash::size + Signature::size) {
    return fail(Errc::malformed, "the text ends early");
  }
  for (std::size_t i = 0; i < path_hashes; ++i) {
    signed_record.path.push_back(TreeHash::from(rest.first(TreeHash::size)));
    rest = rest.subspan(TreeHash::size);
  }
  signed_record.signature = Signature::from(rest.first(Signature::size));
  signed_record.record = to_bytes(rest.subspan(Signature::size));
  return PayloadText(std::move(signed_record));
}

template <class Text>
Result<PayloadText> decode_statement(BytesView bytes) {
  if (bytes.size() <= Signature::size) return fail(Errc::malformed, "the statement is too short");
  if (bytes.size() > limits::statement_bytes_max) {
    return fail(Errc::too_large, "the statement is too long");
  }
  return PayloadText(Text{to_bytes(bytes)});
}

}  // namespace

Bytes encode_text(const PayloadText& text) {
  Bytes bytes;
  if (const auto* statement = std::get_if<CertificateText>(&text)) {
    bytes.push_back(static_cast<std::uint8_t>(TextForm::certificate));
    append(bytes, statement->statement);
    return bytes;
  }
  if (const auto* statement = std::get_if<EnrolmentText>(&text)) {
    bytes.push_back(static_cast<std::uint8_t>(TextForm::enrolment));
    append(bytes, statement->statement);
    return bytes;
  }
  const auto& signed_record = std::get<SignedRecord>(text);
  KITH_CHECK(signed_record.path.size() <= path_hashes_max);
  bytes.push_back(static_cast<std::uint8_t>(TextForm::record));
  append_integer(bytes, signed_record.count);
  append_integer(bytes, signed_record.index);
  bytes.push_back(static_cast<std::uint8_t>(signed_record.path.size()));
  for (const TreeHash& hash : signed_record.path) append(bytes, hash.view());
  append(bytes, signed_record.signature.view());
  append(bytes, signed_record.record);
  return bytes;
}

Result<PayloadText> decode_text(BytesView bytes) {
  if (bytes.size() > limits::payload_bytes_max) {
    return fail(Errc::too_large, "the text is too long");
  }
  if (bytes.empty()) return fail(Errc::malformed, "the text is empty");
  const BytesView rest = bytes.subspan(1);
  switch (static_cast<TextForm>(bytes[0])) {
    case TextForm::record:
      return decode_signed_record(rest);
    case TextForm::certificate:
      return decode_statement<CertificateText>(rest);
    case TextForm::enrolment:
      return decode_statement<EnrolmentText>(rest);
  }
  return fail(Errc::malformed, "the text's form is none of this version");
}

std::vector<SignedRecord> sign_batch(const NetworkId& network, const LogId& log,
                                     const std::vector<Bytes>& records, const SigningKey& author) {
  KITH_CHECK(!records.empty() && records.size() <= limits::batch_records_max);
  std::vector<TreeHash> leaves;
  leaves.reserve(records.size());
  for (const Bytes& record : records) leaves.push_back(id_leaf(record));
  const MemoryTree tree(leaves);
  const auto count = static_cast<std::uint32_t>(records.size());
  const Signature signature = author.sign(batch_message(network, log, count, tree.root()));

  std::vector<SignedRecord> batch;
  batch.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    batch.push_back({count, i, tree.inclusion_path(i), signature, records[i]});
  }
  return batch;
}

Result<TreeHash> batch_root(const SignedRecord& record) {
  if (record.count == 0 || record.count > limits::batch_records_max ||
      record.index >= record.count) {
    return fail(Errc::bad_proof, "the record has no place in its batch");
  }
  // RFC 9162 section 2.1.3.2: `last` is 0 exactly when the path should end.
  std::uint32_t at = record.index;
  std::uint32_t last = record.count - 1;
  TreeHash hash = id_leaf(record.record);
  for (const TreeHash& sibling : record.path) {
    if (last == 0) return fail(Errc::bad_proof, "the path in the batch is too long");
    if ((at & 1U) != 0 || at == last) {
      hash = node_hash(sibling, hash);
      // A right edge that is its own parent on several levels has no sibling there.
      while ((at & 1U) == 0 && at != 0) {
        at >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  if (last != 0) return fail(Errc::bad_proof, "the path in the batch is too short");
  return hash;
}

Result<Record> BatchVerifier::verify(const SignedRecord& signed_record, const NetworkId& network,
                                     const LogId& log) {
  // The author stands in the record, so it must be read before its signature can be checked.
  auto record = decode_record(signed_record.record);
  if (!record) return record;
  if (record->network != network || record->log != log) {
    return fail(Errc::forbidden, "the record is for another network or log");
  }
  const auto root = batch_root(signed_record);
  if (!root) return root.error();

  const Bytes message = batch_message(network, log, signed_record.count, *root);
  const Hash batch = blake2b({message, record->author.view(), signed_record.signature.view()});
  if (std::ranges::find(known_, batch) != known_.end()) return record;
  if (!kith::verify(record->author, message, signed_record.signature)) {
    return fail(Errc::bad_signature, "the record is not signed by its author");
  }

  if (known_.size() < batches_known_max) {
    known_.push_back(batch);
  } else {
    known_[next_] = batch;
    next_ = (next_ + 1) % batches_known_max;
  }
  return record;
}

}  // namespace kith
