#include "client/commands/commands.hpp"
#include "client/json_output.hpp"
#include "client/key_store.hpp"
#include "protocol/keys/key_file.hpp"

namespace kith::client {

Exit init(const InitOptions& options, const Console& console, const Desk& desk) {
  const auto author = make_key(desk, options.passphrase);
  if (!author) return complain(console, author.error());
  const std::string line = encode_author(*author);
  if (console.json) {
    console.out << json_of(KeyMade{line, desk.key_file.string(), options.passphrase}) << '\n';
    return Exit::ok;
  }

  // Standard output is the one line to pass on; the rest is advice.
  console.out << line << '\n';
  console.err
      << "\nThis is your author name; it is no secret. Your key lies in\n  "
      << desk.key_file.string()
      << "\nand never leaves this machine; keep a copy where only you can read it.\n\n"
         "Next: send the line above to a steward of your organisation, who types\n"
         "  kith author enrol "
      << line
      << "\nIf you are to be the first steward yourself, nobody enrols you: give the line to\n"
         "whoever sets up the daemon\n"
         "  kithd init --steward "
      << line << " …\n";
  return Exit::ok;
}

}  // namespace kith::client
