// Real daemons: from the moment a person publishes at one member to the moment another member's
// people are told, durable at both ends in between. One JSON line a figure.
// usage: bench_live [FOLDER] [ENTRIES]
#include <thread>

#include "protocol/crypto/crypto.hpp"
#include "tests/bench/support/figure.hpp"
#include "tests/bench/support/limits.hpp"
#include "tests/bench/support/network.hpp"

namespace {

using namespace kith;
using namespace kith::bench;

std::vector<double> latencies(Member& writer, Member& reader, std::size_t entries,
                              std::chrono::milliseconds pause) {
  const std::vector<Bytes> texts = signed_practices(writer, entries, 1);
  client::Connection watch(reader.socket());
  const std::uint64_t seen = reader.status().last_sequence;
  // The first answer of a watch is the first arrival.
  (void)writer.ask<local::PublishAnswer>(
      local::PublishRequest{{signed_practices(writer, 1, 1).front()}});
  must(watch.ask(local::WatchRequest{seen}, [](const auto&) {}).has_value(), "no watch");
  std::vector<double> samples;
  for (const Bytes& text : texts) {
    std::this_thread::sleep_for(pause);
    const auto start = Clock::now();
    std::thread publisher(
        [&] { (void)writer.ask<local::PublishAnswer>(local::PublishRequest{{text}}); });
    const auto arrived = watch.next();
    samples.push_back(seconds_since(start));
    publisher.join();
    must(arrived.has_value(), "the watch ended");
  }
  return samples;
}

/// What cannot be avoided: a durable commit at each end, one way over the network, and the check of
/// the author at each end.
double sum_of_parts(const std::filesystem::path& folder, std::chrono::milliseconds pause) {
  const LiveParts parts = parts_after_pauses(folder, pause);
  return 2 * parts.commit + parts.round_trip / 2 + 2 * parts.verify;
}

struct Live {
  double p50 = 0;
  double p99 = 0;
  double sum_of_parts = 0;
};

Live measure(const std::filesystem::path& folder, std::size_t entries,
             std::chrono::milliseconds pause) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const double before = sum_of_parts(folder, pause);
  std::vector<double> samples;
  {
    const std::uint16_t port = free_port();
    Member writer("ZZA", folder / "writer", port);
    Member reader("ZZB", folder / "reader", free_port());
    writer.found();
    writer.start(port);
    admit(reader, 0, writer, {&writer});
    samples = latencies(writer, reader, entries, pause);
  }
  const double after = sum_of_parts(folder, pause);
  std::filesystem::remove_all(folder);
  return {quantile(samples, 0.5), quantile(samples, 0.99), (before + after) / 2};
}

Figure figure(const std::string& how, const Live& live) {
  Figure figure("live, durable at both ends and shown, p50, " + how);
  figure.number("ms", 1e3 * live.p50).number("p99_ms", 1e3 * live.p99);
  figure.number("sum_of_parts_ms", 1e3 * live.sum_of_parts);
  return figure;
}

}  // namespace

int main(int argc, char** argv) {
  initialise_crypto();
  const std::filesystem::path folder = argc > 1 ? argv[1] : "bench-live-data";
  const std::size_t entries = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2'000;
  // People pause, so the goal is for entries that find disk and processor idle. Without a pause an
  // entry also waits for what the one before left to do, the cosignature at both ends.
  const Live paused = measure(folder, entries, std::chrono::milliseconds(5));
  figure("each after 5 ms of silence", paused).at_most(paused.p50 / paused.sum_of_parts, 3).print();
  const Live hurried = measure(folder, entries, std::chrono::milliseconds(0));
  figure("one straight after the other", hurried)
      .number("value", hurried.p50 / hurried.sum_of_parts)
      .print();
  return exit_code();
}
