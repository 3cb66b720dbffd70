// A policy that was read has sound parts: every member and the quorum stand before what names them,
// no member twice, and who cosigned more never meets less.
#include <set>

#include "protocol/audit/policy.hpp"
#include "protocol/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kith;
  const auto policy = decode_policy(text(BytesView(data, size)));
  if (!policy) return 0;
  std::set<std::size_t> members;
  std::vector<NoteKey> everybody;
  for (std::size_t at = 0; at < policy->nodes.size(); ++at) {
    const PolicyNode& node = policy->nodes[at];
    KITH_CHECK(node.key.has_value() == node.members.empty() && node.name != "none");
    if (node.key) everybody.push_back(*node.key);
    KITH_CHECK(node.needed >= 1 && (node.key || node.needed <= node.members.size()));
    for (const std::size_t member : node.members) {
      KITH_CHECK(member < at && members.insert(member).second);
    }
  }
  KITH_CHECK(!policy->quorum || *policy->quorum < policy->nodes.size());
  const NoteKey log{"log", KeyType::ed25519, PublicKey::from(Bytes(32, 1))};
  const auto key = policy->logs.empty() ? log : policy->logs.back();
  KITH_CHECK(evaluate(*policy, key, everybody).holds());
  KITH_CHECK(evaluate(*policy, key, {}).holds() == !policy->quorum);
  KITH_CHECK(!evaluate(*policy, std::nullopt, everybody).holds());
  return 0;
}
