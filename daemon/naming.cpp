// How members, and what is proposed about them, are called before people.
#include "daemon/replica_impl.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/key_file.hpp"

namespace kith::daemon {
namespace {

/// Of a member's id, behind a code that another member had first.
constexpr std::size_t telling_characters = 4;

std::string joined_words(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

}  // namespace

Profile Replica::Impl::profile_of(const MemberId& member) const {
  if (const auto log = logs.find(commons_log(member)); log != logs.end() && log->second.profile) {
    return *log->second.profile;
  }
  for (auto state = fold ? fold->history().rbegin()
                         : std::vector<NetworkState>::const_reverse_iterator{};
       fold && state != fold->history().rend(); ++state) {
    const auto found = state->members.find(member);
    if (found != state->members.end()) return found->second.profile;
  }
  if (member == me.member) return me.profile;
  return {};
}

void Replica::Impl::name_members() {
  for (; states_named < fold->history().size(); ++states_named) {
    for (const auto& [member, state] : fold->history()[states_named].members) {
      if (codes.contains(member)) continue;
      // Whoever was admitted first with a code has it; a later one cannot pass for it. What a
      // member says in a later profile is no code: it could be another's.
      const std::string id = to_base32(member.view());
      std::string code = state.profile.code;
      for (std::size_t shown = telling_characters; holder_of(code); shown += telling_characters) {
        code = state.profile.code + "~" + id.substr(0, shown);
      }
      codes.emplace(member, std::move(code));
    }
  }
}

std::optional<MemberId> Replica::Impl::holder_of(std::string_view code) const {
  const auto holder =
      std::ranges::find(codes, code, [](const auto& known) { return known.second; });
  if (holder == codes.end()) return std::nullopt;
  return holder->first;
}

std::string Replica::Impl::code_of(const MemberId& member) const {
  if (const auto known = codes.find(member); known != codes.end()) return known->second;
  const std::string code = profile_of(member).code;
  return code.empty() ? to_base32(member.view()).substr(0, 8) : code;
}

std::optional<MemberId> Replica::Impl::member_of_code(const std::string& code) const {
  const std::string typed = upper_case(code);
  for (const auto& [member, shown] : codes) {
    if (upper_case(shown) == typed) return member;
  }
  return std::nullopt;
}

std::string Replica::Impl::code_taken(const std::string& code, const MemberId& newcomer) const {
  const auto holder = holder_of(code);
  if (!holder || *holder == newcomer) return {};
  return "the code " + code + " is that of " + profile_of(*holder).name + " already";
}

std::string Replica::Impl::effect_in_words(const Effect& effect) const {
  if (const auto* admit = std::get_if<Admit>(&effect)) {
    const auto member = read_member(admit->certificate);
    if (!member) return "admit somebody whose certificate is false";
    const std::string taken = code_taken(admit->profile.code, *member);
    // The words before the name: a name could hold other words.
    return "admit " + admit->profile.code +
           " (fingerprint: " + joined_words(fingerprint_words(*member)) + "), " +
           admit->profile.name + (taken.empty() ? "" : "; beware: " + taken);
  }
  if (const auto* part = std::get_if<Part>(&effect)) return "part " + code_of(part->member);
  if (const auto* pause = std::get_if<Pause>(&effect)) return "pause " + code_of(pause->member);
  if (const auto* resume = std::get_if<Resume>(&effect)) return "resume " + code_of(resume->member);
  return "change the charter";
}

}  // namespace kith::daemon
