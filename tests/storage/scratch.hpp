#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "protocol/base/check.hpp"

namespace kith::testing {

/// An empty folder of its own for a test; gone with all it holds when the object dies.
class Scratch {
 public:
  explicit Scratch(const std::filesystem::path& base = std::filesystem::temp_directory_path()) {
    std::string name = (base / "kith-test-XXXXXX").string();
    KITH_CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return folder_ / name;
  }

 private:
  std::filesystem::path folder_;
};

/// Inverts one bit of the byte at `offset`.
inline void flip_byte(const std::filesystem::path& path, std::uint64_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const int held = file.get();
  KITH_CHECK(held >= 0);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(held ^ 0x10));
  KITH_CHECK(file.good());
}

}  // namespace kith::testing
