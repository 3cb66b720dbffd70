// Real daemons: a member that holds nothing of another's log fetches all of it, checks it and makes
// it durable; then it comes back and there is nothing new. Each figure beside its limit, measured
// in the same run. One JSON line a figure. usage: bench_sync [FOLDER] [ENTRIES] [REPEATS]
#include "protocol/crypto/crypto.hpp"
#include "tests/bench/support/figure.hpp"
#include "tests/bench/support/limits.hpp"
#include "tests/bench/support/network.hpp"
#include "tests/bench/support/proxy.hpp"

namespace {

using namespace kith;
using namespace kith::bench;

/// Seconds from the start of the daemon that holds nothing.
struct ColdSync {
  double to_checkpoint = 0;  ///< All leaves and payloads verified by the checkpoint, and durable.
  double to_author = 0;      ///< Every author signature checked as well.
  double to_shown = 0;       ///< In the views that people read.
  double reader_cpu = 0;     ///< Until every author was checked.
  double writer_cpu = 0;
  double disk_bytes = 0;      ///< Log and views, as the daemon says, once all is shown.
  double log_disk_bytes = 0;  ///< The log environment alone.
  double tree_only = 0;       ///< The limits around the run, a second.
  double verify_two = 0;
};

/// Two members that know each other; the reader was down while the writer published.
struct Stage {
  std::filesystem::path folder;
  std::uint16_t port = free_port();
  Member writer{"ZZA", folder / "writer", port};
  Member reader{"ZZB", folder / "reader", free_port()};
  std::uint64_t records = 0;

  Stage(const std::filesystem::path& where, std::size_t entries, std::size_t batch)
      : folder(where) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    writer.found();
    writer.start(port);
    admit(reader, 0, writer, {&writer});
    wait_until("the reader knows the writer", [&] { return reader.row_of("ZZA").has_value(); });
    reader.stop();
    publish(writer, signed_practices(writer, entries, batch));
    wait_until("the writer has checked its own", [&] {
      const auto row = writer.row_of("ZZA");
      return row->judged == row->held_size && writer.status().records == entries;
    });
    records = entries;
    std::filesystem::copy(folder / "reader", folder / "reader-before",
                          std::filesystem::copy_options::recursive);
  }

  void reset_reader() {
    std::filesystem::remove_all(folder / "reader");
    std::filesystem::copy(folder / "reader-before", folder / "reader",
                          std::filesystem::copy_options::recursive);
  }
};

/// Whoever looks takes time from what is looked at: every 5 ms it was two per cent of the machine.
constexpr std::chrono::milliseconds look_every{20};

ColdSync cold_sync(Stage& stage) {
  stage.reset_reader();
  const auto size = stage.writer.status().log_size;
  ColdSync took;
  const double writer_before = cpu_seconds(stage.writer.pid());
  const auto start = Clock::now();
  stage.reader.start(0);
  wait_until(
      "the reader holds all",
      [&] {
        const auto row = stage.reader.row_of("ZZA");
        const bool held = row && row->held_size >= size;
        if (held && took.to_checkpoint == 0) took.to_checkpoint = seconds_since(start);
        return held && row->judged >= size;
      },
      look_every);
  took.to_author = seconds_since(start);
  took.reader_cpu = cpu_seconds(stage.reader.pid());
  took.writer_cpu = cpu_seconds(stage.writer.pid()) - writer_before;
  wait_until(
      "the reader shows all", [&] { return stage.reader.status().records >= stage.records; },
      look_every);
  took.to_shown = seconds_since(start);
  const auto status = stage.reader.status();
  must(status.bad == 0, "an honest record was found bad");
  must(status.incomplete == 0, "payloads are missing");
  took.disk_bytes = static_cast<double>(status.disk_bytes);
  stage.reader.stop();
  took.log_disk_bytes =
      static_cast<double>(std::filesystem::file_size(stage.folder / "reader" / "log" / "data.mdb"));
  return took;
}

/// The limits wander with what else the machine's host does, so each run stands between its own.
std::vector<ColdSync> repeated(Stage& stage, std::size_t repeats) {
  std::vector<ColdSync> all;
  double tree_only = tree_only_bound(stage.folder);
  double verify_two = verify_rate(2);
  for (std::size_t i = 0; i < repeats; ++i) {
    all.push_back(cold_sync(stage));
    all.back().tree_only = std::exchange(tree_only, tree_only_bound(stage.folder)) / 2;
    all.back().verify_two = std::exchange(verify_two, verify_rate(2)) / 2;
    all.back().tree_only += tree_only / 2;
    all.back().verify_two += verify_two / 2;
  }
  return all;
}

/// The writer's address leads through a proxy; nothing is timed. The reader has all afterwards.
struct Wire {
  double bytes_per_entry = 0;
  double reader_mib = 0;  ///< The most that was seen, every few milliseconds.
  double writer_mib = 0;
};

Wire count_wire(Stage& stage, CountingProxy& proxy) {
  stage.reset_reader();
  const auto size = stage.writer.status().log_size;
  proxy.reset();
  Wire wire;
  stage.reader.start(0);
  wait_until("the reader shows all that came through the proxy", [&] {
    wire.reader_mib = std::max(wire.reader_mib, private_mib(stage.reader.pid()));
    wire.writer_mib = std::max(wire.writer_mib, private_mib(stage.writer.pid()));
    const auto row = stage.reader.row_of("ZZA");
    return row && row->judged >= size && stage.reader.status().records >= stage.records;
  });
  wire.bytes_per_entry = static_cast<double>(proxy.bytes()) / static_cast<double>(stage.records);
  return wire;
}

/// Waits until a second passed in which nothing was sent; nothing else tells that no more will
/// come.
void wait_for_silence(const CountingProxy& proxy) {
  auto since = Clock::now();
  std::uint64_t before = proxy.bytes();
  wait_until("the connection is silent", [&] {
    if (proxy.bytes() != before || before == 0) since = Clock::now();
    before = proxy.bytes();
    return seconds_since(since) > 1.0;
  });
}

void print_reconnect(const CountingProxy& proxy, const std::string& after) {
  Figure("reconnect with nothing new " + after + ", bytes")
      .at_most(static_cast<double>(proxy.bytes()), 700, 0)
      .print();
  Figure("reconnect with nothing new " + after + ", round trips after the TCP connect")
      .at_most(static_cast<double>(proxy.flights()) / 2, 2, 1)
      .print();
}

void count_reconnects(Stage& stage, CountingProxy& proxy) {
  wait_for_silence(proxy);
  stage.reader.stop();
  proxy.reset();
  stage.reader.start(0);
  wait_for_silence(proxy);
  must(stage.reader.row_of("ZZA")->connected, "the reader did not come back");
  print_reconnect(proxy, "after a restart");

  proxy.reset();
  proxy.cut();
  wait_for_silence(proxy);
  must(stage.reader.row_of("ZZA")->connected, "the reader did not come back");
  print_reconnect(proxy, "after a cut");
}

void with_proxy(Stage& stage, double wire_goal, const std::string& how) {
  stage.writer.stop();
  const std::uint16_t behind = free_port();
  stage.writer.start(behind);
  CountingProxy proxy(stage.port, behind);
  const Wire wire = count_wire(stage, proxy);
  Figure("wire over body and signature, " + how)
      .number("bytes_per_entry", wire.bytes_per_entry, 0)
      .at_most(wire.bytes_per_entry / static_cast<double>(body_and_signature_bytes), wire_goal)
      .print();
  Figure("private memory of the reader in cold sync, MiB, " + how)
      .number("of_the_writer", wire.writer_mib, 1)
      .at_most(wire.reader_mib, 150, 1)
      .print();
  count_reconnects(stage, proxy);
}

void print_rate(const std::string& name, double entries, std::vector<ColdSync> all,
                double ColdSync::* seconds, double ColdSync::* limit, const char* limit_name,
                double goal) {
  const auto ratio = [&](const ColdSync& one) { return entries / one.*seconds / one.*limit; };
  std::sort(all.begin(), all.end(),
            [&](const ColdSync& a, const ColdSync& b) { return ratio(a) < ratio(b); });
  const ColdSync& median = all[all.size() / 2];
  Figure(name + ", median of " + std::to_string(all.size()))
      .number("seconds", median.*seconds)
      .number("per_second", entries / median.*seconds, 0)
      .number(limit_name, median.*limit, 0)
      .number("least_ratio", ratio(all.front()))
      .number("most_ratio", ratio(all.back()))
      .at_least(ratio(median), goal)
      .print();
}

void print_rest(const std::vector<ColdSync>& all, double entries) {
  const auto median = [&](double ColdSync::* value) {
    std::vector<double> samples;
    for (const ColdSync& one : all) samples.push_back(one.*value);
    return quantile(std::move(samples), 0.5);
  };
  Figure("the same: seconds until people can read all, and processor time until all is checked")
      .number("seconds", median(&ColdSync::to_shown))
      .number("reader_cpu_seconds", median(&ColdSync::reader_cpu), 2)
      .number("writer_cpu_seconds", median(&ColdSync::writer_cpu), 2)
      .print();
  const double disk = median(&ColdSync::disk_bytes) / entries;
  const double log_disk = median(&ColdSync::log_disk_bytes) / entries;
  const auto said = static_cast<double>(body_and_signature_bytes);
  Figure("the same: disk per entry of log and views, and of the log environment alone")
      .number("bytes", disk, 0)
      .number("log_environment_bytes", log_disk, 0)
      .number("over_body_and_signature", disk / said)
      .number("log_environment_over_body_and_signature", log_disk / said)
      .print();
}

}  // namespace

int main(int argc, char** argv) {
  initialise_crypto();
  const std::filesystem::path folder = argc > 1 ? argv[1] : "bench-sync-data";
  const std::size_t entries = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100'000;
  const std::size_t repeats = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 3;
  const auto count = static_cast<double>(entries);
  std::filesystem::create_directories(folder);

  {
    Stage alone(folder / "alone", entries, 1);
    const std::vector<ColdSync> all = repeated(alone, repeats);
    print_rate("cold sync to checkpoint-verified and durable", count, all, &ColdSync::to_checkpoint,
               &ColdSync::tree_only, "tree_only_per_second", 0.4);
    print_rate("cold sync to author-verified, each signed alone", count, all, &ColdSync::to_author,
               &ColdSync::verify_two, "verify_on_two_threads_per_second", 0.7);
    print_rest(all, count);
    with_proxy(alone, 1.5, "each signed alone");
  }
  {
    Stage batched(folder / "batched", entries, 1'000);
    const std::vector<ColdSync> all = repeated(batched, repeats);
    print_rate("cold sync to author-verified, signed in batches of 1,000", count, all,
               &ColdSync::to_author, &ColdSync::tree_only, "tree_only_per_second", 0.3);
    print_rest(all, count);
    with_proxy(batched, 1.75, "batches of 1,000");
  }
  std::filesystem::remove_all(folder);
  return exit_code();
}
