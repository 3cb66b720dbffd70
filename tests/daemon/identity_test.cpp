#include "daemon/identity.hpp"

#include <gtest/gtest.h>

namespace kith::daemon {
namespace {

template <class Value>
Value filled(std::uint8_t byte) {
  Value value;
  value.bytes.fill(byte);
  return value;
}

Identity joining() {
  Identity identity;
  identity.network = filled<NetworkId>(1);
  identity.member = filled<MemberId>(2);
  identity.certificate = Bytes(300, 3);
  identity.log_key = filled<Seed>(4);
  identity.witness_key = filled<Seed>(5);
  identity.transport_key = filled<DhSecret>(6);
  identity.sealing_key = filled<DhSecret>(7);
  identity.daemon_key = filled<Seed>(8);
  identity.profile = {"ZZA", "Ashdown Hospitals", "acute trust", {"a.example:5484", "[::1]:1"}};
  identity.founder = filled<MemberId>(9);
  identity.decision = filled<DecisionId>(10);
  Invitation invitation;
  invitation.network = identity.network;
  invitation.network_name = "North";
  invitation.sponsor = filled<MemberId>(11);
  invitation.sponsor_transport = filled<DhPublic>(12);
  invitation.addresses = {"b.example:5484"};
  invitation.secret = filled<Key32>(13);
  invitation.expires = 1'234'567;
  invitation.decision = identity.decision;
  invitation.founder = identity.founder;
  identity.invitation = invitation;
  return identity;
}

Identity member() {
  Identity identity = joining();
  identity.invitation.reset();
  identity.profile.addresses.clear();
  identity.network_secret = filled<Key32>(14);
  identity.commons_keys = SpaceKeys{filled<Key32>(15), filled<Key32>(16)};
  return identity;
}

Identity renewed() {
  Identity identity = member();
  identity.cut_list = Bytes(99, 17);
  identity.former_transport_keys = {filled<DhSecret>(18), filled<DhSecret>(19),
                                    filled<DhSecret>(20), filled<DhSecret>(21)};
  return identity;
}

TEST(Identity, WhatIsWrittenIsRead) {
  for (const Identity& identity : {joining(), member(), renewed()}) {
    const auto read = decode_identity(encode_identity(identity));
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*read, identity);
  }
  EXPECT_TRUE(encode_identity(member()).starts_with("kithd-identity v1\n"));
}

TEST(Identity, AFifthFormerTransportKeyIsRefused) {
  Identity identity = renewed();
  identity.former_transport_keys.push_back(filled<DhSecret>(22));
  EXPECT_FALSE(decode_identity(encode_identity(identity)));
}

TEST(Identity, EveryTruncationIsRefused) {
  const std::string text = encode_identity(member());
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto read = decode_identity(std::string_view(text).substr(0, size));
    // What ends before an optional part is an identity of its own.
    const bool whole_lines = size > 0 && text[size - 1] == '\n';
    if (!whole_lines) {
      EXPECT_FALSE(read) << size;
    }
    if (read) {
      EXPECT_NE(*read, member());
    }
  }
}

TEST(Identity, ALineThatIsMissingSwappedDoubledOrAddedIsNamed) {
  const std::string text = encode_identity(member());
  const auto refuses = [](std::string changed, std::string_view word) {
    const auto read = decode_identity(changed);
    EXPECT_FALSE(read);
    if (read) return;
    EXPECT_EQ(read.error().code, Errc::malformed);
    EXPECT_NE(read.error().detail.find(word), std::string::npos) << read.error().detail;
  };
  const std::size_t member_at = text.find("\nmember ") + 1;
  const std::size_t member_end = text.find('\n', member_at) + 1;
  const std::string line = text.substr(member_at, member_end - member_at);
  refuses(std::string(text).erase(member_at, line.size()), "\"member\"");
  refuses(std::string(text).insert(member_at, line), "\"certificate\"");
  refuses(text + line, "after its last line");
  refuses(std::string(text).replace(member_at + 8, 1, "!"), "\"member\"");
  refuses("kithd-identity v2\n", "first line");
  refuses("", "first line");
}

TEST(Identity, OtherFormsOfTheSameAreRefused) {
  std::string text = encode_identity(joining());
  EXPECT_FALSE(decode_identity(text + "\n"));
  const std::size_t code_at = text.find("\ncode ");
  EXPECT_FALSE(decode_identity(std::string(text).replace(code_at, 1, "\r\n")));
  EXPECT_FALSE(decode_identity(std::string(text).replace(code_at + 6, 3, std::string(17, 'Z'))));
  EXPECT_FALSE(decode_identity(std::string(text).replace(code_at + 6, 3, "Z\tA")));
}

TEST(Identity, MoreAddressesThanAllowedAreRefused) {
  Identity identity = member();
  identity.profile.addresses.assign(9, "a.example:1");
  EXPECT_FALSE(decode_identity(encode_identity(identity)));
}

}  // namespace
}  // namespace kith::daemon
