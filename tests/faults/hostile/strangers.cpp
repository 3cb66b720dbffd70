// Who knows nothing, or not enough: garbage, slow ones, many.
#include <poll.h>

#include <algorithm>
#include <list>

#include "daemon/random.hpp"
#include "protocol/base/limits.hpp"
#include "tests/faults/hostile/handshake.hpp"

namespace kith::hostile {
namespace {

constexpr milliseconds patience{15'000};
/// What the allocator keeps for itself, whatever came; a leak of 16 bytes a stranger would show.
constexpr std::int64_t noise_kib = 256;

std::int64_t growth(const Usage& before, const Usage& after) {
  return static_cast<std::int64_t>(after.anonymous_kib) -
         static_cast<std::int64_t>(before.anonymous_kib);
}

Bytes random_bytes(std::size_t size) {
  Bytes bytes(size);
  daemon::fill_random(bytes);
  return bytes;
}

/// What a scanner, a browser, a mistaken program or an attacker may send.
Bytes garbage_of(std::uint64_t i) {
  Bytes bytes = random_bytes(channel::opening_bytes);
  switch (i % 8) {
    case 0:
      return to_bytes(
          view("GET / HTTP/1.1\r\nHost: kith.ashdown.example\r\nUser-Agent: x\r\n\r\n"));
    case 1:
      bytes = random_bytes(517);
      std::ranges::copy(Bytes{0x16, 0x03, 0x01, 0x02, 0x00}, bytes.begin());
      return bytes;
    case 2:
      return {};
    case 3:
      return random_bytes(channel::opening_bytes - 1);
    case 4:
      return random_bytes(4'096);
    case 5:  // All right but for the proof.
      std::ranges::copy(std::string_view("kith/p2p\x01"), bytes.begin());
      return bytes;
    default:
      return bytes;
  }
}

struct Flooded {
  std::size_t heard = 0;
  std::size_t unended = 0;
};
Flooded send_garbage(std::uint16_t port, std::uint64_t count) {
  Flooded result;
  for (std::uint64_t i = 0; i < count; ++i) {
    Socket socket(port, static_cast<std::uint32_t>(0x010001 + i % 0x0F0000));
    socket.send(garbage_of(i));
    socket.finish_sending();
    const auto heard = socket.bytes_until_end(patience);
    result.heard += heard.value_or(0);
    if (!heard) ++result.unended;
  }
  return result;
}

}  // namespace

void garbage(const Arguments& arguments) {
  const std::uint64_t count = arguments.number("count", 20'000);
  const int pid = arguments.pid();
  (void)send_garbage(arguments.port(), 1'000);  // So that the allocator has what it wants to have.

  const Usage before = usage_of(pid);
  const auto from = Clock::now();
  LatencyProbe probe(arguments.text("socket"));
  const Flooded flooded = send_garbage(arguments.port(), count);
  const auto summary = probe.stop();
  const double seconds = ms_since(from) / 1'000;
  const Usage after = usage_of(pid);
  const double each_us = (after.cpu_ms - before.cpu_ms) * 1'000 / static_cast<double>(count);

  // The negative control: an opening that is right costs a Diffie-Hellman and gets an answer.
  const Caller caller = caller_with(arguments.invitation());
  const std::uint64_t openings = count / 20;
  std::size_t answered = 0;
  std::vector<Bytes> made;
  for (std::uint64_t i = 0; i < openings; ++i) made.push_back(opening_of(caller));
  const Usage before_openings = usage_of(pid);
  for (const Bytes& opening : made) {
    Socket socket(arguments.port());
    socket.send(opening);
    answered += socket.receive_exactly(channel::message2_bytes, patience).size();
  }
  const Usage after_openings = usage_of(pid);
  const double opening_us =
      (after_openings.cpu_ms - before_openings.cpu_ms) * 1'000 / static_cast<double>(openings);

  Finding finding("garbage");
  finding.figure("connections", count)
      .figure("seconds", seconds)
      .figure("bytes_back", flooded.heard)
      .figure("cpu_us_each", each_us)
      .figure("memory_growth_kib", growth(before, after))
      .figure("descriptors_before", before.descriptors)
      .figure("descriptors_after", after.descriptors)
      .figure("control_openings", openings)
      .figure("control_bytes_back", answered)
      .figure("control_cpu_us_each", opening_us)
      .expect(flooded.heard == 0, "A stranger hears nothing.")
      .expect(flooded.unended == 0, "Every stranger is disconnected.")
      .expect(stays_below(growth(before, after), noise_kib), "Strangers cost no memory.")
      .expect(after.descriptors <= before.descriptors + 4, "Strangers leave no descriptor behind.")
      .expect(answered == openings * channel::message2_bytes, "A right opening is answered.")
      .expect(opening_us > each_us + 40, "A right opening costs what a stranger does not.");
  add(finding, summary);
}

namespace {

/// A connection that sends a byte now and then.
struct Slow {
  Socket socket;
  Clock::time_point begun;
  Bytes rest;  ///< What it still has to say.
};

}  // namespace

void loris(const Arguments& arguments) {
  const auto sockets = arguments.number("sockets", 600);
  const auto seconds = arguments.number("seconds", 12);
  const bool knowing = arguments.text("stage", "opening") == "handshake";
  const double deadline_ms = knowing ? limits::handshake_ms : limits::first_message_ms;
  const Caller caller =
      knowing ? caller_with(arguments.invitation()) : Caller{fresh_secret(), {}, {}, {}};

  const Usage before = usage_of(arguments.pid());
  LatencyProbe probe(arguments.text("socket"));
  std::list<Slow> open;
  std::size_t begun = 0;
  std::size_t ended = 0;
  std::size_t heard = 0;
  std::size_t most = 0;
  double longest_ms = 0;
  std::uint64_t most_kib = 0;
  const auto from = Clock::now();
  const auto until = from + std::chrono::seconds(seconds);
  auto next_byte = from;

  // As many as wanted at every moment: whoever is ended comes again, until the time is over.
  while (Clock::now() < until || !open.empty()) {
    for (int i = 0; i < 50 && Clock::now() < until && open.size() < sockets; ++i, ++begun) {
      Slow slow{Socket(arguments.port(), static_cast<std::uint32_t>(0x100001 + begun % 0x0F0000)),
                Clock::now(), random_bytes(channel::opening_bytes)};
      if (!slow.socket.connected()) continue;
      if (knowing) {
        slow.socket.send(opening_of(caller));
        slow.rest = Bytes{0, 128};
        slow.rest.resize(130);
      }
      open.push_back(std::move(slow));
    }
    most = std::max(most, open.size());
    if (Clock::now() >= next_byte) {
      next_byte += std::chrono::seconds(2);
      most_kib = std::max(most_kib, usage_of(arguments.pid()).anonymous_kib);
      for (Slow& slow : open) {
        if (slow.rest.empty()) continue;
        slow.socket.send(BytesView(slow.rest).first(1));
        slow.rest.erase(slow.rest.begin());
      }
    }
    std::vector<pollfd> waiting;
    for (const Slow& slow : open) waiting.push_back({slow.socket.file(), POLLIN, 0});
    ::poll(waiting.data(), waiting.size(), 50);
    std::size_t at = 0;
    for (auto slow = open.begin(); slow != open.end(); ++at) {
      if (waiting[at].revents == 0) {
        if (ms_since(slow->begun) > 2 * deadline_ms + 10'000) give_up("a slow connection lives on");
        ++slow;
        continue;
      }
      const auto some = slow->socket.receive(milliseconds(0));
      if (some && !some->empty()) {
        heard += some->size();
        ++slow;
        continue;
      }
      longest_ms = std::max(longest_ms, ms_since(slow->begun));
      ++ended;
      slow = open.erase(slow);
    }
  }
  const auto summary = probe.stop();
  const auto grown =
      static_cast<std::int64_t>(most_kib) - static_cast<std::int64_t>(before.anonymous_kib);

  Finding finding(knowing ? "slow_handshake" : "slow_opening");
  finding.figure("wanted_at_once", sockets)
      .figure("most_at_once", most)
      .figure("connections", begun)
      .figure("ended_by_daemon", ended)
      .figure("longest_ms", longest_ms)
      .figure("deadline_ms", deadline_ms)
      .figure("bytes_back", heard)
      .figure("memory_growth_kib", grown)
      .expect(begun >= 500 && ended == begun, "All that came were ended.")
      .expect(most <= limits::half_open_max + 128,
              "Not more are open than there are places, and a backlog of 64 at each end.")
      .expect(longest_ms < deadline_ms + 1'500, "None outlives its deadline.")
      .expect(stays_below(grown, 4'096), "Half-open connections cost little memory.");
  if (!knowing) finding.expect(heard == 0, "Who does not finish its opening hears nothing.");
  add(finding, summary);
}

void flood(const Arguments& arguments) {
  const auto seconds = arguments.number("seconds", 4);
  const auto places = arguments.number("places", limits::half_open_max);
  const std::string from_where = arguments.text("sources", "one");
  const bool many = from_where == "many";
  const Usage before = usage_of(arguments.pid());
  LatencyProbe probe(arguments.text("socket"));
  std::list<Socket> open;
  std::size_t attempts = 0;
  std::size_t ended = 0;
  std::size_t most = 0;
  const auto until = Clock::now() + std::chrono::seconds(seconds);
  while (Clock::now() < until) {
    for (int i = 0; i < 100 && open.size() < 2'000; ++i, ++attempts) {
      // "Many" means that each comes from a /24 of its own.
      const auto source = static_cast<std::uint32_t>(many ? 0x010001 + attempts % 60'000 * 256 : 1);
      Socket socket(arguments.port(), source, false);
      if (socket.connected()) open.push_back(std::move(socket));
    }
    for (auto socket = open.begin(); socket != open.end();) {
      const bool over = socket->receive(milliseconds(0)).has_value();
      ended += over ? 1 : 0;
      socket = over ? open.erase(socket) : std::next(socket);
    }
    // Its descriptors tell whom the daemon keeps; here a connection may look open that the kernel
    // on the other side has dropped.
    most = std::max(most, usage_of(arguments.pid()).descriptors);
    ::poll(nullptr, 0, 5);
  }
  // What the kernel never handed over cannot be ended by the daemon: its own descriptors tell.
  std::size_t heard = 0;
  for (Socket& socket : open) heard += socket.receive(milliseconds(0)).value_or(Bytes{}).size();
  open.clear();
  const auto settled_by = Clock::now() + patience;
  const auto settled = [&] {
    return usage_of(arguments.pid()).descriptors <= before.descriptors + 4;
  };
  while (!settled() && Clock::now() < settled_by) ::poll(nullptr, 0, 50);
  const auto summary = probe.stop();
  const Usage after = usage_of(arguments.pid());
  Finding finding("flood_from_" + from_where);
  finding.figure("connections", attempts)
      .figure("ended_per_second", static_cast<double>(ended) / static_cast<double>(seconds))
      .figure("descriptors_before", before.descriptors)
      .figure("descriptors_most", most)
      .figure("places", places)
      .figure("memory_growth_kib", growth(before, after))
      .expect(most <= before.descriptors + places + 16, "Not more are kept than there are places.")
      .expect(heard == 0, "They hear nothing.")
      .expect(settled(), "None of them is left.")
      .expect(stays_below(growth(before, after), 1'024), "A flood leaves no memory behind.");
  add(finding, summary);
}

}  // namespace kith::hostile
