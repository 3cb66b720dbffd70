#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "protocol/base/check.hpp"
#include "protocol/base/types.hpp"

namespace kith::fuzz {

/// A folder of this process alone, gone with it: for what reads whole files. On a disk in memory
/// where there is one, as it is written for every input.
class FolderOnDisk {
 public:
  FolderOnDisk() {
    const std::filesystem::path memory = "/dev/shm";
    std::string name =
        ((std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path()) /
         "kith-fuzz-XXXXXX")
            .string();
    KITH_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~FolderOnDisk() { std::filesystem::remove_all(path_); }
  FolderOnDisk(const FolderOnDisk&) = delete;
  FolderOnDisk& operator=(const FolderOnDisk&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Returns the path of a file `name` that holds `content` and nothing else.
  std::filesystem::path put(const std::string& name, BytesView content) const {
    std::filesystem::path path = path_ / name;
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    KITH_CHECK(file >= 0);
    KITH_CHECK(::write(file, content.data(), content.size()) ==
               static_cast<ssize_t>(content.size()));
    ::close(file);
    return path;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace kith::fuzz
