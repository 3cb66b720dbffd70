#include <map>
#include <utility>

#include "protocol/base/check.hpp"
#include "protocol/log/tile.hpp"
#include "storage/log_store.hpp"
#include "storage/packing.hpp"

// Reads every row of a log as if nothing about it were known, and believes only hashes.
namespace kith::storage::log_store {
namespace {

using Part = Fault::Part;

constexpr std::size_t faults_max = 100;

class Checker {
 public:
  Checker(const ReadTxn& txn, const LogId& log, const std::function<bool(std::uint64_t)>& progress)
      : txn_(txn), log_(log), progress_(progress) {}

  CheckReport run() {
    read_head();
    read_what_was_said();
    note_roots();
    const std::uint64_t bundles = size_ / bundle_leaves;
    for (std::uint64_t n = 0; n < bundles; ++n) {
      check_bundle(n);
      if (is_enough() || (progress_ && !progress_(report_.leaves))) return std::move(report_);
    }
    for (std::uint64_t index = bundles * bundle_leaves; index < size_; ++index) {
      check_recent(index);
      if (is_enough()) return std::move(report_);
    }
    for (unsigned level = 1; level < levels_max; ++level) compare_tile(level);
    check_ends(bundles);
    check_head();
    check_roots();
    if (progress_) static_cast<void>(progress_(report_.leaves));
    return std::move(report_);
  }

 private:
  void fault(Part part, std::uint64_t index, const std::string& what) {
    if (report_.faults.size() < faults_max) report_.faults.push_back({index, what, part});
    rows_fit_ = rows_fit_ && part != Part::leaf && part != Part::tile;
  }

  /// So a size that is itself damaged cannot keep us looking for rows for ever.
  [[nodiscard]] bool is_enough() const { return report_.faults.size() == faults_max; }

  // ---- the head and what others said ----

  void read_head() {
    const auto row = txn_.get(Table::heads, log_.view());
    head_ = row ? decode_head(log_, *row) : std::nullopt;
    size_ = head_ ? head_->size() : size_of_rows();
    if (!head_) fault(Part::head, size_, "the head is missing or damaged");
  }

  /// How long the log seems to be where its head cannot tell.
  [[nodiscard]] std::uint64_t size_of_rows() const {
    const auto recent = last_of(Table::recent, Key(log_.view()));
    if (recent) return *recent + 1;
    const auto bundle = last_of(Table::bundles, Key(log_.view()));
    return bundle ? (*bundle + 1) * bundle_leaves : 0;
  }

  /// The number at the end of the last key that begins with `prefix`.
  [[nodiscard]] std::optional<std::uint64_t> last_of(Table table, Key prefix) const {
    const auto row = txn_.before(table, successor(Key(prefix).add(~std::uint64_t{0})));
    return number_after(row, prefix);
  }
  [[nodiscard]] std::optional<std::uint64_t> first_of(Table table, Key prefix) const {
    return number_after(txn_.at_or_after(table, prefix), prefix);
  }
  [[nodiscard]] static std::optional<std::uint64_t> number_after(const std::optional<Row>& row,
                                                                 BytesView prefix) {
    if (!row || !begins_with(row->key, prefix)) return std::nullopt;
    if (row->key.size() != prefix.size() + sizeof(std::uint64_t)) return std::nullopt;
    return read_integer<std::uint64_t>(row->key.subspan(prefix.size()));
  }

  void read_what_was_said() {
    if (const auto row = txn_.get(Table::checkpoints, log_.view())) {
      const auto found = decode_checkpoint_row(log_, *row);
      if (found) {
        said_.emplace(found->size, Said{found->root, "the checkpoint", {}});
      } else {
        fault(Part::checkpoint, size_, "the checkpoint is damaged");
      }
    }
    auto row = txn_.at_or_after(Table::cosignatures, log_.view());
    while (row && begins_with(row->key, log_.view())) {
      const auto found = decode_cosignature_row(row->key, row->value);
      if (found) {
        said_.emplace(found->size, Said{found->root, "a cosignature", {}});
      } else {
        fault(Part::cosignature, size_, "a cosignature is damaged");
      }
      row = txn_.at_or_after(Table::cosignatures, successor(row->key));
    }
    for (row = txn_.at_or_after(Table::evidence, {}); row;
         row = txn_.at_or_after(Table::evidence, successor(row->key))) {
      const auto owner = head_ ? std::optional(head_->member) : std::nullopt;
      if (is_evidence_about(row->key, log_, owner) && !decode_evidence_row(row->key, row->value)) {
        fault(Part::evidence, size_, "the evidence is damaged");
      }
    }
  }

  // ---- leaves ----

  void check_bundle(std::uint64_t n) {
    const std::uint64_t begin = n * bundle_leaves;
    const auto row = txn_.get(Table::bundles, numbered_key(log_, n));
    if (!row) fault(Part::leaf, begin, "a bundle of leaves is missing");
    BytesView rest = row.value_or(BytesView());

    std::vector<TreeHash> computed;
    std::vector<std::optional<Leaf>> leaves(bundle_leaves);
    for (std::size_t i = 0; i < bundle_leaves; ++i) {
      const auto bytes = next_leaf(rest);
      if (!bytes) break;
      computed.push_back(leaf_hash(*bytes));
      const auto leaf = decode_leaf(text(*bytes));
      if (leaf) leaves[i] = *leaf;
    }
    const std::size_t read = computed.size();
    computed.resize(bundle_leaves);
    if (row && read < bundle_leaves) fault(Part::leaf, begin + read, "the leaf cannot be read");
    if (!rest.empty() && read == bundle_leaves)
      fault(Part::leaf, begin + read - 1, "a bundle is too long");

    const std::vector<TreeHash> right = settle(n, computed);
    for (std::size_t i = 0; i < bundle_leaves; ++i) {
      if (computed[i] != right[i]) leaves[i].reset();  // It says nothing about its payload.
    }
    take_hashes(n, right);
    report_.leaves += read;
    check_groups(begin, leaves);
  }

  static std::optional<BytesView> next_leaf(BytesView& rest) {
    constexpr std::size_t length_bytes = sizeof(std::uint16_t);
    if (rest.size() < length_bytes) return std::nullopt;
    const std::size_t size = read_integer<std::uint16_t>(rest);
    if (size > rest.size() - length_bytes) return std::nullopt;
    const BytesView leaf = rest.subspan(length_bytes, size);
    rest = rest.subspan(length_bytes + size);
    return leaf;
  }

  /// Compares the hashes of a bundle's leaves with its stored tile and names what differs. The tile
  /// above tells which of the two is wrong; the right one is returned, so that one damaged row is
  /// not counted again at every level.
  std::vector<TreeHash> settle(std::uint64_t n, const std::vector<TreeHash>& computed) {
    const std::uint64_t begin = n * bundle_leaves;
    const auto row = txn_.get(Table::tiles, tile_key(log_, 0, n));
    const auto stored = row ? decode_hashes(*row) : fail(Errc::not_found, "");
    if (!stored || stored->size() != bundle_leaves) {
      fault(Part::tile, begin, "a tile is missing or damaged");
      return computed;
    }
    if (*stored == computed) return computed;

    const auto parent = stored_hash(1, n);
    const bool tile_is_right = parent && *parent == tile_root(*stored);
    const bool leaves_are_right = parent && *parent == tile_root(computed);
    const std::string what = tile_is_right      ? "the leaf is damaged"
                             : leaves_are_right ? "the hash of the leaf is damaged"
                                                : "the leaf or its hash is damaged";
    const Part part = leaves_are_right ? Part::tile : Part::leaf;
    for (std::size_t i = 0; i < bundle_leaves; ++i) {
      if (computed[i] != (*stored)[i]) fault(part, begin + i, what);
    }
    return tile_is_right ? *stored : computed;
  }

  [[nodiscard]] std::optional<TreeHash> stored_hash(unsigned level, std::uint64_t n) const {
    const auto row = txn_.get(Table::tiles, tile_key(log_, level, n / bundle_leaves));
    const std::size_t at = n % bundle_leaves * TreeHash::size;
    if (!row || row->size() < at + TreeHash::size) return std::nullopt;
    return TreeHash::from(row->subspan(at, TreeHash::size));
  }

  void check_recent(std::uint64_t index) {
    const auto entry = read_recent(txn_, log_, index);
    if (!entry) fault(Part::leaf, index, "the leaf is missing or damaged");
    const auto leaf = decode_leaf(text(entry ? entry->leaf : BytesView()));
    if (entry && !leaf) fault(Part::leaf, index, "the leaf is damaged");
    push(leaf_hash(entry ? entry->leaf : BytesView()));
    if (!entry) return;
    ++report_.leaves;
    check_payload(index, leaf ? std::optional(*leaf) : std::nullopt, entry->payload);
  }

  // ---- payloads ----

  void check_groups(std::uint64_t begin, std::span<const std::optional<Leaf>> leaves) {
    for (std::size_t i = 0; i < bundle_leaves; i += group_payloads) {
      const auto row = txn_.get(Table::payloads, numbered_key(log_, (begin + i) / group_payloads));
      const auto group = row ? decode_group(*row) : PayloadGroup{};
      if (!group)
        fault(Part::payload, begin + i + wrong_length(*row, leaves.subspan(i)),
              "a group of payloads is damaged");
      for (std::size_t k = 0; group && k < group_payloads; ++k) {
        check_payload(begin + i + k, leaves[i + k], (*group)[k]);
      }
    }
  }

  /// The first payload whose length in a damaged group is not what its leaf says.
  static std::size_t wrong_length(BytesView row, std::span<const std::optional<Leaf>> leaves) {
    constexpr std::size_t width = sizeof(std::uint32_t);
    for (std::size_t i = 0; i < group_payloads && row.size() >= (i + 1) * width; ++i) {
      const auto length = read_integer<std::uint32_t>(row.subspan(i * width));
      const bool is_packed = leaves[i] && leaves[i]->payload_bytes <= packed_payload_bytes_max;
      if (is_packed && length != leaves[i]->payload_bytes && length != 0xFFFFFFFF) return i;
    }
    return 0;
  }

  void check_payload(std::uint64_t index, const std::optional<Leaf>& leaf,
                     std::optional<BytesView> packed) {
    const Key key = numbered_key(log_, index);
    const bool is_gap = txn_.get(Table::gaps, key).has_value();
    const auto held = packed ? packed : txn_.get(Table::large, key);
    if (is_gap) ++report_.gaps;
    if (is_gap && held) fault(Part::gap, index, "the payload is held but noted as missing");
    if (!is_gap && !held) fault(Part::payload, index, "the payload is missing");
    if (!held) return;
    ++report_.payloads;
    if (leaf && !commits_to(*leaf, *held)) fault(Part::payload, index, "the payload is damaged");
  }

  // ---- the tree ----

  void take_hashes(std::uint64_t n, const std::vector<TreeHash>& hashes) {
    const std::uint64_t end = (n + 1) * bundle_leaves;
    const auto next = said_.upper_bound(n * bundle_leaves);
    const TreeHash root = tile_root(hashes);
    if (next == said_.end() || next->first >= end) {
      range_.push_subtree(tile_height, root);
      note_roots();
    } else {
      // Somebody spoke of a size within this bundle: only then the single leaves matter.
      for (const TreeHash& hash : hashes) push(hash);
    }
    add_hash(1, root);
  }

  void push(const TreeHash& hash) {
    range_.push(hash);
    note_roots();
  }

  void note_roots() {
    const auto [first, last] = said_.equal_range(range_.size());
    for (auto said = first; said != last; ++said) said->second.ours = range_.root();
  }

  void add_hash(unsigned level, const TreeHash& hash) {
    KITH_CHECK(level < levels_max);
    levels_[level].push_back(hash);
    if (levels_[level].size() < bundle_leaves) return;
    const TreeHash root = tile_root(levels_[level]);
    compare_tile(level);
    add_hash(level + 1, root);
  }

  /// Compares what a tile must hold with what it holds, and begins the next one.
  void compare_tile(unsigned level) {
    const std::vector<TreeHash> expected = std::exchange(levels_[level], {});
    if (expected.empty()) return;
    const std::uint64_t n = tiles_[level]++;
    const auto row = txn_.get(Table::tiles, tile_key(log_, level, n));
    const auto stored = row ? decode_hashes(*row) : fail(Errc::not_found, "");
    const std::uint64_t leaves = std::uint64_t{1} << (tile_height * level);
    if (!stored || stored->size() != expected.size()) {
      fault(Part::tile, n * bundle_leaves * leaves, "a tile is missing or damaged");
      return;
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (expected[i] != (*stored)[i]) {
        fault(Part::tile, (n * bundle_leaves + i) * leaves, "a hash of the tree is damaged");
      }
    }
  }

  // ---- the whole ----

  /// Nothing may lie beyond the end of the log, nor single rows before the last bundle's.
  void check_ends(std::uint64_t bundles) {
    const Key log(log_.view());
    check_end(last_of(Table::bundles, log), bundles, bundle_leaves);
    check_end(last_of(Table::payloads, log), bundles * (bundle_leaves / group_payloads),
              group_payloads);
    for (const Table table : {Table::recent, Table::large, Table::gaps}) {
      check_end(last_of(table, log), size_, 1);
    }
    std::uint64_t leaves = bundle_leaves;
    for (unsigned level = 0; level < levels_max; ++level) {
      const std::uint64_t hashes = hashes_at(size_ - size_ % bundle_leaves, level);
      const auto last = last_of(Table::tiles, Key(log).add(static_cast<std::uint8_t>(level)));
      check_end(last, (hashes + bundle_leaves - 1) / bundle_leaves, leaves);
      leaves <<= level + 1 < levels_max ? tile_height : 0;
    }
    const auto single = first_of(Table::recent, log);
    if (single && *single < bundles * bundle_leaves)
      fault(Part::stray, *single, "a leaf is held twice");
  }

  void check_end(std::optional<std::uint64_t> last, std::uint64_t end, std::uint64_t leaves) {
    if (last && *last >= end)
      fault(Part::stray, *last * leaves, "a row lies beyond the end of the log");
  }

  void check_head() {
    if (!head_) return;
    if (rows_fit_ && head_->range != range_) {
      fault(Part::tree, size_, "the head does not fit the leaves");
    }
    if (head_->gaps != report_.gaps)
      fault(Part::gap, size_, "the head counts another number of gaps");
  }

  void check_roots() {
    if (!rows_fit_) return;
    for (const auto& [size, said] : said_) {
      const std::string at = " at size " + std::to_string(size);
      if (!said.ours) {
        fault(Part::tree, size_, said.who + at + " is beyond the end of the log");
      } else if (*said.ours != said.root) {
        fault(Part::tree, size == 0 ? 0 : size - 1, said.who + at + " has another root");
      }
    }
  }

  struct Said {
    TreeHash root;
    std::string who;
    std::optional<TreeHash> ours;  // The root of our own leaves at that size.
  };

  const ReadTxn& txn_;
  const LogId& log_;
  const std::function<bool(std::uint64_t)>& progress_;
  std::optional<LogHead> head_;
  std::uint64_t size_ = 0;
  std::multimap<std::uint64_t, Said> said_;
  CompactRange range_;
  std::array<std::vector<TreeHash>, levels_max> levels_;
  std::array<std::uint64_t, levels_max> tiles_{};
  bool rows_fit_ = true;  // Otherwise what follows from them differs too, and says nothing new.
  CheckReport report_;
};

}  // namespace

const char* name_of(Fault::Part part) {
  switch (part) {
    case Part::head:
      return "head";
    case Part::leaf:
      return "leaf";
    case Part::tile:
      return "tile";
    case Part::payload:
      return "payload";
    case Part::gap:
      return "gap";
    case Part::checkpoint:
      return "checkpoint";
    case Part::cosignature:
      return "cosignature";
    case Part::evidence:
      return "evidence";
    case Part::stray:
      return "stray row";
    case Part::tree:
      break;
  }
  return "tree";
}

const char* remedy(Fault::Part part) {
  switch (part) {
    case Part::head:
      return "--repair builds it again, if its leaves come to what was signed";
    case Part::tile:
      return "--repair computes it from what lies below, if that comes to the head";
    case Part::leaf:
    case Part::payload:
      return "after --repair it is fetched again from any peer that holds it";
    case Part::checkpoint:
    case Part::cosignature:
      return "--repair drops it, and peers give it again";
    case Part::gap:
      return "--repair counts again";
    case Part::stray:
      return "--repair removes it";
    case Part::evidence:
      return "--repair drops it, and peers give it again";
    case Part::tree:
      break;
  }
  return "it cannot be mended: keep a copy and restore the store from a backup";
}

CheckReport check(const ReadTxn& txn, const LogId& log,
                  const std::function<bool(std::uint64_t)>& progress) {
  return Checker(txn, log, progress).run();
}

}  // namespace kith::storage::log_store
