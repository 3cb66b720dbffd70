// Command lines of kithd, one argument on each line. What is accepted makes sense.
#include <iostream>
#include <sstream>

#include "daemon/settings.hpp"
#include "protocol/base/check.hpp"
#include "protocol/base/types.hpp"

using namespace kith;
using namespace kith::daemon;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words{"kithd"};
  std::istringstream lines{std::string(text({data, size}))};
  for (std::string line; words.size() < 64 && std::getline(lines, line);) words.push_back(line);
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());

  std::ostringstream said;
  auto* const out = std::cout.rdbuf(said.rdbuf());
  auto* const err = std::cerr.rdbuf(said.rdbuf());
  const auto parsed = parse_settings(static_cast<int>(arguments.size()), arguments.data());
  std::cout.rdbuf(out);
  std::cerr.rdbuf(err);

  const auto* settings = std::get_if<Settings>(&parsed);
  if (settings == nullptr) {
    KITH_CHECK(!said.str().empty());  // Whoever is refused is told why.
    return 0;
  }
  const auto* recover = std::get_if<RecoverSettings>(&settings->command);
  const bool is_named = recover != nullptr && !recover->member.empty();
  KITH_CHECK(settings->dir.empty() == is_named);
  if (recover != nullptr) {
    KITH_CHECK(recover->rehearse == recover->join.empty());
    KITH_CHECK(recover->rehearse == recover->steward.empty());
  }
  if (const auto* init = std::get_if<InitSettings>(&settings->command)) {
    KITH_CHECK(init->found == init->join.empty());
    KITH_CHECK(init->found == !init->network_name.empty() && init->found == !init->aim.empty());
  }
  if (const auto* run = std::get_if<RunSettings>(&settings->command)) {
    KITH_CHECK(run->no_listen == run->listen.empty());
  }
  return 0;
}
