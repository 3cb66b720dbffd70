#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/layout.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/keys/key_file.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

void explain(std::ostream& to, const Invited& invited) {
  to << "\nHand it to the one organisation it is for, by a way you trust: it is a\n"
        "secret, good for the first who uses it, until "
     << date_of(invited.expires)
     << ".\nThey type, on the machine that is to be theirs:\n"
        "  kithd --dir DIR init --join FILE --code CODE --member-name NAME \\\n"
        "    --role ROLE --steward KEYFILE --address HOST:PORT\n"
        "  kithd --dir DIR run\n"
        "When they have used it, kith proposals shows them with eight words. Ring\n"
        "them up and have them read their eight words aloud before you consent.\n"
        "Yours are:\n  "
     << fingerprint_of(invited.sponsor) << '\n';
}

}  // namespace

Exit invite(const InviteOptions& options, Daemon& daemon, const Console& console,
            const Desk& desk) {
  if (options.addresses.size() > limits::addresses_max) {
    return complain(console, fail(Errc::usage, "at most " + std::to_string(limits::addresses_max) +
                                                   " addresses can be given"));
  }
  const auto path = desk.working_folder / options.out;
  if (!options.out.empty() && std::filesystem::exists(path)) {
    // Before the daemon makes an invitation that would then lie nowhere.
    return complain(console, fail(Errc::conflict, options.out + " exists already; name another"));
  }
  if (!options.out.empty() && !std::filesystem::is_directory(path.parent_path())) {
    return complain(console, fail(Errc::usage, "there is no folder " + path.parent_path().string() +
                                                   "; make it first"));
  }
  const auto answer =
      ask<local::InviteAnswer>(daemon, console, local::InviteRequest{options.addresses});
  if (!answer) return answer.exit;
  const auto invitation = decode_invitation(answer->invitation);
  if (!invitation) return complain(console, fail(invitation.error(), "reading the invitation"));

  const Invited invited{answer->invitation, options.out, answer->expires, invitation->network_name,
                        invitation->sponsor};
  if (!options.out.empty()) {
    const auto written = files::create(path, view(answer->invitation), 0600);
    if (!written) return complain(console, written.error());
  }
  if (console.json) {
    console.out << json_of(invited) << '\n';
  } else if (options.out.empty()) {
    console.out << clean_text(answer->invitation);
    explain(console.err, invited);
  } else {
    console.out << "The invitation to " << clean_line(invited.network_name) << " is in "
                << options.out << '\n';
    explain(console.out, invited);
  }
  return Exit::ok;
}

}  // namespace kith::client
