#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/connection.hpp"
#include "protocol/crypto/crypto.hpp"

/// Real daemons on loopback, each a process of the kithd that lies beside the bench.
namespace kith::bench {

/// A port of 127.0.0.1 that was free a moment ago.
[[nodiscard]] std::uint16_t free_port();

/// One member: its folder, its steward's key, and its process while it runs.
class Member {
 public:
  /// `folder` must not exist; others are told to reach it at `address_port`.
  Member(std::string code, std::filesystem::path folder, std::uint16_t address_port);
  /// Kills the process.
  ~Member();
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  void found();
  void join(const std::string& invitation);
  /// Starts the daemon and waits until it answers. `listen_port` 0: only dials.
  void start(std::uint16_t listen_port);
  /// Ends it as an operator would, and waits.
  void stop();

  /// Asks over a connection that is kept; a refusal ends the bench.
  template <class Wanted>
  [[nodiscard]] Wanted ask(const local::Request& request) {
    auto answer = ask_any(request);
    return std::get<Wanted>(std::move(answer));
  }
  [[nodiscard]] local::StatusAnswer status();
  /// What this daemon knows of the member with that code; nothing while it knows none.
  [[nodiscard]] std::optional<local::MemberRow> row_of(const std::string& code);

  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const SigningKey& steward() const { return *steward_; }
  [[nodiscard]] std::string socket() const { return folder_ / "kithd.sock"; }

 private:
  [[nodiscard]] local::Answer ask_any(const local::Request& request);
  void init(std::vector<std::string> how);

  std::string code_;
  std::filesystem::path folder_;
  std::uint16_t address_port_;
  std::optional<SigningKey> steward_;
  std::unique_ptr<client::Connection> connection_;
  pid_t pid_ = 0;
};

/// Waits until `is_true`; ends the bench after a minute.
void wait_until(const std::string& what, const std::function<bool()>& is_true,
                std::chrono::milliseconds look_every = std::chrono::milliseconds(5));

/// The newcomer joins with an invitation of the sponsor; all of `electors` (the sponsor among them)
/// consent. Both run afterwards.
void admit(Member& newcomer, std::uint16_t listen_port, Member& sponsor,
           const std::vector<Member*>& electors);

/// `count` practices of 1 KiB each, signed by the member's steward, `batch` to a signature.
[[nodiscard]] std::vector<Bytes> signed_practices(Member& member, std::size_t count,
                                                  std::size_t batch);
/// Publishes them in requests of about 10,000.
void publish(Member& member, const std::vector<Bytes>& texts);
constexpr std::size_t practice_bytes = 1024;
/// Body and signature: what wire and disk are compared with.
constexpr std::size_t body_and_signature_bytes = practice_bytes + Signature::size;

/// What of a process is in memory and its own: pages that no file backs. In MiB.
[[nodiscard]] double private_mib(pid_t pid);
/// User and system time so far, in seconds.
[[nodiscard]] double cpu_seconds(pid_t pid);

}  // namespace kith::bench
