#include <gtest/gtest.h>

#include "daemon/random.hpp"
#include "protocol/base/text.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/leaf.hpp"
#include "storage/log_store.hpp"
#include "tests/daemon/support/plain_host.hpp"

namespace kith::daemon {
namespace {

constexpr std::uint64_t entries = 4'096;

/// Records that no key opens: each is judged, and counts for nothing.
void fill(storage::WriteTxn& txn, const LogId& log, std::uint64_t first) {
  for (std::uint64_t i = 0; i < entries; ++i) {
    Bytes payload(64);
    fill_random(payload);
    const std::string leaf = encode_leaf(make_leaf(LeafClass::record, 1, payload));
    const storage::NewEntry entry{view(leaf), BytesView(payload)};
    ASSERT_TRUE(storage::log_store::append(txn, log, first + i, {&entry, 1}));
  }
}

std::size_t line_of(const PlainHost& host, const std::string& what) {
  const auto found = std::ranges::find_if(
      host.lines, [&](const std::string& line) { return line.find(what) != std::string::npos; });
  EXPECT_NE(found, host.lines.end()) << what;
  return static_cast<std::size_t>(found - host.lines.begin());
}

TEST(Judging, LogsTakeTurns) {
  PlainHost host;
  const auto txn = host.disk().write();
  Charter charter;
  charter.name = "Test";
  charter.aim = "To learn.";
  const auto made =
      found_network(charter, {"ZZA", "Ashdown", "trust", {}}, SigningKey(Seed{{5}}).public_key(),
                    host.now(), fill_random, *txn);
  // One log before and one behind the own in the order of ids, so none is favoured by it.
  const MemberId low{{1}};
  const MemberId high{{2}};
  for (const auto& [log, member] :
       std::array{std::pair{LogId{{0}}, low}, std::pair{LogId{{255}}, high}}) {
    storage::log_store::create(*txn, log, member, commons);
    fill(*txn, log, 0);
  }
  txn->commit();
  Replica replica(made->identity, {}, made->marks, host);
  host.run();

  // Past the first few each doubling is said, so the lines tell who was how far when.
  const std::string low_name = to_base32(low.view()).substr(0, 8);
  const std::string high_name = to_base32(high.view()).substr(0, 8);
  const auto half = "entry " + std::to_string(entries / 2 - 1) + " of ";
  EXPECT_LT(line_of(host, "entry 0 of " + high_name), line_of(host, half + low_name));
  EXPECT_LT(line_of(host, "entry 0 of " + low_name), line_of(host, half + high_name));
  EXPECT_LT(line_of(host, half + low_name), line_of(host, "entry 4095 of " + high_name));
  EXPECT_LT(line_of(host, half + high_name), line_of(host, "entry 4095 of " + low_name));
}

}  // namespace
}  // namespace kith::daemon
