#include "client/archive_folder.hpp"

#include "protocol/log/archive.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

namespace fs = std::filesystem;

Error failed(const fs::path& path, const std::string& attempting, const std::error_code& why) {
  return fail(why == std::errc::no_such_file_or_directory ? Errc::not_found : Errc::io,
              attempting + " " + path.string() + ": " + files::why(why.value()));
}

/// Reads ahead: a payload list has many short pieces.
class FileSource : public ByteSource {
 public:
  explicit FileSource(files::Descriptor file)
      : file_(std::move(file)),
        ahead_(std::make_unique_for_overwrite<std::uint8_t[]>(ahead_bytes)) {}
  Result<std::size_t> read(std::span<std::uint8_t> to) override {
    std::size_t filled = take(to);
    while (filled < to.size()) {
      const auto rest = to.subspan(filled);
      // What is longer than that is not read twice.
      const bool is_long = rest.size() >= ahead_bytes;
      const auto got =
          files::read_next(file_, is_long ? rest : std::span(ahead_.get(), ahead_bytes));
      if (!got) return got.error();
      if (*got == 0) break;
      if (!is_long) {
        held_ = 0;
        end_ = *got;
      }
      filled += is_long ? *got : take(rest);
    }
    return filled;
  }

 private:
  static constexpr std::size_t ahead_bytes = 32 * limits::ki;

  std::size_t take(std::span<std::uint8_t> to) {
    const std::size_t size = std::min(to.size(), end_ - held_);
    std::copy_n(&ahead_[held_], size, to.begin());
    held_ += size;
    return size;
  }

  files::Descriptor file_;
  std::unique_ptr<std::uint8_t[]> ahead_;  // Not filled before it is read into.
  std::size_t held_ = 0;
  std::size_t end_ = 0;
};

/// Of a place: where it is written, what lies in there.
fs::path part_of(const fs::path& place) { return place.string() + ".kith-part"; }
constexpr const char* lock_name = "lock";
constexpr const char* made_name = "export";

/// The part folder, held by this process alone. Whoever holds it may remove it, so a lock that was
/// taken may be that of a folder that is gone: then again.
Result<files::Lock> hold(const fs::path& part) {
  constexpr int tries = 100;
  for (int i = 0; i < tries; ++i) {
    std::error_code why;
    fs::create_directories(part, why);
    if (why) return failed(part, "making the folder", why);
    // What it leads to is not ours to empty.
    if (fs::is_symlink(part, why)) {
      return fail(Errc::usage, part.string() + " is a link and in the way; remove it");
    }
    auto lock = files::Lock::take(part / lock_name);
    if (!lock && lock.error().code == Errc::not_found) continue;
    if (!lock || lock->is_of(part / lock_name)) return lock;
  }
  return fail(Errc::conflict, part.string() + " does not stay");
}

}  // namespace

Result<Bytes> FolderFiles::read(const std::string& path, std::size_t bytes_max) const {
  return folder_.read(path, bytes_max);
}

Result<std::unique_ptr<ByteSource>> FolderFiles::open(const std::string& path) const {
  auto file = folder_.open(path);
  if (!file) return file.error();
  return std::unique_ptr<ByteSource>(std::make_unique<FileSource>(std::move(*file)));
}

void FolderFiles::each(const std::function<bool(const std::string&)>& each) const {
  folder_.each(each);
}

Result<FolderWriter> FolderWriter::begin(const fs::path& where) {
  fs::path place = fs::absolute(where).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();
  std::error_code why;
  const bool exists = fs::exists(place, why);
  const bool is_export = fs::exists(place / manifest_name, why);
  if (exists && !is_export && (!fs::is_directory(place, why) || !fs::is_empty(place, why))) {
    return fail(Errc::usage, where.string() +
                                 " exists and is no export; name a folder that does "
                                 "not exist, or an earlier export");
  }
  const fs::path part = part_of(place);
  auto lock = hold(part);
  if (!lock && lock.error().code == Errc::conflict) {
    return fail(Errc::conflict, "another export to " + where.string() + " is under way (" +
                                    lock.error().detail +
                                    "); wait until it has ended, or name another folder");
  }
  if (!lock) return lock.error();
  // An earlier attempt that was ended: nothing of it counts.
  for (const auto& left : fs::directory_iterator(part, why)) {
    if (left.path().filename() == lock_name) continue;
    fs::remove_all(left.path(), why);
    if (why) return failed(left.path(), "removing", why);
  }
  if (!why) fs::create_directory(part / made_name, why);
  if (why) return failed(part, "making a folder in", why);
  return FolderWriter(std::move(place), part, std::move(*lock));
}

FolderWriter::FolderWriter(fs::path place, fs::path part, files::Lock lock)
    : place_(std::move(place)),
      part_(std::move(part)),
      made_(part_ / made_name),
      lock_(std::move(lock)),
      before_(place_),
      files_(made_) {}

FolderWriter::FolderWriter(FolderWriter&& other) noexcept
    : place_(std::move(other.place_)),
      part_(std::exchange(other.part_, {})),
      made_(std::move(other.made_)),
      lock_(std::move(other.lock_)),
      before_(std::move(other.before_)),
      files_(std::move(other.files_)),
      open_(std::move(other.open_)),
      open_path_(std::move(other.open_path_)) {}

FolderWriter::~FolderWriter() {
  open_.close();
  if (part_.empty()) return;
  // From the moment on in which the lock is gone the folder may be another's.
  std::error_code ignored;
  fs::remove_all(made_, ignored);
  fs::remove(part_ / lock_name, ignored);
  fs::remove(part_, ignored);
}

Result<fs::path> FolderWriter::path_for(const std::string& path) {
  const fs::path whole = made_ / path;
  std::error_code why;
  fs::create_directories(whole.parent_path(), why);
  if (why) return failed(whole.parent_path(), "making the folder", why);
  return whole;
}

Result<bool> FolderWriter::close() {
  if (!open_.is_open()) return true;
  open_.close();
  if (!open_.fail()) return true;
  return not_written();
}

Error FolderWriter::not_written() {
  open_.clear();
  return fail(Errc::io, "writing " + (made_ / open_path_).string() +
                            " failed; is there room on that file system?");
}

Result<bool> FolderWriter::write(const std::string& path, BytesView content) {
  const auto closed = close();
  if (!closed) return closed;
  const auto held = before_.read(path, content.size());
  if (held && equal(*held, content) && keep(path)) return true;
  const auto written = append(path, content);
  if (!written) return written;
  return close();
}

Result<bool> FolderWriter::append(const std::string& path, BytesView content) {
  if (!open_.is_open() || open_path_ != path) {
    const auto closed = close();
    if (!closed) return closed;
    const auto whole = path_for(path);
    if (!whole) return whole.error();
    open_.open(*whole, std::ios::binary);
    open_path_ = path;
    if (!open_.is_open()) return not_written();
  }
  // Bytes are what a stream's characters are.
  open_.write(reinterpret_cast<const char*>(content.data()),
              static_cast<std::streamsize>(content.size()));
  if (open_) return true;
  open_.close();
  return not_written();
}

bool FolderWriter::keep(const std::string& path) {
  const auto whole = path_for(path);
  if (!whole || !before_.open(path)) return false;
  std::error_code why;
  fs::create_hard_link(place_ / path, *whole, why);
  if (why) fs::copy_file(place_ / path, *whole, why);  // Not every file system has links.
  return !why;
}

Result<bool> FolderWriter::leave_out(const std::string& path) {
  const auto closed = close();
  if (!closed) return closed;
  std::error_code why;
  fs::remove_all(made_ / path, why);
  if (why) return failed(made_ / path, "removing", why);
  return true;
}

Result<bool> FolderWriter::finish() {
  const auto closed = close();
  if (!closed) return closed;
  return files::put_folder(made_, place_);
}

}  // namespace kith::client
