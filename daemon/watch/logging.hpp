#pragma once

#include <iosfwd>
#include <mutex>
#include <string_view>

/// What the operator reads: one plain line for each event, never content, never secrets.
namespace kith::daemon {

/// Writes lines with time and level. May be called from any thread.
class Log {
 public:
  enum class Level { debug, info, warning, error };

  /// Lines below `lowest` are dropped. `out` must outlive it.
  Log(std::ostream& out, Level lowest) : out_(out), lowest_(lowest) {}
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Control characters are replaced: what a peer said cannot forge a second line.
  void line(Level level, std::string_view text);

  void debug(std::string_view text) { line(Level::debug, text); }
  void info(std::string_view text) { line(Level::info, text); }
  void warning(std::string_view text) { line(Level::warning, text); }
  void error(std::string_view text) { line(Level::error, text); }

 private:
  std::ostream& out_;
  Level lowest_;
  std::mutex mutex_;
};

}  // namespace kith::daemon
