// Seven real daemons that hold seven logs and have nothing to say: memory and time of each. One
// JSON line a figure. usage: bench_idle [FOLDER] [SECONDS]
#include <thread>

#include "protocol/crypto/crypto.hpp"
#include "tests/bench/support/figure.hpp"
#include "tests/bench/support/network.hpp"

namespace {

using namespace kith;
using namespace kith::bench;

constexpr std::size_t members = 7;
constexpr std::size_t practices_each = 100;

}  // namespace

int main(int argc, char** argv) {
  initialise_crypto();
  const std::filesystem::path folder = argc > 1 ? argv[1] : "bench-idle-data";
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 30;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  {
    std::vector<std::unique_ptr<Member>> all;
    std::vector<Member*> electors;
    for (std::size_t i = 0; i < members; ++i) {
      const std::uint16_t port = free_port();
      const std::string code = "ZZ" + std::string(1, static_cast<char>('A' + i));
      all.push_back(std::make_unique<Member>(code, folder / code, port));
      if (i == 0) {
        all[0]->found();
        all[0]->start(port);
      } else {
        admit(*all[i], port, *all[0], electors);
      }
      electors.push_back(all[i].get());
    }
    for (auto& member : all) publish(*member, signed_practices(*member, practices_each, 1));
    for (auto& member : all) {
      wait_until(member->code() + " holds all",
                 [&] { return member->status().records == members * practices_each; });
    }
    // The time to be measured, in which nothing happens: there is nothing else to wait for.
    std::vector<double> before;
    for (auto& member : all) before.push_back(cpu_seconds(member->pid()));
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    double most_mib = 0;
    double most_percent = 0;
    for (std::size_t i = 0; i < members; ++i) {
      const pid_t pid = all[i]->pid();
      most_mib = std::max(most_mib, private_mib(pid));
      most_percent = std::max(most_percent, 100 * (cpu_seconds(pid) - before[i]) / seconds);
    }
    Figure("idle daemon with seven logs, private memory, MiB").at_most(most_mib, 30, 1).print();
    Figure("idle daemon with seven logs, percent of a core").at_most(most_percent, 0.5).print();
  }
  std::filesystem::remove_all(folder);
  return exit_code();
}
