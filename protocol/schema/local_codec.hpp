#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "protocol/base/result.hpp"
#include "protocol/base/types.hpp"
#include "protocol/schema/cosignature.hpp"
#include "protocol/schema/record_codec.hpp"

/// What a client asks its own daemon, and the answers: the structs of local.capnp. On the socket
/// each message is u32 length (big-endian), then one Cap'n Proto segment. A client sends one
/// request at a time and reads answers until one that is not Progress (Watch: until the connection
/// ends).
namespace kith::local {

// ---- requests
// ------------------------------------------------------------------------------------

struct StatusRequest {
  friend bool operator==(const StatusRequest&, const StatusRequest&) = default;
};
struct MembersRequest {
  friend bool operator==(const MembersRequest&, const MembersRequest&) = default;
};
struct AuthorsRequest {
  friend bool operator==(const AuthorsRequest&, const AuthorsRequest&) = default;
};
struct ProposalsRequest {
  friend bool operator==(const ProposalsRequest&, const ProposalsRequest&) = default;
};
/// Logs signed records (texts of protocol/records/record.hpp) as one act of publishing.
struct PublishRequest {
  std::vector<Bytes> texts;
  friend bool operator==(const PublishRequest&, const PublishRequest&) = default;
};
struct EnrolRequest {
  Bytes statement;
  friend bool operator==(const EnrolRequest&, const EnrolRequest&) = default;
};
struct InviteRequest {
  std::vector<std::string> addresses;  ///< Of this daemon, instead of its profile's; empty: those.
  friend bool operator==(const InviteRequest&, const InviteRequest&) = default;
};
struct ListRequest {
  std::string kind;    ///< Empty: all.
  std::string member;  ///< Code, or empty.
  std::uint64_t before_sequence = ~0ULL;
  std::uint32_t limit = 50;
  std::uint64_t after_sequence = 0;
  friend bool operator==(const ListRequest&, const ListRequest&) = default;
};
struct ShowRequest {
  std::string id;  ///< Unique prefix.
  friend bool operator==(const ShowRequest&, const ShowRequest&) = default;
};
/// The record, what it answers to (upwards), and all replies below.
struct ThreadRequest {
  std::string id;
  friend bool operator==(const ThreadRequest&, const ThreadRequest&) = default;
};
/// Rows as they arrive, from after `sequence` on; never ends by itself.
struct WatchRequest {
  std::uint64_t sequence = 0;
  friend bool operator==(const WatchRequest&, const WatchRequest&) = default;
};
struct FrontRequest {
  std::optional<PublicKey> author;   ///< Who looks; nothing: nobody in particular.
  std::uint64_t since_sequence = 0;  ///< What this person saw last.
  friend bool operator==(const FrontRequest&, const FrontRequest&) = default;
};
/// Replays the logs of one member (code), or of all if empty. Answers Progress, then AuditAnswer.
struct AuditRequest {
  std::string member;
  friend bool operator==(const AuditRequest&, const AuditRequest&) = default;
};
/// Which logs there are to export: of one member (code), or of all if empty. In as many answers as
/// it takes.
struct ExportLogsRequest {
  std::string member;
  std::optional<LogId> after = {};  ///< The last that was told; nothing: from the first.
  std::uint32_t limit = 0;          ///< At most so many; 0: as many as fit.
  friend bool operator==(const ExportLogsRequest&, const ExportLogsRequest&) = default;
};
/// Leaves and payloads of one bundle, in as many answers as it takes.
struct ExportEntriesRequest {
  LogId log;
  std::uint64_t first = 0;  ///< A multiple of 256.
  std::uint64_t last = 0;   ///< At most 256 more.
  std::uint64_t payloads_from = 0;
  bool with_sealed = false;  ///< Or only payloads in clear.
  friend bool operator==(const ExportEntriesRequest&, const ExportEntriesRequest&) = default;
};
/// That an entry is in its log.
struct ProveRequest {
  std::string id;  ///< Unique prefix.
  friend bool operator==(const ProveRequest&, const ProveRequest&) = default;
};
/// Derived keys for somebody outside: of the records, or of the whole log.
struct DiscloseRequest {
  std::vector<std::string> ids;  ///< Unique prefixes; none: the whole log.
  std::string member;            ///< Whose: a code, or empty.
  std::string recipient;
  std::string purpose;
  bool preview = false;  ///< Only what would be opened: no key, no line in the trail.
  friend bool operator==(const DiscloseRequest&, const DiscloseRequest&) = default;
};
using Request =
    std::variant<StatusRequest, MembersRequest, AuthorsRequest, ProposalsRequest, PublishRequest,
                 EnrolRequest, InviteRequest, ListRequest, ShowRequest, ThreadRequest, WatchRequest,
                 FrontRequest, AuditRequest, ExportLogsRequest, ExportEntriesRequest, ProveRequest,
                 DiscloseRequest>;

// ---- answers
// -------------------------------------------------------------------------------------

struct Refusal {
  Errc code = Errc::unavailable;
  std::string said;  ///< For a person: what is wrong and what to do.
  friend bool operator==(const Refusal&, const Refusal&) = default;
};
struct Progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string doing;
  friend bool operator==(const Progress&, const Progress&) = default;
};

struct StatusAnswer {
  std::string version;
  std::string state;         ///< "member", "joining", "paused".
  std::string state_detail;  ///< In a sentence, for instance what joining waits for.
  NetworkId network;
  std::string network_name;
  std::string aim;
  MemberId member;
  std::string code;
  LogId commons_log;
  DecisionId decision;
  std::uint32_t decisions = 0;
  std::uint32_t members = 0;
  std::uint32_t peers_connected = 0;
  std::uint64_t log_size = 0;  ///< Of the own commons log.
  std::uint64_t agreed_size = 0;
  std::uint64_t records = 0;     ///< Verified records of all members held here.
  std::uint64_t incomplete = 0;  ///< Leaves whose payload is not held.
  std::uint64_t bad = 0;         ///< Payloads that failed a check.
  std::uint64_t disk_bytes = 0;
  std::uint32_t next_enrolment = 1;
  std::uint64_t last_sequence = 0;
  std::string listen;  ///< "host:port" or empty.
  friend bool operator==(const StatusAnswer&, const StatusAnswer&) = default;
};

struct MemberRow {
  MemberId member;
  std::string code;
  std::string name;
  std::string role;
  std::vector<std::string> addresses;
  bool self = false;
  bool paused = false;
  bool connected = false;
  bool frozen = false;
  Millis heard = 0;             ///< Last message from it; 0: never since start.
  std::string last_error;       ///< Of the last failed attempt to connect, or empty.
  std::uint64_t held_size = 0;  ///< Of its commons log, here.
  std::uint64_t agreed_size = 0;
  std::uint64_t known_size = 0;  ///< The largest checkpoint heard of.
  std::uint64_t gaps = 0;
  std::uint64_t judged = 0;     ///< Leaves whose author was checked.
  std::uint32_t witnesses = 0;  ///< How many others witness its log ...
  std::uint32_t cosigned = 0;   ///< ... and how many cosigned its newest checkpoint.
  std::uint64_t records = 0;
  /// Codes of the witnesses that have not said what they hold of its log, without which it signs.
  std::vector<std::string> unasked;
  friend bool operator==(const MemberRow&, const MemberRow&) = default;
};
struct MembersAnswer {
  std::vector<MemberRow> members;
  friend bool operator==(const MembersAnswer&, const MembersAnswer&) = default;
};

struct AuthorRow {
  PublicKey author;
  Scopes scopes = 0;
  friend bool operator==(const AuthorRow&, const AuthorRow&) = default;
};
struct AuthorsAnswer {
  std::uint32_t next_number = 1;
  std::vector<AuthorRow> authors;
  friend bool operator==(const AuthorsAnswer&, const AuthorsAnswer&) = default;
};

/// Somebody who came with one of our invitations and waits for a proposal.
struct CandidateRow {
  MemberId member;
  Profile profile;
  Bytes certificate;  ///< The statement, for the Admit effect.
  Millis since = 0;
  std::string warning;  ///< What speaks against admitting it as it is, or empty.
  friend bool operator==(const CandidateRow&, const CandidateRow&) = default;
};
struct WordRow {
  std::string code;
  Consent::Word word = Consent::Word::agree;
  friend bool operator==(const WordRow&, const WordRow&) = default;
};
struct ProposalRow {
  RecordId id;
  std::string proposer;              ///< Code.
  std::vector<std::string> effects;  ///< "admit ZZC Calder Valley Hospitals (fingerprint …)".
  std::string rule;                  ///< "a majority", "3 of 5", "all".
  std::vector<WordRow> words;
  std::uint32_t electors = 0;
  std::uint32_t our_round = 1;  ///< The round in which our consent should be given now.
  std::string explanation;
  std::vector<MemberId> admits;  ///< Whom it would admit.
  std::string our_word;          ///< Our newest: "agree", "stand aside", "object"; or empty.
  bool ours_agreed = false;      ///< Whether we agreed in any round: that cannot be unsaid.
  bool ours_agreed_now = false;  ///< ... and in our round, where it counts.
  bool waits_for_us = false;     ///< Whether somebody here should be asked for a word.

  /// Whether we agreed in that round already, or stand aside.
  [[nodiscard]] bool ours_given() const { return ours_agreed_now || our_word == "stand aside"; }
  friend bool operator==(const ProposalRow&, const ProposalRow&) = default;
};
struct ProposalsAnswer {
  DecisionId basis;
  std::vector<ProposalRow> proposals;
  std::vector<CandidateRow> candidates;
  friend bool operator==(const ProposalsAnswer&, const ProposalsAnswer&) = default;
};

struct PublishedRow {
  RecordId id;
  std::uint64_t index = 0;
  friend bool operator==(const PublishedRow&, const PublishedRow&) = default;
};
/// Durable when it is sent.
struct PublishAnswer {
  std::vector<PublishedRow> records;
  std::uint64_t size = 0;  ///< Of the log, as signed.
  std::string checkpoint;  ///< The signed note.
  /// Not empty: it is durable but in no log yet, and this is why. Indices and size are 0.
  std::string waiting;
  friend bool operator==(const PublishAnswer&, const PublishAnswer&) = default;
};
struct EnrolAnswer {
  std::uint64_t index = 0;
  friend bool operator==(const EnrolAnswer&, const EnrolAnswer&) = default;
};
struct InviteAnswer {
  std::string invitation;  ///< The text of a .kith-invite file.
  Millis expires = 0;
  friend bool operator==(const InviteAnswer&, const InviteAnswer&) = default;
};

struct RecordSummary {
  RecordId id;
  std::string member;  ///< Code.
  std::string kind;
  PublicKey author;
  Millis time = 0;
  std::string title;
  std::uint64_t body_bytes = 0;
  std::uint64_t index = 0;
  std::uint64_t sequence = 0;
  std::optional<RecordId> to;
  std::uint32_t replies = 0;
  bool agreed = false;     ///< Whether its log's agreed size covers it.
  std::string reply_kind;  ///< Of a reply: question, answer …; else empty.
  friend bool operator==(const RecordSummary&, const RecordSummary&) = default;
};
struct ListAnswer {
  std::vector<RecordSummary> records;
  bool more = false;
  friend bool operator==(const ListAnswer&, const ListAnswer&) = default;
};
struct ShowAnswer {
  RecordSummary record;
  Bytes body;                   ///< Exactly what the author signed.
  std::uint32_t confirmed = 0;  ///< Other members that cosigned a size covering it ...
  std::uint32_t witnesses = 0;  ///< ... of so many.
  friend bool operator==(const ShowAnswer&, const ShowAnswer&) = default;
};
struct ThreadRow {
  RecordSummary record;
  std::uint32_t depth = 0;
  Bytes body;
  friend bool operator==(const ThreadRow&, const ThreadRow&) = default;
};
struct ThreadAnswer {
  std::vector<ThreadRow> rows;  ///< In reading order.
  friend bool operator==(const ThreadAnswer&, const ThreadAnswer&) = default;
};
/// One arrival, for Watch.
struct WatchAnswer {
  RecordSummary record;
  friend bool operator==(const WatchAnswer&, const WatchAnswer&) = default;
};
struct FrontAnswer {
  StatusAnswer status;
  std::vector<CandidateRow> candidates;
  std::vector<ProposalRow> proposals;  ///< Those that wait for our word.
  std::vector<RecordSummary>
      answers;                      ///< Replies to records of `author`, since then, newest first.
  std::vector<RecordSummary> news;  ///< From other members, since then, newest first.
  std::uint32_t answers_count = 0;
  std::uint32_t news_count = 0;
  friend bool operator==(const FrontAnswer&, const FrontAnswer&) = default;
};

struct AuditRow {
  std::string code;
  MemberId member;
  LogId log;
  std::uint64_t size = 0;
  TreeHash root{};
  std::uint64_t agreed = 0;
  std::uint32_t witnesses = 0;
  std::uint32_t cosigned = 0;  ///< Valid cosignatures on a size up to this one.
  std::uint64_t records = 0;
  std::uint64_t statements = 0;
  std::uint64_t unknown_kinds = 0;
  std::uint64_t missing = 0;  ///< Payloads not held.
  std::uint64_t sealed = 0;   ///< Payloads that no key here opens.
  std::uint32_t authors = 0;
  std::uint32_t certificates = 0;
  bool frozen = false;
  bool intact = false;
  std::vector<std::string> faults;  ///< Each names its index; at most 100.
  friend bool operator==(const AuditRow&, const AuditRow&) = default;
};
struct AuditAnswer {
  std::vector<AuditRow> logs;
  friend bool operator==(const AuditAnswer&, const AuditAnswer&) = default;
};

struct ExportedLog {
  std::string code;
  MemberId member;
  SpaceId space;
  LogId log;
  std::uint64_t size = 0;  ///< Of the checkpoint.
  std::string checkpoint;  ///< A signed note.
  std::vector<Cosignature> cosignatures;
  bool frozen = false;  ///< Two conflicting histories of it are known.
  friend bool operator==(const ExportedLog&, const ExportedLog&) = default;
};
struct ExportLogsAnswer {
  NetworkId network;
  std::string network_name;
  MemberId member;                  ///< Whose daemon this is.
  std::vector<ExportedLog> logs;    ///< In the order of their ids.
  std::vector<Bytes> certificates;  ///< Statements of all witnesses of these.
  bool more = false;                ///< Others follow the last of these.
  friend bool operator==(const ExportLogsAnswer&, const ExportLogsAnswer&) = default;
};
struct ExportEntriesAnswer {
  Bytes leaves;    ///< A bundle, or empty: sent before.
  Bytes payloads;  ///< A payload list from payloads_from on: as much as fits.
  std::uint64_t payloads_to = 0;
  friend bool operator==(const ExportEntriesAnswer&, const ExportEntriesAnswer&) = default;
};

struct ProveAnswer {
  RecordSummary record;
  SpaceId space;
  std::string leaf;
  std::vector<TreeHash> path;
  std::string checkpoint;  ///< A signed note that covers it.
  LogId log;
  std::vector<Cosignature> cosignatures;  ///< Of its witnesses, at the checkpoint's size.
  std::vector<Bytes> certificates;        ///< Of the owner and of all witnesses.
  std::uint32_t witnesses = 0;
  friend bool operator==(const ProveAnswer&, const ProveAnswer&) = default;
};

/// A secret, but for a preview.
struct DiscloseAnswer {
  std::string code;  ///< Whose log it is.
  MemberId member;
  std::uint64_t size = 0;              ///< Entries of that log held here.
  std::optional<RecordId> consent;     ///< Of that member; nothing: it is the own log.
  std::vector<RecordSummary> records;  ///< In the order of the log; none: the whole log.
  std::string file;                    ///< The .kith-disclosure; empty in a preview.
  friend bool operator==(const DiscloseAnswer&, const DiscloseAnswer&) = default;
};

using Answer = std::variant<Refusal, Progress, StatusAnswer, MembersAnswer, AuthorsAnswer,
                            ProposalsAnswer, PublishAnswer, EnrolAnswer, InviteAnswer, ListAnswer,
                            ShowAnswer, ThreadAnswer, WatchAnswer, FrontAnswer, AuditAnswer,
                            ExportLogsAnswer, ExportEntriesAnswer, ProveAnswer, DiscloseAnswer>;

[[nodiscard]] Bytes encode(const Request& request);
[[nodiscard]] Bytes encode(const Answer& answer);
/// The socket's bytes are as little trusted as a peer's.
[[nodiscard]] Result<Request> decode_request(BytesView bytes);
[[nodiscard]] Result<Answer> decode_answer(BytesView bytes);

}  // namespace kith::local
