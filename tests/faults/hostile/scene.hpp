#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/identity.hpp"
#include "protocol/base/types.hpp"

/// What hostile peers share: arguments, sockets, a look at the daemon from outside, and findings.
/// Nothing here uses the daemon's own sockets or coroutines: the other side must not share faults.
namespace kith::hostile {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// `name=value` words of the command line.
class Arguments {
 public:
  explicit Arguments(std::map<std::string, std::string> given) : given_(std::move(given)) {}
  /// Ends the program if it is not there.
  [[nodiscard]] std::string text(const std::string& name) const;
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const;
  [[nodiscard]] std::uint64_t number(const std::string& name, std::uint64_t otherwise) const;
  /// The daemon under attack.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] int pid() const;
  [[nodiscard]] Invitation invitation(const std::string& name = "invite") const;
  [[nodiscard]] daemon::Identity identity() const;

 private:
  std::map<std::string, std::string> given_;
};

/// One JSON line of figures with what must hold of them.
class Finding {
 public:
  explicit Finding(const std::string& name) { line_["case"] = name; }
  Finding(const Finding&) = delete;
  Finding& operator=(const Finding&) = delete;
  /// Prints the line.
  ~Finding();

  template <class Value>
  Finding& figure(const std::string& name, const Value& value) {
    line_[name] = value;
    return *this;
  }
  /// `what` is a whole sentence, printed if it does not hold.
  Finding& expect(bool holds, const std::string& what);

 private:
  nlohmann::ordered_json line_;
  std::vector<std::string> broken_;
};
/// How many expectations did not hold.
[[nodiscard]] std::size_t broken_expectations();
[[noreturn]] void give_up(const std::string& why);

/// A TCP connection to 127.0.0.1 or one to a local socket, blocking, with a deadline on every read.
class Socket {
 public:
  /// `source`: which address of 127.0.0.0/8 it comes from, as its last three bytes.
  /// Waits until it is connected unless told not to.
  explicit Socket(std::uint16_t port, std::uint32_t source = 1, bool wait = true);
  [[nodiscard]] static Socket local(const std::string& path);
  ~Socket();
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;

  /// Whether it is connected, or still on its way if it was told not to wait.
  [[nodiscard]] bool connected() const { return file_ >= 0; }
  /// False if the other side is gone.
  bool send(BytesView bytes);
  void finish_sending();
  /// What comes within `patience`; empty at the end of the stream, nothing if nothing came.
  [[nodiscard]] std::optional<Bytes> receive(milliseconds patience);
  /// Exactly `size` bytes, or fewer if the stream ends or `patience` passes.
  [[nodiscard]] Bytes receive_exactly(std::size_t size, milliseconds patience);
  /// How many bytes come until the other side ends the connection; nothing if it does not.
  [[nodiscard]] std::optional<std::size_t> bytes_until_end(milliseconds patience);
  [[nodiscard]] int file() const { return file_; }

 private:
  Socket() = default;

  int file_ = -1;
};

/// What the machine says about a process.
struct Usage {
  double cpu_ms = 0;                ///< Of all its threads, ever.
  std::uint64_t anonymous_kib = 0;  ///< Memory that belongs to it alone and to no file.
  std::uint64_t reserved_kib = 0;   ///< The same and what it asked for and did not touch yet.
  std::size_t descriptors = 0;
};
[[nodiscard]] Usage usage_of(int pid);

/// Asks `kith status` of a local socket again and again, on a thread, until it is stopped.
class LatencyProbe {
 public:
  explicit LatencyProbe(std::string socket);
  ~LatencyProbe();
  LatencyProbe(const LatencyProbe&) = delete;
  LatencyProbe& operator=(const LatencyProbe&) = delete;
  struct Summary {
    std::size_t asked = 0;
    std::size_t failed = 0;
    double p50_ms = 0;
    double p99_ms = 0;
    double max_ms = 0;
  };
  [[nodiscard]] Summary stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};
void add(Finding& finding, const LatencyProbe::Summary& summary);

/// Whether memory grew by less than that. With KITH_SANITIZED nobody can tell: a sanitizer keeps
/// what was freed.
[[nodiscard]] bool stays_below(std::int64_t grown_kib, std::int64_t limit_kib);

[[nodiscard]] double ms_since(Clock::time_point from);

// The attacks. Each prints its findings.
void garbage(const Arguments& arguments);
void loris(const Arguments& arguments);
void flood(const Arguments& arguments);
void keys(const Arguments& arguments);
void replay(const Arguments& arguments);
void claims(const Arguments& arguments);
void candidates(const Arguments& arguments);
void door(const Arguments& arguments);
void forge(const Arguments& arguments);
void session(const Arguments& arguments);
/// Many at once that announce much and send little, as candidates and at the local socket.
void hold(const Arguments& arguments);
/// Logs governance that no key opens in a stopped member's own log, and records behind it.
void seal(const Arguments& arguments);
/// How busy a daemon is that holds it.
void calm(const Arguments& arguments);
/// Lets every invitation of a stopped daemon end in the past.
void expire(const Arguments& arguments);

}  // namespace kith::hostile
