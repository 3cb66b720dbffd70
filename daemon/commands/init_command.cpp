#include "daemon/commands/init_command.hpp"

#include <algorithm>
#include <ostream>

#include "daemon/clock.hpp"
#include "daemon/commands/given.hpp"
#include "daemon/data_dir.hpp"
#include "daemon/random.hpp"
#include "daemon/replica.hpp"
#include "daemon/transport/address.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/base/text.hpp"
#include "protocol/records/outline.hpp"
#include "storage/high_water.hpp"
#include "storage/lmdb.hpp"
#include "storage/log_store.hpp"

namespace kith::daemon {
namespace {

constexpr unsigned secret_mode = 0600;
constexpr std::size_t words_in_a_row = 6;

/// What init was asked for, read and checked before anything is written.
struct Plan {
  std::optional<Charter> charter;        ///< To found.
  std::optional<Invitation> invitation;  ///< To join.
  Profile profile;
  PublicKey steward;
};

Result<std::string> read_aim(const std::string& setting) {
  std::string aim = setting;
  if (setting.starts_with('@')) {
    auto content = files::read(setting.substr(1), limits::aim_bytes_max + 1);
    if (!content) return content.error();
    aim = trimmed(*content);
  }
  if (aim.empty() || aim.size() > limits::aim_bytes_max || !is_utf8(aim)) {
    return fail(Errc::usage, "the aim must be text of at most " +
                                 std::to_string(limits::aim_bytes_max) + " bytes");
  }
  return aim;
}

Result<Rule> read_rule(const std::string& setting) {
  if (setting == "majority") return Rule{Rule::Form::majority, 0};
  if (setting == "all") return Rule{Rule::Form::all, 0};
  if (setting.starts_with("k:")) {
    const auto k = parse_decimal(std::string_view(setting).substr(2), limits::members_max);
    if (k && *k > 0) return Rule{Rule::Form::k_of_n, static_cast<std::uint32_t>(*k)};
  }
  return fail(Errc::usage, "the rule \"" + setting + "\" is none: write majority, all or k:N");
}

Result<std::string> read_label(const std::string& text, std::size_t bytes_max,
                               const std::string& what) {
  if (text.empty() || text.size() > bytes_max || one_line(text, bytes_max) != text) {
    return fail(Errc::usage,
                what + " must be one line of 1 to " + std::to_string(bytes_max) + " bytes of text");
  }
  return text;
}

Result<Profile> read_profile(const InitSettings& settings) {
  Profile profile;
  if (!is_member_code(settings.code)) {
    const std::string upper = upper_case(settings.code);
    return fail(Errc::usage, "--code is 1 to " + std::to_string(limits::code_bytes_max) +
                                 " capital letters, digits and hyphens" +
                                 (is_member_code(upper) ? "; write " + upper : ""));
  }
  const auto name = read_label(settings.member_name, limits::name_bytes_max, "--member-name");
  if (!name) return name.error();
  const auto role = read_label(settings.role, limits::name_bytes_max, "--role");
  if (!role) return role.error();
  if (settings.addresses.size() > limits::addresses_max) {
    return fail(Errc::usage,
                "at most " + std::to_string(limits::addresses_max) + " addresses can be given");
  }
  for (const std::string& text : settings.addresses) {
    const auto address = transport::parse_host_port(text);
    if (!address) return address.error();
    if (address->port == 0) return fail(Errc::usage, "\"" + text + "\": others cannot dial port 0");
  }
  return Profile{settings.code, *name, *role, settings.addresses};
}

Result<Charter> read_charter(const InitSettings& settings) {
  Charter charter;
  const auto name = read_label(settings.network_name, limits::name_bytes_max, "--name");
  if (!name) return name.error();
  const auto aim = read_aim(settings.aim);
  if (!aim) return aim.error();
  charter.name = *name;
  charter.aim = *aim;
  const std::pair<const std::string*, Rule*> rules[] = {
      {&settings.rule_admit, &charter.admit},           {&settings.rule_part, &charter.part},
      {&settings.rule_charter, &charter.charter},       {&settings.rule_space, &charter.space},
      {&settings.rule_succession, &charter.succession},
  };
  for (const auto& [setting, to] : rules) {
    const auto rule = read_rule(*setting);
    if (!rule) return rule.error();
    *to = *rule;
  }
  return charter;
}

Result<Plan> read_plan(const InitSettings& settings) {
  Plan plan;
  const auto profile = read_profile(settings);
  if (!profile) return profile.error();
  plan.profile = *profile;
  const auto steward = read_steward(settings.steward);
  if (!steward) return steward.error();
  plan.steward = *steward;
  if (settings.found) {
    const auto charter = read_charter(settings);
    if (!charter) return charter.error();
    plan.charter = *charter;
    return plan;
  }
  const auto invitation = read_invitation(settings.join);
  if (!invitation) return invitation.error();
  plan.invitation = *invitation;
  return plan;
}

std::string in_rows(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool row_ends = (i + 1) % words_in_a_row == 0 || i + 1 == words.size();
    text += words[i] + (row_ends ? "\n" : " ");
  }
  return text;
}

/// Makes the keys and the first entries, durably, in this order: words, log, high-water, identity.
/// Without the last the directory is not a member's, and init says so.
Result<NewIdentity> make(const DataDir& dir, const Plan& plan, const std::string& words_file) {
  storage::LmdbDatabase database(dir.log(), storage::log_tables(),
                                 storage::LmdbDatabase::Durability::full);
  const auto txn = database.write();
  auto made = plan.charter ? found_network(*plan.charter, plan.profile, plan.steward, wall_now(),
                                           fill_random, *txn)
                           : join_network(*plan.invitation, plan.profile, plan.steward, wall_now(),
                                          fill_random, *txn);
  if (!made) return made;
  if (!words_file.empty()) {
    const std::string words = in_rows(recovery_words(made->recovery));
    const auto written = files::create(words_file, view(words), secret_mode);
    if (!written) return written.error();
  }
  txn->commit();
  storage::HighWaterFile(dir.high_water()).advance(made->marks);
  const auto saved = dir.save_identity(made->identity);
  if (!saved) return saved.error();
  return made;
}

void show(const std::string& dir, const Plan& plan, const NewIdentity& made,
          const std::string& words_file, std::ostream& out) {
  const std::string network = plan.charter ? plan.charter->name : plan.invitation->network_name;
  out << plan.profile.code << " (" << plan.profile.name << ") "
      << (plan.charter ? "founded " : "is ready to join ") << network << ".\n\n"
      << "Fingerprint, to compare by telephone with other members:\n\n  ";
  for (const std::string& word : fingerprint_words(made.identity.member)) out << word << ' ';
  out << "\n\n";
  if (words_file.empty()) {
    out << "The 24 recovery words of this member, shown this once and kept nowhere:\n\n"
        << in_rows(recovery_words(made.recovery))
        << "\nWrite them on paper and lock them away. Whoever has them can speak for this member;\n"
           "without them a stolen or lost server cannot be replaced.\n";
  } else {
    out << "The 24 recovery words are in " << words_file
        << ".\nMove them to paper, lock it away, and delete the file.\n";
  }
  if (plan.profile.addresses.empty()) {
    out << "\nNo --address was given: this daemon dials the others, none of them can dial it.\n";
  }
  out << "\nNext: kithd --dir " << dir << " run\n";
}

/// What a failed init may have left. Only called on a directory that held none of it before.
void remove_traces(const DataDir& dir) {
  std::error_code ignored;
  std::filesystem::remove_all(dir.log(), ignored);
  std::filesystem::remove(dir.high_water(), ignored);
}

}  // namespace

Exit init_command(const std::string& dir, const InitSettings& settings, std::ostream& out,
                  std::ostream& err) {
  const auto plan = read_plan(settings);
  if (!plan) {
    err << "kithd: " << plan.error().detail << '\n';
    return plan.error().code == Errc::stale ? Exit::failed : Exit::usage;
  }
  const auto data = DataDir::create(dir);
  if (!data) {
    err << "kithd: " << data.error().detail << '\n';
    return Exit::failed;
  }
  auto made = make(*data, *plan, settings.words_file);
  if (!made) {
    remove_traces(*data);
    err << "kithd: " << made.error().detail << '\n';
    return Exit::failed;
  }
  show(dir, *plan, *made, settings.words_file, out);
  wipe(made->recovery.bytes);
  return Exit::ok;
}

}  // namespace kith::daemon
