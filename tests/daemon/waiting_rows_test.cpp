#include "daemon/waiting_rows.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "protocol/base/limits.hpp"

namespace kith::daemon {
namespace {

InvitationState invitation(std::uint8_t filled) {
  return {Key32::from(Bytes(32, filled)), Millis{1'700'000'000'000} + filled, std::nullopt};
}

TEST(WaitingRows, InvitationsComeBackAsTheyWere) {
  std::vector<InvitationState> kept = {invitation(1), invitation(2)};
  kept[1].used_by = DhPublic::from(Bytes(32, 9));
  EXPECT_EQ(decode_invitations(encode_invitations(kept)), kept);
  EXPECT_EQ(decode_invitations(encode_invitations({})), std::vector<InvitationState>{});
}

TEST(WaitingRows, ADamagedRowGivesNothing) {
  const Bytes invitations = encode_invitations({invitation(1)});
  const LogId log = LogId::from(Bytes(32, 3));
  const Bytes agreed = encode_agreed(log, {77, {{MemberId{{1}}, 70}}});
  for (const auto& [row, decodes] :
       {std::pair<Bytes, std::function<bool(BytesView)>>{
            invitations, [](BytesView bytes) { return decode_invitations(bytes).has_value(); }},
        {agreed, [&](BytesView bytes) { return decode_agreed(log, bytes).has_value(); }}}) {
    EXPECT_TRUE(decodes(row));
    for (std::size_t i = 0; i < row.size(); ++i) {
      EXPECT_FALSE(decodes(BytesView(row).first(i))) << "cut off at " << i;
      Bytes flipped = row;
      flipped[i] ^= 1;
      EXPECT_FALSE(decodes(flipped)) << "a bit of byte " << i;
    }
  }
}

TEST(WaitingRows, ARowBelongsToItsKey) {
  const AgreedState state{77, {{MemberId{{1}}, 70}, {MemberId{{2}}, 77}}};
  const Bytes agreed = encode_agreed(LogId::from(Bytes(32, 3)), state);
  EXPECT_EQ(decode_agreed(LogId::from(Bytes(32, 3)), agreed), state);
  EXPECT_FALSE(decode_agreed(LogId::from(Bytes(32, 4)), agreed));
}

TEST(WaitingRows, WhatIsGivenUpComesBackInItsOrder) {
  const Bytes statement(99, 7);
  const Bytes key = waiting_enrolment_key(3);
  const Bytes row = encode_waiting_enrolment(3, statement);
  EXPECT_EQ(decode_waiting_enrolment(key, row), statement);
  EXPECT_FALSE(decode_waiting_enrolment(waiting_enrolment_key(4), row));
  EXPECT_LT(waiting_enrolment_key(255), waiting_enrolment_key(256));
  const LogId log = LogId::from(Bytes(32, 3));
  EXPECT_EQ(decode_agreed_elsewhere(log, encode_agreed_elsewhere(log, 77)), 77U);
  EXPECT_FALSE(decode_agreed_elsewhere(LogId::from(Bytes(32, 4)), encode_agreed_elsewhere(log, 7)));
}

TEST(WaitingRows, MoreInvitationsThanMayBeOpenAreRefused) {
  std::vector<InvitationState> many(limits::invitations_max, invitation(1));
  EXPECT_TRUE(decode_invitations(encode_invitations(many)));
  many.push_back(invitation(2));
  EXPECT_FALSE(decode_invitations(encode_invitations(many)));
}

}  // namespace
}  // namespace kith::daemon
