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

/// One disclosure on its way: from what was asked to what the views hold of it, and to the keys.
struct Replica::Impl::Disclosing {
  std::function<void(local::Answer)> answer;
  local::DiscloseRequest request;
  std::string asked_by;
  MemberId own;
  MemberId member;  ///< Whose log it is.
  LogId log;
  std::vector<storage::RecordRow> rows;         ///< In the order of the log; none: all of it.
  std::vector<local::RecordSummary> summaries;  ///< Of these.
  std::vector<storage::RecordRow> consents;     ///< Of that member, if it is another.
  std::optional<std::pair<std::string, MemberId>> elsewhere;  ///< An id, and whose log has it.
  JudgeContext context;                                       ///< Of that log ...
  KeyHistory keys;                                            ///< ... and who speaks in it.
  Disclosure disclosure;
  std::optional<Error> failed;

  [[nodiscard]] bool needs_consent() const { return member != own; }
  void find_rows(const storage::ReadTxn& views);
  void find_consent(const storage::ReadTxn& txn);
  void derive(const storage::ReadTxn& txn);
};

void Replica::Impl::Disclosing::find_rows(const storage::ReadTxn& views) {
  std::map<std::uint64_t, storage::RecordRow> found;
  for (const std::string& id : request.ids) {
    const auto row = storage::views::find(views, id);
    if (!row) {
      failed = row.error();
      return;
    }
    if (found.empty() && request.member.empty()) {
      member = row->member;
      log = row->log;
    }
    if (row->log != log) {
      elsewhere.emplace(id, row->member);
      return;
    }
    found.emplace(row->index, *row);
  }
  for (auto& [_, row] : found) {
    summaries.push_back(outline(views, row));
    rows.push_back(std::move(row));
  }
  if (!needs_consent()) return;
  storage::RecordFilter filter;
  filter.kind = disclosure_consent_kind;
  filter.member = member;
  filter.limit = consents_max;
  consents = storage::views::list(views, filter);
}

void Replica::Impl::Disclosing::find_consent(const storage::ReadTxn& txn) {
  std::vector<RecordId> ids;
  for (const auto& row : rows) ids.push_back(row.id);
  for (const storage::RecordRow& row : consents) {
    const auto speaks = static_cast<Scopes>(Scope::speak);
    if (row.log != log || !keys.may(row.author, speaks, row.index)) continue;
    const auto body = body_of(txn, context, row);
    const auto consent = body ? read_disclosure_consent(text(*body)) : body.error();
    if (!consent || !consent->covers(request.recipient, request.purpose, ids)) continue;
    disclosure.consent = row.id;
    return;
  }
}

void Replica::Impl::Disclosing::derive(const storage::ReadTxn& txn) {
  if (needs_consent()) {
    find_consent(txn);
    if (!disclosure.consent) return;
  }
  if (rows.empty()) {
    for (std::size_t i = 0; i < context.g_keys.size(); ++i) {
      disclosure.log_keys.push_back({context.g_keys[i], context.r_keys[i]});
    }
  }
  for (const storage::RecordRow& row : rows) {
    const auto payload = storage::log_store::payload(txn, log, row.index);
    const auto fitting = payload ? fitting_key(context.r_keys, *payload)
                                 : fail(Errc::not_found, "its content is not held here");
    if (!fitting) {
      failed = fail(fitting.error(), "entry " + to_base32(row.id.view()));
      return;
    }
    disclosure.records.push_back({row.id, row.index, fitting->key});
  }
}

void Replica::Impl::disclose(ClientId client, const local::DiscloseRequest& request,
                             std::function<void(local::Answer)> answer) {
  const auto words = check_disclosure_words(request.recipient, request.purpose);
  if (!words) return answer(refusal(words.error()));
  if (space_keys.empty() || has_false_keys) {
    return answer(local::Refusal{
        Errc::unavailable,
        has_false_keys ? false_keys_text : "this daemon is not a member yet: it has no key"});
  }
  const auto member = request.member.empty() ? me.member : member_of_code(request.member);
  if (!member) {
    return answer(local::Refusal{
        Errc::not_found,
        "no member has the code " + one_line(request.member, 40) + "; kith peers lists them"});
  }
  const auto wanted = std::make_shared<Disclosing>();
  wanted->answer = std::move(answer);
  wanted->request = request;
  wanted->asked_by = host.who_asks(client);
  wanted->own = me.member;
  wanted->member = *member;
  wanted->log = commons_log(*member);
  const auto derived = [=, this] { wanted->answer(hand_over(*wanted)); };
  const auto found = [=, this] {
    const auto prepared = prepare(*wanted);
    if (!prepared) return wanted->answer(refusal(prepared.error()));
    in_pool(
        wanted, [&database = host.log()](Disclosing& one) { one.derive(*database.read()); },
        derived);
  };
  in_pool(
      wanted, [&database = host.views()](Disclosing& one) { one.find_rows(*database.read()); },
      found);
}

void Replica::Impl::in_pool(std::shared_ptr<Disclosing> wanted,
                            std::function<void(Disclosing&)> work, std::function<void()> next) {
  ++jobs;
  host.compute_later(
      [wanted, work = std::move(work)] {
        try {
          work(*wanted);
        } catch (const storage::StorageError& error) {
          wanted->failed = fail(Errc::io, error.what());  // Says what to do.
        }
      },
      [this, wanted, next = std::move(next)] {
        --jobs;
        if (wanted->failed) return wanted->answer(refusal(*wanted->failed));
        next();
      });
}

Result<bool> Replica::Impl::prepare(Disclosing& wanted) const {
  if (wanted.elsewhere) {
    const auto& [id, member] = *wanted.elsewhere;
    return fail(Errc::usage, "entry " + one_line(id, 60) + " is in the log of " + code_of(member) +
                                 ", not of " + code_of(wanted.member) +
                                 ": make one file of keys for each member");
  }
  const auto log = logs.find(wanted.log);
  if (log == logs.end()) {
    return fail(Errc::not_found, "nothing is held of the log of " + code_of(wanted.member));
  }
  wanted.context = context_of(wanted.log);
  wanted.keys = log->second.keys;
  Disclosure& disclosure = wanted.disclosure;
  disclosure.network = me.network;
  disclosure.member = wanted.member;
  disclosure.space = commons;
  disclosure.discloser = me.member;
  disclosure.recipient = wanted.request.recipient;
  disclosure.purpose = wanted.request.purpose;
  disclosure.time = host.now();
  return true;
}

local::Answer Replica::Impl::hand_over(Disclosing& wanted) {
  local::DiscloseAnswer answer;
  answer.code = code_of(wanted.member);
  answer.consent = wanted.disclosure.consent;
  if (wanted.needs_consent() && !answer.consent) {
    const std::string& code = answer.code;
    return local::Refusal{
        Errc::forbidden,
        "this is in the log of " + code + ", and no consent of " + code +
            " is held here that covers it, this recipient and this purpose: ask somebody who "
            "speaks for " +
            code +
            " to run kith disclose --allow with the same ids, --to and --purpose, word for word"};
  }
  answer.member = wanted.member;
  answer.size = logs.at(wanted.log).size;
  for (local::RecordSummary& summary : wanted.summaries) {
    complete(summary, wanted.member, wanted.log);
    answer.records.push_back(std::move(summary));
  }
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
  if (answer.consent) fields.emplace_back("consent", to_base32(answer.consent->view()));
  const auto noted = host.note_in_trail(act_name, fields);
  if (!noted) {
    return refusal(
        fail(noted.error(), "nothing was disclosed, as it could not be written down in the trail"));
  }
  answer.file = encode_disclosure(wanted.disclosure);
  return answer;
}

}  // namespace kith::daemon
