// Keys for somebody outside: of one log, or of single records. Written down before they leave.
#include <algorithm>

#include "daemon/replica_impl.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/records/disclosure_consent.hpp"

namespace kith::daemon {
namespace {

constexpr const char* act_name = "disclosure";
/// Consents of one member that are looked through, the newest.
constexpr std::size_t consents_max = 1'000;

local::Refusal refusal(const Error& error) { return {error.code, error.detail}; }

std::string named(const std::vector<storage::RecordRow>& rows) {
  std::string ids;
  for (const auto& row : rows) ids += (ids.empty() ? "" : " ") + to_base32(row.id.view());
  return ids;
}

}  // namespace

/// One disclosure on its way.
struct Replica::Impl::Disclosing {
  local::DiscloseRequest request;
  std::string asked_by;
  MemberId member;  ///< Whose log it is.
  LogId log;
  std::vector<storage::RecordRow> rows;  ///< In the order of the log; none: all of it.
  std::optional<RecordId> consent;
};

void Replica::Impl::disclose(ClientId client, const local::DiscloseRequest& request,
                             std::function<void(local::Answer)> answer) {
  const auto words = check_disclosure_words(request.recipient, request.purpose);
  if (!words) return answer(refusal(words.error()));
  if (space_keys.empty() || has_false_keys) {
    return answer(local::Refusal{
        Errc::unavailable,
        has_false_keys ? false_keys_text : "this daemon is not a member yet: it has no key"});
  }
  const auto wanted = std::make_shared<Disclosing>();
  wanted->request = request;
  wanted->asked_by = host.who_asks(client);
  const auto chosen = choose(*wanted);
  if (!chosen) return answer(refusal(chosen.error()));
  if (wanted->member == me.member) return answer(hand_over(*wanted));

  storage::RecordFilter filter;
  filter.kind = disclosure_consent_kind;
  filter.member = wanted->member;
  filter.limit = consents_max;
  const auto consents = std::make_shared<std::vector<storage::RecordRow>>();
  const auto failed = std::make_shared<std::string>();
  ++jobs;
  host.compute_later(
      [=, &database = host.views()] {
        try {
          *consents = storage::views::list(*database.read(), filter);
        } catch (const storage::StorageError& error) {
          *failed = error.what();  // Says what to do.
        }
      },
      [=, this] {
        --jobs;
        if (!failed->empty()) return answer(local::Refusal{Errc::io, *failed});
        wanted->consent = consent_to(*wanted, *consents);
        if (wanted->consent) return answer(hand_over(*wanted));
        const std::string code = code_of(wanted->member);
        answer(local::Refusal{
            Errc::forbidden,
            "this is in the log of " + code + ", and no consent of " + code +
                " is held here that covers it, this recipient and this purpose: ask somebody who "
                "speaks for " +
                code +
                " to run kith disclose --allow with the same ids, --to and --purpose, word "
                "for word"});
      });
}

Result<bool> Replica::Impl::choose(Disclosing& wanted) const {
  const local::DiscloseRequest& request = wanted.request;
  wanted.member = me.member;
  if (!request.member.empty()) {
    const auto member = member_of_code(request.member);
    if (!member) {
      return fail(Errc::not_found, "no member has the code " + one_line(request.member, 40) +
                                       "; kith peers lists them");
    }
    wanted.member = *member;
  }
  wanted.log = commons_log(wanted.member);
  const auto views = host.views().read();
  std::map<std::uint64_t, storage::RecordRow> rows;
  for (const std::string& id : request.ids) {
    const auto row = storage::views::find(*views, id);
    if (!row) return row.error();
    if (rows.empty() && request.member.empty()) {
      wanted.member = row->member;
      wanted.log = row->log;
    }
    if (row->log != wanted.log) {
      return fail(Errc::usage, "entry " + one_line(id, 60) + " is in the log of " +
                                   code_of(row->member) + ", not of " + code_of(wanted.member) +
                                   ": make one file of keys for each member");
    }
    rows.emplace(row->index, *row);
  }
  if (!logs.contains(wanted.log)) {
    return fail(Errc::not_found, "nothing is held of the log of " + code_of(wanted.member));
  }
  for (auto& [_, row] : rows) wanted.rows.push_back(std::move(row));
  return true;
}

std::optional<RecordId> Replica::Impl::consent_to(
    const Disclosing& wanted, const std::vector<storage::RecordRow>& consents) const {
  std::vector<RecordId> ids;
  for (const auto& row : wanted.rows) ids.push_back(row.id);
  const KeyHistory& keys = logs.at(wanted.log).keys;
  for (const storage::RecordRow& row : consents) {
    const auto speaks = static_cast<Scopes>(Scope::speak);
    if (row.log != wanted.log || !keys.may(row.author, speaks, row.index)) continue;
    const auto body = body_of(row);
    const auto consent = body ? read_disclosure_consent(text(*body)) : body.error();
    if (consent && consent->covers(wanted.request.recipient, wanted.request.purpose, ids)) {
      return row.id;
    }
  }
  return std::nullopt;
}

Result<Disclosure> Replica::Impl::derive(const Disclosing& wanted) const {
  Disclosure disclosure;
  disclosure.network = me.network;
  disclosure.member = wanted.member;
  disclosure.space = commons;
  disclosure.discloser = me.member;
  disclosure.consent = wanted.consent;
  disclosure.recipient = wanted.request.recipient;
  disclosure.purpose = wanted.request.purpose;
  disclosure.time = host.now();
  const JudgeContext context = context_of(wanted.log);
  if (wanted.rows.empty()) {
    for (std::size_t i = 0; i < context.g_keys.size(); ++i) {
      disclosure.log_keys.push_back({context.g_keys[i], context.r_keys[i]});
    }
    return disclosure;
  }
  const auto txn = host.log().read();
  for (const storage::RecordRow& row : wanted.rows) {
    const auto payload = storage::log_store::payload(*txn, wanted.log, row.index);
    const auto key = payload ? payload_key(context.r_keys, *payload)
                             : fail(Errc::not_found, "its content is not held here");
    if (!key) return fail(key.error(), "entry " + to_base32(row.id.view()));
    disclosure.records.push_back({row.id, row.index, *key});
  }
  return disclosure;
}

local::Answer Replica::Impl::hand_over(const Disclosing& wanted) {
  const auto disclosure = derive(wanted);
  if (!disclosure) return refusal(disclosure.error());
  local::DiscloseAnswer answer;
  answer.code = code_of(wanted.member);
  answer.member = wanted.member;
  answer.size = logs.at(wanted.log).size;
  answer.consent = wanted.consent;
  const auto views = host.views().read();
  for (const auto& row : wanted.rows) answer.records.push_back(summarise(*views, row));
  if (wanted.request.preview) return answer;

  TrailFields fields = {{"network", to_base32(me.network.view())},
                        {"member", to_base32(wanted.member.view())},
                        {"code", answer.code},
                        {"log", to_base32(wanted.log.view())},
                        {"opens", wanted.rows.empty() ? "log" : "records"},
                        {"recipient", wanted.request.recipient},
                        {"purpose", wanted.request.purpose},
                        {"asked_by", wanted.asked_by}};
  if (!wanted.rows.empty()) fields.emplace_back("records", named(wanted.rows));
  if (wanted.consent) fields.emplace_back("consent", to_base32(wanted.consent->view()));
  const auto noted = host.note_in_trail(act_name, fields);
  if (!noted) {
    return refusal(
        fail(noted.error(), "nothing was disclosed, as it could not be written down in the trail"));
  }
  answer.file = encode_disclosure(*disclosure);
  return answer;
}

}  // namespace kith::daemon
