// The high-water file: what follows a first byte is the beginning of each of the two slots, half
// and half. With an odd first byte each ends with the checksum that it should have. A file that
// opens keeps what it says when it is advanced and opened again; another one is refused.
#include <algorithm>

#include "protocol/crypto/crypto.hpp"
#include "storage/database.hpp"
#include "storage/high_water.hpp"
#include "tests/fuzz/file_on_disk.hpp"

using namespace kith;
using namespace kith::storage;

namespace {

constexpr std::size_t slot_bytes = 65'536;

std::optional<HighWaterMarks> marks_in(const std::filesystem::path& path) {
  try {
    return HighWaterFile(path).marks();
  } catch (const StorageError&) {
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::FolderOnDisk folder;
  if (size == 0 || size > slot_bytes) return 0;
  const BytesView rest(data + 1, size - 1);
  Bytes content(2 * slot_bytes);
  std::size_t to = 0;
  for (const BytesView half : {rest.first(rest.size() / 2), rest.subspan(rest.size() / 2)}) {
    Bytes slot = to_bytes(half);
    if ((data[0] & 1) != 0) append(slot, blake2b({half}).view());
    std::ranges::copy(slot, content.begin() + static_cast<std::ptrdiff_t>(to));
    to += slot_bytes;
  }
  if ((data[0] & 2) != 0) content.resize(size);  // Cut off.

  const auto path = folder.put("high-water", content);
  const auto marks = marks_in(path);
  if (!marks) return 0;
  KITH_CHECK(marks->size() <= 909);
  KITH_CHECK(marks_in(path) == marks);
  if (marks->size() == 909) return 0;
  HighWaterFile file(path);
  const LogId log = LogId::from(Bytes(32, 1));
  const auto held = marks->find(log);
  if (held != marks->end()) return 0;
  file.advance({{log, {5, TreeHash::from(Bytes(32, 2))}}});
  HighWaterMarks expected = *marks;
  expected[log] = {5, TreeHash::from(Bytes(32, 2))};
  KITH_CHECK(file.marks() == expected);
  KITH_CHECK(marks_in(path) == expected);
  return 0;
}
