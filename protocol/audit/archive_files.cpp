#include "protocol/audit/archive_files.hpp"

#include <array>

namespace kith {
namespace {

constexpr std::uint32_t not_held = 0xFFFF'FFFF;  // Instead of a length.

}  // namespace

Result<std::optional<Bytes>> next_payload(ByteSource& list, std::size_t bytes_max) {
  std::array<std::uint8_t, sizeof(std::uint32_t)> header{};
  if (list.read(header) != header.size()) return fail(Errc::malformed, "the file is cut off");
  const auto length = read_integer<std::uint32_t>(header);
  if (length == not_held) return std::optional<Bytes>();
  if (length > bytes_max) {
    return fail(Errc::malformed, "its content is not of the size that the entry says");
  }
  Bytes payload(length);
  if (list.read(payload) != length) return fail(Errc::malformed, "the file is cut off");
  return std::optional(std::move(payload));
}

}  // namespace kith
