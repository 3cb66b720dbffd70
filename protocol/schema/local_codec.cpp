#include "protocol/schema/local_codec.hpp"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <utility>

#include "protocol/base/limits.hpp"
#include "protocol/schema/local.capnp.h"

// Longer than other files: one pair of functions, write and read, for each struct of local.capnp,
// side by side so that a forgotten field is seen. Splitting it would spread Cap'n Proto further.
namespace kith::local {
namespace {

namespace wire = kith::wire::local;

constexpr int nesting_max = 16;

capnp::Data::Reader blob(BytesView bytes) { return {bytes.data(), bytes.size()}; }
capnp::Text::Reader words(const std::string& text) { return {text.c_str(), text.size()}; }

/// Throws as Cap'n Proto does for what it refuses itself: the one catch is in decode().
// NOLINTNEXTLINE(bugprone-suspicious-semicolon): it is in the macro.
void demand(bool condition) { KJ_REQUIRE(condition, "not a message of this version"); }

template <class Value>
Value octets(capnp::Data::Reader from) {
  demand(from.size() == Value::size);
  return Value::from({from.begin(), from.size()});
}
Bytes bytes_of(capnp::Data::Reader from) { return {from.begin(), from.end()}; }
std::string text_of(capnp::Text::Reader from) { return {from.begin(), from.size()}; }

// What the templates below call, declared before them.
void write(wire::Member::Builder to, const MemberRow& from);
void read(wire::Member::Reader from, MemberRow& to);
void write(wire::Author::Builder to, const AuthorRow& from);
void read(wire::Author::Reader from, AuthorRow& to);
void write(wire::Candidate::Builder to, const CandidateRow& from);
void read(wire::Candidate::Reader from, CandidateRow& to);
void write(wire::Word::Builder to, const WordRow& from);
void read(wire::Word::Reader from, WordRow& to);
void write(wire::OpenProposal::Builder to, const ProposalRow& from);
void read(wire::OpenProposal::Reader from, ProposalRow& to);
void write(wire::PublishedRecord::Builder to, const PublishedRow& from);
void read(wire::PublishedRecord::Reader from, PublishedRow& to);
void write(wire::RecordSummary::Builder to, const RecordSummary& from);
void read(wire::RecordSummary::Reader from, RecordSummary& to);
void write(wire::ThreadRow::Builder to, const ThreadRow& from);
void read(wire::ThreadRow::Reader from, ThreadRow& to);
void write(wire::AuditRow::Builder to, const AuditRow& from);
void read(wire::AuditRow::Reader from, AuditRow& to);
void write(wire::Cosignature::Builder to, const Cosignature& from);
void read(wire::Cosignature::Reader from, Cosignature& to);
void write(wire::ExportedLog::Builder to, const ExportedLog& from);
void read(wire::ExportedLog::Reader from, ExportedLog& to);

template <class List, class Value>
void write_rows(List to, const std::vector<Value>& from) {
  for (unsigned i = 0; i < to.size(); ++i) write(to[i], from[i]);
}
template <class List>
void write_texts(List to, const std::vector<std::string>& from) {
  for (unsigned i = 0; i < to.size(); ++i) to.set(i, words(from[i]));
}
unsigned count(std::size_t size) { return static_cast<unsigned>(size); }

template <class List, class Value>
void read_rows(List from, std::vector<Value>& to) {
  // One at a time: a list may claim more rows than it has bytes, and then the first is refused.
  for (const auto row : from) read(row, to.emplace_back());
}
void read_texts(capnp::List<capnp::Text>::Reader from, std::vector<std::string>& to) {
  to.reserve(from.size());
  for (const auto text : from) to.push_back(text_of(text));
}

// ---- the rows of answers
// ---------------------------------------------------------------------------

void write(wire::Profile::Builder to, const Profile& from) {
  to.setCode(words(from.code));
  to.setName(words(from.name));
  to.setRole(words(from.role));
  write_texts(to.initAddresses(count(from.addresses.size())), from.addresses);
}
void read(wire::Profile::Reader from, Profile& to) {
  to.code = text_of(from.getCode());
  to.name = text_of(from.getName());
  to.role = text_of(from.getRole());
  read_texts(from.getAddresses(), to.addresses);
}

void write(wire::Status::Builder to, const StatusAnswer& from) {
  to.setVersion(words(from.version));
  to.setState(words(from.state));
  to.setStateDetail(words(from.state_detail));
  to.setNetwork(blob(from.network.view()));
  to.setNetworkName(words(from.network_name));
  to.setAim(words(from.aim));
  to.setMember(blob(from.member.view()));
  to.setCode(words(from.code));
  to.setCommonsLog(blob(from.commons_log.view()));
  to.setDecision(blob(from.decision.view()));
  to.setDecisions(from.decisions);
  to.setMembers(from.members);
  to.setPeersConnected(from.peers_connected);
  to.setLogSize(from.log_size);
  to.setAgreedSize(from.agreed_size);
  to.setRecords(from.records);
  to.setIncomplete(from.incomplete);
  to.setBad(from.bad);
  to.setDiskBytes(from.disk_bytes);
  to.setNextEnrolment(from.next_enrolment);
  to.setLastSequence(from.last_sequence);
  to.setListen(words(from.listen));
}
void read(wire::Status::Reader from, StatusAnswer& to) {
  to.version = text_of(from.getVersion());
  to.state = text_of(from.getState());
  to.state_detail = text_of(from.getStateDetail());
  to.network = octets<NetworkId>(from.getNetwork());
  to.network_name = text_of(from.getNetworkName());
  to.aim = text_of(from.getAim());
  to.member = octets<MemberId>(from.getMember());
  to.code = text_of(from.getCode());
  to.commons_log = octets<LogId>(from.getCommonsLog());
  to.decision = octets<DecisionId>(from.getDecision());
  to.decisions = from.getDecisions();
  to.members = from.getMembers();
  to.peers_connected = from.getPeersConnected();
  to.log_size = from.getLogSize();
  to.agreed_size = from.getAgreedSize();
  to.records = from.getRecords();
  to.incomplete = from.getIncomplete();
  to.bad = from.getBad();
  to.disk_bytes = from.getDiskBytes();
  to.next_enrolment = from.getNextEnrolment();
  to.last_sequence = from.getLastSequence();
  to.listen = text_of(from.getListen());
}

void write(wire::Member::Builder to, const MemberRow& from) {
  to.setMember(blob(from.member.view()));
  to.setCode(words(from.code));
  to.setName(words(from.name));
  to.setRole(words(from.role));
  write_texts(to.initAddresses(count(from.addresses.size())), from.addresses);
  to.setSelf(from.self);
  to.setPaused(from.paused);
  to.setConnected(from.connected);
  to.setFrozen(from.frozen);
  to.setHeard(from.heard);
  to.setLastError(words(from.last_error));
  to.setHeldSize(from.held_size);
  to.setAgreedSize(from.agreed_size);
  to.setKnownSize(from.known_size);
  to.setGaps(from.gaps);
  to.setJudged(from.judged);
  to.setWitnesses(from.witnesses);
  to.setCosigned(from.cosigned);
  to.setRecords(from.records);
  write_texts(to.initUnasked(count(from.unasked.size())), from.unasked);
}
void read(wire::Member::Reader from, MemberRow& to) {
  to.member = octets<MemberId>(from.getMember());
  to.code = text_of(from.getCode());
  to.name = text_of(from.getName());
  to.role = text_of(from.getRole());
  read_texts(from.getAddresses(), to.addresses);
  to.self = from.getSelf();
  to.paused = from.getPaused();
  to.connected = from.getConnected();
  to.frozen = from.getFrozen();
  to.heard = from.getHeard();
  to.last_error = text_of(from.getLastError());
  to.held_size = from.getHeldSize();
  to.agreed_size = from.getAgreedSize();
  to.known_size = from.getKnownSize();
  to.gaps = from.getGaps();
  to.judged = from.getJudged();
  to.witnesses = from.getWitnesses();
  to.cosigned = from.getCosigned();
  to.records = from.getRecords();
  read_texts(from.getUnasked(), to.unasked);
}

void write(wire::Author::Builder to, const AuthorRow& from) {
  to.setAuthor(blob(from.author.view()));
  to.setScopes(from.scopes);
}
void read(wire::Author::Reader from, AuthorRow& to) {
  to.author = octets<PublicKey>(from.getAuthor());
  to.scopes = from.getScopes();
}

void write(wire::Candidate::Builder to, const CandidateRow& from) {
  to.setMember(blob(from.member.view()));
  write(to.initProfile(), from.profile);
  to.setCertificate(blob(from.certificate));
  to.setSince(from.since);
  to.setWarning(words(from.warning));
}
void read(wire::Candidate::Reader from, CandidateRow& to) {
  to.member = octets<MemberId>(from.getMember());
  read(from.getProfile(), to.profile);
  to.certificate = bytes_of(from.getCertificate());
  to.since = from.getSince();
  to.warning = text_of(from.getWarning());
}

void write(wire::Word::Builder to, const WordRow& from) {
  to.setCode(words(from.code));
  to.setWord(static_cast<wire::Word::Kind>(from.word));
}
void read(wire::Word::Reader from, WordRow& to) {
  to.code = text_of(from.getCode());
  demand(from.getWord() <= wire::Word::Kind::AGREE);
  to.word = static_cast<Consent::Word>(from.getWord());
}

void write(wire::OpenProposal::Builder to, const ProposalRow& from) {
  to.setId(blob(from.id.view()));
  to.setProposer(words(from.proposer));
  write_texts(to.initEffects(count(from.effects.size())), from.effects);
  to.setRule(words(from.rule));
  write_rows(to.initWords(count(from.words.size())), from.words);
  to.setElectors(from.electors);
  to.setOurRound(from.our_round);
  to.setExplanation(words(from.explanation));
  to.setOurWord(words(from.our_word));
  to.setOursAgreed(from.ours_agreed);
  to.setOursAgreedNow(from.ours_agreed_now);
  to.setWaitsForUs(from.waits_for_us);
  auto admits = to.initAdmits(count(from.admits.size()));
  for (unsigned i = 0; i < admits.size(); ++i) admits.set(i, blob(from.admits[i].view()));
}
void read(wire::OpenProposal::Reader from, ProposalRow& to) {
  to.id = octets<RecordId>(from.getId());
  to.proposer = text_of(from.getProposer());
  read_texts(from.getEffects(), to.effects);
  to.rule = text_of(from.getRule());
  demand(from.getWords().size() <= limits::members_max);
  read_rows(from.getWords(), to.words);
  to.electors = from.getElectors();
  to.our_round = from.getOurRound();
  to.explanation = text_of(from.getExplanation());
  to.our_word = text_of(from.getOurWord());
  to.ours_agreed = from.getOursAgreed();
  to.ours_agreed_now = from.getOursAgreedNow();
  to.waits_for_us = from.getWaitsForUs();
  demand(from.getAdmits().size() <= limits::effects_max);
  for (const auto member : from.getAdmits()) to.admits.push_back(octets<MemberId>(member));
}

void write(wire::PublishedRecord::Builder to, const PublishedRow& from) {
  to.setId(blob(from.id.view()));
  to.setIndex(from.index);
}
void read(wire::PublishedRecord::Reader from, PublishedRow& to) {
  to.id = octets<RecordId>(from.getId());
  to.index = from.getIndex();
}

void write(wire::RecordSummary::Builder to, const RecordSummary& from) {
  to.setId(blob(from.id.view()));
  to.setMember(words(from.member));
  to.setKind(words(from.kind));
  to.setAuthor(blob(from.author.view()));
  to.setTime(from.time);
  to.setTitle(words(from.title));
  to.setBodyBytes(from.body_bytes);
  to.setIndex(from.index);
  to.setSequence(from.sequence);
  if (from.to) to.setTo(blob(from.to->view()));
  to.setReplies(from.replies);
  to.setAgreed(from.agreed);
  to.setReplyKind(words(from.reply_kind));
}
void read(wire::RecordSummary::Reader from, RecordSummary& to) {
  to.id = octets<RecordId>(from.getId());
  to.member = text_of(from.getMember());
  to.kind = text_of(from.getKind());
  to.author = octets<PublicKey>(from.getAuthor());
  to.time = from.getTime();
  to.title = text_of(from.getTitle());
  to.body_bytes = from.getBodyBytes();
  to.index = from.getIndex();
  to.sequence = from.getSequence();
  if (from.hasTo()) to.to = octets<RecordId>(from.getTo());
  to.replies = from.getReplies();
  to.agreed = from.getAgreed();
  to.reply_kind = text_of(from.getReplyKind());
}

void write(wire::ThreadRow::Builder to, const ThreadRow& from) {
  write(to.initRecord(), from.record);
  to.setDepth(from.depth);
  to.setBody(blob(from.body));
}
void read(wire::ThreadRow::Reader from, ThreadRow& to) {
  read(from.getRecord(), to.record);
  to.depth = from.getDepth();
  to.body = bytes_of(from.getBody());
}

void write(wire::AuditRow::Builder to, const AuditRow& from) {
  to.setCode(words(from.code));
  to.setMember(blob(from.member.view()));
  to.setLog(blob(from.log.view()));
  to.setSize(from.size);
  to.setRoot(blob(from.root.view()));
  to.setAgreed(from.agreed);
  to.setWitnesses(from.witnesses);
  to.setCosigned(from.cosigned);
  to.setRecords(from.records);
  to.setStatements(from.statements);
  to.setUnknownKinds(from.unknown_kinds);
  to.setMissing(from.missing);
  to.setSealed(from.sealed);
  to.setAuthors(from.authors);
  to.setCertificates(from.certificates);
  to.setFrozen(from.frozen);
  to.setIntact(from.intact);
  write_texts(to.initFaults(count(from.faults.size())), from.faults);
}
void read(wire::AuditRow::Reader from, AuditRow& to) {
  to.code = text_of(from.getCode());
  to.member = octets<MemberId>(from.getMember());
  to.log = octets<LogId>(from.getLog());
  to.size = from.getSize();
  to.root = octets<TreeHash>(from.getRoot());
  to.agreed = from.getAgreed();
  to.witnesses = from.getWitnesses();
  to.cosigned = from.getCosigned();
  to.records = from.getRecords();
  to.statements = from.getStatements();
  to.unknown_kinds = from.getUnknownKinds();
  to.missing = from.getMissing();
  to.sealed = from.getSealed();
  to.authors = from.getAuthors();
  to.certificates = from.getCertificates();
  to.frozen = from.getFrozen();
  to.intact = from.getIntact();
  read_texts(from.getFaults(), to.faults);
}

void write(wire::Cosignature::Builder to, const Cosignature& from) {
  to.setSize(from.size);
  to.setRoot(blob(from.root.view()));
  to.setWitness(blob(from.witness.view()));
  to.setTimeSeconds(from.time_s);
  to.setSignature(blob(from.signature.view()));
}
void read(wire::Cosignature::Reader from, Cosignature& to) {
  to.size = from.getSize();
  to.root = octets<TreeHash>(from.getRoot());
  to.witness = octets<MemberId>(from.getWitness());
  to.time_s = from.getTimeSeconds();
  to.signature = octets<Signature>(from.getSignature());
}

void write(wire::ExportedLog::Builder to, const ExportedLog& from) {
  to.setCode(words(from.code));
  to.setMember(blob(from.member.view()));
  to.setSpace(blob(from.space.view()));
  to.setLog(blob(from.log.view()));
  to.setSize(from.size);
  to.setCheckpoint(words(from.checkpoint));
  write_rows(to.initCosignatures(count(from.cosignatures.size())), from.cosignatures);
  to.setFrozen(from.frozen);
}
void read(wire::ExportedLog::Reader from, ExportedLog& to) {
  to.code = text_of(from.getCode());
  to.member = octets<MemberId>(from.getMember());
  to.space = octets<SpaceId>(from.getSpace());
  to.log = octets<LogId>(from.getLog());
  to.size = from.getSize();
  to.checkpoint = text_of(from.getCheckpoint());
  read_rows(from.getCosignatures(), to.cosignatures);
  for (Cosignature& word : to.cosignatures) word.log = to.log;
  to.frozen = from.getFrozen();
}

// ---- requests
// ------------------------------------------------------------------------------------

void write(wire::Request::Builder to, const StatusRequest&) { to.setStatus(); }
void write(wire::Request::Builder to, const MembersRequest&) { to.setMembers(); }
void write(wire::Request::Builder to, const AuthorsRequest&) { to.setAuthors(); }
void write(wire::Request::Builder to, const ProposalsRequest&) { to.setProposals(); }
void write(wire::Request::Builder to, const PublishRequest& from) {
  auto texts = to.initPublish(count(from.texts.size()));
  for (unsigned i = 0; i < texts.size(); ++i) texts.set(i, blob(from.texts[i]));
}
void write(wire::Request::Builder to, const EnrolRequest& from) {
  to.setEnrol(blob(from.statement));
}
void write(wire::Request::Builder to, const InviteRequest& from) {
  write_texts(to.initInvite(count(from.addresses.size())), from.addresses);
}
void write(wire::Request::Builder to, const ListRequest& from) {
  auto list = to.initList();
  list.setKind(words(from.kind));
  list.setMember(words(from.member));
  list.setBeforeSequence(from.before_sequence);
  list.setLimit(from.limit);
  list.setAfterSequence(from.after_sequence);
}
void write(wire::Request::Builder to, const ShowRequest& from) { to.setShow(words(from.id)); }
void write(wire::Request::Builder to, const ThreadRequest& from) { to.setThread(words(from.id)); }
void write(wire::Request::Builder to, const WatchRequest& from) { to.setWatch(from.sequence); }
void write(wire::Request::Builder to, const FrontRequest& from) {
  auto front = to.initFront();
  if (from.author) front.setAuthor(blob(from.author->view()));
  front.setSinceSequence(from.since_sequence);
}
void write(wire::Request::Builder to, const AuditRequest& from) { to.setAudit(words(from.member)); }
void write(wire::Request::Builder to, const ExportLogsRequest& from) {
  auto logs = to.initExportLogs();
  logs.setMember(words(from.member));
  if (from.after) logs.setAfter(blob(from.after->view()));
  logs.setLimit(from.limit);
}
void write(wire::Request::Builder to, const ProveRequest& from) { to.setProve(words(from.id)); }
void write(wire::Request::Builder to, const ExportEntriesRequest& from) {
  auto entries = to.initExportEntries();
  entries.setLog(blob(from.log.view()));
  entries.setFirst(from.first);
  entries.setLast(from.last);
  entries.setPayloadsFrom(from.payloads_from);
  entries.setWithSealed(from.with_sealed);
}

void write(wire::Request::Builder to, const DiscloseRequest& from) {
  auto disclose = to.initDisclose();
  write_texts(disclose.initIds(count(from.ids.size())), from.ids);
  disclose.setMember(words(from.member));
  disclose.setRecipient(words(from.recipient));
  disclose.setPurpose(words(from.purpose));
  disclose.setPreview(from.preview);
}

PublishRequest read_publish(capnp::List<capnp::Data>::Reader from) {
  demand(from.size() <= limits::batch_records_max);
  PublishRequest request;
  request.texts.reserve(from.size());
  for (const auto text : from) {
    demand(text.size() <= limits::payload_bytes_max);
    request.texts.push_back(bytes_of(text));
  }
  return request;
}

InviteRequest read_invite(capnp::List<capnp::Text>::Reader from) {
  demand(from.size() <= limits::addresses_max);
  InviteRequest request;
  read_texts(from, request.addresses);
  return request;
}

ListRequest read_list(wire::ListRequest::Reader from) {
  return {text_of(from.getKind()), text_of(from.getMember()), from.getBeforeSequence(),
          from.getLimit(), from.getAfterSequence()};
}

ExportLogsRequest read_export_logs(wire::ExportLogsRequest::Reader from) {
  ExportLogsRequest request;
  request.member = text_of(from.getMember());
  if (from.hasAfter()) request.after = octets<LogId>(from.getAfter());
  request.limit = from.getLimit();
  return request;
}

ExportEntriesRequest read_export(wire::ExportRequest::Reader from) {
  return {octets<LogId>(from.getLog()), from.getFirst(), from.getLast(), from.getPayloadsFrom(),
          from.getWithSealed()};
}

DiscloseRequest read_disclose(wire::DiscloseRequest::Reader from) {
  demand(from.getIds().size() <= limits::disclosed_records_max);
  DiscloseRequest request;
  read_texts(from.getIds(), request.ids);
  request.member = text_of(from.getMember());
  request.recipient = text_of(from.getRecipient());
  request.purpose = text_of(from.getPurpose());
  request.preview = from.getPreview();
  return request;
}

FrontRequest read_front(wire::FrontRequest::Reader from) {
  FrontRequest request;
  if (from.hasAuthor()) request.author = octets<PublicKey>(from.getAuthor());
  request.since_sequence = from.getSinceSequence();
  return request;
}

Request read_root(wire::Request::Reader from) {
  switch (from.which()) {
    case wire::Request::STATUS:
      return StatusRequest{};
    case wire::Request::MEMBERS:
      return MembersRequest{};
    case wire::Request::AUTHORS:
      return AuthorsRequest{};
    case wire::Request::PROPOSALS:
      return ProposalsRequest{};
    case wire::Request::PUBLISH:
      return read_publish(from.getPublish());
    case wire::Request::ENROL:
      return EnrolRequest{bytes_of(from.getEnrol())};
    case wire::Request::INVITE:
      return read_invite(from.getInvite());
    case wire::Request::LIST:
      return read_list(from.getList());
    case wire::Request::SHOW:
      return ShowRequest{text_of(from.getShow())};
    case wire::Request::THREAD:
      return ThreadRequest{text_of(from.getThread())};
    case wire::Request::WATCH:
      return WatchRequest{from.getWatch()};
    case wire::Request::FRONT:
      return read_front(from.getFront());
    case wire::Request::AUDIT:
      return AuditRequest{text_of(from.getAudit())};
    case wire::Request::EXPORT_LOGS:
      return read_export_logs(from.getExportLogs());
    case wire::Request::EXPORT_ENTRIES:
      return read_export(from.getExportEntries());
    case wire::Request::PROVE:
      return ProveRequest{text_of(from.getProve())};
    case wire::Request::DISCLOSE:
      return read_disclose(from.getDisclose());
  }
  demand(false);
  return StatusRequest{};
}

// ---- answers
// -------------------------------------------------------------------------------------

void write(wire::Answer::Builder to, const Refusal& from) {
  auto refusal = to.initRefusal();
  refusal.setCode(static_cast<wire::Errc>(from.code));
  refusal.setSaid(words(from.said));
}
void write(wire::Answer::Builder to, const Progress& from) {
  auto progress = to.initProgress();
  progress.setDone(from.done);
  progress.setTotal(from.total);
  progress.setDoing(words(from.doing));
}
void write(wire::Answer::Builder to, const StatusAnswer& from) { write(to.initStatus(), from); }
void write(wire::Answer::Builder to, const MembersAnswer& from) {
  write_rows(to.initMembers(count(from.members.size())), from.members);
}
void write(wire::Answer::Builder to, const AuthorsAnswer& from) {
  auto authors = to.initAuthors();
  authors.setNextNumber(from.next_number);
  write_rows(authors.initAuthors(count(from.authors.size())), from.authors);
}
void write(wire::Answer::Builder to, const ProposalsAnswer& from) {
  auto proposals = to.initProposals();
  proposals.setBasis(blob(from.basis.view()));
  write_rows(proposals.initProposals(count(from.proposals.size())), from.proposals);
  write_rows(proposals.initCandidates(count(from.candidates.size())), from.candidates);
}
void write(wire::Answer::Builder to, const PublishAnswer& from) {
  auto published = to.initPublish();
  write_rows(published.initRecords(count(from.records.size())), from.records);
  published.setSize(from.size);
  published.setCheckpoint(words(from.checkpoint));
  published.setWaiting(words(from.waiting));
}
void write(wire::Answer::Builder to, const EnrolAnswer& from) { to.setEnrol(from.index); }
void write(wire::Answer::Builder to, const InviteAnswer& from) {
  auto invite = to.initInvite();
  invite.setInvitation(words(from.invitation));
  invite.setExpires(from.expires);
}
void write(wire::Answer::Builder to, const ListAnswer& from) {
  auto list = to.initList();
  write_rows(list.initRecords(count(from.records.size())), from.records);
  list.setMore(from.more);
}
void write(wire::Answer::Builder to, const ShowAnswer& from) {
  auto shown = to.initShow();
  write(shown.initRecord(), from.record);
  shown.setBody(blob(from.body));
  shown.setConfirmed(from.confirmed);
  shown.setWitnesses(from.witnesses);
}
void write(wire::Answer::Builder to, const ThreadAnswer& from) {
  write_rows(to.initThread(count(from.rows.size())), from.rows);
}
void write(wire::Answer::Builder to, const WatchAnswer& from) {
  write(to.initWatch(), from.record);
}
void write(wire::Answer::Builder to, const FrontAnswer& from) {
  auto front = to.initFront();
  write(front.initStatus(), from.status);
  write_rows(front.initCandidates(count(from.candidates.size())), from.candidates);
  write_rows(front.initProposals(count(from.proposals.size())), from.proposals);
  write_rows(front.initAnswers(count(from.answers.size())), from.answers);
  write_rows(front.initNews(count(from.news.size())), from.news);
  front.setAnswersCount(from.answers_count);
  front.setNewsCount(from.news_count);
}
void write(wire::Answer::Builder to, const AuditAnswer& from) {
  write_rows(to.initAudit(count(from.logs.size())), from.logs);
}

void write_statements(capnp::List<capnp::Data>::Builder to, const std::vector<Bytes>& from) {
  for (unsigned i = 0; i < to.size(); ++i) to.set(i, blob(from[i]));
}
void read_statements(capnp::List<capnp::Data>::Reader from, std::vector<Bytes>& to) {
  for (const auto statement : from) {
    demand(statement.size() <= limits::statement_bytes_max);
    to.push_back(bytes_of(statement));
  }
}

void write(wire::Answer::Builder to, const ExportLogsAnswer& from) {
  auto logs = to.initExportLogs();
  logs.setNetwork(blob(from.network.view()));
  logs.setNetworkName(words(from.network_name));
  logs.setMember(blob(from.member.view()));
  write_rows(logs.initLogs(count(from.logs.size())), from.logs);
  write_statements(logs.initCertificates(count(from.certificates.size())), from.certificates);
  logs.setMore(from.more);
}
void write(wire::Answer::Builder to, const ProveAnswer& from) {
  auto proof = to.initProve();
  write(proof.initRecord(), from.record);
  proof.setSpace(blob(from.space.view()));
  proof.setLeaf(words(from.leaf));
  auto path = proof.initPath(count(from.path.size()));
  for (unsigned i = 0; i < path.size(); ++i) path.set(i, blob(from.path[i].view()));
  proof.setCheckpoint(words(from.checkpoint));
  proof.setLog(blob(from.log.view()));
  write_rows(proof.initCosignatures(count(from.cosignatures.size())), from.cosignatures);
  write_statements(proof.initCertificates(count(from.certificates.size())), from.certificates);
  proof.setWitnesses(from.witnesses);
}
void write(wire::Answer::Builder to, const ExportEntriesAnswer& from) {
  auto entries = to.initExportEntries();
  entries.setLeaves(blob(from.leaves));
  entries.setPayloads(blob(from.payloads));
  entries.setPayloadsTo(from.payloads_to);
}

void write(wire::Answer::Builder to, const DiscloseAnswer& from) {
  auto disclosure = to.initDisclose();
  disclosure.setCode(words(from.code));
  disclosure.setMember(blob(from.member.view()));
  disclosure.setSize(from.size);
  if (from.consent) disclosure.setConsent(blob(from.consent->view()));
  write_rows(disclosure.initRecords(count(from.records.size())), from.records);
  disclosure.setFile(words(from.file));
}

Refusal read_answer(wire::Refusal::Reader from) {
  demand(from.getCode() <= wire::Errc::USAGE);
  return {static_cast<Errc>(from.getCode()), text_of(from.getSaid())};
}
Progress read_answer(wire::Progress::Reader from) {
  return {from.getDone(), from.getTotal(), text_of(from.getDoing())};
}
StatusAnswer read_answer(wire::Status::Reader from) {
  StatusAnswer status;
  read(from, status);
  return status;
}
AuthorsAnswer read_answer(wire::Authors::Reader from) {
  AuthorsAnswer authors;
  authors.next_number = from.getNextNumber();
  read_rows(from.getAuthors(), authors.authors);
  return authors;
}
ProposalsAnswer read_answer(wire::Proposals::Reader from) {
  ProposalsAnswer proposals;
  proposals.basis = octets<DecisionId>(from.getBasis());
  read_rows(from.getProposals(), proposals.proposals);
  read_rows(from.getCandidates(), proposals.candidates);
  return proposals;
}
PublishAnswer read_answer(wire::Published::Reader from) {
  PublishAnswer published;
  read_rows(from.getRecords(), published.records);
  published.size = from.getSize();
  published.checkpoint = text_of(from.getCheckpoint());
  published.waiting = text_of(from.getWaiting());
  return published;
}
InviteAnswer read_answer(wire::Invitation::Reader from) {
  return {text_of(from.getInvitation()), from.getExpires()};
}
ListAnswer read_answer(wire::RecordList::Reader from) {
  ListAnswer list;
  read_rows(from.getRecords(), list.records);
  list.more = from.getMore();
  return list;
}
ShowAnswer read_answer(wire::ShownRecord::Reader from) {
  ShowAnswer shown;
  read(from.getRecord(), shown.record);
  shown.body = bytes_of(from.getBody());
  shown.confirmed = from.getConfirmed();
  shown.witnesses = from.getWitnesses();
  return shown;
}
WatchAnswer read_answer(wire::RecordSummary::Reader from) {
  WatchAnswer arrival;
  read(from, arrival.record);
  return arrival;
}
FrontAnswer read_answer(wire::Front::Reader from) {
  FrontAnswer front;
  read(from.getStatus(), front.status);
  read_rows(from.getCandidates(), front.candidates);
  read_rows(from.getProposals(), front.proposals);
  read_rows(from.getAnswers(), front.answers);
  read_rows(from.getNews(), front.news);
  front.answers_count = from.getAnswersCount();
  front.news_count = from.getNewsCount();
  return front;
}
ExportLogsAnswer read_answer(wire::ExportedLogs::Reader from) {
  ExportLogsAnswer logs;
  logs.network = octets<NetworkId>(from.getNetwork());
  logs.network_name = text_of(from.getNetworkName());
  logs.member = octets<MemberId>(from.getMember());
  read_rows(from.getLogs(), logs.logs);
  read_statements(from.getCertificates(), logs.certificates);
  logs.more = from.getMore();
  return logs;
}
ProveAnswer read_answer(wire::Proof::Reader from) {
  ProveAnswer proof;
  read(from.getRecord(), proof.record);
  proof.space = octets<SpaceId>(from.getSpace());
  proof.leaf = text_of(from.getLeaf());
  for (const auto hash : from.getPath()) proof.path.push_back(octets<TreeHash>(hash));
  proof.checkpoint = text_of(from.getCheckpoint());
  proof.log = octets<LogId>(from.getLog());
  read_rows(from.getCosignatures(), proof.cosignatures);
  for (Cosignature& word : proof.cosignatures) word.log = proof.log;
  read_statements(from.getCertificates(), proof.certificates);
  proof.witnesses = from.getWitnesses();
  return proof;
}
ExportEntriesAnswer read_answer(wire::ExportedEntries::Reader from) {
  return {bytes_of(from.getLeaves()), bytes_of(from.getPayloads()), from.getPayloadsTo()};
}
DiscloseAnswer read_answer(wire::Disclosure::Reader from) {
  DiscloseAnswer answer;
  answer.code = text_of(from.getCode());
  answer.member = octets<MemberId>(from.getMember());
  answer.size = from.getSize();
  if (from.hasConsent()) answer.consent = octets<RecordId>(from.getConsent());
  demand(from.getRecords().size() <= limits::disclosed_records_max);
  read_rows(from.getRecords(), answer.records);
  answer.file = text_of(from.getFile());
  return answer;
}
/// For answers that are one list and nothing else.
template <class Wrapped, class Row, class List>
Wrapped read_list_answer(List from, std::vector<Row> Wrapped::* rows) {
  Wrapped answer;
  read_rows(from, answer.*rows);
  return answer;
}

Answer read_root(wire::Answer::Reader from) {
  switch (from.which()) {
    case wire::Answer::REFUSAL:
      return read_answer(from.getRefusal());
    case wire::Answer::PROGRESS:
      return read_answer(from.getProgress());
    case wire::Answer::STATUS:
      return read_answer(from.getStatus());
    case wire::Answer::MEMBERS:
      return read_list_answer(from.getMembers(), &MembersAnswer::members);
    case wire::Answer::AUTHORS:
      return read_answer(from.getAuthors());
    case wire::Answer::PROPOSALS:
      return read_answer(from.getProposals());
    case wire::Answer::PUBLISH:
      return read_answer(from.getPublish());
    case wire::Answer::ENROL:
      return EnrolAnswer{from.getEnrol()};
    case wire::Answer::INVITE:
      return read_answer(from.getInvite());
    case wire::Answer::LIST:
      return read_answer(from.getList());
    case wire::Answer::SHOW:
      return read_answer(from.getShow());
    case wire::Answer::THREAD:
      return read_list_answer(from.getThread(), &ThreadAnswer::rows);
    case wire::Answer::WATCH:
      return read_answer(from.getWatch());
    case wire::Answer::FRONT:
      return read_answer(from.getFront());
    case wire::Answer::AUDIT:
      return read_list_answer(from.getAudit(), &AuditAnswer::logs);
    case wire::Answer::EXPORT_LOGS:
      return read_answer(from.getExportLogs());
    case wire::Answer::EXPORT_ENTRIES:
      return read_answer(from.getExportEntries());
    case wire::Answer::PROVE:
      return read_answer(from.getProve());
    case wire::Answer::DISCLOSE:
      return read_answer(from.getDisclose());
  }
  demand(false);
  return Refusal{};
}

// ---- segments
// ------------------------------------------------------------------------------------

template <class Root, class Message>
Bytes to_segment(const Message& message) {
  capnp::MallocMessageBuilder builder;
  auto root = builder.initRoot<Root>();
  std::visit([&](const auto& alternative) { write(root, alternative); }, message);
  const auto canonical = capnp::canonicalize(root.asReader());
  const auto bytes = canonical.asBytes();
  return {bytes.begin(), bytes.end()};
}

template <class Root, class Message>
Result<Message> from_segment(BytesView bytes, const char* what) {
  if (bytes.size() > limits::local_message_bytes_max) {
    return fail(Errc::too_large, std::string(what) + " is larger than the socket's limit");
  }
  const Error malformed(Errc::malformed, std::string("not ") + what + " of this version of kith");
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0) return malformed;

  const std::size_t word_count = bytes.size() / sizeof(capnp::word);
  auto aligned = kj::heapArray<capnp::word>(word_count);
  std::memcpy(aligned.asBytes().begin(), bytes.data(), bytes.size());
  const kj::ArrayPtr<const capnp::word> segment = aligned;
  // Each part is read once: more than the message itself is an attempt to have parts read twice.
  const capnp::ReaderOptions options{word_count + 64, nesting_max};
  try {
    capnp::SegmentArrayMessageReader reader(kj::arrayPtr(&segment, 1), options);
    Message message = read_root(reader.getRoot<Root>());
    // One message, one segment: what we would not write ourselves is refused.
    if (!equal(to_segment<Root>(message), bytes)) return malformed;
    return message;
  } catch (const kj::Exception&) {
    return malformed;
  }
}

}  // namespace

Bytes encode(const Request& request) { return to_segment<wire::Request>(request); }
Bytes encode(const Answer& answer) { return to_segment<wire::Answer>(answer); }

Result<Request> decode_request(BytesView bytes) {
  return from_segment<wire::Request, Request>(bytes, "a request");
}
Result<Answer> decode_answer(BytesView bytes) {
  return from_segment<wire::Answer, Answer>(bytes, "an answer");
}

}  // namespace kith::local
