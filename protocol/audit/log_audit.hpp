#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/audit/archive_files.hpp"
#include "protocol/audit/evidence.hpp"
#include "protocol/audit/judge.hpp"
#include "protocol/audit/policy.hpp"
#include "protocol/base/verdict.hpp"
#include "protocol/log/archive.hpp"
#include "protocol/log/checkpoint.hpp"
#include "protocol/log/merkle.hpp"

/// One log of an export, checked from its bytes alone.
namespace kith {

/// Something that does not hold.
struct Finding {
  Verdict verdict = Verdict::damaged;
  std::string file;  ///< Relative to the export; empty: no single one.
  std::string what;  ///< For the auditor.

  friend bool operator==(const Finding&, const Finding&) = default;
};
inline constexpr std::size_t findings_max = 1'000;  // Of each verdict, in one list.

/// What was found wrong. All are counted; of each verdict the first findings_max are kept, so that
/// many of one cannot hide another.
class Findings {
 public:
  void add(Verdict verdict, std::string file, std::string what);
  /// The worst of all, kept or not; intact if there are none.
  [[nodiscard]] Verdict verdict() const;
  [[nodiscard]] bool has(Verdict verdict) const { return count(verdict) > 0; }
  [[nodiscard]] const std::vector<Finding>& kept() const { return kept_; }
  /// How many more there were.
  [[nodiscard]] std::uint64_t left_out() const;

 private:
  [[nodiscard]] std::uint64_t count(Verdict verdict) const {
    return counts_[static_cast<std::size_t>(verdict)];
  }

  std::vector<Finding> kept_;
  std::array<std::uint64_t, static_cast<std::size_t>(Verdict::forked) + 1> counts_{};
};

/// A witness's word that holds.
struct Confirmation {
  MemberId witness;
  std::uint64_t size = 0;
  std::uint64_t time_s = 0;
  PublicKey key = {};  ///< That signed it.

  /// 0 for what no calendar holds.
  [[nodiscard]] Millis time() const { return time_s < 1ULL << 50 ? time_s * 1000 : 0; }
  friend bool operator==(const Confirmation&, const Confirmation&) = default;
};

/// "entry 7: ", before what is wrong with it.
[[nodiscard]] std::string at_entry(std::uint64_t index);

/// When the first of these confirmed all `size` entries: they existed no later. 0: nobody did.
[[nodiscard]] Millis existed_by(const std::vector<Confirmation>& confirmations, std::uint64_t size);

/// Evidence that came with what was checked, and that proves something.
struct ReportedEvidence {
  std::string file;  ///< Relative to the export; empty: it came from a daemon.
  Contradiction proven;
  bool counts = true;  ///< Whether anything follows from it still.
};

/// A sealed entry that a given key fits.
struct OpenedEntry {
  Key32 key;    ///< Of this payload alone.
  RecordId id;  ///< Zeros: it holds no record that counts.
};

/// What the check of one log found.
struct LogReport {
  ArchivedLog log;
  LogId id;
  TreeHash root{};
  bool is_founders = false;        ///< Its first entry founds the network.
  bool tree_holds = false;         ///< The entries give the root of the checkpoint.
  std::optional<NoteKey> log_key;  ///< That signed the checkpoint.
  Millis first_time = 0;           ///< By the owner's clock.
  Millis last_time = 0;
  std::vector<Confirmation> confirmations;
  std::uint64_t clear = 0;              ///< Entries in clear, read and checked.
  std::uint64_t opened = 0;             ///< Sealed ones that a given key opened, signature checked.
  std::uint64_t author_signatures = 0;  ///< That hold, by authors who were enrolled there.
  std::map<std::uint64_t, OpenedEntry> opened_alone;  ///< Of those with a key of their own.
  std::map<Key32, std::uint64_t> opened_by;           ///< How many each log key opened.
  std::uint64_t sealed = 0;   ///< Those that no given key opens, or that are not in the export.
  std::uint64_t missing = 0;  ///< Payloads that should be here and are not ...
  std::uint64_t missing_clear = 0;  ///< ... and those of them that are in clear.
  std::uint32_t certificates = 0;
  std::uint32_t enrolments = 0;
  bool are_keys_known = true;              ///< Else `keys` ends where something is missing.
  KeyHistory keys;                         ///< As far as it is known.
  std::vector<ReportedEvidence> evidence;  ///< About this log.
  std::optional<PolicyOutcome> policy;     ///< If it was held against one.
  Findings findings;

  /// By how many others, all of it.
  [[nodiscard]] std::size_t confirmed() const;
  /// When the first of these did so; 0: nobody did.
  [[nodiscard]] Millis existed_by() const { return kith::existed_by(confirmations, log.size); }
};

/// Certificates of witnesses that verify, and which of them were needed.
struct WitnessCertificates {
  /// False, and nothing is added, if there are certificates_max of that witness.
  [[nodiscard]] bool add(const Certificate& certificate);
  /// Positions of those that name a key of the witness with that name (witness_name).
  [[nodiscard]] std::span<const std::size_t> of(const std::string& name) const;

  bool are_whole = true;  ///< Else nobody is accused for want of one.
  std::vector<Certificate> certificates;
  std::set<std::size_t> needed;  ///< Positions.

 private:
  std::unordered_map<std::string, std::vector<std::size_t>> by_name_;
};

/// Checks one log: check() for every bundle, in any order and on any thread; absorb() for what each
/// found, in the order of the log; finish() once.
class LogAudit {
 public:
  struct Keys {
    std::vector<Key32> g_keys;  ///< Log keys that were disclosed, newest first.
    std::vector<Key32> r_keys;
    std::map<std::uint64_t, std::vector<Key32>> payload_keys = {};  ///< Of single entries.
  };
  /// What one bundle holds.
  struct Found {
    std::uint64_t bundle = 0;
    std::vector<TreeHash> hashes;  ///< Of its leaves, as far as they can be believed; else empty.
    TreeHash root{};               ///< Over these, if they are 256.
    std::vector<Judged> said;      ///< Without texts and bodies; of statements the text as well.
    Millis first_time = 0;
    Millis last_time = 0;
    std::uint64_t sealed = 0;
    std::uint64_t missing = 0;
    std::uint64_t missing_clear = 0;  ///< Of these.
    bool has_lost_keys = false;       ///< What may say who may speak could not be read.
    std::vector<Finding> findings;
  };

  /// `files` must outlive it. Reads the checkpoint and the edge of the tree.
  LogAudit(const ArchivedLog& log, const NetworkId& network, bool is_whole, Keys keys,
           const ArchiveFiles& files);

  [[nodiscard]] std::uint64_t bundles() const;
  [[nodiscard]] std::uint64_t size() const { return report_.log.size; }
  /// Pure but for the reading of files; slow.
  [[nodiscard]] Found check(std::uint64_t bundle) const;
  void absorb(Found found);
  /// Signatures of the log and of its witnesses.
  [[nodiscard]] LogReport finish(WitnessCertificates& witnesses);

 private:
  struct Level {
    std::vector<TreeHash> hashes;  // Of the tile that is being filled.
    std::uint64_t tile = 0;
  };

  [[nodiscard]] std::string file(std::string_view within) const;
  [[nodiscard]] unsigned width_of(std::uint64_t bundle) const;
  void read_checkpoint();
  void read_further();
  void read_edge();
  [[nodiscard]] Result<std::vector<TreeHash>> tile_file(const TileId& tile) const;
  [[nodiscard]] std::optional<TreeHash> parent_of(const TileId& tile) const;
  [[nodiscard]] bool fits_above(const TileId& tile, const std::vector<TreeHash>& hashes) const;
  [[nodiscard]] std::vector<Leaf> read_leaves(Found& found, std::vector<TreeHash>& hashes) const;
  [[nodiscard]] bool believe(Found& found, std::vector<TreeHash> of_leaves) const;
  void read_payloads(Found& found, const std::vector<Leaf>& leaves) const;
  void read_payload(Found& found, const std::string& path, const Leaf& leaf, std::uint64_t index,
                    const std::optional<Bytes>& payload) const;
  void absorb_hashes(const Found& found);
  void note_roots(const Found& found);
  void add_to_level(unsigned level, const TreeHash& root);
  /// The hashes of the tile that is being filled, as far as they can be believed.
  [[nodiscard]] std::vector<TreeHash> settle(unsigned level);
  void absorb_said(const Found& found, const Judged& said);
  [[nodiscard]] Result<bool> absorb_statement(const Found& found, const Judged& said);
  /// Over the leaves before `index`, which lies in what was found.
  [[nodiscard]] TreeHash root_before(const Found& found, std::uint64_t index) const;
  /// Once the entry at `next` is known, or the log is at its end.
  void check_cut(std::uint64_t next, const PayloadText* said);
  void check_root();
  void check_log_signature();
  void check_line(const NoteSignature& line, WitnessCertificates& witnesses);
  void check_further(WitnessCertificates& witnesses);
  void find(Verdict verdict, const std::string& file, std::string what);

  LogReport report_;
  NetworkId network_;
  bool is_whole_;
  JudgeContext context_;
  const ArchiveFiles& files_;

  std::optional<Note> note_;
  std::optional<Checkpoint> checkpoint_;
  std::vector<Cosignature> further_;
  std::vector<std::vector<TreeHash>> edge_;

  CompactRange range_;
  bool is_broken_ = false;  // Hashes are missing, so the root cannot be known.
  std::vector<Level> levels_;
  std::map<std::uint64_t, TreeHash> roots_;  // At sizes that cosignatures name.
  KeyHistory keys_;
  bool keys_known_ = true;                    // Nothing that may say who may speak was lost so far.
  TreeHash cut_root_{};                       // Before the last certificate that cuts.
  std::optional<std::uint64_t> cut_refused_;  // It was said that this one has no list.
};

}  // namespace kith
