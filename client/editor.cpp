#include "client/editor.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "protocol/base/limits.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

constexpr int no_such_command = 127;  // As shells say it.

/// A folder of its own, so that the editor's backups go with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code none;
    std::string name = (std::filesystem::temp_directory_path(none) / "kith-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty() && !kept_) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// From here on it stays.
  void keep() { kept_ = true; }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

/// Runs `command` with `file` as its one argument and waits. Its exit status, or -1.
int run_editor(const std::string& command, const std::string& file) {
  // The shell only splits the command; the file is passed beside it, never inside.
  std::string script = command + " \"$1\"";
  // Of one plain word it is known beforehand whether there is such a program: then the shell need
  // not say so in its own way.
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";
  if (command.find_first_not_of(plain) == std::string::npos) {
    script = "command -v " + command + " >/dev/null || exit 127; " + script;
  }
  const pid_t child = ::fork();
  if (child < 0) return -1;
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", script.c_str(), "sh", file.c_str(), nullptr);
    ::_exit(no_such_command);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

Result<std::string> edit_text(const std::string& command, const std::string& initial) {
  TemporaryFolder folder;
  if (folder.path().empty()) return fail(Errc::io, "no temporary file can be made");
  const auto file = folder.path() / "reply.md";
  const auto written = files::create(file, view(initial), 0600);
  if (!written) return written.error();

  const std::string editor = command.empty() ? "editor" : command;
  const int status = run_editor(editor, file.string());
  if (status == no_such_command) {
    return fail(Errc::unavailable, "there is no editor \"" + editor +
                                       "\" here; set EDITOR, or give the text with --text or "
                                       "--file");
  }
  if (status != 0) {
    folder.keep();
    return fail(Errc::unavailable, "the editor \"" + editor +
                                       "\" failed and nothing was sent; what was written so far is "
                                       "in " +
                                       file.string());
  }
  auto text = files::read(file, limits::document_bytes_max);
  if (!text) folder.keep();
  return text;
}

}  // namespace kith::client
