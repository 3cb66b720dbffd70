#include "daemon/local/local_server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <deque>

namespace kith::daemon {

using asio::local::stream_protocol;
using namespace asio::experimental::awaitable_operators;
using Clock = std::chrono::steady_clock;

namespace {

constexpr mode_t socket_mode = 0660;
constexpr int backlog = 64;
constexpr std::chrono::milliseconds accept_pause{100};
/// A message grows by this much as it arrives: a length alone reserves no memory.
constexpr std::size_t growth_bytes = 256 * limits::ki;

std::string credentials_of(stream_protocol::socket& socket) {
  ucred who{};
  socklen_t size = sizeof(who);
  if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
    return "unknown credentials";
  }
  return "uid " + std::to_string(who.uid) + ", gid " + std::to_string(who.gid) + ", pid " +
         std::to_string(who.pid);
}

}  // namespace

/// One connected client. It ends when either of its coroutines does.
class LocalServer::Client {
 public:
  Client(LocalServer& server, ClientId id, stream_protocol::socket socket)
      : server_(server),
        id_(id),
        socket_(std::move(socket)),
        credentials_(credentials_of(socket_)),
        to_write_(socket_.get_executor()),
        answered_(socket_.get_executor()),
        to_end_(socket_.get_executor()) {}

  asio::awaitable<void> run() {
    co_await (read_requests() || write_answers() || wait_for_end());
    error_code ignored;
    socket_.close(ignored);
  }

  void answer(Bytes message, bool last) {
    if (queue_.size() >= server_.limits_.pending_max) return end_by(Clock::now());
    queue_.push_back(std::move(message));
    to_write_.notify();
    streaming_ = !last;
    if (!last) return;
    busy_ = false;
    answered_.notify();
  }

  /// That it is not forgotten; nothing for one that has had a part of its answer.
  void remind(const Bytes& message) {
    if (!busy_ || streaming_ || !queue_.empty()) return;
    queue_.push_back(message);
    to_write_.notify();
  }

  [[nodiscard]] const std::string& credentials() const { return credentials_; }
  [[nodiscard]] bool is_behind() const { return queue_.size() >= server_.limits_.pending_max / 4; }

  /// Ends it once the queue is empty, at the latest at `when`.
  void finish_by(Clock::time_point when) {
    finishing_ = true;
    to_write_.notify();
    end_by(when);
  }

 private:
  asio::awaitable<void> read_requests() {
    while (!server_.stopping_) {
      std::array<std::uint8_t, 4> header;
      const auto [error, size] = co_await asio::async_read(socket_, asio::buffer(header), as_value);
      if (error) co_return;
      const std::size_t length = read_integer<std::uint32_t>(header);
      if (length == 0 || length > server_.limits_.message_bytes_max) co_return;
      Bytes request;
      if (!co_await read_body(request, length)) co_return;
      if (server_.stopping_) break;
      busy_ = true;
      streaming_ = false;
      server_.events_.request(id_, std::move(request));
      while (busy_) {
        // Anything that comes before the answer, the end included, ends the client.
        const auto what = co_await (answered_.wait() || readable());
        if (what.index() == 1 && busy_) co_return;
      }
    }
    // Nothing is read any more: what is queued leaves, then write_answers() ends the client.
    co_await until(Clock::time_point::max());
  }

  asio::awaitable<bool> read_body(Bytes& body, std::size_t length) {
    while (body.size() < length) {
      const std::size_t had = body.size();
      body.resize(std::min(length, had + growth_bytes));
      const auto [error, size] = co_await asio::async_read(
          socket_, asio::buffer(body.data() + had, body.size() - had), as_value);
      if (error) co_return false;
    }
    co_return true;
  }

  asio::awaitable<void> readable() {
    co_await socket_.async_wait(stream_protocol::socket::wait_read, as_value);
  }

  asio::awaitable<void> write_answers() {
    for (;;) {
      if (queue_.empty()) {
        if (finishing_ && !busy_) co_return;
        co_await to_write_.wait();
        continue;
      }
      Bytes header;
      append_integer(header, static_cast<std::uint32_t>(queue_.front().size()));
      const std::array<asio::const_buffer, 2> parts{asio::buffer(header),
                                                    asio::buffer(queue_.front())};
      const auto [error, size] = co_await asio::async_write(socket_, parts, as_value);
      if (error) co_return;
      queue_.pop_front();
      if (queue_.empty() && streaming_ && server_.events_.caught_up) {
        server_.events_.caught_up(id_);
      }
    }
  }

  asio::awaitable<void> wait_for_end() {
    while (Clock::now() < end_at_) co_await to_end_.wait(end_at_);
  }

  void end_by(Clock::time_point when) {
    end_at_ = std::min(end_at_, when);
    to_end_.notify();
  }

  LocalServer& server_;
  ClientId id_;
  stream_protocol::socket socket_;
  std::string credentials_;
  Wakeup to_write_;
  Wakeup answered_;
  Wakeup to_end_;
  std::deque<Bytes> queue_;
  bool busy_ = false;
  bool streaming_ = false;  // The request has answers but no last one yet.
  bool finishing_ = false;
  Clock::time_point end_at_ = Clock::time_point::max();
};

LocalServer::LocalServer(asio::io_context& io, const std::filesystem::path& path,
                         const files::Lock&, Limits limits, Events events)
    : io_(io), path_(path), limits_(limits), events_(std::move(events)), acceptor_(io) {
  if (path.string().size() >= sizeof(sockaddr_un{}.sun_path)) {
    throw std::system_error(ENAMETOOLONG, std::generic_category(),
                            "the socket " + path.string() +
                                " has a path of more than 107 bytes; choose a shorter --dir");
  }
  std::filesystem::remove(path);
  acceptor_.open();
  error_code error;
  acceptor_.bind(path.string(), error);
  if (error) throw std::system_error(std::error_code(error), "making the socket " + path.string());
  // Before listen(), so nobody connects under another mode.
  if (chmod(path.c_str(), socket_mode) != 0) {
    throw std::system_error(errno, std::generic_category(), "setting the mode of " + path.string());
  }
  // Whoever opened the directory to a group means this door. Without the right to give it away it
  // stays with the group of this process.
  if (struct stat folder{}; ::stat(path.parent_path().c_str(), &folder) == 0) {
    static_cast<void>(::chown(path.c_str(), static_cast<uid_t>(-1), folder.st_gid) == 0);
  }
  acceptor_.listen(backlog);
  accepting_ = true;
  asio::co_spawn(io_, accept(), [this](const std::exception_ptr& failure) {
    accepting_ = false;
    if (failure) std::rethrow_exception(failure);
  });
}

LocalServer::~LocalServer() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

void LocalServer::answer(ClientId client, Bytes message, bool last) {
  const auto at = clients_.find(client);
  if (at != clients_.end()) at->second->answer(std::move(message), last);
}

void LocalServer::remind(const Bytes& message) {
  for (const auto& [id, client] : clients_) client->remind(message);
}

bool LocalServer::is_behind(ClientId client) const {
  const auto at = clients_.find(client);
  return at != clients_.end() && at->second->is_behind();
}

std::string LocalServer::credentials(ClientId client) const {
  const auto at = clients_.find(client);
  return at == clients_.end() ? "" : at->second->credentials();
}

void LocalServer::stop(std::chrono::milliseconds after) {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& [id, client] : clients_) client->finish_by(Clock::now() + after);
}

asio::awaitable<void> LocalServer::accept() {
  while (!stopping_) {
    auto [error, socket] = co_await acceptor_.async_accept(as_value);
    if (stopping_) co_return;
    if (error) {
      co_await until(Clock::now() + accept_pause);
      continue;
    }
    begin(std::move(socket));
  }
}

void LocalServer::begin(stream_protocol::socket socket) {
  if (clients_.size() >= limits_.clients_max) {
    events_.debug("a local client was turned away: " + std::to_string(limits_.clients_max) +
                  " are connected");
    return;
  }
  const ClientId id = next_client_++;
  auto client = std::make_unique<Client>(*this, id, std::move(socket));
  events_.debug("local client " + std::to_string(id) + ": " + client->credentials());
  Client& running = *client;
  clients_.emplace(id, std::move(client));
  asio::co_spawn(io_, running.run(), [this, id](const std::exception_ptr& failure) {
    asio::post(io_, [this, id] {
      clients_.erase(id);
      events_.lost(id);
    });
    if (failure) std::rethrow_exception(failure);
  });
}

}  // namespace kith::daemon
