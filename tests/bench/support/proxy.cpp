#include "tests/bench/support/proxy.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "tests/bench/support/figure.hpp"

namespace kith::bench {
namespace {

struct Pair {
  int dialler = -1;
  int listener = -1;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void send_at_once(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/// Bytes passed on; 0 when the connection ended.
std::size_t pass_on(int from, int to) {
  std::uint8_t buffer[64 * 1024];
  const ssize_t got = ::recv(from, buffer, sizeof(buffer), 0);
  if (got <= 0) return 0;
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t part =
        ::send(to, buffer + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
    if (part <= 0) return 0;
    sent += part;
  }
  return static_cast<std::size_t>(got);
}

}  // namespace

CountingProxy::CountingProxy(std::uint16_t port, std::uint16_t to_port) : to_port_(to_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const sockaddr_in address = loopback(port);
  must(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
           ::listen(listener_, 8) == 0 && ::pipe2(wake_, O_CLOEXEC) == 0,
       "the proxy has no port");
  thread_ = std::thread([this] { run(); });
}

CountingProxy::~CountingProxy() {
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
  ::close(listener_);
}

void CountingProxy::cut() {
  const char cut = 'c';
  must(::write(wake_[1], &cut, 1) == 1, "the proxy does not listen");
}

void CountingProxy::reset() {
  bytes_ = 0;
  flights_ = 0;
  last_direction_ = -1;
}

void CountingProxy::run() {
  std::vector<Pair> pairs;
  const auto end = [&](std::size_t n) {
    ::close(pairs[n].dialler);
    ::close(pairs[n].listener);
    pairs.erase(pairs.begin() + static_cast<std::ptrdiff_t>(n));
  };
  for (;;) {
    std::vector<pollfd> wanted{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Pair& pair : pairs) {
      wanted.push_back({pair.dialler, POLLIN, 0});
      wanted.push_back({pair.listener, POLLIN, 0});
    }
    if (::poll(wanted.data(), wanted.size(), -1) < 0) continue;
    if (wanted[0].revents != 0) {
      char cut = 0;
      if (::read(wake_[0], &cut, 1) != 1) break;
      while (!pairs.empty()) end(pairs.size() - 1);
      continue;
    }
    // From the back, so that a pair that ends does not move those still to be looked at.
    for (std::size_t i = pairs.size(); i-- > 0;) {
      for (int direction = 0; direction < 2; ++direction) {
        if (wanted[2 + 2 * i + static_cast<std::size_t>(direction)].revents == 0) continue;
        const Pair pair = pairs[i];
        const std::size_t passed = direction == 0 ? pass_on(pair.dialler, pair.listener)
                                                  : pass_on(pair.listener, pair.dialler);
        if (passed == 0) {
          end(i);
          break;
        }
        bytes_ += passed;
        if (last_direction_.exchange(direction) != direction) ++flights_;
      }
    }
    if (wanted[1].revents == 0) continue;
    Pair pair{::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC),
              ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const sockaddr_in address = loopback(to_port_);
    send_at_once(pair.dialler);
    send_at_once(pair.listener);
    pairs.push_back(pair);
    if (::connect(pair.listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
        0) {
      end(pairs.size() - 1);
    }
  }
  while (!pairs.empty()) end(pairs.size() - 1);
}

}  // namespace kith::bench
