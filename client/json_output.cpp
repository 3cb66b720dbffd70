#include "client/json_output.hpp"

#include <nlohmann/json.hpp>

#include "client/layout.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/records/document.hpp"

namespace kith::client {
namespace {

using Json = nlohmann::ordered_json;  // Keys stay in the order of docs/JSON.md.

std::string print(const Json& json, int indent = 2) {
  return json.dump(indent, ' ', true, Json::error_handler_t::replace);
}

/// null for what no calendar holds and for 0, which means never.
Json time_json(Millis time) {
  const std::string text = time == 0 ? "" : utc_of(time);
  return text.empty() ? Json(nullptr) : Json(text);
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json scopes_json(Scopes scopes) {
  Json list = Json::array();
  const auto has = [&](Scope scope) { return (scopes & static_cast<Scopes>(scope)) != 0; };
  if (has(Scope::publish)) list.push_back("publish");
  if (has(Scope::speak)) list.push_back("speak");
  if (has(Scope::steward)) list.push_back("steward");
  return list;
}

/// `body` if it is text, else `body_base64`; the other one is null.
void add_body(Json& json, const Bytes& body) {
  const bool is_text = is_utf8(text(body));
  json["body"] = is_text ? Json(std::string(text(body))) : Json(nullptr);
  json["body_base64"] = is_text ? Json(nullptr) : Json(to_base64(body));
}

Json row(const local::RecordSummary& record) {
  return {{"id", full_id(record.id.view())},
          {"member", record.member},
          {"kind", record.kind},
          {"author", encode_author(record.author)},
          {"time", time_json(record.time)},
          {"title", record.title},
          {"body_bytes", record.body_bytes},
          {"index", record.index},
          {"sequence", record.sequence},
          {"to", record.to ? Json(full_id(record.to->view())) : Json(nullptr)},
          {"reply_kind", text_or_null(record.reply_kind)},
          {"replies", record.replies},
          {"agreed", record.agreed}};
}

Json row(const local::StatusAnswer& status) {
  return {{"version", status.version},
          {"state", status.state},
          {"state_detail", status.state_detail},
          {"network", full_id(status.network.view())},
          {"network_name", status.network_name},
          {"aim", status.aim},
          {"member", full_id(status.member.view())},
          {"code", status.code},
          {"fingerprint", fingerprint_words(status.member)},
          {"commons_log", to_hex(status.commons_log.view())},
          {"decision", full_id(status.decision.view())},
          {"decisions", status.decisions},
          {"members", status.members},
          {"peers_connected", status.peers_connected},
          {"log_size", status.log_size},
          {"agreed_size", status.agreed_size},
          {"records", status.records},
          {"incomplete", status.incomplete},
          {"bad", status.bad},
          {"disk_bytes", status.disk_bytes},
          {"next_enrolment", status.next_enrolment},
          {"last_sequence", status.last_sequence},
          {"listen", text_or_null(status.listen)}};
}

Json row(const local::MemberRow& member) {
  const std::uint64_t missing =
      member.known_size > member.held_size ? member.known_size - member.held_size : 0;
  return {{"member", full_id(member.member.view())},
          {"code", member.code},
          {"name", member.name},
          {"role", member.role},
          {"addresses", member.addresses},
          {"self", member.self},
          {"paused", member.paused},
          {"connected", member.connected},
          {"frozen", member.frozen},
          {"heard", time_json(member.heard)},
          {"last_error", text_or_null(member.last_error)},
          {"held_size", member.held_size},
          {"agreed_size", member.agreed_size},
          {"known_size", member.known_size},
          {"behind", missing + member.gaps},
          {"gaps", member.gaps},
          {"judged", member.judged},
          {"witnesses", member.witnesses},
          {"cosigned", member.cosigned},
          {"records", member.records},
          {"unasked", member.unasked}};
}

Json row(const local::CandidateRow& candidate) {
  return {{"member", full_id(candidate.member.view())},
          {"code", candidate.profile.code},
          {"name", candidate.profile.name},
          {"role", candidate.profile.role},
          {"addresses", candidate.profile.addresses},
          {"fingerprint", fingerprint_words(candidate.member)},
          {"since", time_json(candidate.since)},
          {"warning", text_or_null(candidate.warning)}};
}

const char* state_name(ProposalOutcome::State state) {
  switch (state) {
    case ProposalOutcome::State::open:
      return "open";
    case ProposalOutcome::State::decided:
      return "decided";
    case ProposalOutcome::State::closed:
      return "closed";
    case ProposalOutcome::State::ignored:
      break;
  }
  return "ignored";
}

Json row(const local::ProposalRow& proposal) {
  Json ids = Json::array();
  for (const MemberId& member : proposal.admits) ids.push_back(full_id(member.view()));
  Json words = Json::array();
  for (const auto& word : proposal.words) {
    words.push_back({{"member", word.code}, {"word", name(word.word)}});
  }
  return {{"id", full_id(proposal.id.view())},
          {"proposer", proposal.proposer},
          {"effects", proposal.effects},
          {"rule", proposal.rule},
          {"words", words},
          {"electors", proposal.electors},
          {"our_round", proposal.our_round},
          {"ours_given", proposal.ours_given()},
          {"our_word", text_or_null(proposal.our_word)},
          {"ours_agreed", proposal.ours_agreed},
          {"waits_for_us", proposal.waits_for_us},
          {"admits", ids},
          {"explanation", proposal.explanation}};
}

Json row(const local::ThreadRow& entry) {
  Json json = row(entry.record);
  json["depth"] = entry.depth;
  add_body(json, entry.body);
  return json;
}

Json row(const local::AuditRow& log) {
  return {{"code", log.code},
          {"member", full_id(log.member.view())},
          {"log", to_hex(log.log.view())},
          {"size", log.size},
          {"root", to_base64(log.root.view())},
          {"agreed", log.agreed},
          {"witnesses", log.witnesses},
          {"cosigned", log.cosigned},
          {"records", log.records},
          {"statements", log.statements},
          {"unknown_kinds", log.unknown_kinds},
          {"missing", log.missing},
          {"sealed", log.sealed},
          {"authors", log.authors},
          {"certificates", log.certificates},
          {"frozen", log.frozen},
          {"intact", log.intact},
          {"faults", log.faults}};
}

Json row(const Published& published) {
  const bool is_logged = published.waiting.empty();
  Json list = Json::array();
  for (const PublishedEntry& entry : published.entries) {
    list.push_back({{"id", full_id(entry.id.view())},
                    {"kind", entry.kind},
                    {"title", entry.title},
                    {"file", text_or_null(entry.file)},
                    {"index", is_logged ? Json(entry.index) : Json(nullptr)}});
  }
  return {{"entries", list},
          {"size", is_logged ? Json(published.size) : Json(nullptr)},
          {"checkpoint", text_or_null(published.checkpoint)},
          {"waiting", text_or_null(published.waiting)}};
}

template <class Row>
Json list_of(const std::vector<Row>& rows) {
  Json list = Json::array();
  for (const Row& each : rows) list.push_back(row(each));
  return list;
}

Json error_json(const Error& error) {
  return {{"code", name(error.code)}, {"message", error.detail}};
}

}  // namespace

std::string json_of(const Error& error) { return print(Json{{"error", error_json(error)}}); }

std::string json_line_of(const Error& error) {
  return print(Json{{"error", error_json(error)}}, -1);
}

std::string json_of(const Error& error, const std::vector<FileComplaint>& complaints) {
  Json list = Json::array();
  for (const auto& [file, complaint] : complaints) {
    list.push_back({{"file", file},
                    {"line", complaint.line},
                    {"field", text_or_null(complaint.field)},
                    {"said", complaint.said}});
  }
  Json json{{"error", error_json(error)}};
  json["error"]["complaints"] = list;
  return print(json);
}

std::string json_of(const local::StatusAnswer& status) { return print(row(status)); }

std::string json_of(const local::MembersAnswer& members) {
  return print(Json{{"members", list_of(members.members)}});
}

std::string json_of(const local::ProposalsAnswer& proposals) {
  return print(Json{{"basis", full_id(proposals.basis.view())},
                    {"candidates", list_of(proposals.candidates)},
                    {"proposals", list_of(proposals.proposals)}});
}

std::string json_of(const local::ListAnswer& list) {
  return print(Json{{"entries", list_of(list.records)}, {"more", list.more}});
}

std::string json_of(const local::ShowAnswer& shown) {
  Json json = row(shown.record);
  json["confirmed"] = shown.confirmed;
  json["witnesses"] = shown.witnesses;
  const Parsed parsed = parse_document(text(shown.body));
  json["contact_role"] = text_or_null(std::string(parsed.document.value("contact_role")));
  add_body(json, shown.body);
  return print(json);
}

std::string json_of(const local::ThreadAnswer& thread) {
  return print(Json{{"entries", list_of(thread.rows)}});
}

std::string json_of(const local::FrontAnswer& front) {
  return print(Json{{"status", row(front.status)},
                    {"candidates", list_of(front.candidates)},
                    {"proposals", list_of(front.proposals)},
                    {"answers", list_of(front.answers)},
                    {"answers_count", front.answers_count},
                    {"news", list_of(front.news)},
                    {"news_count", front.news_count}});
}

std::string json_of(const local::AuditAnswer& audit, bool intact) {
  return print(Json{{"intact", intact}, {"logs", list_of(audit.logs)}});
}

std::string json_of(const local::WatchAnswer& arrival) { return print(row(arrival.record), -1); }

std::string json_of(const local::AuthorsAnswer& authors, const PublicKey* own) {
  Json list = Json::array();
  for (const auto& author : authors.authors) {
    list.push_back({{"author", encode_author(author.author)},
                    {"scopes", scopes_json(author.scopes)},
                    {"own", own != nullptr && *own == author.author}});
  }
  return print(Json{{"next_number", authors.next_number}, {"authors", list}});
}

std::string json_of(const KeyMade& made) {
  return print(Json{
      {"author", made.author}, {"key_file", made.key_file}, {"passphrase", made.has_passphrase}});
}

std::string json_of(const Enrolled& enrolled) {
  return print(Json{{"author", enrolled.author},
                    {"scopes", scopes_json(enrolled.scopes)},
                    {"number", enrolled.number},
                    {"index", enrolled.index}});
}

std::string json_of(const Invited& invited) {
  return print(Json{{"invitation", invited.invitation},
                    {"file", text_or_null(invited.file)},
                    {"expires", time_json(invited.expires)},
                    {"network_name", invited.network_name},
                    {"sponsor", full_id(invited.sponsor.view())},
                    {"sponsor_fingerprint", fingerprint_words(invited.sponsor)}});
}

std::string json_of(const FormMade& made) {
  return print(Json{{"kind", made.kind}, {"file", text_or_null(made.file)}, {"form", made.form}});
}

std::string json_of(const Published& published) { return print(row(published)); }

std::string json_of(const Published& published, const std::vector<ProposalOutcome>& outcomes) {
  Json json = row(published);
  json["proposals"] = Json::array();
  for (const ProposalOutcome& outcome : outcomes) {
    json["proposals"].push_back({{"id", full_id(outcome.id.view())},
                                 {"state", state_name(outcome.state)},
                                 {"explanation", text_or_null(outcome.explanation)}});
  }
  return print(json);
}

namespace {

Json findings_of(const Findings& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings.kept()) {
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
                    {"findings", findings_of(report.findings)}});
}

std::string json_of(const Disclosed& disclosed) {
  Json document = disclosure_of(disclosed.disclosure);
  document["file"] = disclosed.file;
  document["code"] = disclosed.code;
  document["network"] = full_id(disclosed.disclosure.network.view());
  return print(document);
}

std::string json_of(const ArchiveReport& report, bool expected) {
  Json disclosures = Json::array();
  for (const DisclosureReport& told : report.disclosures) {
    Json one = disclosure_of(told.disclosure);
    one["file"] = told.file;
    one["opened"] = told.opened;
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
                    {"findings", findings_of(log.findings)},
                    {"more_findings", log.findings.left_out()}});
  }
  return print(Json{{"verdict", name(report.verdict())},
                    {"network", full_id(report.manifest.network.view())},
                    {"expected", expected},
                    {"payloads", report.manifest.is_whole ? "all" : "clear"},
                    {"founding", report.has_founding},
                    {"logs", logs},
                    {"disclosures", disclosures},
                    {"findings", findings_of(report.findings)}});
}

}  // namespace kith::client
