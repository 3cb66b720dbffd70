// Replays whole logs from their bytes for `kith audit`, in the pool, with progress.
#include <atomic>

#include "daemon/replica_impl.hpp"
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

void fault(AuditedLog& audited, std::string what) {
  if (audited.row.faults.size() < faults_max) audited.row.faults.push_back(std::move(what));
}

/// Every payload opened and judged by the keys in force at its index, in order.
void audit_records(const storage::ReadTxn& txn, const NetworkId& network, AuditedLog& audited,
                   std::uint64_t size, const std::function<void(std::uint64_t)>& progress) {
  KeyHistory keys(network, audited.member);
  BatchVerifier verifier;
  std::set<PublicKey> authors;
  storage::log_store::each_payload(
      txn, audited.log, 0, size, [&](std::uint64_t index, std::optional<BytesView> payload) {
        const auto leaf_bytes = storage::log_store::leaf(txn, audited.log, index);
        const auto leaf = leaf_bytes ? decode_leaf(text(*leaf_bytes))
                                     : Result<Leaf>(fail(Errc::not_found, "the leaf is missing"));
        progress(index);
        const std::string at = "entry " + std::to_string(index) + ": ";
        if (!leaf) {
          fault(audited, at + leaf.error().detail);
          return true;
        }
        if (!payload) {
          ++audited.row.missing;
          return true;
        }
        const Judged judged =
            judge(audited.context, index, leaf->leaf_class, *payload, false, verifier);
        if (judged.status == Judged::Status::sealed) {
          ++audited.row.sealed;
          return true;
        }
        if (judged.status == Judged::Status::bad) {
          fault(audited, at + judged.why);
          return true;
        }
        if (const auto* certificate = std::get_if<CertificateText>(&judged.parsed)) {
          const auto added = keys.add_certificate(index, certificate->statement);
          if (!added) fault(audited, at + added.error().detail);
          ++audited.row.statements;
          ++audited.row.certificates;
          return true;
        }
        if (const auto* enrolment = std::get_if<EnrolmentText>(&judged.parsed)) {
          const auto added = keys.add_enrolment(index, enrolment->statement);
          if (!added) fault(audited, at + added.error().detail);
          ++audited.row.statements;
          return true;
        }
        const auto right = admissible(keys, audited.member, judged);
        if (!right) fault(audited, at + right.error().detail);
        if (find_kind(judged.record->kind) == nullptr) ++audited.row.unknown_kinds;
        authors.insert(judged.record->author);
        ++audited.row.records;
        return true;
      });
  audited.row.authors = static_cast<std::uint32_t>(authors.size());
}

void audit_signatures(AuditedLog& audited) {
  const auto signed_by = [&](const Certificate& certificate) {
    return verify_checkpoint(audited.checkpoint.note, audited.log, certificate.log_key).has_value();
  };
  if (audited.checkpoint.size != 0 && std::ranges::none_of(audited.certificates, signed_by)) {
    fault(audited, "the checkpoint is not signed by the member's log key");
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
    } else {
      fault(audited, "a cosignature does not verify");
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
          const auto txn = database.read();
          const std::uint64_t before = job->done;
          const auto report = storage::log_store::check(*txn, audited.log, [&](std::uint64_t done) {
            job->done = before + done / 2;
            return true;
          });
          for (const auto& found : report.faults) {
            fault(audited, "entry " + std::to_string(found.index) + ": " + found.what);
          }
          const auto head = storage::log_store::head(*txn, audited.log);
          const std::uint64_t size = head ? head->size() : 0;
          audit_records(*txn, network, audited, size,
                        [&](std::uint64_t done) { job->done = before + (size + done) / 2; });
          audit_signatures(audited);
          local::AuditRow& row = audited.row;
          row.code = audited.code;
          row.member = audited.member;
          row.log = audited.log;
          row.size = size;
          row.root = head ? head->range.root() : empty_root();
          row.agreed = audited.agreed;
          row.witnesses = static_cast<std::uint32_t>(audited.witnesses.size());
          row.frozen = audited.frozen;
          row.intact = row.faults.empty() && !row.frozen;
          job->done = before + size;
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
