#include "daemon/data_dir.hpp"

#include <sys/stat.h>

#include "protocol/base/limits.hpp"

namespace kith::daemon {
namespace {

constexpr mode_t dir_mode = 0700;
constexpr unsigned secret_mode = 0600;
constexpr std::size_t identity_bytes_max = 256 * limits::ki;
constexpr const char* identity_name = "identity";

Result<files::Lock> take_lock(const std::filesystem::path& path) {
  auto lock = files::Lock::take(path / "lock");
  if (!lock && lock.error().code == Errc::conflict) {
    return fail(Errc::conflict, path.string() + " is in use (" + lock.error().detail +
                                    "): one directory serves one kithd; stop the other first");
  }
  return lock;
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Result<bool> look_for_identity(const std::filesystem::path& path) {
  struct stat status{};
  const int found = ::stat((path / identity_name).c_str(), &status);
  if (found != 0 && errno != ENOENT && errno != ENOTDIR) {
    return fail(Errc::io, "opening " + (path / identity_name).string() + ": " + files::why(errno));
  }
  if (found != 0) {
    return fail(Errc::not_found, path.string() + " holds no identity: run \"kithd --dir " +
                                     path.string() +
                                     " init\" first, or name another directory with --dir");
  }
  return true;
}

}  // namespace

Result<DataDir> DataDir::open(const std::filesystem::path& path) {
  if (const auto found = look_for_identity(path); !found) return found.error();
  auto lock = take_lock(path);
  if (!lock) return lock.error();
  return DataDir(path, std::move(*lock));
}

Result<DataDir> DataDir::create(const std::filesystem::path& path) {
  if (!is_there(path)) {
    if (mkdir(path.c_str(), dir_mode) != 0) {
      return fail(Errc::io,
                  "the directory " + path.string() + " cannot be made: " + files::why(errno));
    }
  }
  auto lock = take_lock(path);
  if (!lock) return lock.error();
  DataDir dir(path, std::move(*lock));
  if (is_there(path / identity_name)) {
    return fail(Errc::conflict, path.string() +
                                    " already holds an identity: nothing was changed; "
                                    "use a new directory");
  }
  if (is_there(dir.log()) || is_there(dir.high_water())) {
    return fail(Errc::conflict,
                path.string() +
                    " holds a log but no identity (an init that was cut short, or an "
                    "identity that was lost): nothing was changed; use a new directory");
  }
  return dir;
}

Result<Identity> DataDir::load_identity() const { return read_identity(path_); }

Result<Identity> DataDir::read_identity(const std::filesystem::path& path) {
  if (const auto found = look_for_identity(path); !found) return found.error();
  auto text = files::read_secret(path / identity_name, identity_bytes_max);
  if (!text) return text.error();
  auto identity = decode_identity(*text);
  wipe(*text);
  if (!identity) return fail(identity.error(), "reading " + (path / identity_name).string());
  return identity;
}

Result<bool> DataDir::save_identity(const Identity& identity) const {
  std::string text = encode_identity(identity);
  auto written = files::write(path_ / identity_name, view(text), secret_mode);
  wipe(text);
  return written;
}

}  // namespace kith::daemon
