#include "client/state.hpp"

#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

constexpr std::size_t state_bytes_max = 64;

/// One small file for each socket, named by a hash: a path is no file name.
std::filesystem::path state_file(const Desk& desk) {
  const Hash hash = blake2b({view("kith/client-state/v1\n"), view(desk.socket)});
  return desk.state_folder / ("seen-" + to_hex(hash.view().first(8)));
}

}  // namespace

std::uint64_t last_seen(const Desk& desk) {
  auto text = files::read(state_file(desk), state_bytes_max);
  if (!text) return 0;
  while (text->ends_with('\n')) text->pop_back();
  const auto sequence = parse_decimal(*text, ~0ULL);
  return sequence ? *sequence : 0;
}

Result<bool> remember_seen(const Desk& desk, std::uint64_t sequence) {
  std::error_code failed;
  std::filesystem::create_directories(desk.state_folder, failed);
  if (failed) return fail(Errc::io, "creating " + desk.state_folder.string());
  return files::write(state_file(desk), view(std::to_string(sequence) + "\n"), 0600);
}

}  // namespace kith::client
