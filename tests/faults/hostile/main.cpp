// A peer that wants no good: attacks a kithd on this machine and prints what came of it, a JSON
// line for each case. Exit code 1 if anything was not as it must be. Driven by
// tests/end_to_end/hostile.sh.
#include <csignal>
#include <functional>
#include <iostream>

#include "protocol/crypto/crypto.hpp"
#include "tests/faults/hostile/scene.hpp"

int main(int argc, char** argv) {
  using namespace kith::hostile;
  const std::map<std::string, std::function<void(const Arguments&)>> attacks = {
      {"garbage", garbage}, {"loris", loris},     {"flood", flood},           {"keys", keys},
      {"replay", replay},   {"claims", claims},   {"candidates", candidates}, {"door", door},
      {"forge", forge},     {"session", session}, {"expire", expire},         {"seal", seal},
      {"calm", calm},       {"hold", hold},
  };
  const auto attack = argc < 2 ? attacks.end() : attacks.find(argv[1]);
  if (attack == attacks.end()) {
    std::cerr << "usage: hostile_peer ATTACK [name=value]...\nattacks:";
    for (const auto& [name, _] : attacks) std::cerr << ' ' << name;
    std::cerr << '\n';
    return 2;
  }
  std::map<std::string, std::string> given;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) give_up(word + " is not name=value");
    given[word.substr(0, equals)] = word.substr(equals + 1);
  }
  std::signal(SIGPIPE, SIG_IGN);
  kith::initialise_crypto();
  attack->second(Arguments(std::move(given)));
  return broken_expectations() == 0 ? 0 : 1;
}
