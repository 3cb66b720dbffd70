#include "client/console.hpp"

#include "client/json_output.hpp"
#include "client/layout.hpp"

namespace kith::client {

Exit complain(const Console& console, const Error& error) {
  return complain(console, error, error.code == Errc::usage ? Exit::usage : Exit::refused);
}

Exit complain(const Console& console, const Error& error, Exit exit) {
  console.err << "kith: " << clean_text(error.detail) << '\n';
  if (console.json) console.out << json_of(error) << '\n';
  return exit;
}

bool can_ask(const Console& console) {
  return console.in_is_terminal && console.err_is_terminal && !console.json;
}

bool confirm(const Console& console, const std::string& question) {
  console.err << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(console.in, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace kith::client
