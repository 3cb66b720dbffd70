#include "tests/faults/hostile/scene.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "client/connection.hpp"
#include "storage/files/file.hpp"

namespace kith::hostile {
namespace {

std::size_t broken = 0;
constexpr std::size_t file_bytes_max = 65'536;

std::string read_file(const std::string& path) {
  auto content = files::read(path, file_bytes_max);
  if (!content) give_up(content.error().detail);
  return *content;
}

std::uint64_t number_in(const std::string& path, const std::string& name) {
  std::ifstream lines(path);
  std::uint64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) std::istringstream(line.substr(name.size())) >> number;
  }
  return number;
}

}  // namespace

void give_up(const std::string& why) {
  std::cerr << "hostile_peer: " << why << '\n';
  std::_Exit(2);
}

std::string Arguments::text(const std::string& name) const {
  const auto found = given_.find(name);
  if (found == given_.end()) give_up("it needs " + name + "=…");
  return found->second;
}
std::string Arguments::text(const std::string& name, const std::string& otherwise) const {
  const auto found = given_.find(name);
  return found == given_.end() ? otherwise : found->second;
}
std::uint64_t Arguments::number(const std::string& name, std::uint64_t otherwise) const {
  const auto found = given_.find(name);
  return found == given_.end() ? otherwise : std::stoull(found->second);
}
std::uint16_t Arguments::port() const {
  return static_cast<std::uint16_t>(std::stoul(text("port")));
}
int Arguments::pid() const { return std::stoi(text("pid")); }
Invitation Arguments::invitation(const std::string& name) const {
  const auto invitation = decode_invitation(read_file(text(name)));
  if (!invitation) give_up(invitation.error().detail);
  return *invitation;
}
daemon::Identity Arguments::identity() const {
  const auto identity = daemon::decode_identity(read_file(text("identity")));
  if (!identity) give_up(identity.error().detail);
  return *identity;
}

Finding& Finding::expect(bool holds, const std::string& what) {
  if (!holds) {
    broken_.push_back(what);
    ++broken;
  }
  return *this;
}
Finding::~Finding() {
  line_["ok"] = broken_.empty();
  if (!broken_.empty()) line_["broken"] = broken_;
  std::cout << line_.dump() << std::endl;
}
std::size_t broken_expectations() { return broken; }

// ---- sockets ------------------------------------------------------------------------------------

Socket::Socket(std::uint16_t port, std::uint32_t source, bool wait) {
  // A full backlog answers late, never with an error: so this one waits, for a while.
  file_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file_ < 0) give_up("no socket: " + std::generic_category().message(errno));
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(0x7F000000U | (source & 0xFFFFFFU));
  const int yes = 1;
  ::setsockopt(file_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
  ::setsockopt(file_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  const timeval patience{10, 0};
  ::setsockopt(file_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (::bind(file_, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) != 0) {
    give_up("cannot bind to 127.0.0.0/8: " + std::generic_category().message(errno));
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!wait) ::fcntl(file_, F_SETFL, ::fcntl(file_, F_GETFL) | O_NONBLOCK);
  if (::connect(file_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0 &&
      errno != EINPROGRESS) {
    ::close(std::exchange(file_, -1));
  }
}
Socket Socket::local(const std::string& path) {
  Socket made;
  made.file_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof(to.sun_path)) give_up(path + " is too long for a socket");
  std::ranges::copy(path, to.sun_path);
  if (::connect(made.file_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) {
    give_up("cannot connect to " + path);
  }
  return made;
}
Socket::~Socket() {
  if (file_ >= 0) ::close(file_);
}
Socket::Socket(Socket&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

bool Socket::send(BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(file_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}
void Socket::finish_sending() { ::shutdown(file_, SHUT_WR); }

std::optional<Bytes> Socket::receive(milliseconds patience) {
  pollfd ready{file_, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(0, patience.count()))) != 1) {
    return std::nullopt;
  }
  Bytes bytes(65'536);
  const ssize_t size = ::recv(file_, bytes.data(), bytes.size(), 0);
  bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);  // A reset is an end, too.
  return bytes;
}
Bytes Socket::receive_exactly(std::size_t size, milliseconds patience) {
  const auto end = Clock::now() + patience;
  Bytes all;
  while (all.size() < size) {
    pollfd ready{file_, POLLIN, 0};
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) != 1) break;
    Bytes bytes(size - all.size());
    const ssize_t got = ::recv(file_, bytes.data(), bytes.size(), 0);
    if (got <= 0) break;
    append(all, BytesView(bytes).first(static_cast<std::size_t>(got)));
  }
  return all;
}
std::optional<std::size_t> Socket::bytes_until_end(milliseconds patience) {
  const auto end = Clock::now() + patience;
  std::size_t heard = 0;
  for (;;) {
    const auto some = receive(std::chrono::duration_cast<milliseconds>(end - Clock::now()));
    if (!some) return std::nullopt;
    if (some->empty()) return heard;
    heard += some->size();
  }
}

// ---- the daemon, seen from outside --------------------------------------------------------------

Usage usage_of(int pid) {
  Usage usage;
  const std::string process = "/proc/" + std::to_string(pid);
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator(process + "/task", gone)) {
    std::ifstream scheduled(task.path() / "schedstat");
    double on_cpu_ns = 0;
    scheduled >> on_cpu_ns;
    usage.cpu_ms += on_cpu_ns / 1e6;
  }
  usage.anonymous_kib = number_in(process + "/smaps_rollup", "Anonymous:");
  usage.reserved_kib = number_in(process + "/status", "VmData:");
  if (usage.anonymous_kib == 0) give_up("process " + std::to_string(pid) + " cannot be watched");
  for ([[maybe_unused]] const auto& one :
       std::filesystem::directory_iterator(process + "/fd", gone)) {
    ++usage.descriptors;
  }
  return usage;
}

bool stays_below(std::int64_t grown_kib, std::int64_t limit_kib) {
  return std::getenv("KITH_SANITIZED") != nullptr || grown_kib < limit_kib;
}

double ms_since(Clock::time_point from) {
  return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

struct LatencyProbe::State {
  std::string socket;
  std::atomic<bool> stopping{false};
  std::vector<double> took;
  std::size_t failed = 0;
  std::thread thread;

  void run() {
    while (!stopping) {
      const auto from = Clock::now();
      // A connection for each question, as the command `kith status` makes one.
      client::Connection connection(socket);
      if (connection.ask(local::StatusRequest{}, {})) {
        took.push_back(ms_since(from));
      } else {
        ++failed;
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
  }
};

LatencyProbe::LatencyProbe(std::string socket) : state_(std::make_unique<State>()) {
  state_->socket = std::move(socket);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}
LatencyProbe::~LatencyProbe() {
  state_->stopping = true;
  if (state_->thread.joinable()) state_->thread.join();
}
LatencyProbe::Summary LatencyProbe::stop() {
  state_->stopping = true;
  state_->thread.join();
  std::vector<double>& took = state_->took;
  std::ranges::sort(took);
  Summary summary{took.size(), state_->failed, 0, 0, 0};
  if (took.empty()) return summary;
  summary.p50_ms = took[took.size() / 2];
  summary.p99_ms = took[took.size() * 99 / 100];
  summary.max_ms = took.back();
  return summary;
}
void add(Finding& finding, const LatencyProbe::Summary& summary) {
  finding.figure("status_asked", summary.asked)
      .figure("status_p50_ms", summary.p50_ms)
      .figure("status_p99_ms", summary.p99_ms)
      .figure("status_max_ms", summary.max_ms)
      .expect(summary.asked > 0 && summary.failed == 0, "The local socket answered every question.")
      .expect(summary.p99_ms < 3'000, "Nobody at the local socket waited for three seconds.");
}

}  // namespace kith::hostile
