#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "daemon/replica_state.hpp"
#include "daemon/waiting_rows.hpp"
#include "protocol/audit/evidence.hpp"
#include "protocol/audit/judge.hpp"
#include "protocol/governance/fold.hpp"
#include "protocol/keys/authors.hpp"
#include "protocol/keys/disclosure.hpp"
#include "protocol/sync/sync_engine.hpp"
#include "storage/log_store.hpp"
#include "storage/views.hpp"

/// The inside of a Replica, one concern to a file: start.cpp (what the disk holds), replica.cpp
/// (handshakes, peers), certificates.cpp (whose keys are whose), store_glue.cpp (what the engine
/// asks of the disk), absorb.cpp (from durable leaves to verified records), show.cpp (from these to
/// what people read), membership.cpp (decisions, duties), evidence.cpp (two histories),
/// frozen_log.cpp, given_up.cpp, asking.cpp (before anything is signed), waiting_acts.cpp, mend.cpp
/// (leaves that were damaged), rebuilding.cpp (a member whose disk is gone), joining.cpp,
/// naming.cpp, publish.cpp (own appends), describe.cpp (rows of the views), answers.cpp (local
/// clients), audit_job.cpp, export_job.cpp, disclose.cpp.
namespace kith::daemon {

inline constexpr const char* outdated_text =
    "this directory holds the keys of an earlier certificate of this member, and the others know a "
    "newer one: nothing is signed; if the member was rebuilt on another machine, never start this "
    "one again; otherwise put back the newest copy of the directory, or run kithd renew --reason "
    "lost";

inline constexpr const char* false_keys_text =
    "the sponsor handed over keys that are not this network's, so nothing can be read or said: "
    "tell the other members, and ask one of them for an invitation to begin again in a new "
    "directory, with another code";

struct Replica::Impl {
  Impl(Identity identity, Options options, const storage::HighWaterMarks& marks, Host& host);

  struct Disclosing;
  struct Door;
  struct AuditJob;

  // start.cpp
  void load();
  void load_log(const storage::ReadTxn& log_txn, const storage::ReadTxn& view_txn,
                const storage::LogHead& head, const storage::HighWaterMarks& marks);
  void load_bad(const storage::ReadTxn& txn, const LogId& log, LogState& state);
  void load_confirmed_numbers(const storage::ReadTxn& txn);
  [[nodiscard]] bool holds_what_was_signed(const storage::ReadTxn& txn) const;
  void sign_again_if_whole();
  void sign_the_mark_again();
  void sign_what_is_held();

  // replica.cpp
  void tick();
  void create_log(const LogId& log);
  void follow(const LogId& log, const MemberId& member);
  void begin_following(const LogId& log);
  [[nodiscard]] sync::LogFollowed followed(const LogId& log) const;
  void run(std::vector<sync::Action> actions);
  void step(sync::Event event) { run(engine.step(std::move(event))); }
  void confirm_number(const MemberId& member, std::uint64_t number);
  void peer_message(PeerId peer, peer::Message message);
  [[nodiscard]] bool connected(const MemberId& member) const;
  [[nodiscard]] LogId commons_log(const MemberId& member) const;

  // certificates.cpp
  /// All that are known, newest first.
  [[nodiscard]] std::vector<KnownCertificate> known_certificates(const MemberId& member) const;
  [[nodiscard]] std::vector<Certificate> certificates_of(const MemberId& member) const;
  [[nodiscard]] std::vector<Bytes> statements_of(const MemberId& member) const;
  [[nodiscard]] std::optional<Certificate> newest_certificate(const MemberId& member) const;
  /// not_found if nobody can tell: the log or its owner's certificate is not known here.
  [[nodiscard]] Result<SignedBy> who_signed(const LogId& log, const std::string& note) const;
  [[nodiscard]] Result<Checkpoint> verify_note(const LogId& log, const std::string& note) const;
  [[nodiscard]] Result<bool> hear_certificate(const MemberId& owner, const Bytes& statement);
  /// Whoever holds the keys that were cut is not the member.
  void drop_sessions_of_cut_keys(const Certificate& cut);
  [[nodiscard]] peer::Announce announce(const LogId& log);
  [[nodiscard]] std::vector<Bytes> certificates_to_announce(const LogState& state) const;
  /// Whether `other`, a checkpoint that does not fit what is held, is by a key under which the log
  /// goes on from an earlier point: then what is held beyond what is agreed is given up, and nobody
  /// is accused.
  bool cut_away(const LogId& log, const std::string& other);
  /// Whoever offers what a key signed that was cut is told what counts. Whether it was.
  bool answers_a_cut_key(PeerId from, const peer::Announce& announced);
  /// What is held of a log for good: so much of it is never given up.
  [[nodiscard]] std::uint64_t floor_of(const LogId& log) const;
  /// Where our own newest certificate cuts our own log.
  [[nodiscard]] std::optional<CutLog> own_cut() const;
  /// Whether our own keys are those of an earlier certificate than others know.
  [[nodiscard]] bool is_outdated() const;
  [[nodiscard]] bool may_cosign();
  /// Enters our newest certificate in our own log if it is not there.
  void look_for_own_certificate();
  void log_own_certificate();

  // mend.cpp
  void load_damage(const storage::ReadTxn& txn, const LogId& log, LogState& state);
  void leaves_put(const LogId& log, std::uint64_t first,
                  const std::vector<std::uint64_t>& new_gaps);

  // store_glue.cpp
  void carry_out(sync::Send& action);
  void carry_out(sync::Serve& action);
  void carry_out(sync::AnnounceLogs& action);
  void carry_out(sync::PushEntries& action);
  void carry_out(sync::StoreEntries& action);
  void carry_out(sync::StorePayloads& action);
  void carry_out(sync::PutLeaves& action);  // mend.cpp
  void carry_out(sync::DropPeer& action);
  void carry_out(sync::OwnLogBehind& action);
  /// False: it is false, and the connection is ended.
  bool cosigned_by(PeerId from, const Cosignature& cosignature);
  /// Whether that witness said as much before, or more.
  void remember_own_word(const Cosignature& word);
  [[nodiscard]] bool is_old_news(const LogState& state, const Cosignature& word) const;
  void cosign_all();
  void cosign_one(const LogId& log);
  void remind_owners();
  void ask_for_cosignatures();
  void cosignature_kept(const Cosignature& cosignature);
  void recompute_agreed(const LogId& log);
  void save_agreed();
  [[nodiscard]] std::map<LogId, AgreedState> agreed_states() const;
  [[nodiscard]] bool is_witness_of(const MemberId& owner) const;
  void write(std::function<void(storage::WriteTxn&, storage::HighWaterMarks&)> work,
             std::function<void(const std::optional<Error>&)> done);

  // evidence.cpp
  void carry_out(sync::ForkFound& action);
  void carry_out(sync::CompareCheckpoint& action);
  /// With the certificate that names its key; nothing if none is known.
  [[nodiscard]] std::optional<SignedTree> signed_tree(const LogId& log, std::uint64_t size,
                                                      const TreeHash& root,
                                                      const std::string& note) const;
  /// Of what is held; nothing if what it needs is damaged here.
  [[nodiscard]] std::optional<TreeHash> known_root(const LogId& log, std::uint64_t size) const;
  /// The same, and how it leads to the root of a larger size that is held.
  [[nodiscard]] std::optional<sync::Consistency> known_consistency(const LogId& log,
                                                                   std::uint64_t smaller,
                                                                   std::uint64_t larger) const;
  /// A witness's word, which verifies, does not fit the log as it is here.
  void contradicted(const Cosignature& given);
  void compare_certificates(const MemberId& member, const Bytes& statement);
  void accuse(const Evidence& made);
  /// What proves nothing ends the connection.
  void hear_evidence(PeerId from, const std::string& text);
  void take_evidence(const Contradiction& proven, const std::string& text);
  /// Drops what nothing follows from any more, if need be. False if there is none.
  [[nodiscard]] bool make_room_for_evidence(const Contradiction& proven);
  [[nodiscard]] std::string in_words(const Contradiction& proven) const;
  void send_evidence(PeerId peer);
  void load_evidence(const storage::ReadTxn& txn);
  [[nodiscard]] local::EvidenceAnswer kept_evidence() const;
  /// The number of the member's newest certificate that cuts; 0: none is known.
  [[nodiscard]] std::uint64_t newest_cut(const MemberId& member) const;
  /// Whether it is a witness's word on what was cut away and one on what took its place.
  [[nodiscard]] bool is_about_a_cut(const Contradiction& proven) const;
  /// Whether anything follows from it (still).
  [[nodiscard]] bool counts(const Contradiction& proven) const;
  [[nodiscard]] bool is_distrusted(const MemberId& witness) const;
  [[nodiscard]] bool has_two_histories(const MemberId& member) const;
  /// Freezes the member's log or lets it go on, as evidence and certificates have it.
  void refreeze(const MemberId& member);

  // frozen_log.cpp
  void tell_all_agreed(const LogId& log);
  [[nodiscard]] std::optional<peer::Agreed> proof_of_agreed(const LogId& log) const;
  /// The witnesses whose words make it agreed; none if they are too few.
  [[nodiscard]] std::vector<MemberId> who_proves(const peer::Agreed& proof,
                                                 const MemberId& owner) const;
  void hear_agreed(const peer::Agreed& proof);
  void agreed_reached(const LogId& log);
  /// What must be fetched before our own log is cut.
  void note_agreed_elsewhere(std::optional<std::uint64_t> size);
  /// Counts for good, whatever becomes of the cosignature.
  void confirmed(const LogId& log, const MemberId& witness, std::uint64_t size);
  void raise_agreed(const LogId& log, std::uint64_t size);
  /// Gives up what is held of a log beyond floor_of() it, and goes on from there.
  void set_back(const LogId& log);
  void set_back_when_quiet();
  void set_store_back(const LogId& log, std::uint64_t size);
  void reload(const LogId& log);
  void fetch_what_is_agreed(const LogId& log);

  // given_up.cpp
  /// What this member's people said in our own log from an index on, in rows of the table
  /// `waiting`. `keys` are those of the whole log. For the writer.
  static void keep_given_up(storage::WriteTxn& txn, const JudgeContext& context,
                            const KeyHistory& keys, std::uint64_t from);
  void look_for_given_up(const storage::ReadTxn& txn);
  /// Enters what was given up of enrolments, one after another.
  void enrol_again();

  // asking.cpp
  void begin_asking();
  /// Whether this process stood still since the last call, or goes on from a snapshot: the wall
  /// clock jumped. Then asking has begun again.
  [[nodiscard]] bool has_resumed();
  void carry_out(sync::OwnLogAnswered& action);
  [[nodiscard]] AnswerCount count_answers() const;
  void end_asking_if_answered();
  /// In the trail and to all peers. False: it could not be.
  [[nodiscard]] bool write_down_who_was_not_asked();
  void tell_unasked(PeerId peer);
  void hear_unasked(PeerId from, const peer::Unasked& said);
  [[nodiscard]] std::optional<std::vector<MemberId>> unasked_by(const MemberId& member) const;
  /// Why nothing may be signed now.
  [[nodiscard]] std::optional<std::string> why_not_sign() const;

  // waiting_acts.cpp
  /// Keeps an act of publishing until signing goes on.
  void keep_waiting(const std::vector<Bytes>& texts, std::vector<RecordId> ids,
                    const std::string& why, const std::function<void(local::Answer)>& answer);
  void load_waiting(const storage::ReadTxn& txn);
  void publish_what_waited();
  /// What of it is not in the log yet and may be tried.
  [[nodiscard]] std::vector<Bytes> what_is_left(const WaitingAct& act,
                                                std::vector<Bytes> texts) const;
  void forget_waiting(std::uint64_t number);

  // absorb.cpp
  void judge_more(const LogId& log);
  /// Whether judging it stands still until others give a payload or a key.
  [[nodiscard]] bool is_held_up(const LogId& log) const;
  void answer_judged();
  [[nodiscard]] std::shared_ptr<JudgeBatch> next_batch(const LogId& log, LogState& state);
  void read_late(const LogId& log, LogState& state, JudgeBatch& batch);
  void read_next(const LogId& log, std::uint64_t last, JudgeBatch& batch);
  void absorb_done(const LogId& log);
  /// False if governance is sealed to us: what follows cannot be judged before a key comes.
  [[nodiscard]] bool absorb(const LogId& log, JudgeBatch& batch);
  /// An error if it is a statement that counts for nothing.
  Result<bool> take(LogState& state, const Judged& judged);
  void take_record(LogState& state, const Judged& judged);
  void take_grant(LogState& state, std::uint64_t index, const Record& record);
  [[nodiscard]] JudgeContext context_of(const LogId& log) const;
  void say_bad(const LogState& state, const Judged& judged);
  void replay_text(LogState& state, std::uint64_t index, BytesView text);

  // show.cpp
  void show_more(const LogId& log);
  [[nodiscard]] std::shared_ptr<ShowBatch> next_to_show(const LogId& log, LogState& state);
  void show(const LogId& log, const std::shared_ptr<ShowBatch>& batch);
  static void shown_up_to(LogState& state, std::uint64_t next);
  void rows_written(const std::vector<storage::RecordRow>& rows);

  // membership.cpp
  /// Whether the fold knows the decision without which it is incomplete.
  [[nodiscard]] bool fold_complete() const;
  void govern();
  void members_changed();
  void do_duties();
  void append_by_daemon(LeafClass leaf_class, const std::string& kind, Bytes body);
  [[nodiscard]] std::optional<KeyGrant> grant_due();
  [[nodiscard]] std::optional<KeyGrant> grant_due_again() const;
  void add_space_keys(const SpaceKeys& keys);

  // rebuilding.cpp
  /// Why a member that comes with this certificate is not let in again; nothing if it is.
  [[nodiscard]] std::optional<NotTakenIn> why_not_rebuilt(const Certificate& certificate) const;
  /// A member that came with an invitation, of which why_not_rebuilt() says nothing. False: its
  /// connection is ended.
  [[nodiscard]] bool take_rebuilt(PeerId peer, const Certificate& certificate,
                                  const Bytes& statement);
  /// A certificate of another member is known that was not.
  void certificate_replaced(const MemberId& owner);
  void drop_replaced();
  /// Whether its connection is made with the keys of the member's newest certificate.
  [[nodiscard]] bool is_of_newest_keys(const PeerSession& session) const;
  /// In a sentence how far it is.
  [[nodiscard]] std::string rebuilding_detail() const;
  void tend_rebuilding();
  void learn_own_profile();

  // joining.cpp
  void candidate_message(PeerId peer, peer::Message& message);
  void sponsor_message(PeerId peer, const peer::Message& message);
  /// Why whoever asks with this certificate is neither proposed nor let in again; nothing if it is.
  [[nodiscard]] std::optional<NotTakenIn> why_not_taken_in(const peer::JoinRequest& request,
                                                           const Certificate& certificate) const;
  void refuse_candidate(PeerId peer, const peer::JoinRequest& request, const NotTakenIn& no);
  void grant_candidates();
  void invite(const local::InviteRequest& request, std::function<void(local::Answer)> answer);
  /// Whether it may still be used, by whoever used it first.
  [[nodiscard]] bool is_open(const InvitationState& invitation) const;
  void forget_candidates();
  void save_invitations(std::function<void(const std::optional<Error>&)> done);
  void load_invitations(const storage::ReadTxn& txn);
  void told_to_wait(const std::string& said);
  /// What joining waits for, in a sentence.
  [[nodiscard]] std::string joining_detail() const;
  void joined(const peer::JoinGranted& granted, PeerId from);

  // publish.cpp
  void append_own(const std::vector<Draft>& drafts, AppendDone done);
  /// Whatever else waits; `time` is that of their leaves.
  void append_drafts(const std::vector<Draft>& drafts, Millis time, AppendDone done);
  void flush_own();
  [[nodiscard]] std::optional<Error> why_not_append() const;
  /// Why no word on a proposal and no enrolment can be given now.
  [[nodiscard]] std::optional<Error> why_not_govern() const;
  void publish(local::PublishRequest request, std::function<void(local::Answer)> answer);
  /// The first of these that is in our own log, or on its way into it.
  [[nodiscard]] std::optional<RecordId> first_known(const std::vector<RecordId>& ids) const;
  void enrol(local::EnrolRequest request, std::function<void(local::Answer)> answer);
  void log_checked(const std::shared_ptr<Door>& door, std::list<LargePublish>::iterator large,
                   const std::function<void(local::Answer)>& answer,
                   const std::vector<Bytes>& texts);
  void enrolled(local::Answer answer);
  /// Runs it once no enrolment is on its way: what comes after one is judged by it.
  void when_authors_are_known(std::function<void()> then);

  // answers.cpp
  void handle(ClientId client, local::Request& request, std::function<void(local::Answer)> answer);
  [[nodiscard]] local::StatusAnswer status() const;
  [[nodiscard]] local::MembersAnswer members() const;
  [[nodiscard]] local::AuthorsAnswer authors() const;
  [[nodiscard]] local::ProposalsAnswer proposals() const;
  void add_our_word(const ProposalStanding& standing, local::ProposalRow& row) const;
  [[nodiscard]] local::Answer list(const local::ListRequest& request) const;
  [[nodiscard]] local::Answer show(const local::ShowRequest& request) const;
  [[nodiscard]] local::Answer thread(const local::ThreadRequest& request) const;
  [[nodiscard]] local::FrontAnswer front(const local::FrontRequest& request) const;
  [[nodiscard]] local::RecordSummary summarise(const storage::ReadTxn& views,
                                               const storage::RecordRow& row) const;
  /// What the views say of it, on any thread; complete() adds the rest.
  [[nodiscard]] static local::RecordSummary outline(const storage::ReadTxn& views,
                                                    const storage::RecordRow& row);
  void complete(local::RecordSummary& outlined, const MemberId& member, const LogId& log) const;
  [[nodiscard]] Result<Bytes> body_of(const storage::RecordRow& row) const;
  /// The same on any thread.
  [[nodiscard]] static Result<Bytes> body_of(const storage::ReadTxn& txn,
                                             const JudgeContext& context,
                                             const storage::RecordRow& row);
  void notify_watchers();
  void notify(ClientId client, Watcher& watcher);

  // naming.cpp
  [[nodiscard]] Profile profile_of(const MemberId& member) const;
  /// Called when somebody was admitted.
  void name_members();
  /// The code it was admitted with; with "~" and the beginning of its id if another had it before.
  [[nodiscard]] std::string code_of(const MemberId& member) const;
  [[nodiscard]] std::optional<MemberId> member_of_code(const std::string& code) const;
  /// Who is shown with this code, now or in the past.
  [[nodiscard]] std::optional<MemberId> holder_of(std::string_view code) const;
  /// "the code ZZA is that of Ashdown Hospitals already", or empty.
  [[nodiscard]] std::string code_taken(const std::string& code, const MemberId& newcomer) const;
  [[nodiscard]] std::string effect_in_words(const Effect& effect) const;

  // export_job.cpp
  [[nodiscard]] local::Answer prove(const local::ProveRequest& request) const;
  [[nodiscard]] local::Answer export_logs(const local::ExportLogsRequest& request) const;
  void export_entries(const local::ExportEntriesRequest& request,
                      std::function<void(local::Answer)> answer);

  // disclose.cpp
  void disclose(ClientId client, const local::DiscloseRequest& request,
                std::function<void(local::Answer)> answer);
  /// Runs `work` in the pool, then `next` here; what could not be read is the answer.
  void in_pool(std::shared_ptr<Disclosing> wanted, std::function<void(Disclosing&)> work,
               std::function<void()> next);
  /// Whether what was found may be disclosed together; then what is needed to derive its keys.
  [[nodiscard]] Result<bool> prepare(Disclosing& wanted) const;
  [[nodiscard]] local::Answer hand_over(Disclosing& wanted);

  // audit_job.cpp
  void audit(const local::AuditRequest& request, std::function<void(local::Answer)> answer);
  void report_audits();
  void report_publishing();

  Identity me;
  Options options;
  Host& host;
  SigningKey log_key;
  SigningKey witness_key;
  SigningKey daemon_key;
  LogId own_log;
  std::uint64_t own_number = 0;  // Of our newest certificate.
  bool has_first_keys = true;    // It is the first, which the decision to admit us carries.

  sync::SyncEngine engine;
  std::optional<GovernanceFold> fold;
  std::map<MemberId, std::string> codes;  // As people see them, of all who ever were members.
  std::size_t states_named = 0;           // Of the fold's history.
  std::map<LogId, LogState> logs;
  GovernanceLogs governance;               // What the commons logs say of it, for the fold.
  std::map<Bytes, KeptEvidence> evidence;  // By what it is about.
  std::set<LogId> to_set_back;
  // Verified, by number, from Announce or Hello; our own is among them.
  std::map<MemberId, std::map<std::uint64_t, HeardCertificate>> heard;
  std::map<MemberId, std::uint64_t> confirmed_numbers;  // Of our certificate, by peers.
  std::map<MemberId, std::string> dial_errors;
  std::map<PeerId, PeerState> peers;
  std::vector<SpaceKeys> space_keys;  // Of the commons, newest first.
  bool has_false_keys = false;        // They are not those that the founder's log names.
  std::vector<InvitationState> invitations;
  std::map<MemberId, CandidateState> candidates;
  std::vector<Bytes> candidates_gone;  // Their rows are erased with the next save.
  std::set<Key32> refused_with;  // Invitations with which somebody was refused: said once each.
  std::string sponsor_said;      // While we wait to be admitted.
  std::size_t sponsor_lines = 0;
  std::set<PeerId> replaced;  // With keys that their member has replaced: they end with a tick.

  // Own log.
  bool rebuilding = false;  // Its directory was made by kithd recover, and all comes from others.
  std::string stage;        // What was last said of that, without its numbers.
  std::size_t stage_lines = 0;
  std::optional<std::string> no_signing;  // Why nothing may be signed now.
  std::optional<Asking> asking;           // Nothing is signed before enough others have answered.
  std::vector<MemberId> unasked;          // Without whose answers we sign, as the operator said.
  std::optional<std::uint64_t> clock_ahead;  // Of the wall clock against the other, modulo 2^64.
  std::map<std::uint64_t, WaitingAct> waiting_acts;  // In the order in which they came.
  bool publishing_waiting = false;
  // What the high-water file said at the start, and the largest size known to have been signed.
  std::optional<storage::HighWaterMark> signed_before;
  std::uint64_t signed_size = 0;
  std::optional<CompactRange> own_range;
  std::vector<OwnReply> own_replies;
  bool flush_pending = false;
  bool certificate_due = true;  // Our newest is not in our own log, as far as is known.
  bool certificate_pending = false;
  bool said_cut_elsewhere = false;
  bool enrols_again = false;  // Enrolments that were given up wait.
  bool enrolling_again = false;
  bool signing_held = false;  // At the start: what is held is being signed again.
  bool duty_pending = false;
  std::set<std::uint64_t>
      door_checked;             // Own indices whose author signature was checked at the door.
  std::set<RecordId> door_ids;  // Let in, but not yet where first_known() looks next time.

  std::map<ClientId, Watcher> watchers;
  std::vector<std::shared_ptr<AuditJob>> audits;
  std::list<LargePublish> publishing;
  std::optional<Enrolling> enrolling;
  std::vector<std::function<void()>> after_enrolling;
  // By index in our own log; told whether it was judged, or will not be before others give more.
  std::multimap<std::uint64_t, std::function<void(bool is_judged)>> when_judged;
  std::size_t judging = 0;     // Batches in the pool.
  std::deque<LogId> to_judge;  // Logs that wait for room in it, each once.
  std::size_t jobs = 0;        // Writes, view writes and computations under way.
  std::set<LogId> uncreated;   // Followed, but not yet in the store.
  std::size_t tended = 0;
  std::uint64_t tended_ms = 0;  // When what may have failed was last tried again.
};

}  // namespace kith::daemon
