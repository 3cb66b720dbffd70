// Command lines of kith, one argument on each line: a command to run, or words about what is wrong.
#include <sstream>

#include "client/command_line.hpp"
#include "protocol/base/check.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> arguments;
  std::istringstream lines{std::string(text({data, size}))};
  for (std::string line; arguments.size() < 64 && std::getline(lines, line);) {
    arguments.push_back(line);
  }
  std::ostringstream said;
  std::istringstream in;
  const client::Console console{.out = said, .err = said, .in = in};
  const auto parsed = client::parse_command_line(arguments, console);
  if (const auto* invocation = std::get_if<client::Invocation>(&parsed)) {
    KITH_CHECK(invocation->run != nullptr);
  } else {
    KITH_CHECK(!said.str().empty());
  }
  return 0;
}
