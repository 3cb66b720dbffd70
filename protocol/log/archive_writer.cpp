#include "protocol/log/archive_writer.hpp"

#include "protocol/base/text.hpp"
#include "protocol/log/leaf.hpp"

namespace kith {

Result<bool> ArchiveWriter::add(BytesView bundle) {
  const auto entries = split_bundle(bundle, limits::tile_hashes);
  if (!entries) return entries.error();
  if (entries->empty()) return fail(Errc::malformed, "a bundle without entries");
  for (const BytesView entry : *entries) {
    const auto leaf = decode_leaf(text(entry));
    if (!leaf) return leaf.error();
    const TreeHash hash = leaf_hash(entry);
    range_.push(hash);
    auto added = add_to_level(0, hash);
    if (!added) return added;
  }
  return write_(bundle_path(bundles_++, static_cast<unsigned>(entries->size())), bundle);
}

Result<bool> ArchiveWriter::add_to_level(unsigned level, const TreeHash& hash) {
  if (levels_.size() <= level) levels_.resize(level + 1);
  levels_[level].hashes.push_back(hash);
  if (levels_[level].hashes.size() < limits::tile_hashes) return true;
  const TreeHash root = tile_root(levels_[level].hashes);
  auto written = write_tile(level);
  if (!written) return written;
  return add_to_level(level + 1, root);
}

Result<bool> ArchiveWriter::write_tile(unsigned level) {
  Level& at = levels_[level];
  const TileId tile{level, at.tile++, static_cast<unsigned>(at.hashes.size())};
  const Bytes content = encode_hashes(at.hashes);
  at.hashes.clear();
  return write_(tile_path(tile), content);
}

Result<TreeHash> ArchiveWriter::finish() {
  for (unsigned level = 0; level < levels_.size(); ++level) {
    if (levels_[level].hashes.empty()) continue;
    const auto written = write_tile(level);
    if (!written) return written.error();
  }
  return range_.root();
}

}  // namespace kith
