// The few fields of a database file that are read before LMDB maps it. What is called usable has
// all the pages that its newest meta page knows, or names the missing ones as free.
#include "protocol/base/check.hpp"
#include "storage/lmdb_file.hpp"
#include "tests/fuzz/file_on_disk.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::FolderOnDisk folder;
  const BytesView input(data, size);
  const auto path = folder.put("data.mdb", input);
  const auto report = storage::inspect_lmdb_file(path);
  KITH_CHECK(report.usable == report.problem.empty());
  KITH_CHECK(report.file_bytes == size);
  // The list of free pages lies in the file: it cannot excuse more pages than it has room for.
  if (report.usable && report.claimed_bytes > size) {
    constexpr std::size_t page_bytes_max = 65'536;
    KITH_CHECK((report.claimed_bytes - size) / page_bytes_max <= size);
  }
  return 0;
}
