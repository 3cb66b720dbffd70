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

/// Between two entries, so that each finds the network quiet, as people do.
constexpr auto pause = std::chrono::milliseconds(5);

std::vector<double> latencies(Member& writer, Member& reader, std::size_t entries) {
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

}  // namespace

int main(int argc, char** argv) {
  initialise_crypto();
  const std::filesystem::path folder = argc > 1 ? argv[1] : "bench-live-data";
  const std::size_t entries = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2'000;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);

  // What cannot be avoided: a durable commit at each end, one way over the network, and the check
  // of the author at each end.
  const auto parts = [&] {
    return 2 * lmdb_commit_seconds(folder) + round_trip_seconds() / 2 + 2 / verify_rate(1);
  };
  const double before = parts();
  std::vector<double> samples;
  {
    const std::uint16_t port = free_port();
    Member writer("ZZA", folder / "writer", port);
    Member reader("ZZB", folder / "reader", free_port());
    writer.found();
    writer.start(port);
    admit(reader, 0, writer, {&writer});
    samples = latencies(writer, reader, entries);
  }
  const double sum_of_parts = (before + parts()) / 2;
  const double p50 = quantile(samples, 0.5);
  Figure("live, durable at both ends and shown, p50")
      .number("ms", 1e3 * p50)
      .number("p99_ms", 1e3 * quantile(samples, 0.99))
      .number("sum_of_parts_ms", 1e3 * sum_of_parts)
      .at_most(p50 / sum_of_parts, 3)
      .print();
  std::filesystem::remove_all(folder);
  return 0;
}
