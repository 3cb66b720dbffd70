// One log of an export: what was signed, the tree, and what follows from the order of the entries.
#include "protocol/audit/log_audit.hpp"

#include <algorithm>
#include <numeric>

#include "protocol/base/check.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/witness.hpp"
#include "protocol/records/kind_table.hpp"
#include "protocol/records/record.hpp"

namespace kith {
std::string at_entry(std::uint64_t index) { return "entry " + std::to_string(index) + ": "; }

void Findings::add(Verdict verdict, std::string file, std::string what) {
  if (++counts_[static_cast<std::size_t>(verdict)] > findings_max) return;
  kept_.push_back({verdict, std::move(file), std::move(what)});
}

Verdict Findings::verdict() const {
  for (const Verdict verdict : {Verdict::forked, Verdict::forged, Verdict::damaged}) {
    if (has(verdict)) return verdict;
  }
  return has(Verdict::incomplete) ? Verdict::incomplete : Verdict::intact;
}

std::uint64_t Findings::left_out() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}) - kept_.size();
}

std::size_t LogReport::confirmed() const {
  return static_cast<std::size_t>(std::ranges::count(confirmations, log.size, &Confirmation::size));
}

Millis existed_by(const std::vector<Confirmation>& confirmations, std::uint64_t size) {
  Millis first = 0;
  for (const Confirmation& word : confirmations) {
    if (word.size != size || word.time() == 0) continue;
    first = first == 0 ? word.time() : std::min(first, word.time());
  }
  return first;
}

bool WitnessCertificates::add(const Certificate& certificate) {
  std::vector<std::size_t>& positions = by_name_[witness_name(certificate.member)];
  if (positions.size() == limits::certificates_max) return false;
  positions.push_back(certificates.size());
  certificates.push_back(certificate);
  return true;
}

std::span<const std::size_t> WitnessCertificates::of(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::span<const std::size_t>() : found->second;
}

LogAudit::LogAudit(const ArchivedLog& log, const NetworkId& network, bool is_whole, Keys keys,
                   const ArchiveFiles& files)
    : network_(network), is_whole_(is_whole), files_(files), keys_(network, log.member) {
  report_.log = log;
  report_.id = log_id(network, log.member, log.space);
  context_ = {network,
              report_.id,
              log.member,
              std::move(keys.g_keys),
              std::move(keys.r_keys),
              true,
              std::move(keys.payload_keys)};
  read_checkpoint();
  if (log.cosignatures) read_further();
  read_edge();
}

std::uint64_t LogAudit::bundles() const {
  return (report_.log.size + limits::tile_hashes - 1) / limits::tile_hashes;
}

std::string LogAudit::file(std::string_view within) const {
  return report_.log.path + '/' + std::string(within);
}

unsigned LogAudit::width_of(std::uint64_t bundle) const {
  return tile_width(report_.log.size, 0, bundle);
}

void LogAudit::find(Verdict verdict, const std::string& file, std::string what) {
  report_.findings.add(verdict, file, std::move(what));
}

// ---- what the log and its witnesses signed ----

void LogAudit::read_checkpoint() {
  const std::string path = file(checkpoint_name);
  const auto bytes = files_.read(path, limits::note_bytes_max);
  if (!bytes) return find(Verdict::damaged, path, bytes.error().detail);
  if (blake2b({BytesView(*bytes)}) != report_.log.checkpoint) {
    return find(Verdict::damaged, path, "it is not what the list of contents says");
  }
  auto note = decode_note(text(*bytes));
  if (!note) return find(Verdict::damaged, path, note.error().detail);
  const auto checkpoint = decode_checkpoint(note->text);
  if (!checkpoint) return find(Verdict::damaged, path, checkpoint.error().detail);
  if (checkpoint->origin != log_origin(report_.id)) {
    return find(Verdict::damaged, path, "it is that of another log");
  }
  if (checkpoint->size != report_.log.size) {
    return find(Verdict::damaged, path,
                "it is of size " + std::to_string(checkpoint->size) +
                    ", but the list of contents says " + std::to_string(report_.log.size));
  }
  note_ = std::move(*note);
  checkpoint_ = *checkpoint;
}

void LogAudit::read_further() {
  const std::string path = file(cosignatures_name);
  const auto bytes = files_.read(path, cosignatures_bytes_max);
  if (!bytes) return find(Verdict::damaged, path, bytes.error().detail);
  if (blake2b({BytesView(*bytes)}) != *report_.log.cosignatures) {
    return find(Verdict::damaged, path, "it is not what the list of contents says");
  }
  auto words = decode_cosignatures(text(*bytes), report_.id);
  if (!words) return find(Verdict::damaged, path, words.error().detail);
  further_ = std::move(*words);
  for (const Cosignature& word : further_) roots_.emplace(word.size, TreeHash());
}

void LogAudit::check_log_signature() {
  if (!note_) return;
  const std::string path = file(checkpoint_name);
  if (!keys_known_) {
    if (report_.findings.verdict() < Verdict::damaged) {
      find(Verdict::damaged, path,
           "an entry that may say who signs is missing, so no signature of it could be checked");
    }
    return;
  }
  const Certificate* certificate = keys_.certificate_at(report_.log.size);
  if (certificate == nullptr) {
    return find(Verdict::forged, path, "no certificate in the log says who may sign it");
  }
  const NoteKey key = log_note_key(report_.id, certificate->log_key);
  const NoteSignature& line = note_->signatures.front();
  const Note alone{note_->text, {line}};
  if (line.name != key.name || line.key_id != key_id(key) || !verify_note(alone, {key})) {
    return find(Verdict::forged, path, "the log key in force at this size did not sign it");
  }
  report_.log_key = key;
}

void LogAudit::check_line(const NoteSignature& line, WitnessCertificates& witnesses) {
  const std::string path = file(checkpoint_name);
  const Note alone{note_->text, {line}};
  for (const std::size_t i : witnesses.of(line.name)) {
    const Certificate& certificate = witnesses.certificates[i];
    const NoteKey key = witness_note_key(certificate.member, certificate.witness_key);
    if (line.key_id != key_id(key)) continue;
    if (certificate.member == report_.log.member) {
      return find(Verdict::forged, path, "the log's owner is its own witness");
    }
    if (!verify_note(alone, {key})) {
      return find(Verdict::forged, path, "the cosignature of " + line.name + " does not verify");
    }
    const bool is_second =
        std::ranges::count(report_.confirmations, certificate.member, &Confirmation::witness) > 0;
    if (is_second) return find(Verdict::damaged, path, "two cosignatures of " + line.name);
    witnesses.needed.insert(i);
    report_.confirmations.push_back({certificate.member, report_.log.size,
                                     read_integer<std::uint64_t>(line.signature), key.key});
    return;
  }
  if (!witnesses.are_whole) return;
  find(Verdict::damaged, path, "a line by nobody whose certificate is here: " + line.name);
}

void LogAudit::check_further(WitnessCertificates& witnesses) {
  const std::string path = file(cosignatures_name);
  for (const Cosignature& word : further_) {
    const std::string who = witness_name(word.witness);
    if (word.witness == report_.log.member) {
      find(Verdict::forged, path, "the log's owner is its own witness");
      continue;
    }
    const bool is_second =
        std::ranges::count(report_.confirmations, word.witness, &Confirmation::witness) > 0;
    if (is_second) {
      find(Verdict::damaged, path, "a second cosignature of " + who);
      continue;
    }
    const auto of_witness = witnesses.of(who);
    const auto by = std::ranges::find_if(of_witness, [&](std::size_t i) {
      return verify_cosignature(word, witnesses.certificates[i].witness_key);
    });
    if (by == of_witness.end()) {
      if (witnesses.are_whole) {
        find(Verdict::forged, path, "the cosignature of " + who + " does not verify");
      }
      continue;
    }
    witnesses.needed.insert(*by);
    // Only what holds itself can show that another spoke of something else.
    if (!report_.tree_holds || !report_.log_key) continue;
    if (word.size == 0 || word.size > report_.log.size) {
      find(Verdict::damaged, path, "the word of " + who + " is about entries that are not here");
      continue;
    }
    if (roots_.at(word.size) != word.root) {
      find(Verdict::forked, path,
           who + " signed another tree for size " + std::to_string(word.size));
      continue;
    }
    report_.confirmations.push_back(
        {word.witness, word.size, word.time_s, witnesses.certificates[*by].witness_key});
  }
}

// ---- the tree ----

Result<std::vector<TreeHash>> LogAudit::tile_file(const TileId& tile) const {
  const std::string path = file(tile_path(tile));
  const auto bytes = files_.read(path, limits::tile_hashes * TreeHash::size);
  if (!bytes) return bytes.error();
  auto hashes = decode_hashes(*bytes);
  if (!hashes) return hashes.error();
  if (hashes->size() != tile.width) {
    return fail(Errc::malformed, "it holds " + std::to_string(hashes->size()) + " hashes, not " +
                                     std::to_string(tile.width));
  }
  return hashes;
}

void LogAudit::read_edge() {
  for (const TileId& tile : edge_tiles(report_.log.size)) {
    auto hashes = tile_file(tile);
    edge_.push_back(hashes ? std::move(*hashes) : std::vector<TreeHash>());
  }
}

std::optional<TreeHash> LogAudit::parent_of(const TileId& tile) const {
  const std::uint64_t above = tile.index / limits::tile_hashes;
  const auto hashes =
      tile_file({tile.level + 1, above, tile_width(report_.log.size, tile.level + 1, above)});
  if (!hashes) return std::nullopt;
  return (*hashes)[tile.index % limits::tile_hashes];
}

bool LogAudit::fits_above(const TileId& tile, const std::vector<TreeHash>& hashes) const {
  if (tile.width == limits::tile_hashes) return parent_of(tile) == tile_root(hashes);
  if (!checkpoint_) return false;
  const auto tiles = edge_tiles(report_.log.size);
  auto edge = edge_;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    if (tiles[i] == tile) edge[i] = hashes;
  }
  const auto root = root_from_edge(report_.log.size, edge);
  return root && *root == checkpoint_->root;
}

// ---- in the order of the log ----

void LogAudit::absorb(Found found) {
  for (Finding& one : found.findings) find(one.verdict, one.file, std::move(one.what));
  if (found.last_time != 0) {
    report_.first_time =
        report_.last_time == 0 ? found.first_time : std::min(report_.first_time, found.first_time);
    report_.last_time = std::max(report_.last_time, found.last_time);
  }
  report_.sealed += found.sealed;
  report_.missing += found.missing;
  report_.missing_clear += found.missing_clear;
  keys_known_ = keys_known_ && !found.has_lost_keys;
  for (const Judged& said : found.said) absorb_said(found, said);
  absorb_hashes(found);
}

TreeHash LogAudit::root_before(const Found& found, std::uint64_t index) const {
  CompactRange range = range_;
  for (std::size_t i = 0; range.size() < index && i < found.hashes.size(); ++i) {
    range.push(found.hashes[i]);
  }
  return range.root();
}

void LogAudit::check_cut(std::uint64_t next, const PayloadText* said) {
  const auto cut = keys_.cut_without_list();
  const bool is_list = said != nullptr && std::holds_alternative<CutListText>(*said);
  if (!cut || cut_refused_ == cut || !keys_known_ || (is_list && next == *cut + 1)) return;
  cut_refused_ = cut;
  const std::uint64_t bundle = *cut / limits::tile_hashes;
  find(Verdict::forged, file(payloads_path(bundle, width_of(bundle))),
       at_entry(*cut) +
           "this certificate cuts the log, but the list that says where is not the entry "
           "after it");
}

Result<bool> LogAudit::absorb_statement(const Found& found, const Judged& said) {
  if (const auto* certificate = std::get_if<CertificateText>(&said.parsed)) {
    auto added = keys_.add_certificate(said.index, certificate->statement);
    if (added && keys_.cut_without_list() == said.index) cut_root_ = root_before(found, said.index);
    if (added) ++report_.certificates;
    return added;
  }
  if (const auto* list = std::get_if<CutListText>(&said.parsed)) {
    auto added = keys_.add_cut_list(said.index, list->list, report_.id, cut_root_);
    if (!added) cut_refused_ = keys_.cut_without_list();
    return added;
  }
  const auto& enrolment = std::get<EnrolmentText>(said.parsed);
  auto added = keys_.add_enrolment(said.index, enrolment.statement);
  if (added) ++report_.enrolments;
  return added;
}

void LogAudit::absorb_said(const Found& found, const Judged& said) {
  const std::string path = file(
      payloads_path(said.index / limits::tile_hashes, width_of(said.index / limits::tile_hashes)));
  ++(said.leaf_class == LeafClass::clear ? report_.clear : report_.opened);
  const auto refuse = [&](const std::string& why) {
    find(Verdict::forged, path, at_entry(said.index) + why);
  };
  if (said.payload_key && context_.payload_keys.contains(said.index)) {
    report_.opened_alone[said.index] = {*said.payload_key, said.id};
  }
  if (said.log_key) ++report_.opened_by[*said.log_key];
  if (said.status == Judged::Status::bad) return refuse(said.why);
  if (!keys_known_) return;  // What is damaged accuses nobody.
  check_cut(said.index, &said.parsed);
  if (!said.record) {
    const auto added = absorb_statement(found, said);
    if (!added) refuse(added.error().detail);
    return;
  }
  const auto right = admissible(keys_, report_.log.member, said);
  if (!right) return refuse(right.error().detail);
  ++report_.author_signatures;
  if (said.record->kind == "founding") report_.is_founders = true;
}

void LogAudit::note_roots(const Found& found) {
  const std::uint64_t first = found.bundle * limits::tile_hashes;
  const std::uint64_t end = first + found.hashes.size();
  CompactRange range = range_;
  for (auto wanted = roots_.upper_bound(first); wanted != roots_.end() && wanted->first <= end;
       ++wanted) {
    while (range.size() < wanted->first) range.push(found.hashes[range.size() - first]);
    wanted->second = range.root();
  }
}

void LogAudit::absorb_hashes(const Found& found) {
  if (found.hashes.empty()) is_broken_ = true;
  if (is_broken_) return;
  note_roots(found);
  if (found.hashes.size() == limits::tile_hashes) {
    range_.push_subtree(tile_height, found.root);
    add_to_level(1, found.root);
  } else {
    for (const TreeHash& hash : found.hashes) range_.push(hash);
  }
}

void LogAudit::add_to_level(unsigned level, const TreeHash& root) {
  if (levels_.size() <= level) levels_.resize(level + 1);
  Level& at = levels_[level];
  at.hashes.push_back(root);
  if (at.hashes.size() < limits::tile_hashes) return;
  const TreeHash above = tile_root(settle(level));
  ++at.tile;
  at.hashes.clear();
  add_to_level(level + 1, above);
}

std::vector<TreeHash> LogAudit::settle(unsigned level) {
  const Level& at = levels_[level];
  const TileId tile{level, at.tile, static_cast<unsigned>(at.hashes.size())};
  const std::string path = file(tile_path(tile));
  auto of_file = tile_file(tile);
  if (!of_file) find(Verdict::damaged, path, of_file.error().detail);
  if (!of_file || *of_file == at.hashes) return at.hashes;
  if (!fits_above(tile, *of_file)) {
    find(Verdict::damaged, path, "its hashes are not those of the tree below");
    return at.hashes;
  }
  // It is the true one, so what lies below it is not, although that agrees with itself.
  for (std::size_t i = 0; i < at.hashes.size(); ++i) {
    if ((*of_file)[i] == at.hashes[i]) continue;
    const TileId below{level - 1, at.tile * limits::tile_hashes + i, limits::tile_hashes};
    const std::string why = "it does not belong to the tree that was signed";
    find(Verdict::damaged, file(tile_path(below)), why);
    if (level == 1) find(Verdict::damaged, file(bundle_path(below.index, below.width)), why);
  }
  return std::move(*of_file);
}

void LogAudit::check_root() {
  for (unsigned level = 1; !is_broken_ && level < levels_.size(); ++level) {
    if (!levels_[level].hashes.empty()) static_cast<void>(settle(level));
  }
  report_.root = range_.root();
  report_.tree_holds = checkpoint_ && !is_broken_ && report_.root == checkpoint_->root;
  if (report_.tree_holds || report_.findings.verdict() >= Verdict::damaged) return;
  find(Verdict::damaged, file(checkpoint_name), "its root is not that of the entries");
}

LogReport LogAudit::finish(WitnessCertificates& witnesses) {
  check_cut(report_.log.size, nullptr);
  check_root();
  check_log_signature();
  if (note_) {
    for (std::size_t i = 1; i < note_->signatures.size(); ++i) {
      check_line(note_->signatures[i], witnesses);
    }
  }
  check_further(witnesses);
  report_.keys = std::move(keys_);
  report_.are_keys_known = keys_known_;
  return std::move(report_);
}

}  // namespace kith
