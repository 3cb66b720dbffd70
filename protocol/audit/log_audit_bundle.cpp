// One bundle of a log: entries, tile and payloads, each held against the others.
#include <algorithm>

#include "protocol/audit/log_audit.hpp"

namespace kith {
namespace {

/// What the order of the log decides with; the text only of statements, which are small.
Judged without_content(Judged judged) {
  const bool is_statement = judged.status == Judged::Status::good && !judged.record;
  if (is_statement) return judged;
  if (judged.record) judged.record->body = Bytes();
  judged.text = Bytes();
  judged.parsed = PayloadText();
  return judged;
}

}  // namespace

std::vector<Leaf> LogAudit::read_leaves(Found& found, std::vector<TreeHash>& hashes) const {
  const unsigned width = width_of(found.bundle);
  const std::string path = file(bundle_path(found.bundle, width));
  constexpr std::size_t bytes_max =
      limits::tile_hashes * (sizeof(std::uint16_t) + limits::leaf_bytes_max);
  const auto refuse = [&](const std::string& why) {
    found.findings.push_back({Verdict::damaged, path, why});
    hashes.clear();
    return std::vector<Leaf>();
  };
  const auto bytes = files_.read(path, bytes_max);
  if (!bytes) return refuse(bytes.error().detail);
  const auto entries = split_bundle(*bytes, width);
  if (!entries) return refuse(entries.error().detail);
  if (entries->size() != width) {
    return refuse("it holds " + std::to_string(entries->size()) + " entries, not " +
                  std::to_string(width));
  }
  std::vector<Leaf> leaves;
  leaves.reserve(width);
  hashes.reserve(width);
  for (const BytesView one : *entries) {
    const auto leaf = decode_leaf(text(one));
    if (!leaf) {
      return refuse(at_entry(found.bundle * limits::tile_hashes + leaves.size()) +
                    leaf.error().detail);
    }
    leaves.push_back(*leaf);
    hashes.push_back(leaf_hash(one));
  }
  return leaves;
}

bool LogAudit::believe(Found& found, std::vector<TreeHash> of_leaves) const {
  const TileId tile{0, found.bundle, width_of(found.bundle)};
  const std::string tile_file_name = file(tile_path(tile));
  const std::string bundle_file_name = file(bundle_path(found.bundle, tile.width));
  auto of_tile = tile_file(tile);
  if (!of_tile) {
    found.findings.push_back({Verdict::damaged, tile_file_name, of_tile.error().detail});
    found.hashes = std::move(of_leaves);
    return !found.hashes.empty();
  }
  if (of_leaves.empty()) {  // That file was named already.
    found.hashes = std::move(*of_tile);
    return false;
  }
  if (of_leaves == *of_tile) {
    found.hashes = std::move(of_leaves);
    return true;
  }
  // What lies above the two tells which of them is false.
  const bool leaves_fit = fits_above(tile, of_leaves);
  const bool tile_fits = !leaves_fit && fits_above(tile, *of_tile);
  const std::string why =
      "its hashes are not those of " + (leaves_fit ? bundle_file_name : tile_file_name);
  if (!tile_fits) found.findings.push_back({Verdict::damaged, tile_file_name, why});
  if (!leaves_fit) {
    found.findings.push_back(
        {Verdict::damaged, bundle_file_name, "its entries do not have the hashes in the tree"});
  }
  if (leaves_fit) found.hashes = std::move(of_leaves);
  if (tile_fits) found.hashes = std::move(*of_tile);
  return leaves_fit;
}

void LogAudit::read_payload(Found& found, const std::string& path, const Leaf& leaf,
                            std::uint64_t index, const std::optional<Bytes>& payload) const {
  const bool is_clear = leaf.leaf_class == LeafClass::clear;
  const bool is_due = is_whole_ || is_clear;
  if (!payload) {
    ++(is_due ? found.missing : found.sealed);
    found.missing_clear += is_clear ? 1 : 0;
    found.has_lost_keys = found.has_lost_keys || is_clear;
    if (is_due) {
      found.findings.push_back(
          {Verdict::incomplete, path, at_entry(index) + "its content is missing"});
    }
    return;
  }
  if (!is_due) {
    found.findings.push_back(
        {Verdict::damaged, path,
         at_entry(index) + "holds content that the list of contents leaves out"});
    return;
  }
  if (!commits_to(leaf, *payload)) {
    found.has_lost_keys = found.has_lost_keys || is_clear;
    found.findings.push_back(
        {Verdict::damaged, path, at_entry(index) + "its content is not what the entry stands for"});
    return;
  }
  if (!is_clear && !context_.has_key(leaf.leaf_class, index)) {
    ++found.sealed;
    return;
  }
  thread_local BatchVerifier verifier;
  Judged judged = judge(context_, index, leaf.leaf_class, *payload, false, verifier);
  if (judged.status == Judged::Status::sealed) {
    ++found.sealed;
    return;
  }
  found.said.push_back(without_content(std::move(judged)));
}

void LogAudit::read_payloads(Found& found, const std::vector<Leaf>& leaves) const {
  const std::string path = file(payloads_path(found.bundle, width_of(found.bundle)));
  const auto refuse = [&](const std::string& why) {
    found.findings.push_back({Verdict::damaged, path, why});
    found.has_lost_keys = true;
  };
  const auto source = files_.open(path);
  if (!source) return refuse(source.error().detail);
  std::uint64_t index = found.bundle * limits::tile_hashes;
  for (const Leaf& leaf : leaves) {
    const auto payload = next_payload(**source, leaf.payload_bytes);
    if (!payload) return refuse(at_entry(index) + payload.error().detail);
    read_payload(found, path, leaf, index++, *payload);
  }
  std::array<std::uint8_t, 1> more{};
  const auto got = (*source)->read(more);
  if (!got) return refuse(got.error().detail);
  if (*got != 0) refuse("it goes on after its last entry");
}

LogAudit::Found LogAudit::check(std::uint64_t bundle) const {
  Found found;
  found.bundle = bundle;
  std::vector<TreeHash> hashes;
  const std::vector<Leaf> leaves = read_leaves(found, hashes);
  const bool holds = believe(found, std::move(hashes));
  if (found.hashes.size() == limits::tile_hashes) found.root = tile_root(found.hashes);
  // What an entry stands for is known only if the entry is the true one.
  if (!holds || leaves.empty()) {
    found.has_lost_keys = true;
    return found;
  }
  const auto [first, last] = std::ranges::minmax(leaves, {}, &Leaf::time);
  found.first_time = first.time;
  found.last_time = last.time;
  read_payloads(found, leaves);
  return found;
}

}  // namespace kith
