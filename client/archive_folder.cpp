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

class FileSource : public ByteSource {
 public:
  explicit FileSource(std::ifstream file) : file_(std::move(file)) {}
  std::size_t read(std::span<std::uint8_t> to) override {
    // Bytes are what a stream's characters are.
    file_.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(to.size()));
    return static_cast<std::size_t>(file_.gcount());
  }

 private:
  std::ifstream file_;
};

fs::file_type type_of(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type();
}
bool is_plain_file(const fs::path& path) { return type_of(path) == fs::file_type::regular; }
bool is_there(const fs::path& path) { return type_of(path) != fs::file_type::not_found; }

}  // namespace

Result<Bytes> FolderFiles::read(const std::string& path, std::size_t bytes_max) const {
  const fs::path whole = folder_ / path;
  if (!is_there(whole)) return fail(Errc::not_found, "it is missing");
  if (!is_plain_file(whole)) return fail(Errc::malformed, "it is no plain file");
  const auto content = files::read(whole, bytes_max);
  if (!content && content.error().code == Errc::too_large) {
    return fail(Errc::too_large, "it is longer than it can be");
  }
  if (!content) return content.error();
  return to_bytes(view(*content));
}

Result<std::unique_ptr<ByteSource>> FolderFiles::open(const std::string& path) const {
  const fs::path whole = folder_ / path;
  if (!is_there(whole)) return fail(Errc::not_found, "it is missing");
  if (!is_plain_file(whole)) return fail(Errc::malformed, "it is no plain file");
  std::ifstream file(whole, std::ios::binary);
  if (!file) return fail(Errc::io, "it cannot be opened");
  return std::unique_ptr<ByteSource>(std::make_unique<FileSource>(std::move(file)));
}

void FolderFiles::each(const std::function<bool(const std::string&)>& each) const {
  std::error_code why;
  // Links are named, not followed: what lies behind them is not in the export.
  for (fs::recursive_directory_iterator at(folder_, why), end; !why && at != end;
       at.increment(why)) {
    if (type_of(at->path()) == fs::file_type::directory) continue;
    if (!each(at->path().lexically_relative(folder_).generic_string())) return;
  }
}

Result<FolderWriter> FolderWriter::begin(const fs::path& place) {
  std::error_code why;
  const bool exists = fs::exists(place, why);
  const bool is_export = fs::exists(place / manifest_name, why);
  if (exists && !is_export && (!fs::is_directory(place, why) || !fs::is_empty(place, why))) {
    return fail(Errc::usage, place.string() +
                                 " exists and is no export; name a folder that does "
                                 "not exist, or an earlier export");
  }
  FolderWriter writer(place);
  // An earlier attempt that was ended: nothing of it counts.
  fs::remove_all(writer.part_, why);
  if (why) return failed(writer.part_, "removing", why);
  fs::create_directories(writer.part_, why);
  if (why) return failed(writer.part_, "making the folder", why);
  return writer;
}

FolderWriter::FolderWriter(const fs::path& place)
    : place_(fs::absolute(place).lexically_normal()),
      part_(place_.has_filename() ? place_ : place_.parent_path()),
      before_(place_),
      files_(part_) {
  place_ = part_;
  part_ += ".kith-part";
  before_ = FolderFiles(place_);
  files_ = FolderFiles(part_);
}

FolderWriter::FolderWriter(FolderWriter&& other) noexcept
    : place_(std::move(other.place_)),
      part_(std::exchange(other.part_, {})),
      before_(other.before_),
      files_(other.files_),
      open_(std::move(other.open_)),
      open_path_(std::move(other.open_path_)) {}

FolderWriter::~FolderWriter() {
  open_.close();
  std::error_code ignored;
  if (!part_.empty()) fs::remove_all(part_, ignored);
}

Result<fs::path> FolderWriter::path_for(const std::string& path) {
  const fs::path whole = part_ / path;
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
  return fail(Errc::io, "writing " + (part_ / open_path_).string() +
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
  if (!whole || !is_plain_file(place_ / path)) return false;
  std::error_code why;
  fs::create_hard_link(place_ / path, *whole, why);
  if (why) fs::copy_file(place_ / path, *whole, why);  // Not every file system has links.
  return !why;
}

Result<bool> FolderWriter::finish() {
  const auto closed = close();
  if (!closed) return closed;
  auto put = files::put_folder(part_, place_);
  if (put) part_.clear();
  return put;
}

}  // namespace kith::client
