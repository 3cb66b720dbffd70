#pragma once

#include <unistd.h>

#include <utility>

namespace kith::files {

/// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int file = -1) : file_(file) {}
  Descriptor(Descriptor&& other) noexcept : file_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~Descriptor() {
    if (file_ >= 0) ::close(file_);
  }

  [[nodiscard]] int get() const { return file_; }
  [[nodiscard]] bool is_open() const { return file_ >= 0; }
  /// Hands it to the caller, who must close it.
  [[nodiscard]] int release() { return std::exchange(file_, -1); }

 private:
  int file_;
};

}  // namespace kith::files
