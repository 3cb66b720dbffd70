// A real daemon and many people who publish at once, each waiting for the answer before the next:
// it checks each author's signature and answers when the entry is durable. One JSON line a figure.
// usage: bench_clients [FOLDER] [CLIENTS] [ENTRIES]
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <deque>

#include "protocol/crypto/crypto.hpp"
#include "protocol/schema/local_codec.hpp"
#include "tests/bench/support/figure.hpp"
#include "tests/bench/support/limits.hpp"
#include "tests/bench/support/network.hpp"

namespace {

using namespace kith;
using namespace kith::bench;

constexpr std::size_t length_bytes = 4;

/// One person's connection; all are served by one thread, so that the clients cost little.
struct Client {
  int socket = -1;
  Bytes received;
  Clock::time_point asked;
};

int connect_to(const std::string& path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  must(path.size() < sizeof(address.sun_path), "the socket's path is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  must(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0,
       "the daemon does not listen");
  return socket;
}

Bytes framed(const Bytes& text) {
  const Bytes message = local::encode(local::Request(local::PublishRequest{{text}}));
  Bytes out;
  append_integer(out, static_cast<std::uint32_t>(message.size()));
  append(out, message);
  return out;
}

/// Reads what is there; true once one whole answer is, which must say that the entry was published.
bool answered(Client& client) {
  std::uint8_t buffer[16 * 1024];
  const ssize_t got = ::recv(client.socket, buffer, sizeof(buffer), 0);
  must(got > 0, "the daemon ended a connection");
  append(client.received, {buffer, static_cast<std::size_t>(got)});
  if (client.received.size() < length_bytes) return false;
  const std::size_t length = read_integer<std::uint32_t>(client.received);
  if (client.received.size() < length_bytes + length) return false;
  const auto answer = local::decode_answer(BytesView(client.received).subspan(length_bytes));
  must(answer && std::holds_alternative<local::PublishAnswer>(*answer), "an entry was refused");
  client.received.clear();
  return true;
}

struct Run {
  double per_second = 0;
  std::vector<double> latencies;
  double limit = 0;  ///< Verifications a second of one core, around the run.
  [[nodiscard]] double ratio() const { return per_second / limit; }
};

Run publish_by_many(Member& member, std::size_t clients, const std::vector<Bytes>& texts) {
  std::deque<Bytes> requests;
  for (const Bytes& text : texts) requests.push_back(framed(text));
  const int poll = ::epoll_create1(0);
  std::vector<Client> all(clients);
  const auto ask_next = [&](Client& client) {
    if (requests.empty()) return;
    const Bytes request = std::move(requests.front());
    requests.pop_front();
    client.asked = Clock::now();
    must(::send(client.socket, request.data(), request.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(request.size()),
         "a request did not fit into the socket");
  };
  for (std::size_t i = 0; i < clients; ++i) {
    all[i].socket = connect_to(member.socket());
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = i;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, all[i].socket, &wanted);
  }
  Run run;
  const auto start = Clock::now();
  for (Client& client : all) ask_next(client);
  while (run.latencies.size() < texts.size()) {
    epoll_event events[64];
    const int ready = ::epoll_wait(poll, events, 64, 60'000);
    must(ready > 0, "the daemon does not answer");
    for (int i = 0; i < ready; ++i) {
      Client& client = all[events[i].data.u64];
      if (!answered(client)) continue;
      run.latencies.push_back(seconds_since(client.asked));
      ask_next(client);
    }
  }
  run.per_second = static_cast<double>(texts.size()) / seconds_since(start);
  for (Client& client : all) ::close(client.socket);
  ::close(poll);
  return run;
}

Run run_once(const std::filesystem::path& folder, std::size_t clients, std::size_t entries) {
  const std::uint16_t port = free_port();
  Member member("ZZA", folder / "member", port);
  member.found();
  member.start(port);
  return publish_by_many(member, clients, signed_practices(member, entries, 1));
}

}  // namespace

int main(int argc, char** argv) {
  initialise_crypto();
  const std::filesystem::path folder = argc > 1 ? argv[1] : "bench-clients-data";
  const std::size_t clients = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100;
  const std::size_t entries = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 30'000;
  // The limit wanders with what else the machine's host does, so each run stands beside its own.
  std::vector<Run> runs;
  for (int i = 0; i < 3; ++i) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const double before = verify_rate(1);
    runs.push_back(run_once(folder, clients, entries));
    runs.back().limit = (before + verify_rate(1)) / 2;
    std::filesystem::remove_all(folder);
  }
  std::sort(runs.begin(), runs.end(),
            [](const Run& a, const Run& b) { return a.ratio() < b.ratio(); });
  const Run& median = runs[1];
  Figure("durable append by " + std::to_string(clients) + " concurrent clients, median of 3")
      .number("per_second", median.per_second, 0)
      .number("p50_ms", 1e3 * quantile(median.latencies, 0.5))
      .number("p99_ms", 1e3 * quantile(median.latencies, 0.99))
      .number("verify_on_one_core_per_second", median.limit, 0)
      .number("least_ratio", runs.front().ratio())
      .number("most_ratio", runs.back().ratio())
      .at_least(median.ratio(), 0.5)
      .print();
  return exit_code();
}
