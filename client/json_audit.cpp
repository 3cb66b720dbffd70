// What --json prints of exports, proofs, keys and evidence.
#include "client/json_output.hpp"
#include "client/json_parts.hpp"
#include "client/layout.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/key_file.hpp"

namespace kith::client {
namespace {

Json findings_of(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"verdict", name(finding.verdict)},
                    {"file", text_or_null(finding.file)},
                    {"what", finding.what}});
  }
  return list;
}
Json confirmations_of(const std::vector<Confirmation>& confirmations) {
  Json list = Json::array();
  for (const Confirmation& word : confirmations) {
    list.push_back({{"witness", full_id(word.witness.view())},
                    {"size", word.size},
                    {"time", time_json(word.time())}});
  }
  return list;
}

Json policy_of(const std::optional<PolicyOutcome>& outcome) {
  if (!outcome) return nullptr;
  return {{"met", outcome->is_met},      {"knows_log", outcome->knows_log},
          {"quorum", outcome->quorum},   {"cosigned", outcome->cosigned},
          {"missing", outcome->missing}, {"unknown_keys", outcome->unknown_keys}};
}

Json contradiction_of(const Contradiction& proven) {
  const char* key = proven.liar == Liar::log_key       ? "log"
                    : proven.liar == Liar::witness_key ? "witness"
                                                       : "recovery";
  Json said = Json::array();
  Json certified = Json::array();
  for (std::size_t i = 0; i < proven.said.size(); ++i) {
    certified.push_back(time_json(proven.numbers[i]));
    if (!proven.log) continue;
    said.push_back(
        {{"size", proven.said[i].size}, {"root", to_base64(proven.said[i].root.view())}});
  }
  return {{"member", full_id(proven.member.view())},
          {"key", key},
          {"log", proven.log ? Json(to_hex(proven.log->view())) : Json(nullptr)},
          {"certified", certified},
          {"said", said}};
}

Json held_of(const HeldEvidence& piece) {
  Json json{{"id", piece.id}};
  json.update(contradiction_of(piece.proven));
  json["code"] = piece.row.code;
  json["owner"] = text_or_null(piece.row.owner);
  json["counts"] = piece.row.counts;
  return json;
}

Json evidence_of(const std::vector<ReportedEvidence>& evidence) {
  Json list = Json::array();
  for (const ReportedEvidence& piece : evidence) {
    Json json{{"file", text_or_null(piece.file)}};
    json.update(contradiction_of(piece.proven));
    json["counts"] = piece.counts;
    list.push_back(std::move(json));
  }
  return list;
}

const char* name_of(Certificate::Reason reason) {
  switch (reason) {
    case Certificate::Reason::first:
      return "first";
    case Certificate::Reason::planned:
      return "planned";
    case Certificate::Reason::lost:
      return "lost";
    case Certificate::Reason::cut:
      break;
  }
  return "cut";
}

Json reported_of(const ReportedLog& log) {
  Json certificates = Json::array();
  for (const auto& [index, certificate] : log.keys.certificates()) {
    certificates.push_back({{"certified", time_json(certificate.number)},
                            {"reason", name_of(certificate.reason)},
                            {"from", index}});
  }
  Json authors = Json::array();
  for (const KeyHistory::Span& span : log.keys.spans()) {
    authors.push_back({{"author", encode_author(span.author)},
                       {"scopes", scopes_json(span.scopes)},
                       {"from", span.from},
                       {"until", span.to ? Json(*span.to) : Json(nullptr)}});
  }
  return {{"name", log.name},
          {"member", full_id(log.member.view())},
          {"log", to_hex(log.id.view())},
          {"verdict", name(log.verdict)},
          {"size", log.size},
          {"root", to_base64(log.root.view())},
          {"first_time", time_json(log.first_time)},
          {"last_time", time_json(log.last_time)},
          {"existed_by", time_json(log.existed_by())},
          {"confirmed", log.confirmed()},
          {"witnesses", log.witnesses ? Json(*log.witnesses) : Json(nullptr)},
          {"confirmations", confirmations_of(log.confirmations)},
          {"certificates", certificates},
          {"authors", authors},
          {"keys_known", log.are_keys_known},
          {"evidence", evidence_of(log.evidence)},
          {"signatures", log.signatures},
          {"sealed", log.sealed},
          {"missing", log.missing},
          {"policy", policy_of(log.policy)},
          {"findings", findings_of(log.findings)},
          {"more_findings", log.more_findings}};
}

/// What a disclosure says, without its keys.
Json disclosure_of(const Disclosure& disclosure) {
  Json records = Json::array();
  for (const DisclosedRecord& record : disclosure.records) {
    records.push_back({{"id", full_id(record.id.view())}, {"index", record.index}});
  }
  return {
      {"member", full_id(disclosure.member.view())},
      {"log", to_hex(disclosure.log().view())},
      {"discloser", full_id(disclosure.discloser.view())},
      {"consent", disclosure.consent ? Json(full_id(disclosure.consent->view())) : Json(nullptr)},
      {"recipient", disclosure.recipient},
      {"purpose", disclosure.purpose},
      {"time", time_json(disclosure.time)},
      {"opens", records.empty() ? "log" : "records"},
      {"records", records}};
}

}  // namespace

Json row(const AuditReport& report) {
  Json logs = Json::array();
  for (const ReportedLog& log : report.logs) logs.push_back(reported_of(log));
  return {{"verdict", name(report.verdict())},        {"network", full_id(report.network.view())},
          {"network_name", report.network_name},      {"checked", report.source},
          {"time", time_json(report.time)},           {"expected", report.expected},
          {"evidence", evidence_of(report.evidence)}, {"findings", findings_of(report.findings)},
          {"more_findings", report.more_findings},    {"logs", logs}};
}

std::uint64_t Exported::missing() const {
  std::uint64_t all = 0;
  for (const LogReport& report : reports) all += report.missing;
  return all;
}

std::string json_of(const Exported& exported) {
  Json logs = Json::array();
  for (const LogReport& report : exported.reports) {
    logs.push_back({{"path", report.log.path},
                    {"member", full_id(report.log.member.view())},
                    {"size", report.log.size},
                    {"confirmed", report.confirmed()},
                    {"verdict", name(report.findings.verdict())}});
  }
  return print(Json{{"folder", exported.folder},
                    {"network", full_id(exported.manifest.network.view())},
                    {"payloads", exported.manifest.is_whole ? "all" : "clear"},
                    {"missing", exported.missing()},
                    {"frozen", exported.frozen},
                    {"left_out", exported.left_out},
                    {"evidence", exported.manifest.evidence.size()},
                    {"logs", logs}});
}

std::string json_of(const Proven& proven) {
  return print(Json{{"id", full_id(proven.id.view())},
                    {"index", proven.index},
                    {"confirmed", proven.confirmed},
                    {"witnesses", proven.witnesses},
                    {"file", text_or_null(proven.file)},
                    {"proof", proven.proof}});
}

std::string json_of(const ProofReport& report, bool expected) {
  return print(Json{{"verdict", name(report.findings.verdict())},
                    {"network", full_id(report.network.view())},
                    {"expected", expected},
                    {"member", full_id(report.member.view())},
                    {"log", to_hex(report.log.view())},
                    {"index", report.index},
                    {"size", report.size},
                    {"time", time_json(report.leaf.time)},
                    {"confirmations", confirmations_of(report.confirmations)},
                    {"policy", policy_of(report.policy)},
                    {"findings", findings_of(report.findings.kept())}});
}

std::string json_of(const Contradiction& proven, bool expected) {
  Json json{{"verdict", name(Verdict::forked)},
            {"network", full_id(proven.network.view())},
            {"expected", expected}};
  json.update(contradiction_of(proven));
  return print(json);
}

std::string json_of(const std::vector<HeldEvidence>& pieces) {
  Json list = Json::array();
  for (const HeldEvidence& piece : pieces) list.push_back(held_of(piece));
  return print(Json{{"evidence", list}});
}

std::string json_of(const HeldEvidence& piece) {
  Json json = held_of(piece);
  json["file"] = text_or_null(piece.file);
  json["evidence"] = piece.row.file;
  return print(json);
}

std::string json_of(const Disclosed& disclosed) {
  Json document = disclosure_of(disclosed.disclosure);
  document["file"] = disclosed.file;
  document["code"] = disclosed.code;
  document["network"] = full_id(disclosed.disclosure.network.view());
  return print(document);
}

std::string json_of(const ArchiveReport& report, const AuditReport& told) {
  Json disclosures = Json::array();
  for (const DisclosureReport& given : report.disclosures) {
    Json one = disclosure_of(given.disclosure);
    one["file"] = given.file;
    one["opened"] = given.opened;
    disclosures.push_back(std::move(one));
  }
  Json logs = Json::array();
  for (const LogReport& log : report.logs) {
    logs.push_back({{"path", log.log.path},
                    {"member", full_id(log.log.member.view())},
                    {"log", to_hex(log.id.view())},
                    {"size", log.log.size},
                    {"root", to_base64(log.root.view())},
                    {"founds_network", log.is_founders},
                    {"first_time", time_json(log.first_time)},
                    {"last_time", time_json(log.last_time)},
                    {"certificates", log.certificates},
                    {"enrolments", log.enrolments},
                    {"confirmations", confirmations_of(log.confirmations)},
                    {"clear", log.clear},
                    {"opened", log.opened},
                    {"author_signatures", log.author_signatures},
                    {"sealed", log.sealed},
                    {"missing", log.missing},
                    {"policy", policy_of(log.policy)},
                    {"evidence", evidence_of(log.evidence)},
                    {"findings", findings_of(log.findings.kept())},
                    {"more_findings", log.findings.left_out()}});
  }
  return print(Json{{"verdict", name(report.verdict())},
                    {"network", full_id(report.manifest.network.view())},
                    {"expected", told.expected},
                    {"payloads", report.manifest.is_whole ? "all" : "clear"},
                    {"founding", report.has_founding},
                    {"logs", logs},
                    {"disclosures", disclosures},
                    {"evidence", evidence_of(report.evidence)},
                    {"findings", findings_of(report.findings.kept())},
                    {"report", row(told)}});
}

}  // namespace kith::client
