#include "storage/high_water.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>

#include "protocol/base/check.hpp"
#include "protocol/crypto/crypto.hpp"
#include "storage/database.hpp"
#include "storage/files/file.hpp"

namespace kith::storage {
namespace {

constexpr std::string_view domain = "kith/high-water/v1\n";
constexpr std::size_t slot_bytes = 65'536;
constexpr std::size_t file_bytes = 2 * slot_bytes;
constexpr std::size_t block_bytes = 4096;  // A write of whole blocks reads nothing first.
constexpr std::size_t mark_bytes = LogId::size + sizeof(std::uint64_t) + TreeHash::size;
constexpr std::size_t head_bytes = domain.size() + sizeof(std::uint64_t) + sizeof(std::uint32_t);
constexpr std::size_t marks_max = (slot_bytes - head_bytes - Hash::size) / mark_bytes;

struct Slot {
  std::uint64_t sequence = 0;
  HighWaterMarks marks;
};

/// Domain, sequence, count, marks, BLAKE2b-256 of all before it, zeros up to a whole block.
Bytes encode(const Slot& slot) {
  KITH_CHECK(slot.marks.size() <= marks_max);
  Bytes bytes;
  append(bytes, view(domain));
  append_integer(bytes, slot.sequence);
  append_integer(bytes, static_cast<std::uint32_t>(slot.marks.size()));
  for (const auto& [log, mark] : slot.marks) {
    append(bytes, log.view());
    append_integer(bytes, mark.size);
    append(bytes, mark.root.view());
  }
  append(bytes, blake2b({bytes}).view());
  bytes.resize((bytes.size() + block_bytes - 1) / block_bytes * block_bytes);
  return bytes;
}

/// Nothing if the slot was never written or was torn.
std::optional<Slot> decode(BytesView bytes) {
  if (bytes.size() < head_bytes || !equal(bytes.first(domain.size()), view(domain))) return {};
  Slot slot;
  slot.sequence = read_integer<std::uint64_t>(bytes.subspan(domain.size()));
  const std::size_t count =
      read_integer<std::uint32_t>(bytes.subspan(domain.size() + sizeof(slot.sequence)));
  const std::size_t summed = head_bytes + count * mark_bytes;
  if (count > marks_max || bytes.size() < summed + Hash::size) return {};
  if (!equal(blake2b({bytes.first(summed)}).view(), bytes.subspan(summed, Hash::size))) return {};

  BytesView rest = bytes.subspan(head_bytes);
  for (std::size_t i = 0; i < count; ++i, rest = rest.subspan(mark_bytes)) {
    HighWaterMark mark;
    mark.size = read_integer<std::uint64_t>(rest.subspan(LogId::size));
    mark.root = TreeHash::from(rest.subspan(LogId::size + sizeof(mark.size), TreeHash::size));
    slot.marks.emplace(LogId::from(rest.first(LogId::size)), mark);
  }
  return slot;
}

[[noreturn]] void throw_errno(const std::filesystem::path& path, const std::string& attempting) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  throw StorageError(full ? StorageError::Kind::full : StorageError::Kind::other,
                     attempting + " " + path.string() + ": " + files::why(error));
}

/// Both slots written out: later writes then change no metadata of the file system, and a full
/// disk cannot stop them. Appears whole or not at all.
void create_file(const std::filesystem::path& path) {
  Bytes content = encode({});
  content.resize(file_bytes);
  const auto created = files::create(path, content, 0600);
  if (!created) throw StorageError(StorageError::Kind::other, created.error().detail);
}

Bytes read_file(int file, const std::filesystem::path& path) {
  Bytes content(file_bytes);
  std::size_t held = 0;
  while (held < content.size()) {
    const ssize_t got =
        ::pread(file, content.data() + held, content.size() - held, static_cast<off_t>(held));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno(path, "reading");
    if (got == 0) break;
    held += static_cast<std::size_t>(got);
  }
  content.resize(held);
  return content;
}

}  // namespace

HighWaterFile::HighWaterFile(const std::filesystem::path& path) : path_(path) {
  file_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (file_ < 0 && errno == ENOENT) {
    create_file(path);
    file_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  }
  if (file_ < 0) throw_errno(path, "opening");
  try {
    load();
  } catch (...) {
    ::close(file_);  // The destructor does not run for what was never built.
    throw;
  }
}

HighWaterFile::~HighWaterFile() { ::close(file_); }

void HighWaterFile::load() {
  const Bytes content = read_file(file_, path_);
  const BytesView bytes = content;
  const std::size_t split = std::min(slot_bytes, bytes.size());
  auto newest = decode(bytes.first(split));
  auto other = decode(bytes.subspan(split));
  if (!newest || (other && other->sequence > newest->sequence)) newest = std::move(other);
  if (!newest) {
    throw StorageError(StorageError::Kind::other,
                       path_.string() +
                           " is damaged: what was signed last is not known, so nothing may be "
                           "signed. Move it away and keep it: without it kithd serves what it has "
                           "and signs nothing");
  }
  sequence_ = newest->sequence;
  marks_ = std::move(newest->marks);
}

void HighWaterFile::advance(const HighWaterMarks& signed_now) {
  HighWaterMarks next = marks_;
  for (const auto& [log, mark] : signed_now) {
    HighWaterMark& held = next[log];
    KITH_CHECK(mark.size >= held.size);
    KITH_CHECK(mark.size > held.size || held.size == 0 || mark.root == held.root);
    held = mark;
  }
  write(std::move(next));
}

void HighWaterFile::cut(const HighWaterMarks& cut_to) {
  HighWaterMarks next = marks_;
  for (const auto& [log, mark] : cut_to) next[log] = mark;
  write(std::move(next));
}

void HighWaterFile::write(HighWaterMarks marks) {
  Slot next{sequence_ + 1, std::move(marks)};
  // The older of the two slots is overwritten, so the newest valid one is never at risk.
  const Bytes bytes = encode(next);
  const auto offset = static_cast<off_t>(next.sequence % 2 * slot_bytes);
  const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), offset);
  if (written < 0) throw_errno(path_, "writing");
  if (written != static_cast<ssize_t>(bytes.size())) {
    throw StorageError(StorageError::Kind::other, "writing " + path_.string() + ": cut short");
  }
  if (::fdatasync(file_) != 0) throw_errno(path_, "syncing");
  sequence_ = next.sequence;
  marks_ = std::move(next.marks);
}

}  // namespace kith::storage
