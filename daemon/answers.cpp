// What local clients ask, answered from the views and from memory.
#include "daemon/replica_impl.hpp"
#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/keys/space_key.hpp"

namespace kith::daemon {
namespace {

local::Refusal refusal(const Error& error) { return {error.code, error.detail}; }

std::string rule_in_words(const Rule& rule, std::size_t electors) {
  switch (rule.form) {
    case Rule::Form::majority:
      return "a majority of " + std::to_string(electors);
    case Rule::Form::all:
      return "all " + std::to_string(electors);
    case Rule::Form::k_of_n:
      return std::to_string(std::min<std::size_t>(rule.k, electors)) + " of " +
             std::to_string(electors);
  }
  return {};
}

}  // namespace

void Replica::Impl::handle(ClientId client, local::Request& request,
                           std::function<void(local::Answer)> answer) {
  if (auto* wanted = std::get_if<local::PublishRequest>(&request)) {
    return publish(std::move(*wanted), std::move(answer));
  }
  if (auto* wanted = std::get_if<local::EnrolRequest>(&request)) {
    return enrol(std::move(*wanted), std::move(answer));
  }
  if (auto* wanted = std::get_if<local::AuditRequest>(&request)) {
    return audit(*wanted, std::move(answer));
  }
  if (const auto* wanted = std::get_if<local::ExportLogsRequest>(&request)) {
    return answer(export_logs(*wanted));
  }
  if (const auto* wanted = std::get_if<local::ProveRequest>(&request)) {
    return answer(prove(*wanted));
  }
  if (const auto* wanted = std::get_if<local::ExportEntriesRequest>(&request)) {
    return export_entries(*wanted, std::move(answer));
  }
  if (const auto* wanted = std::get_if<local::DiscloseRequest>(&request)) {
    return disclose(client, *wanted, std::move(answer));
  }
  if (auto* wanted = std::get_if<local::WatchRequest>(&request)) {
    watchers[client] = {wanted->sequence, std::move(answer)};
    return notify_watchers();
  }
  if (const auto* wanted = std::get_if<local::InviteRequest>(&request)) {
    return invite(*wanted, std::move(answer));
  }
  if (std::holds_alternative<local::EvidenceRequest>(request)) return answer(kept_evidence());
  if (std::holds_alternative<local::StatusRequest>(request)) return answer(status());
  if (std::holds_alternative<local::MembersRequest>(request)) return answer(members());
  if (std::holds_alternative<local::AuthorsRequest>(request)) return answer(authors());
  if (std::holds_alternative<local::ProposalsRequest>(request)) return answer(proposals());
  if (const auto* wanted = std::get_if<local::ListRequest>(&request)) return answer(list(*wanted));
  if (const auto* wanted = std::get_if<local::ShowRequest>(&request)) return answer(show(*wanted));
  if (const auto* wanted = std::get_if<local::ThreadRequest>(&request)) {
    return answer(thread(*wanted));
  }
  answer(front(std::get<local::FrontRequest>(request)));
}

local::StatusAnswer Replica::Impl::status() const {
  local::StatusAnswer out;
  out.version = KITH_VERSION;
  out.network = me.network;
  out.member = me.member;
  out.state = "joining";
  out.code = me.profile.code;
  out.commons_log = own_log;
  out.listen = options.listen;
  out.disk_bytes = host.disk_bytes();
  if (me.invitation) out.network_name = me.invitation->network_name;
  if (fold) {
    const NetworkState& now = fold->state();
    out.network_name = now.charter.name;
    out.aim = now.charter.aim;
    out.decision = now.decision;
    out.decisions = static_cast<std::uint32_t>(fold->history().size() - 1);
    out.members = static_cast<std::uint32_t>(now.members.size());
    const auto self = now.members.find(me.member);
    if (self != now.members.end()) {
      out.state = self->second.paused ? "paused" : "member";
      out.code = code_of(me.member);
    }
  }
  if (out.state == "joining") out.state_detail = joining_detail();
  if (const auto why = why_not_sign()) out.state_detail = *why;
  if (rebuilding) out.state_detail = rebuilding_detail();
  if (is_outdated()) out.state_detail = outdated_text;
  if (!waiting_acts.empty()) {
    out.state_detail +=
        (out.state_detail.empty() ? "" : "; ") + std::to_string(waiting_acts.size()) +
        (waiting_acts.size() == 1 ? " act of publishing waits" : " acts of publishing wait");
  }
  if (has_false_keys) out.state_detail = false_keys_text;
  for (const auto& [_, peer] : peers) out.peers_connected += peer.candidate ? 0 : 1;
  for (const auto& [id, state] : logs) {
    out.incomplete += state.gaps.size();
    out.bad += state.bad;
    if (id != own_log) continue;
    out.log_size = state.size;
    out.agreed_size = state.agreed;
    out.next_enrolment = state.keys.next_enrolment();
  }
  const auto views = host.views().read();
  out.records = storage::views::record_count(*views);
  out.last_sequence = storage::views::last_sequence(*views);
  return out;
}

local::MembersAnswer Replica::Impl::members() const {
  local::MembersAnswer out;
  if (!fold) return out;
  for (const auto& [member, now] : fold->state().members) {
    local::MemberRow row;
    const Profile profile = profile_of(member);
    row.member = member;
    row.code = code_of(member);
    row.name = profile.name;
    row.role = profile.role;
    row.addresses = profile.addresses;
    row.self = member == me.member;
    row.paused = now.paused;
    row.connected = connected(member);
    for (const auto& [_, peer] : peers) {
      if (peer.session.member == member) row.heard = std::max(row.heard, peer.heard);
    }
    if (const auto why = dial_errors.find(member); why != dial_errors.end() && !row.connected) {
      row.last_error = why->second;
    }
    const auto signs_without = row.self ? std::optional(unasked) : unasked_by(member);
    for (const MemberId& one : signs_without.value_or(std::vector<MemberId>())) {
      row.unasked.push_back(code_of(one));
    }
    const auto witnesses = fold->state().commons_witnesses(member);
    row.witnesses = static_cast<std::uint32_t>(witnesses.size());
    if (const auto log = logs.find(commons_log(member)); log != logs.end()) {
      const LogState& state = log->second;
      row.frozen = state.frozen;
      row.held_size = state.size;
      row.agreed_size = state.agreed;
      row.known_size = std::max(state.size, engine.known_size(log->first));
      row.gaps = state.gaps.size();
      row.judged = state.judged;
      const std::uint64_t others = state.texts + state.bad + state.gaps.size();
      row.records = state.judged > others ? state.judged - others : 0;
      for (const MemberId& witness : witnesses) {
        const auto word = state.cosignatures.find(witness);
        const bool newest = word != state.cosignatures.end() && state.checkpoint.size != 0 &&
                            word->second.size >= state.checkpoint.size;
        row.cosigned += newest ? 1 : 0;
      }
    }
    out.members.push_back(std::move(row));
  }
  std::ranges::sort(out.members, {}, &local::MemberRow::code);
  return out;
}

local::AuthorsAnswer Replica::Impl::authors() const {
  local::AuthorsAnswer out;
  const KeyHistory& keys = logs.at(own_log).keys;
  out.next_number = keys.next_enrolment();
  for (const auto& [author, scopes] : keys.authors()) out.authors.push_back({author, scopes});
  return out;
}

void Replica::Impl::add_our_word(const ProposalStanding& standing, local::ProposalRow& row) const {
  const OwnStanding own = fold->own_standing(governance, me.member, standing);
  row.our_round = own.round;
  row.our_word = own.word ? name(*own.word) : "";
  row.ours_agreed = own.agreed_in != 0;
  row.ours_agreed_now = own.has_agreed_now();
  row.waits_for_us = own.is_asked;
  const bool has_vote = std::ranges::count(fold->state().electors(), me.member) > 0;
  if (own.word && has_vote && !standing.words.contains(me.member)) {
    row.explanation += " Our own word is given; it counts once enough others have confirmed it.";
  }
}

local::ProposalsAnswer Replica::Impl::proposals() const {
  local::ProposalsAnswer out;
  for (const auto& [member, candidate] : candidates) {
    out.candidates.push_back({member, candidate.request.profile, candidate.request.certificate,
                              candidate.since, code_taken(candidate.request.profile.code, member)});
  }
  if (!fold) return out;
  out.basis = fold->state().decision;
  const auto electors = fold->state().electors();
  for (const ProposalStanding& standing : fold->open_proposals(governance)) {
    if (!standing.valid) continue;
    local::ProposalRow row;
    row.id = standing.id;
    row.proposer = code_of(standing.proposer);
    row.electors = static_cast<std::uint32_t>(electors.size());
    row.rule = rule_in_words(standing.rule, electors.size());
    row.explanation = standing.explanation;
    for (const Effect& effect : standing.proposal.effects) {
      row.effects.push_back(effect_in_words(effect));
      const auto* admit = std::get_if<Admit>(&effect);
      if (const auto member = admit ? read_member(admit->certificate) : std::nullopt) {
        row.admits.push_back(*member);
      }
    }
    for (const auto& [member, word] : standing.words) {
      // What came later is shown beside an agreement, which it does not undo.
      const bool also = word != Consent::Word::agree && standing.agreed_in.contains(member);
      if (also) row.words.push_back({code_of(member), Consent::Word::agree});
      row.words.push_back({code_of(member), word});
    }
    add_our_word(standing, row);
    if (!standing.agreed && standing.proposer != me.member && row.our_word.empty()) {
      row.explanation +=
          " Too few members have confirmed the proposal itself yet: wait with your word.";
    }
    out.proposals.push_back(std::move(row));
  }
  return out;
}

local::RecordSummary Replica::Impl::summarise(const storage::ReadTxn& views,
                                              const storage::RecordRow& row) const {
  local::RecordSummary out = outline(views, row);
  complete(out, row.member, row.log);
  return out;
}

local::RecordSummary Replica::Impl::outline(const storage::ReadTxn& views,
                                            const storage::RecordRow& row) {
  local::RecordSummary out;
  out.id = row.id;
  out.kind = row.kind;
  out.author = row.author;
  out.time = row.time;
  out.title = row.title;
  out.body_bytes = row.body_bytes;
  out.index = row.index;
  out.sequence = row.sequence;
  out.to = row.to;
  out.reply_kind = row.reply_kind;
  out.replies = static_cast<std::uint32_t>(storage::views::replies(views, row.id, 1000).size());
  return out;
}

void Replica::Impl::complete(local::RecordSummary& outlined, const MemberId& member,
                             const LogId& log) const {
  outlined.member = code_of(member);
  const auto state = logs.find(log);
  outlined.agreed = state != logs.end() && state->second.agreed > outlined.index;
}

local::Answer Replica::Impl::list(const local::ListRequest& request) const {
  storage::RecordFilter filter;
  filter.kind = request.kind;
  filter.before_sequence = request.before_sequence;
  filter.after_sequence = request.after_sequence;
  const std::size_t wanted = std::clamp<std::size_t>(request.limit, 1, 1000);
  filter.limit = wanted + 1;
  if (!request.member.empty()) {
    filter.member = member_of_code(request.member);
    if (!filter.member) {
      return local::Refusal{
          Errc::not_found,
          "no member has the code " + one_line(request.member, 40) + "; kith peers lists them"};
    }
  }
  const auto views = host.views().read();
  local::ListAnswer out;
  for (const auto& row : storage::views::list(*views, filter)) {
    if (out.records.size() == wanted) {
      out.more = true;
      break;
    }
    out.records.push_back(summarise(*views, row));
  }
  return out;
}

Result<Bytes> Replica::Impl::body_of(const storage::RecordRow& row) const {
  return body_of(*host.log().read(), context_of(row.log), row);
}

Result<Bytes> Replica::Impl::body_of(const storage::ReadTxn& txn, const JudgeContext& context,
                                     const storage::RecordRow& row) {
  const auto payload = storage::log_store::payload(txn, row.log, row.index);
  if (!payload) return fail(Errc::not_found, "the content of this entry is not held here");
  BatchVerifier unused;
  const Judged judged = judge(context, row.index, LeafClass::record, *payload, true, unused);
  if (!judged.record) return fail(Errc::unavailable, "the content cannot be opened: " + judged.why);
  return judged.record->body;
}

local::Answer Replica::Impl::show(const local::ShowRequest& request) const {
  const auto views = host.views().read();
  const auto row = storage::views::find(*views, request.id);
  if (!row) return refusal(row.error());
  auto body = body_of(*row);
  if (!body) return refusal(body.error());
  local::ShowAnswer out{summarise(*views, *row), std::move(*body), 0, 0};
  const LogState& state = logs.at(row->log);
  if (!fold) return out;
  const auto witnesses = fold->state().commons_witnesses(row->member);
  out.witnesses = static_cast<std::uint32_t>(witnesses.size());
  for (const MemberId& witness : witnesses) {
    const auto word = state.cosignatures.find(witness);
    out.confirmed += word != state.cosignatures.end() && word->second.size > row->index ? 1 : 0;
  }
  return out;
}

local::Answer Replica::Impl::thread(const local::ThreadRequest& request) const {
  constexpr std::size_t rows_max = 500;
  constexpr std::uint32_t depth_max = 32;
  const auto views = host.views().read();
  auto root = storage::views::find(*views, request.id);
  if (!root) return refusal(root.error());
  for (std::uint32_t up = 0; up < depth_max && root->to; ++up) {
    auto above = storage::views::record(*views, *root->to);
    if (!above) break;
    root = std::move(*above);
  }
  local::ThreadAnswer out;
  std::size_t bytes = 0;
  std::vector<std::pair<storage::RecordRow, std::uint32_t>> stack{{*root, 0}};
  std::set<RecordId> seen;
  while (!stack.empty() && out.rows.size() < rows_max && bytes < 8 * limits::mi) {
    const auto [row, depth] = std::move(stack.back());
    stack.pop_back();
    if (!seen.insert(row.id).second) continue;
    auto body = body_of(row);
    out.rows.push_back({summarise(*views, row), depth, body ? std::move(*body) : Bytes{}});
    bytes += out.rows.back().body.size();
    auto below = storage::views::replies(*views, row.id, rows_max);
    for (auto reply = below.rbegin(); reply != below.rend(); ++reply) {
      if (depth < depth_max) stack.emplace_back(std::move(*reply), depth + 1);
    }
  }
  return out;
}

local::FrontAnswer Replica::Impl::front(const local::FrontRequest& request) const {
  constexpr std::size_t shown = 10;
  constexpr std::size_t looked_at_max = 1000;
  local::FrontAnswer out;
  out.status = status();
  auto waiting = proposals();
  out.candidates = std::move(waiting.candidates);
  std::erase_if(out.candidates, [&](const local::CandidateRow& candidate) {
    return std::ranges::any_of(waiting.proposals, [&](const local::ProposalRow& row) {
      return std::ranges::count(row.admits, candidate.member) > 0;
    });
  });
  for (auto& row : waiting.proposals) {
    if (row.waits_for_us) out.proposals.push_back(std::move(row));
  }
  const auto views = host.views().read();
  storage::RecordFilter filter;
  filter.limit = looked_at_max;
  filter.after_sequence = request.since_sequence;
  for (const auto& row : storage::views::list(*views, filter)) {
    if (request.author && row.author == *request.author) continue;
    const auto above = row.to ? storage::views::record(*views, *row.to) : std::nullopt;
    const bool to_us = above && request.author && above->author == *request.author;
    if (to_us) {
      ++out.answers_count;
      if (out.answers.size() < shown) out.answers.push_back(summarise(*views, row));
    } else if (row.member != me.member) {
      ++out.news_count;
      if (out.news.size() < shown) out.news.push_back(summarise(*views, row));
    }
  }
  return out;
}

void Replica::Impl::notify_watchers() {
  for (auto& [client, watcher] : watchers) notify(client, watcher);
}

void Replica::Impl::notify(ClientId client, Watcher& watcher) {
  const auto views = host.views().read();
  const std::uint64_t last = storage::views::last_sequence(*views);
  // Whoever is behind is told the rest when it caught up.
  while (watcher.sequence < last && !host.is_behind(client)) {
    ++watcher.sequence;
    storage::RecordFilter filter;
    filter.before_sequence = watcher.sequence + 1;
    filter.limit = 1;
    const auto rows = storage::views::list(*views, filter);
    if (rows.empty() || rows.front().sequence != watcher.sequence) continue;
    watcher.answer(local::WatchAnswer{summarise(*views, rows.front())});
  }
}

}  // namespace kith::daemon
