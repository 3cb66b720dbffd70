#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include "daemon/transport/asio.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/types.hpp"
#include "storage/files/file.hpp"

namespace kith::daemon {

/// The Unix socket of local clients: u32 length, big-endian, then the message. A client sends one
/// request at a time; whoever breaks that rule is disconnected.
class LocalServer {
 public:
  using ClientId = std::uint64_t;

  struct Limits {
    std::size_t clients_max = limits::clients_max;
    std::size_t message_bytes_max = limits::local_message_bytes_max;
    /// Answers that wait because the client does not read.
    std::size_t pending_max = 1'024;
  };
  struct Events {
    /// One request; answer() may be called from inside.
    std::function<void(ClientId client, Bytes request)> request;
    /// Follows every client once, also those that never asked anything.
    std::function<void(ClientId client)> lost;
    std::function<void(const std::string& line)> debug;
    /// A client with an answer that goes on has read all of it so far. May be empty.
    std::function<void(ClientId client)> caught_up;
  };

  /// Binds `path` with mode 0660. A socket file left by a process that died is removed: `held`, the
  /// lock of the data directory, shows that no other daemon uses it. Throws std::system_error.
  LocalServer(asio::io_context& io, const std::filesystem::path& path, const files::Lock& held,
              Limits limits, Events events);
  /// Removes the socket file.
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  /// Queues a message for a client that may be gone. After the `last` of a request its next one is
  /// read. A client with too much pending is disconnected.
  void answer(ClientId client, Bytes message, bool last);
  /// Sends it to every client that waits for the first of its answer: so that it goes on waiting.
  void remind(const Bytes& message);

  /// Whether so much waits for the client that more should wait for caught_up().
  [[nodiscard]] bool is_behind(ClientId client) const;

  /// "uid 1000, gid 1000, pid 77", as the system said when it connected; empty if it is gone.
  [[nodiscard]] std::string credentials(ClientId client) const;

  /// Stops accepting and reading; clients end once they got what is queued, at the latest `after`.
  void stop(std::chrono::milliseconds after);
  [[nodiscard]] bool idle() const { return !accepting_ && clients_.empty(); }
  [[nodiscard]] std::size_t clients() const { return clients_.size(); }

 private:
  class Client;

  asio::awaitable<void> accept();
  void begin(asio::local::stream_protocol::socket socket);

  asio::io_context& io_;
  std::filesystem::path path_;
  Limits limits_;
  Events events_;
  asio::local::stream_protocol::acceptor acceptor_;
  std::map<ClientId, std::unique_ptr<Client>> clients_;
  ClientId next_client_ = 1;
  bool accepting_ = false;
  bool stopping_ = false;
};

}  // namespace kith::daemon
