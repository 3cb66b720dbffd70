#include "protocol/audit/policy.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "protocol/base/text.hpp"
#include "protocol/log/lines.hpp"

namespace kith {
namespace {

constexpr std::string_view no_quorum = "none";
constexpr std::size_t names_told_max = 8;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Tab, and what is neither a control character of ASCII nor DEL.
bool is_allowed(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet == '\t' || (octet >= 0x20 && octet != 0x7f);
}

std::vector<std::string_view> items_of(std::string_view line) {
  std::vector<std::string_view> items;
  for (std::size_t at = 0; at < line.size();) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < line.size() && !is_blank(line[end])) ++end;
    items.push_back(line.substr(at, end - at));
    at = end;
  }
  return items;
}

std::string quoted(std::string_view name) { return '"' + one_line(name, 80) + '"'; }

/// Reads one line after the other. Errors do not say in which: the caller does.
class PolicyReader {
 public:
  Result<bool> take(const std::vector<std::string_view>& items) {
    if (items[0] == "log") return take_log(items);
    if (items[0] == "witness") return take_witness(items);
    if (items[0] == "group") return take_group(items);
    if (items[0] == "quorum") return take_quorum(items);
    return fail(Errc::malformed,
                quoted(items[0]) + " begins no line; log, witness, group and quorum do");
  }

  [[nodiscard]] bool has_quorum() const { return has_quorum_; }
  Policy policy;

 private:
  static Result<NoteKey> read_key(std::string_view vkey, KeyType type) {
    auto key = decode_vkey(vkey);
    if (!key) {
      const bool is_other = key.error().code == Errc::not_found;
      return fail(is_other ? Errc::malformed : key.error().code,
                  "this is no verifier key that can be used: " + key.error().detail);
    }
    if (key->type == type) return key;
    return fail(Errc::malformed, type == KeyType::ed25519
                                     ? "this key is a witness's and not a log's"
                                     : "this key is a log's and not a witness's");
  }

  Result<bool> take_log(const std::vector<std::string_view>& items) {
    if (items.size() != 2 && items.size() != 3) {
      return fail(Errc::malformed, "it must be: log VKEY [URL]");
    }
    const auto key = read_key(items[1], KeyType::ed25519);
    if (!key) return key.error();
    if (policy.logs.size() == policy_lines_max) return fail(Errc::too_large, "too many logs");
    if (!log_keys_.insert(key->key).second) {
      return fail(Errc::malformed, "a log with this public key stands there already");
    }
    policy.logs.push_back(*key);
    return true;
  }

  Result<bool> take_witness(const std::vector<std::string_view>& items) {
    if (items.size() != 3 && items.size() != 4) {
      return fail(Errc::malformed, "it must be: witness NAME VKEY [URL]");
    }
    auto key = read_key(items[2], KeyType::cosignature_v1);
    if (!key) return key.error();
    if (!witness_keys_.insert(key->key).second) {
      return fail(Errc::malformed, "a witness with this public key stands there already");
    }
    if (witness_keys_.size() > policy_lines_max) return fail(Errc::too_large, "too many witnesses");
    return define({std::string(items[1]), std::move(*key), 1, {}});
  }

  Result<bool> take_group(const std::vector<std::string_view>& items) {
    if (items.size() < 4) {
      return fail(Errc::malformed, "it must be: group NAME all|any|NUMBER NAME...");
    }
    if (++groups_ > policy_lines_max) return fail(Errc::too_large, "too many groups");
    PolicyNode group{std::string(items[1]), std::nullopt, 1, {}};
    for (std::size_t i = 3; i < items.size(); ++i) {
      const auto member = names_.find(items[i]);
      if (member == names_.end()) {
        return fail(Errc::malformed, quoted(items[i]) + " is no witness and no group before it");
      }
      if (!are_members_.insert(member->second).second) {
        return fail(Errc::malformed, quoted(items[i]) + " is a member already, here or elsewhere");
      }
      group.members.push_back(member->second);
    }
    const auto number = parse_decimal(items[2], group.members.size());
    if (items[2] == "all") {
      group.needed = group.members.size();
    } else if (items[2] != "any") {
      if (!number || *number == 0) {
        return fail(
            Errc::malformed,
            quoted(items[2]) + " is not all, any or a number from 1 to that of the members");
      }
      group.needed = static_cast<std::size_t>(*number);
    }
    return define(std::move(group));
  }

  Result<bool> define(PolicyNode node) {
    if (node.name == no_quorum) return fail(Errc::malformed, "nobody can be called none");
    if (!names_.emplace(node.name, policy.nodes.size()).second) {
      return fail(Errc::malformed, quoted(node.name) + " stands there already");
    }
    policy.nodes.push_back(std::move(node));
    return true;
  }

  Result<bool> take_quorum(const std::vector<std::string_view>& items) {
    if (items.size() != 2) return fail(Errc::malformed, "it must be: quorum NAME, or quorum none");
    if (has_quorum_) return fail(Errc::malformed, "a second quorum line");
    has_quorum_ = true;
    if (items[1] == no_quorum) return true;
    const auto named = names_.find(items[1]);
    if (named == names_.end()) {
      return fail(Errc::malformed, quoted(items[1]) + " is no witness and no group before it");
    }
    policy.quorum = named->second;
    return true;
  }

  std::map<std::string, std::size_t, std::less<>> names_;
  std::set<PublicKey> log_keys_;
  std::set<PublicKey> witness_keys_;
  std::set<std::size_t> are_members_;
  std::size_t groups_ = 0;
  bool has_quorum_ = false;
};

std::string in_words(const Policy& policy) {
  if (!policy.quorum) return "nobody";
  const PolicyNode& quorum = policy.nodes[*policy.quorum];
  if (quorum.key) return one_line(quorum.name, 80);
  std::string words = std::to_string(quorum.needed) + " of ";
  for (std::size_t i = 0; i < quorum.members.size(); ++i) {
    if (i == names_told_max) return words + " …";
    words += (i == 0 ? "" : ", ") + one_line(policy.nodes[quorum.members[i]].name, 80);
  }
  return words;
}

}  // namespace

Result<Policy> decode_policy(std::string_view text) {
  if (text.size() > policy_bytes_max) return fail(Errc::too_large, "the policy is too long");
  PolicyReader reader;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::string where = "line " + std::to_string(++number);
    const auto line = take_line(text);
    if (!line) {
      return fail(Errc::malformed, where + " does not end in a line end: it may be cut off");
    }
    if (!std::ranges::all_of(*line, is_allowed)) {
      return fail(Errc::malformed, where + " holds a control character");
    }
    const auto items = items_of(*line);
    if (items.empty() || items[0].starts_with('#')) continue;
    const auto taken = reader.take(items);
    if (!taken) return fail(taken.error(), where);
  }
  if (reader.has_quorum()) return std::move(reader.policy);
  return fail(Errc::malformed, "there is no quorum line; quorum none asks for nobody");
}

PolicyOutcome evaluate(const Policy& policy, const std::optional<NoteKey>& log,
                       const std::vector<NoteKey>& witnesses) {
  PolicyOutcome outcome;
  outcome.quorum = in_words(policy);
  outcome.knows_log = policy.logs.empty() || (log && std::ranges::count(policy.logs, *log) > 0);
  std::vector<bool> has_cosigned;  // Each node after its members.
  std::vector<NoteKey> known;
  for (const PolicyNode& node : policy.nodes) {
    if (!node.key) {
      const auto count =
          std::ranges::count_if(node.members, [&](std::size_t at) { return has_cosigned[at]; });
      has_cosigned.push_back(static_cast<std::size_t>(count) >= node.needed);
      continue;
    }
    known.push_back(*node.key);
    has_cosigned.push_back(std::ranges::count(witnesses, *node.key) > 0);
    (has_cosigned.back() ? outcome.cosigned : outcome.missing).push_back(node.name);
  }
  outcome.is_met = log && (!policy.quorum || has_cosigned[*policy.quorum]);
  for (const NoteKey& key : witnesses) {
    if (std::ranges::count(known, key) == 0) outcome.unknown_keys.push_back(encode_vkey(key));
  }
  return outcome;
}

std::string why_not(const PolicyOutcome& outcome) {
  if (!outcome.knows_log) return "the policy names other logs, and not this one with this key";
  std::string words = "the policy asks for " + outcome.quorum + "; of its witnesses ";
  if (outcome.cosigned.empty()) return words + "none confirmed all of it";
  words += "only ";
  for (std::size_t i = 0; i < outcome.cosigned.size(); ++i) {
    if (i == names_told_max) return words + " … confirmed all of it";
    words += (i == 0 ? "" : ", ") + one_line(outcome.cosigned[i], 80);
  }
  return words + " confirmed all of it";
}

}  // namespace kith
