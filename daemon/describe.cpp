#include "daemon/describe.hpp"

#include "protocol/base/text.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith::daemon {
namespace {

/// Longer than any word of the kind table.
constexpr std::size_t reply_kind_bytes_max = 16;

/// What a list shows of a record whose kind has documents, or is unknown here.
void describe_body(const Record& record, storage::RecordRow& row) {
  if (find_kind(record.kind) == nullptr) {
    row.title = "(of a kind this version does not know)";
    return;
  }
  const Parsed parsed = parse_document(text(record.body));
  row.title = one_line(parsed.document.title, 200);
  if (record.kind != "reply") return;
  row.reply_kind = one_line(parsed.document.value("reply_kind"), reply_kind_bytes_max);
  const auto to = from_base32(parsed.document.value("to"));
  if (to && to->size() == RecordId::size) row.to = RecordId::from(*to);
}

}  // namespace

std::optional<storage::RecordRow> describe(const JudgeContext& context, std::uint64_t index,
                                           const Judged& judged) {
  if (judged.status != Judged::Status::good || !judged.record) return std::nullopt;
  const Record& record = *judged.record;
  const KindSpec* kind = find_kind(record.kind);
  if (kind != nullptr && !kind->is_document) return std::nullopt;
  storage::RecordRow row;
  row.id = judged.id;
  row.log = context.log;
  row.index = index;
  row.member = context.member;
  row.kind = record.kind;
  row.author = record.author;
  row.time = record.time;
  row.body_bytes = record.body.size();
  describe_body(record, row);
  return row;
}

}  // namespace kith::daemon
