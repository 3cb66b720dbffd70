// The text files of an export: what is accepted has one encoding, and a list of contents leads
// nowhere outside its folder, however much it claims to hold.
#include "protocol/base/check.hpp"
#include "protocol/log/archive.hpp"

namespace {

void check_contents(std::string_view text) {
  using namespace kith;
  const auto manifest = decode_manifest(text);
  if (!manifest) return;
  KITH_CHECK(encode_manifest(*manifest) == text);
  for (const ArchivedLog& log : manifest->logs) {
    KITH_CHECK(log.path.find("..") == std::string::npos && log.path.front() != '/');
    std::uint64_t files = 0;
    constexpr std::uint64_t enough = 2'000;
    each_file(log, [&](const std::string&) { return ++files < enough; });
    KITH_CHECK(files == std::min(enough, count_files(log)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  if (size == 0) return 0;
  const std::string_view input = text(BytesView(data + 1, size - 1));
  switch (data[0] % 3) {
    case 0:
      check_contents(input);
      return 0;
    case 1: {
      const auto statements = decode_certificates(input);
      KITH_CHECK(!statements || encode_certificates(*statements) == input);
      return 0;
    }
    default: {
      const auto words = decode_cosignatures(input, LogId{{1}});
      KITH_CHECK(!words || encode_cosignatures(*words) == input);
      return 0;
    }
  }
}
