// Replays whole logs from their bytes for `kith audit`, in the pool, with progress.
#include <atomic>

#include "daemon/replica_impl.hpp"
#include "protocol/audit/log_audit.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/records/kind_table.hpp"

namespace kith::daemon {

/// What the pool needs to know of one log, and what it found.
struct AuditedLog {
  LogId log;
  MemberId member;
  std::string code;
  storage::StoredCheckpoint checkpoint;
  std::vector<Certificate> certificates;
  std::map<MemberId, Cosignature> cosignatures;
  std::map<MemberId, std::vector<Certificate>> witness_certificates;
  std::vector<MemberId> witnesses;
  JudgeContext context;
  bool frozen = false;
  std::uint64_t agreed = 0;
  local::AuditRow row;
};

struct Replica::Impl::AuditJob {
  std::vector<AuditedLog> logs;
  std::uint64_t total = 0;
  std::atomic<std::uint64_t> done{0};
  std::atomic<bool> finished{false};
  std::function<void(local::Answer)> answer;
};

namespace {

constexpr std::size_t faults_max = 100;
/// Of a log, read in one transaction: as long as one is open, LMDB reuses no page that was freed.
constexpr std::uint64_t entries_a_read = 2'048;

void fault(AuditedLog& audited, Verdict verdict, std::string what) {
  local::AuditRow& row = audited.row;
  row.verdict = std::max(row.verdict, verdict);
  if (row.faults.size() < faults_max) row.faults.push_back({verdict, std::move(what)});
}

/// Replays one log from its bytes and believes only hashes and signatures. How this machine's store
/// keeps it, kithd check looks at.
class Auditor {
 public:
  Auditor(const storage::Database& database, const NetworkId& network, AuditedLog& audited)
      : database_(database), audited_(audited), keys_(network, audited.member) {
    roots_[audited.checkpoint.size];
    for (const auto& [_, word] : audited.cosignatures) roots_[word.size];
    note_root();
  }

  /// `progress` hears how many entries are done.
  void run(const std::function<void(std::uint64_t)>& progress) {
    const auto head = storage::log_store::head(*database_.read(), audited_.log);
    const std::uint64_t size = head ? head->size() : 0;
    for (std::uint64_t first = 0; first < size; first += entries_a_read) {
      progress(first);
      read(first, std::min(size, first + entries_a_read));
    }
    audited_.row.size = size;
    audited_.row.root = range_.root();
    audited_.row.authors = static_cast<std::uint32_t>(authors_.size());
    for (const KeyHistory::Entry& entry : keys_.statements()) {
      audited_.row.keys.push_back({entry.index, entry.is_certificate, entry.statement});
    }
    audited_.row.are_keys_known = can_judge_;
    check_cut(size);
    // All are known: then it is the last one among these leaves whose key signs.
    if (const Certificate* in_force = keys_.certificate_at(audited_.checkpoint.size);
        can_judge_ && in_force != nullptr) {
      audited_.certificates = {*in_force};
    }
    check_root(audited_.checkpoint.size, audited_.checkpoint.root, "the checkpoint");
    for (const auto& [_, word] : audited_.cosignatures) {
      check_root(word.size, word.root, "a cosignature");
    }
  }

 private:
  void read(std::uint64_t first, std::uint64_t last) {
    const auto txn = database_.read();
    std::vector<std::optional<Leaf>> leaves;
    leaves.reserve(last - first);
    for (std::uint64_t begin = first; begin < last; begin += limits::tile_hashes) {
      read_leaves(*txn, begin, std::min(last, begin + limits::tile_hashes), leaves);
    }
    storage::log_store::each_payload(*txn, audited_.log, first, last,
                                     [&](std::uint64_t index, std::optional<BytesView> payload) {
                                       const auto& leaf = leaves[index - first];
                                       if (leaf) take(index, *leaf, payload);
                                       // Perhaps it said who may speak.
                                       if (!leaf) can_judge_ = false;
                                       return true;
                                     });
  }

  /// Nothing for each that is not as it was.
  void read_leaves(const storage::ReadTxn& txn, std::uint64_t first, std::uint64_t last,
                   std::vector<std::optional<Leaf>>& leaves) {
    const Bytes bundle = storage::log_store::bundle(txn, audited_.log, first, last);
    const auto entries = split_bundle(bundle, last - first);
    const auto hashes =
        storage::log_store::tile(txn, audited_.log, last, 0, first / limits::tile_hashes);
    for (std::uint64_t index = first; index < last; ++index) {
      const std::size_t i = index - first;
      const BytesView entry = entries && i < entries->size() ? (*entries)[i] : BytesView();
      const TreeHash hash = leaf_hash(entry);
      range_.push(hash);
      note_root();
      const auto leaf = decode_leaf(text(entry));
      const bool fits = !hashes || (*hashes)[i] == hash;
      if (!leaf || !fits) {
        fault(audited_, Verdict::damaged,
              at_entry(index) +
                  (leaf ? "the leaf or its hash is damaged" : "the leaf is missing or damaged"));
      }
      leaves.push_back(leaf && fits ? std::optional(*leaf) : std::nullopt);
    }
  }

  void take(std::uint64_t index, const Leaf& leaf, std::optional<BytesView> payload) {
    Millis& first = audited_.row.first_time;
    first = first == 0 ? leaf.time : std::min(first, leaf.time);
    audited_.row.last_time = std::max(audited_.row.last_time, leaf.time);
    if (payload && !commits_to(leaf, *payload)) {
      fault(audited_, Verdict::damaged, at_entry(index) + "the payload is damaged");
      payload.reset();
    } else if (!payload) {
      ++audited_.row.missing;
    }
    const bool governs = leaf.leaf_class != LeafClass::record;
    if (!payload && governs && can_judge_) {
      can_judge_ = false;
      fault(audited_, Verdict::incomplete,
            at_entry(index) +
                "it says who may speak or decide, and it is not here: what follows "
                "cannot be judged before it comes");
    }
    if (payload && can_judge_) judge_one(index, leaf, *payload);
    check_cut(index);
  }

  void judge_one(std::uint64_t index, const Leaf& leaf, BytesView payload) {
    const Judged judged =
        judge(audited_.context, index, leaf.leaf_class, payload, false, verifier_);
    if (judged.status == Judged::Status::sealed) {
      ++audited_.row.sealed;
      return;
    }
    if (judged.status == Judged::Status::bad) {
      return fault(audited_, Verdict::forged, at_entry(index) + judged.why);
    }
    if (!judged.record) return take_statement(judged);
    const auto right = admissible(keys_, audited_.member, judged);
    if (!right) fault(audited_, Verdict::forged, at_entry(index) + right.error().detail);
    if (right) ++audited_.row.signatures;
    if (find_kind(judged.record->kind) == nullptr) ++audited_.row.unknown_kinds;
    authors_.insert(judged.record->author);
    ++audited_.row.records;
  }

  void take_statement(const Judged& judged) {
    ++audited_.row.statements;
    const auto added = add_statement(judged);
    if (!added) fault(audited_, Verdict::forged, at_entry(judged.index) + added.error().detail);
  }

  [[nodiscard]] Result<bool> add_statement(const Judged& judged) {
    if (const auto* certificate = std::get_if<CertificateText>(&judged.parsed)) {
      ++audited_.row.certificates;
      return keys_.add_certificate(judged.index, certificate->statement);
    }
    if (const auto* list = std::get_if<CutListText>(&judged.parsed)) {
      const auto cut = keys_.cut_without_list();
      if (!cut) return keys_.add_cut_list(judged.index, list->list, audited_.log, {});
      auto added =
          keys_.add_cut_list(judged.index, list->list, audited_.log,
                             storage::log_store::root_at(*database_.read(), audited_.log, *cut));
      if (!added) cut_refused_ = cut;
      return added;
    }
    return keys_.add_enrolment(judged.index, std::get<EnrolmentText>(judged.parsed).statement);
  }

  /// Once the entry at `next` was judged, or the log is at its end.
  void check_cut(std::uint64_t next) {
    const auto cut = keys_.cut_without_list();
    if (!cut || cut_refused_ == cut || next <= *cut || !can_judge_) return;
    cut_refused_ = cut;
    fault(audited_, Verdict::forged,
          at_entry(*cut) +
              "this certificate cuts the log, but the list that says where is not "
              "the entry after it");
  }

  void note_root() {
    const auto wanted = roots_.find(range_.size());
    if (wanted != roots_.end()) wanted->second = range_.root();
  }
  void check_root(std::uint64_t size, const TreeHash& root, const std::string& who) {
    if (size != 0 && roots_.at(size) != root) {
      fault(audited_, Verdict::damaged,
            who + " at size " + std::to_string(size) + " has another root");
    }
  }

  const storage::Database& database_;
  AuditedLog& audited_;
  KeyHistory keys_;
  BatchVerifier verifier_;
  std::set<PublicKey> authors_;
  bool can_judge_ = true;  // Nothing that decides who may speak was missing so far.
  std::optional<std::uint64_t> cut_refused_;  // It was said that this one has no list.
  CompactRange range_;
  std::map<std::uint64_t, std::optional<TreeHash>> roots_;  // At sizes that somebody signed.
};

void audit_signatures(AuditedLog& audited) {
  const auto signed_by = [&](const Certificate& certificate) {
    return verify_checkpoint(audited.checkpoint.note, audited.log, certificate.log_key).has_value();
  };
  if (audited.checkpoint.size != 0 && std::ranges::none_of(audited.certificates, signed_by)) {
    fault(audited, Verdict::damaged, "the checkpoint is not signed by the member's log key");
  }
  for (const MemberId& witness : audited.witnesses) {
    const auto word = audited.cosignatures.find(witness);
    if (word == audited.cosignatures.end()) continue;
    const bool valid = std::ranges::any_of(
        audited.witness_certificates[witness], [&](const Certificate& certificate) {
          return verify_cosignature(word->second, certificate.witness_key);
        });
    if (valid) {
      ++audited.row.cosigned;
      audited.row.words.push_back(word->second);
    } else {
      fault(audited, Verdict::damaged, "a cosignature does not verify");
    }
  }
}

}  // namespace

void Replica::Impl::audit(const local::AuditRequest& request,
                          std::function<void(local::Answer)> answer) {
  auto job = std::make_shared<AuditJob>();
  job->answer = std::move(answer);
  for (const auto& [id, state] : logs) {
    if (!request.member.empty() &&
        upper_case(code_of(state.member)) != upper_case(request.member)) {
      continue;
    }
    AuditedLog audited;
    audited.log = id;
    audited.member = state.member;
    audited.code = code_of(state.member);
    audited.checkpoint = state.checkpoint;
    audited.certificates = certificates_of(state.member);
    audited.cosignatures = state.cosignatures;
    if (fold) audited.witnesses = fold->state().commons_witnesses(state.member);
    for (const MemberId& witness : audited.witnesses) {
      audited.witness_certificates[witness] = certificates_of(witness);
    }
    audited.context = context_of(id);
    audited.frozen = state.frozen;
    audited.agreed = state.agreed;
    job->total += state.size;
    job->logs.push_back(std::move(audited));
  }
  if (job->logs.empty()) {
    return job->answer(local::Refusal{
        Errc::not_found,
        "no member has the code " + one_line(request.member, 40) + "; kith peers lists them"});
  }
  std::ranges::sort(job->logs, {}, &AuditedLog::code);
  audits.push_back(job);
  ++jobs;
  host.compute_later(
      [job, network = me.network, &database = host.log()] {
        for (AuditedLog& audited : job->logs) {
          const std::uint64_t before = job->done;
          Auditor(database, network, audited).run([&](std::uint64_t done) {
            job->done = before + done;
          });
          audit_signatures(audited);
          local::AuditRow& row = audited.row;
          row.code = audited.code;
          row.member = audited.member;
          row.log = audited.log;
          row.agreed = audited.agreed;
          row.witnesses = static_cast<std::uint32_t>(audited.witnesses.size());
          row.frozen = audited.frozen;
          row.intact = row.faults.empty() && !row.frozen && row.missing == 0;
          if (row.missing > 0) row.verdict = std::max(row.verdict, Verdict::incomplete);
          if (row.frozen) row.verdict = Verdict::forked;
          job->done = before + row.size;
        }
        job->finished = true;
      },
      [this, job] {
        --jobs;
        std::erase(audits, job);
        local::AuditAnswer out;
        for (AuditedLog& audited : job->logs) out.logs.push_back(std::move(audited.row));
        job->answer(std::move(out));
      });
}

void Replica::Impl::report_audits() {
  for (const auto& job : audits) {
    if (!job->finished) job->answer(local::Progress{job->done, job->total, "checking every entry"});
  }
}

}  // namespace kith::daemon
