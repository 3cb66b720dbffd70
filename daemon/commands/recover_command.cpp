#include "daemon/commands/recover_command.hpp"

#include <algorithm>
#include <ostream>

#include "daemon/clock.hpp"
#include "daemon/commands/given.hpp"
#include "daemon/data_dir.hpp"
#include "daemon/random.hpp"
#include "daemon/replica.hpp"
#include "daemon/watch/trail.hpp"
#include "protocol/base/text.hpp"

namespace kith::daemon {
namespace {

std::string in_words(const MemberId& member) {
  std::string all;
  for (const std::string& word : fingerprint_words(member)) all += (all.empty() ? "" : " ") + word;
  return all;
}

/// Now, or one above the highest that is known.
Result<std::uint64_t> number_for(const std::string& above) {
  const std::uint64_t now = wall_now();
  if (above.empty()) return now;
  const auto known = parse_decimal(above, ~std::uint64_t{0} - 1);
  if (!known) return fail(Errc::usage, "--above is the number of a certificate, in decimals");
  return std::max(now, *known + 1);
}

struct Plan {
  Invitation invitation;
  PublicKey steward;
  std::uint64_t number = 0;
};

Result<Plan> read_plan(const RecoverSettings& settings) {
  Plan plan;
  const auto steward = read_steward(settings.steward);
  if (!steward) return steward.error();
  plan.steward = *steward;
  const auto number = number_for(settings.above);
  if (!number) return number.error();
  plan.number = *number;
  auto invitation = read_invitation(settings.join);
  if (!invitation) return invitation.error();
  plan.invitation = std::move(*invitation);
  return plan;
}

Result<Identity> make(const DataDir& dir, const Plan& plan, const std::string& words_file) {
  auto recovery = read_recovery_words(words_file);
  if (!recovery) return recovery.error();
  auto identity =
      rebuild_member(plan.invitation, *recovery, plan.steward, plan.number, fill_random);
  wipe(recovery->bytes);
  if (!identity) return identity;
  const auto noted = note_in_trail(dir.trail(), wall_now(), "recover",
                                   {{"network", to_base32(identity->network.view())},
                                    {"member", to_base32(identity->member.view())},
                                    {"certificate", std::to_string(plan.number)}});
  if (!noted) return noted.error();
  const auto saved = dir.save_identity(*identity);
  if (!saved) return saved.error();
  return identity;
}

Exit rebuild(const std::string& dir, const RecoverSettings& settings, std::ostream& out,
             std::ostream& err) {
  const auto plan = read_plan(settings);
  if (!plan) {
    err << "kithd: " << plan.error().detail << '\n';
    return plan.error().code == Errc::stale ? Exit::failed : Exit::usage;
  }
  const auto data = DataDir::create(dir);
  const auto made = data ? make(*data, *plan, settings.words_file) : data.error();
  if (!made) {
    err << "kithd: " << made.error().detail << '\n';
    return Exit::failed;
  }
  out << dir << " is ready to rebuild a member of " << plan->invitation.network_name
      << ". These words are those of the member with the fingerprint\n\n  "
      << in_words(made->member)
      << "\n\nCompare it with the one noted at init. Nothing was told to anybody yet.\n\n"
         "The machine that had this member before must never run again: two daemons of one member\n"
         "sign two histories, and everybody can prove that.\n\n"
         "Next: kithd --dir "
      << dir << " run\n";
  return Exit::ok;
}

/// Whose words they should be.
struct Expected {
  MemberId member;
  std::string called;
};

Result<Expected> expected(const std::string& dir, const std::string& member) {
  if (!member.empty()) {
    const auto bytes = from_base32(member);
    if (bytes && bytes->size() == MemberId::size) {
      return Expected{MemberId::from(*bytes), "the member " + member};
    }
    return fail(Errc::usage,
                "--member is the id of a member, 52 characters, as kith status --json "
                "shows it");
  }
  const auto identity = DataDir::read_identity(dir);
  if (!identity) return identity.error();
  return Expected{identity->member, identity->profile.code + ", the member of " + dir};
}

Exit rehearse(const std::string& dir, const RecoverSettings& settings, std::ostream& out,
              std::ostream& err) {
  const auto whose = expected(dir, settings.member);
  if (!whose) {
    err << "kithd: " << whose.error().detail << '\n';
    return whose.error().code == Errc::usage ? Exit::usage : Exit::configuration;
  }
  auto recovery = read_recovery_words(settings.words_file);
  const bool are_words = recovery || recovery.error().code == Errc::malformed;
  if (!are_words) {
    err << "kithd: " << recovery.error().detail << '\n';
    return Exit::failed;
  }
  std::string why;
  if (!recovery) {
    why = recovery.error().detail;
  } else {
    const auto member = MemberId::from(SigningKey(*recovery).public_key().view());
    wipe(recovery->bytes);
    if (member != whose->member) {
      why =
          "they are the recovery words of another member, whose fingerprint is " + in_words(member);
    }
  }
  const bool is_right = why.empty();
  if (is_right) {
    out << "Yes: these are the recovery words of " << whose->called << ", whose fingerprint is "
        << in_words(whose->member) << ".\n";
  } else {
    out << "No: these are not the recovery words of " << whose->called << ", whose fingerprint is "
        << in_words(whose->member) << ": " << why << ".\n";
  }
  out << "They were used for nothing else, and kept nowhere.\n";
  if (settings.member.empty()) {
    const auto noted = note_in_trail(
        DataDir::trail_of(dir), wall_now(), "rehearsal",
        {{"member", to_base32(whose->member.view())}, {"words", is_right ? "right" : "wrong"}});
    if (!noted) {
      err << "kithd: that it was rehearsed could not be noted in the trail: "
          << noted.error().detail << '\n';
      return Exit::failed;
    }
  }
  return is_right ? Exit::ok : Exit::failed;
}

}  // namespace

Exit recover_command(const std::string& dir, const RecoverSettings& settings, std::ostream& out,
                     std::ostream& err) {
  return settings.rehearse ? rehearse(dir, settings, out, err) : rebuild(dir, settings, out, err);
}

}  // namespace kith::daemon
