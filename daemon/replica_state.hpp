#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/replica.hpp"
#include "protocol/audit/evidence.hpp"
#include "protocol/keys/authors.hpp"
#include "protocol/sync/sync_engine.hpp"
#include "storage/log_store.hpp"

/// What a Replica remembers, and of what kind: the inside of replica_impl.hpp without what it does.
namespace kith::daemon {

/// Text to be logged by us, with the class of its leaf.
struct Draft {
  LeafClass leaf_class = LeafClass::record;
  Bytes text;
};
/// Where it went, once durable and signed.
struct Appended {
  std::uint64_t first = 0;
  std::uint64_t size = 0;
  std::string note;
};
using AppendDone = std::function<void(const Result<Appended>&)>;

struct JudgeBatch;
struct ShowBatch;

/// A tree that is proven to be agreed, of which less is held, or another one.
struct AgreedElsewhere {
  std::uint64_t size = 0;
  TreeHash root{};
  std::vector<MemberId> witnesses;  // Whose words prove it.
};
/// One followed log.
struct LogState {
  MemberId member;
  std::uint64_t size = 0;    // Durable leaves.
  std::uint64_t judged = 0;  // Leaves whose payload was absorbed (or passed over).
  std::deque<std::shared_ptr<JudgeBatch>> batches;  // In the pool, in the order of the log.
  std::uint64_t shown = 0;                          // Leaves whose record is in the views.
  bool showing = false;
  // Governance that opened with none of so many space keys: only another key lets judging go on.
  std::optional<std::size_t> blocked_with_keys;
  bool waits_for_payload = false;  // Of governance, without which nothing behind it is judged.
  bool frozen = false;
  std::pair<std::string, Bytes> signer;  // Of this note: the certificate that names its key.
  // Signed by the owner, not of what is held, and larger than the checkpoint: compared once a
  // larger one is kept.
  std::optional<sync::SignedCheckpoint> suspect;
  bool said_below_agreed = false;  // That it was cut below what is agreed here.
  bool said_unproven = false;  // That it does not go on from here, though nothing proves a fork.
  std::optional<AgreedElsewhere> agreed_elsewhere;
  std::optional<peer::Agreed> agreed_proof;  // As it was heard.
  bool setting_back = false;  // What lies here of it is neither as it was nor as it will be.
  storage::StoredCheckpoint checkpoint;
  std::map<MemberId, Cosignature> cosignatures;
  // What we confirmed of more than is held here, as others say: before a backup was restored.
  std::optional<Cosignature> confirmed_ahead;
  std::map<MemberId, std::uint64_t> confirmed_before;  // By cosignatures of a history given up.
  std::uint64_t agreed = 0;
  std::set<std::uint64_t> gaps;
  std::set<std::uint64_t> wanted;       // Bundles with damaged leaves, to be fetched again.
  std::set<std::uint64_t> judged_gaps;  // Damage made gaps of them after they were judged.
  std::set<std::uint64_t> late;  // Gaps that were filled: judged once `judged` has passed them.
  std::set<std::uint64_t> late_to_show;  // Of these, what was judged and `shown` has passed.
  std::set<std::uint64_t> not_shown;     // Judged bad or missing, ahead of `shown`.
  KeyHistory keys;
  std::set<RecordId> governance_ids;
  std::optional<Profile> profile;  // The newest said in the log.
  std::uint64_t texts = 0;         // `c` and `g` payloads that count.
  std::uint64_t bad = 0;
  Bytes founding_text;  // Leaf 0 of the founder's commons.
  Bytes first_certificate;
  std::set<std::pair<DecisionId, Hash>> grants;  // Basis and key id of KeyGrants in this log.
  std::uint64_t cosigned = 0;                    // The largest size we cosigned as a witness.
};
struct PeerState {
  PeerSession session;
  Millis heard = 0;
  bool candidate = false;
  std::optional<MemberId> candidate_member;
  bool refused = false;                // A candidate that was told why it cannot be one.
  std::vector<MemberId> unasked = {};  // Without whose answers it signs.
  bool knows_us = true;  // Our newest certificate: else an append must not be pushed to it.
  std::size_t unknown_words = 0;  // Cosignatures that no known key made.
};
/// Points into what is held of the member: good until more is heard.
struct KnownCertificate {
  const Certificate* certificate = nullptr;
  const Bytes* statement = nullptr;
};
struct HeardCertificate {
  Certificate certificate;
  Bytes statement;
};
struct SignedBy {
  Checkpoint checkpoint;
  KnownCertificate by;
};
struct KeptEvidence {
  std::string text;
  Contradiction proven;
};
struct OwnReply {
  Appended appended;
  AppendDone done;
};
struct Watcher {
  std::uint64_t sequence = 0;
  std::function<void(local::Answer)> answer;
};
/// An enrolment on its way through the log: it is answered once it counts.
struct Enrolling {
  std::optional<std::uint64_t> index;  // Once it is in the log.
  bool counted = false;
  std::function<void(local::Answer)> answer;
};
/// An act of publishing that waits until signing goes on.
struct WaitingAct {
  std::vector<RecordId> ids;
  std::size_t bytes = 0;
  bool durable = false;
  bool one_by_one = false;    // Together they were refused.
  std::set<RecordId> cannot;  // Refused by itself, as far as this run goes.
  bool refused = false;       // Nothing but such is left of it.
};
/// What the others hold of our own log is being asked.
struct Asking {
  std::set<MemberId> answered;
  std::optional<std::uint64_t> enough_ms;  // Since when enough have.
};
/// A large act of publishing, while its client waits.
struct LargePublish {
  std::shared_ptr<const std::atomic<std::uint64_t>> checked;
  std::uint64_t total = 0;
  bool storing = false;
  std::function<void(local::Answer)> answer;
};

/// Who has said what they hold of our own log.
struct AnswerCount {
  std::size_t witnesses = 0;
  std::size_t answered = 0;
  bool most = false;
  bool enough = false;        // Most, or the operator named all others.
  bool all_in_reach = false;  // Every witness that is connected is among them.
};
struct NotTakenIn {
  std::string why;
  std::string what_to_do;
};

}  // namespace kith::daemon
