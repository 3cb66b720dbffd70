#include "client/connection.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "protocol/base/limits.hpp"

namespace kith::client {
namespace {

/// What to do about a socket that cannot be opened.
Error not_reached(const std::string& path, int error) {
  if (error == EACCES || error == EPERM) {
    return fail(Errc::forbidden, "you may not use the daemon's socket " + path +
                                     "; ask whoever runs kithd to let your account use it");
  }
  if (struct stat status{}; ::stat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    return fail(Errc::usage, path +
                                 " is no socket; name kithd's, the file kithd.sock in its data "
                                 "directory, with --socket PATH or KITH_SOCKET");
  }
  if (error == ENOENT || error == ECONNREFUSED) {
    return fail(Errc::unavailable,
                "no daemon answers at " + path +
                    "; start it (kithd --dir DIR run), or name its socket with --socket PATH or "
                    "KITH_SOCKET");
  }
  return fail(Errc::unavailable, "connecting to " + path + ": " + std::strerror(error));
}

}  // namespace

Connection::~Connection() {
  if (socket_ >= 0) ::close(socket_);
}

Result<local::Answer> Connection::ask(const local::Request& request,
                                      const OnProgress& on_progress) {
  is_watching_ = std::holds_alternative<local::WatchRequest>(request);
  const auto opened = open();
  if (!opened) return opened.error();
  const auto sent = send(local::encode(request));
  if (!sent) return sent.error();
  for (;;) {
    auto answer = receive();
    if (!answer) return answer;
    const auto* progress = std::get_if<local::Progress>(&*answer);
    if (progress == nullptr) return answer;
    on_progress(*progress);
  }
}

Result<local::Answer> Connection::next() { return receive(); }

Result<bool> Connection::open() {
  if (socket_ >= 0) return true;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof(address.sun_path)) {
    return fail(Errc::usage, "the socket's path is longer than a system allows: " + path_);
  }
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
  socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return not_reached(path_, errno);
  const timeval patience{patience_.count() / 1000, patience_.count() % 1000 * 1000};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  // The socket API asks for the cast.
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const Error error = not_reached(path_, errno);
    ::close(socket_);
    socket_ = -1;
    return error;
  }
  return true;
}

Result<bool> Connection::send(BytesView message) {
  if (message.size() > limits::local_message_bytes_max) {
    return fail(Errc::too_large, "this is too much for one request; publish it in several calls");
  }
  Bytes framed;
  framed.reserve(message.size() + sizeof(std::uint32_t));
  append_integer(framed, static_cast<std::uint32_t>(message.size()));
  append(framed, message);
  for (BytesView rest = framed; !rest.empty();) {
    // A daemon that went away must not end this process by a signal.
    const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return silent();
    if (sent < 0) return lost();
    rest = rest.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

Result<local::Answer> Connection::receive() {
  std::array<std::uint8_t, sizeof(std::uint32_t)> header{};
  const auto begun = read_exactly(header);
  if (!begun) return begun.error();
  const auto length = read_integer<std::uint32_t>(header);
  if (length > limits::local_message_bytes_max) {
    return fail(Errc::too_large, "what answers at " + path_ + " is no daemon of kith");
  }
  Bytes message(length);
  const auto whole = read_exactly(message);
  if (!whole) return whole.error();
  auto answer = local::decode_answer(message);
  if (!answer) {
    return fail(answer.error(), "reading the answer of kithd; are kith and kithd of one version?");
  }
  return answer;
}

Result<bool> Connection::read_exactly(std::span<std::uint8_t> to) {
  while (!to.empty()) {
    const ssize_t got = ::recv(socket_, to.data(), to.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN && is_watching_) continue;
    if (got < 0 && errno == EAGAIN) {
      return silent();
    }
    if (got <= 0) return lost();
    to = to.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

Error Connection::silent() {
  // What it still says would answer the next request.
  ::close(socket_);
  socket_ = -1;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience_).count();
  return fail(Errc::unavailable, "the daemon at " + path_ + " has been silent for " +
                                     std::to_string(seconds) +
                                     " seconds; its disk may hang, or its process may have been "
                                     "stopped: see its log");
}

Error Connection::lost() const {
  return fail(Errc::unavailable,
              "the daemon at " + path_ + " ended the connection; see its log, then try again");
}

}  // namespace kith::client
