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

enum class TextForm : std::uint8_t { record = 1, certificate = 2, enrolment = 3, cut_list = 4 };

TreeHash id_leaf(const RecordId& id) { return leaf_hash(id.view()); }

/// What the author's signature covers.
Bytes batch_message(const NetworkId& network, const LogId& log, std::uint32_t count,
                    const TreeHash& root) {
  Bytes message;
  message.reserve(records_domain.size() + NetworkId::size + LogId::size + sizeof(count) +
                  TreeHash::size);
  append(message, view(records_domain));
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
  if (const auto* list = std::get_if<CutListText>(&text)) {
    bytes.push_back(static_cast<std::uint8_t>(TextForm::cut_list));
    append(bytes, list->list);
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
    case TextForm::cut_list:
      if (rest.size() > limits::cut_list_bytes_max) {
        return fail(Errc::too_large, "the cut list is too long");
      }
      return PayloadText(CutListText{to_bytes(rest)});
  }
  return fail(Errc::malformed, "the text's form is none of this version");
}

std::vector<SignedRecord> sign_batch(const NetworkId& network, const LogId& log,
                                     const std::vector<Bytes>& records, const SigningKey& author) {
  KITH_CHECK(!records.empty() && records.size() <= limits::batch_records_max);
  std::vector<TreeHash> leaves;
  leaves.reserve(records.size());
  for (const Bytes& record : records) leaves.push_back(id_leaf(record_id(record)));
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

Result<TreeHash> BatchWalk::root(const SignedRecord& record, const RecordId& id) {
  if (record.count == 0 || record.count > limits::batch_records_max ||
      record.index >= record.count) {
    return fail(Errc::bad_proof, "the record has no place in its batch");
  }
  const std::vector<TreeHash>& path = record.path;
  std::vector<Step> steps;
  // RFC 9162 section 2.1.3.2: `last` is 0 exactly when the path should end.
  Step step{record.index, record.count - 1, id_leaf(id)};
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (step.last == 0) return fail(Errc::bad_proof, "the path in the batch is too long");
    if (const auto known = same_from(step, std::span(path).subspan(i))) {
      steps.insert(steps.end(), steps_.begin() + static_cast<std::ptrdiff_t>(*known), steps_.end());
      keep(std::move(steps), path, root_);
      return root_;
    }
    steps.push_back(step);
    if ((step.at & 1U) != 0 || step.at == step.last) {
      step.hash = node_hash(path[i], step.hash);
      // A right edge that is its own parent on several levels has no sibling there.
      while ((step.at & 1U) == 0 && step.at != 0) {
        step.at >>= 1;
        step.last >>= 1;
      }
    } else {
      step.hash = node_hash(step.hash, path[i]);
    }
    step.at >>= 1;
    step.last >>= 1;
  }
  if (step.last != 0) return fail(Errc::bad_proof, "the path in the batch is too short");
  keep(std::move(steps), path, step.hash);
  return step.hash;
}

std::optional<std::size_t> BatchWalk::same_from(const Step& step,
                                                std::span<const TreeHash> ahead) const {
  if (ahead.size() > path_.size()) return std::nullopt;
  const std::size_t at = path_.size() - ahead.size();
  if (steps_[at] != step || !std::ranges::equal(ahead, std::span(path_).subspan(at))) {
    return std::nullopt;
  }
  return at;
}

void BatchWalk::keep(std::vector<Step> steps, const std::vector<TreeHash>& path,
                     const TreeHash& root) {
  steps_ = std::move(steps);
  path_ = path;
  root_ = root;
}

Result<VerifiedRecord> read_unverified(const SignedRecord& signed_record) {
  auto record = decode_record(signed_record.record);
  if (!record) return record.error();
  return VerifiedRecord{record_id(signed_record.record), std::move(*record)};
}

Result<VerifiedRecord> BatchVerifier::verify(const SignedRecord& signed_record,
                                             const NetworkId& network, const LogId& log) {
  // The author stands in the record, so it must be read before its signature can be checked.
  auto record = decode_record(signed_record.record);
  if (!record) return record.error();
  if (record->network != network || record->log != log) {
    return fail(Errc::forbidden, "the record is for another network or log");
  }
  const RecordId id = record_id(signed_record.record);
  const auto root = walk_.root(signed_record, id);
  if (!root) return root.error();

  const Bytes message = batch_message(network, log, signed_record.count, *root);
  VerifiedRecord verified{id, std::move(*record)};
  const auto signature_holds = [&] {
    return kith::verify(verified.record.author, message, signed_record.signature);
  };
  const auto bad_signature = [] {
    return fail(Errc::bad_signature, "the record is not signed by its author");
  };
  // Signed alone: no other record has this signature, so nobody will ask for it again.
  if (signed_record.count == 1) {
    if (!signature_holds()) return bad_signature();
    return verified;
  }
  const Hash batch =
      blake2b({message, verified.record.author.view(), signed_record.signature.view()});
  // Most often it is the batch of the record before.
  if (batch == newest_ || std::ranges::find(known_, batch) != known_.end()) {
    newest_ = batch;
    return verified;
  }
  if (!signature_holds()) return bad_signature();

  if (known_.size() < batches_known_max) {
    known_.push_back(batch);
  } else {
    known_[next_] = batch;
    next_ = (next_ + 1) % batches_known_max;
  }
  newest_ = batch;
  return verified;
}

}  // namespace kith
