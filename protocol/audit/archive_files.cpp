#include "protocol/audit/archive_files.hpp"

#include <array>

namespace kith {
namespace {

constexpr std::uint32_t not_held = 0xFFFF'FFFF;  // Instead of a length.

Result<bool> fill(ByteSource& list, std::span<std::uint8_t> to) {
  const auto got = list.read(to);
  if (!got) return got.error();
  if (*got != to.size()) return fail(Errc::malformed, "the file is cut off");
  return true;
}

}  // namespace

Result<std::optional<Bytes>> next_payload(ByteSource& list, std::size_t bytes_max) {
  std::array<std::uint8_t, sizeof(std::uint32_t)> header{};
  const auto begun = fill(list, header);
  if (!begun) return begun.error();
  const auto length = read_integer<std::uint32_t>(header);
  if (length == not_held) return std::optional<Bytes>();
  if (length > bytes_max) {
    return fail(Errc::malformed, "its content is not of the size that the entry says");
  }
  Bytes payload(length);
  const auto read = fill(list, payload);
  if (!read) return read.error();
  return std::optional(std::move(payload));
}

}  // namespace kith
