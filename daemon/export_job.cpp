// What kith export and kith prove ask: logs and their entries as they are stored, and paths.
#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "storage/log_mend.hpp"

namespace kith::daemon {
namespace {

/// What is in one answer, but for the last payload or log of it: far below what a message may hold.
constexpr std::size_t answer_bytes = 8 * limits::mi;

bool is_sound(const local::ExportEntriesRequest& request) {
  return request.first % limits::tile_hashes == 0 && request.first < request.last &&
         request.last - request.first <= limits::tile_hashes &&
         request.payloads_from >= request.first && request.payloads_from < request.last;
}

/// Of leaves that are damaged here.
local::Refusal damaged(const storage::ReadTxn& txn, const local::ExportEntriesRequest& request) {
  const std::string which = "entries " + std::to_string(request.first) + " to " +
                            std::to_string(request.last - 1) + " of this log are damaged here";
  if (storage::log_store::is_wanted(txn, request.log, request.first / limits::tile_hashes)) {
    return {Errc::unavailable,
            which +
                " and come again from another member as soon as one that has them is "
                "reached: try again later"};
  }
  return {Errc::io, which + ": stop kithd, run kithd check --repair and start it again"};
}

local::Answer read_entries(const storage::ReadTxn& txn,
                           const local::ExportEntriesRequest& request) {
  local::ExportEntriesAnswer answer;
  const auto leaves = storage::log_store::leaves(txn, request.log, request.first, request.last);
  answer.leaves = storage::log_store::bundle(txn, request.log, request.first, request.last);
  if (answer.leaves.empty() || leaves.size() != request.last - request.first) {
    return damaged(txn, request);
  }
  if (request.payloads_from != request.first) answer.leaves.clear();
  answer.payloads_to = request.payloads_from;
  storage::log_store::each_payload(
      txn, request.log, request.payloads_from, request.last,
      [&](std::uint64_t index, std::optional<BytesView> payload) {
        const std::size_t at = index - request.first;
        const bool is_wanted = request.with_sealed || leaves[at].leaf_class == LeafClass::clear;
        peer::append_payload(answer.payloads, is_wanted ? payload : std::nullopt);
        answer.payloads_to = index + 1;
        return answer.payloads.size() < answer_bytes;
      });
  return answer;
}

}  // namespace

local::Answer Replica::Impl::export_logs(const local::ExportLogsRequest& request) const {
  local::ExportLogsAnswer answer;
  answer.network = me.network;
  answer.network_name = fold ? fold->state().charter.name : "";
  answer.member = me.member;
  std::set<MemberId> witnesses;
  std::size_t bytes = 0;
  auto at = request.after ? logs.upper_bound(*request.after) : logs.begin();
  for (; at != logs.end(); ++at) {
    const auto& [id, state] = *at;
    const std::string code = code_of(state.member);
    const bool is_wanted = request.member.empty() || upper_case(code) == upper_case(request.member);
    if (!is_wanted || state.checkpoint.size == 0) continue;
    const bool is_full =
        bytes >= answer_bytes || (request.limit != 0 && answer.logs.size() == request.limit);
    if (is_full) {
      answer.more = true;
      break;
    }
    local::ExportedLog& log = answer.logs.emplace_back();
    log.code = code;
    log.member = state.member;
    log.space = commons;
    log.log = id;
    log.size = state.checkpoint.size;
    log.checkpoint = state.checkpoint.note;
    log.frozen = state.frozen;
    bytes += sizeof(log) + log.checkpoint.size();
    for (const auto& [witness, word] : state.cosignatures) {
      log.cosignatures.push_back(word);
      bytes += sizeof(word);
      if (!witnesses.insert(witness).second) continue;
      for (Bytes& statement : statements_of(witness)) {
        bytes += statement.size();
        answer.certificates.push_back(std::move(statement));
      }
    }
  }
  if (!answer.logs.empty() || request.after) return answer;
  if (!request.member.empty()) {
    return local::Refusal{Errc::not_found, "nothing is held of a member with the code " +
                                               one_line(request.member, 40) +
                                               "; kith peers lists them"};
  }
  return local::Refusal{Errc::not_found, "there is no log to export here yet"};
}

local::Answer Replica::Impl::prove(const local::ProveRequest& request) const {
  const auto views = host.views().read();
  const auto row = storage::views::find(*views, request.id);
  if (!row) return local::Refusal{row.error().code, row.error().detail};
  const LogState& state = logs.at(row->log);
  const std::uint64_t size = state.checkpoint.size;
  const auto txn = host.log().read();
  const auto leaf = storage::log_store::leaf(*txn, row->log, row->index);
  if (row->index >= size || !leaf) {
    return local::Refusal{Errc::unavailable,
                          "no signed checkpoint covers this entry yet: try again in a moment"};
  }
  local::ProveAnswer answer;
  answer.record = summarise(*views, *row);
  answer.space = commons;
  answer.leaf = text(*leaf);
  try {
    answer.path = inclusion_path(row->index, size, storage::log_store::subtrees(*txn, row->log));
  } catch (const storage::StorageError& error) {
    return local::Refusal{Errc::io, std::string(error.what()) + "; stop kithd and run kithd check"};
  }
  answer.checkpoint = state.checkpoint.note;
  answer.log = row->log;
  answer.certificates = statements_of(row->member);
  const auto witnesses =
      fold ? fold->state().commons_witnesses(row->member) : std::vector<MemberId>();
  answer.witnesses = static_cast<std::uint32_t>(witnesses.size());
  for (const MemberId& witness : witnesses) {
    const auto word = state.cosignatures.find(witness);
    if (word == state.cosignatures.end() || word->second.size != size) continue;
    answer.cosignatures.push_back(word->second);
    for (Bytes& statement : statements_of(witness)) {
      answer.certificates.push_back(std::move(statement));
    }
  }
  return answer;
}

void Replica::Impl::export_entries(const local::ExportEntriesRequest& request,
                                   std::function<void(local::Answer)> answer) {
  const auto state = logs.find(request.log);
  if (!is_sound(request) || state == logs.end() || request.last > state->second.size) {
    return answer(local::Refusal{Errc::not_found, "no such entries are held here"});
  }
  const auto read = std::make_shared<local::Answer>();
  ++jobs;
  host.compute_later(
      [=, &database = host.log()] {
        try {
          *read = read_entries(*database.read(), request);
        } catch (const storage::StorageError& error) {
          *read = local::Refusal{Errc::io,
                                 std::string(error.what()) + "; stop kithd and run kithd check"};
        }
      },
      [=, this] {
        --jobs;
        answer(std::move(*read));
      });
}

}  // namespace kith::daemon
