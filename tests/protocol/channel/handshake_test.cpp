#include <gtest/gtest.h>

#include "tests/protocol/channel/pair.hpp"

namespace kith::channel {
namespace {

using namespace testing;

/// Feeds `bytes` to a responder that is as fresh as its configuration; whether all went well.
bool feed(Responder& responder, BytesView bytes) {
  std::size_t consumed = 0;
  return responder.receive(bytes, consumed).has_value();
}

/// A responder that has answered `opening`.
Responder after_opening(const Wire& wire) {
  Responder responder(responder_config());
  EXPECT_TRUE(feed(responder, wire.opening));
  return responder;
}

/// An honest handshake's bytes. Fixed ephemeral keys: the same each time.
Wire honest_wire(const Hello& hello = {}) {
  auto config = initiator_config();
  config.hello = hello;
  Initiator initiator(config);
  Responder responder(responder_config());
  return run(initiator, responder);
}

TEST(ChannelHandshake, HasExactlyTheSizesOfTheSpecification) {
  const Wire wire = honest_wire();
  EXPECT_EQ(wire.opening.size(), 73U);
  EXPECT_EQ(wire.message2.size(), 48U);
  EXPECT_EQ(wire.message3.size(), 2U + 128U);
  EXPECT_EQ(read_integer<std::uint16_t>(wire.message3), 128);

  Hello with_certificate;
  with_certificate.certificate = Bytes(500, 7);
  const Wire long_wire = honest_wire(with_certificate);
  EXPECT_EQ(long_wire.message3.size(), 2U + 1'088U);
  EXPECT_EQ(read_integer<std::uint16_t>(long_wire.message3), 1'088);
}

TEST(ChannelHandshake, EndsWithOneHashTheStaticTheHelloAndTheCandidate) {
  Hello hello;
  hello.certificate_number = 42;
  hello.digest = filled<Hash>(9);
  hello.certificate = Bytes(960, 7);
  auto config = initiator_config();
  config.hello = hello;
  Initiator initiator(config);
  auto responding = responder_config();
  responding.candidates = [](const DhPublic&) {
    return std::vector<Candidate>{{.psk = psk, .tag = 12}};
  };
  Responder responder(responding);
  run(initiator, responder);

  ASSERT_TRUE(initiator.finished());
  ASSERT_TRUE(responder.finished());
  EXPECT_EQ(responder.remote_static(), dh_public(initiator_static));
  EXPECT_EQ(responder.hello(), hello);
  EXPECT_EQ(responder.accepted().tag, 12);
  SecureChannel a = initiator.take_channel();
  SecureChannel b = responder.take_channel();
  EXPECT_TRUE(initiator.finished());
  EXPECT_EQ(a.handshake_hash(), b.handshake_hash());

  std::vector<Bytes> messages;
  a.send(view("from the dialler"));
  ASSERT_TRUE(b.receive(a.take_output(everything), messages));
  b.send(view("from the listener"));
  ASSERT_TRUE(a.receive(b.take_output(everything), messages));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(text(messages[0]), "from the dialler");
  EXPECT_EQ(text(messages[1]), "from the listener");
}

TEST(ChannelHandshake, WorksByteForByteAndLeavesTheRestToTheChannel) {
  Initiator initiator(initiator_config());
  Responder responder(responder_config());
  Bytes to_responder = *initiator.start();
  std::size_t consumed = 0;
  Bytes to_initiator;
  for (const std::uint8_t byte : to_responder) {
    EXPECT_TRUE(to_initiator.empty());
    append(to_initiator, *responder.receive(BytesView(&byte, 1), consumed));
    EXPECT_EQ(consumed, 1U);
  }
  Bytes message3;
  for (const std::uint8_t byte : to_initiator) {
    message3 = *initiator.receive(BytesView(&byte, 1), consumed);
    EXPECT_EQ(consumed, 1U);
  }
  ASSERT_TRUE(initiator.finished());

  // The dialler may write at once behind message 3.
  SecureChannel channel = initiator.take_channel();
  channel.send(view("early"));
  const std::size_t handshake_size = message3.size();
  append(message3, channel.take_output(everything));
  ASSERT_TRUE(responder.receive(message3, consumed));
  ASSERT_TRUE(responder.finished());
  EXPECT_EQ(consumed, handshake_size);
  std::vector<Bytes> messages;
  ASSERT_TRUE(responder.take_channel().receive(BytesView(message3).subspan(consumed), messages));
  EXPECT_EQ(messages, std::vector<Bytes>{to_bytes(view("early"))});
}

TEST(ChannelHandshake, ACutAnywhereNeitherFinishesNorFails) {
  const Wire wire = honest_wire();
  for (std::size_t size = 0; size < wire.opening.size(); ++size) {
    Responder responder(responder_config());
    std::size_t consumed = 0;
    const auto reply = responder.receive(BytesView(wire.opening).first(size), consumed);
    ASSERT_TRUE(reply) << size;
    EXPECT_TRUE(reply->empty());
    EXPECT_FALSE(responder.known_preamble());
    EXPECT_FALSE(responder.finished());
  }
  for (std::size_t size = 0; size < wire.message2.size(); ++size) {
    Initiator initiator(initiator_config());
    ASSERT_TRUE(initiator.start());
    std::size_t consumed = 0;
    const auto reply = initiator.receive(BytesView(wire.message2).first(size), consumed);
    ASSERT_TRUE(reply) << size;
    EXPECT_TRUE(reply->empty());
    EXPECT_FALSE(initiator.finished());
  }
  for (std::size_t size = 0; size < wire.message3.size(); ++size) {
    Responder responder = after_opening(wire);
    EXPECT_TRUE(feed(responder, BytesView(wire.message3).first(size))) << size;
    EXPECT_FALSE(responder.finished()) << size;
  }
}

TEST(ChannelHandshake, EveryFlippedBitOfTheOpeningIsRefusedWithoutAReply) {
  const Wire wire = honest_wire();
  for (std::size_t bit = 0; bit < 8 * wire.opening.size(); ++bit) {
    Bytes flipped = wire.opening;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    Responder responder(responder_config());
    EXPECT_FALSE(feed(responder, flipped)) << bit;
    // Only the tag of message 1 lies outside what the keyed hash covers.
    EXPECT_EQ(responder.known_preamble(), bit >= 8 * (preamble_bytes + 32)) << bit;
    EXPECT_FALSE(feed(responder, wire.opening)) << "a failed handshake must stay failed";
  }
}

TEST(ChannelHandshake, EveryFlippedBitOfMessage2IsRefused) {
  const Wire wire = honest_wire();
  for (std::size_t bit = 0; bit < 8 * wire.message2.size(); ++bit) {
    Bytes flipped = wire.message2;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    Initiator initiator(initiator_config());
    ASSERT_TRUE(initiator.start());
    std::size_t consumed = 0;
    EXPECT_FALSE(initiator.receive(flipped, consumed)) << bit;
    EXPECT_FALSE(initiator.finished());
    EXPECT_FALSE(initiator.receive(wire.message2, consumed)) << "must stay failed";
  }
}

TEST(ChannelHandshake, EveryFlippedBitOfMessage3IsRefused) {
  Hello hello;
  hello.certificate = Bytes(3, 1);
  for (const Wire& wire : {honest_wire(), honest_wire(hello)}) {
    for (std::size_t byte = 0; byte < wire.message3.size(); ++byte) {
      Bytes flipped = wire.message3;
      flipped[byte] ^= static_cast<std::uint8_t>(1U << (byte % 8));
      Responder responder(responder_config());
      ASSERT_TRUE(feed(responder, wire.opening));
      EXPECT_FALSE(feed(responder, flipped)) << byte;
      EXPECT_FALSE(responder.finished());
      EXPECT_FALSE(feed(responder, wire.message3)) << "must stay failed";
    }
  }
}

TEST(ChannelHandshake, OnlyTwoLengthsOfMessage3AreReadAtAll) {
  const Wire wire = honest_wire();
  for (const std::uint16_t length : std::initializer_list<std::uint16_t>{
           0, 1, 63, 64, 127, 128, 129, 192, 1'024, 1'087, 1'088, 1'089, 32'768, 65'535}) {
    Responder responder(responder_config());
    ASSERT_TRUE(feed(responder, wire.opening));
    Bytes claimed;
    append_integer(claimed, length);
    // These two bytes decide, before anything else of the message has come.
    EXPECT_EQ(feed(responder, claimed), length == 128 || length == 1'088) << length;
  }
}

TEST(ChannelHandshake, AnotherNetworkOrStaticGetsNoReply) {
  auto other_network = initiator_config();
  other_network.network = filled<NetworkId>(0x67);
  auto other_static = initiator_config();
  other_static.responder_static = dh_public(filled<DhSecret>(0x23));
  for (const auto& config : {other_network, other_static}) {
    Initiator initiator(config);
    Responder responder(responder_config());
    EXPECT_FALSE(feed(responder, *initiator.start()));
    EXPECT_FALSE(responder.known_preamble());
  }
}

TEST(ChannelHandshake, TheNetworkIsBoundByThePrologueToo) {
  // A preamble that is right for the responder, over a handshake for another network.
  const Wire wire = honest_wire();
  auto config = responder_config();
  config.network = filled<NetworkId>(0x67);  // Its statics still match the preamble.
  Responder responder(config);
  EXPECT_FALSE(feed(responder, wire.opening));
  EXPECT_TRUE(responder.known_preamble());
}

TEST(ChannelHandshake, AWrongPreSharedKeyIsRefusedAtMessage3) {
  auto config = initiator_config();
  config.psk = filled<Key32>(0x56);
  Initiator initiator(config);
  Responder responder(responder_config());
  const Wire wire = run(initiator, responder);
  EXPECT_FALSE(wire.message3.empty());
  EXPECT_FALSE(responder.finished());
  EXPECT_FALSE(feed(responder, wire.message3));
}

// Negative control: were the keys of the candidates not what decides, this would be refused too.
TEST(ChannelHandshake, AResponderThatOffersAnyonesKeyAcceptsAnyone) {
  auto config = initiator_config();
  config.psk = filled<Key32>(0x56);
  config.own_static = filled<DhSecret>(0x12);
  Initiator initiator(config);
  auto careless = responder_config();
  careless.candidates = [](const DhPublic&) {
    return std::vector<Candidate>{{.psk = filled<Key32>(0x56)}};
  };
  Responder responder(careless);
  run(initiator, responder);
  EXPECT_TRUE(responder.finished());
}

TEST(ChannelHandshake, AnUnknownStaticIsRefused) {
  auto config = initiator_config();
  config.own_static = filled<DhSecret>(0x12);
  Initiator initiator(config);
  Responder responder(responder_config());
  const Wire wire = run(initiator, responder);
  EXPECT_FALSE(wire.message3.empty());
  EXPECT_FALSE(responder.finished());
}

TEST(ChannelHandshake, CandidatesAreTriedInOrderUntilOneFitsAndIsAdmitted) {
  std::vector<int> asked;
  auto config = responder_config();
  config.candidates = [](const DhPublic&) {
    return std::vector<Candidate>{{.psk = filled<Key32>(1), .tag = 1},
                                  {.psk = psk, .tag = 2},
                                  {.psk = psk, .tag = 3},
                                  {.psk = psk, .tag = 4}};
  };
  config.admit = [&](const DhPublic& remote, const Candidate& candidate, const Hello&) {
    EXPECT_EQ(remote, dh_public(initiator_static));
    asked.push_back(candidate.tag);
    return candidate.tag == 3;
  };
  Initiator initiator(initiator_config());
  Responder responder(config);
  run(initiator, responder);
  ASSERT_TRUE(responder.finished());
  EXPECT_EQ(responder.accepted().tag, 3);
  EXPECT_EQ(asked, (std::vector<int>{2, 3}));
}

TEST(ChannelHandshake, WhoIsNotAdmittedIsRefused) {
  auto config = responder_config();
  config.admit = [](const DhPublic&, const Candidate&, const Hello&) { return false; };
  Initiator initiator(initiator_config());
  Responder responder(config);
  run(initiator, responder);
  EXPECT_FALSE(responder.finished());
}

TEST(ChannelHandshake, AReplacedStaticStillAnswers) {
  auto config = responder_config();
  config.own_statics = {own_static(filled<DhSecret>(0x29), network),
                        own_static(responder_static, network)};
  Initiator initiator(initiator_config());
  Responder responder(config);
  run(initiator, responder);
  EXPECT_TRUE(responder.finished());

  config.own_statics.pop_back();  // Negative control.
  Initiator again(initiator_config());
  Responder forgot(config);
  run(again, forgot);
  EXPECT_FALSE(forgot.known_preamble());
}

TEST(ChannelHandshake, AReplayedOpeningIsAnsweredButItsMessage3IsWorthNothing) {
  const Wire recorded = honest_wire();
  auto config = responder_config();
  config.ephemeral = filled<DhSecret>(0x45);  // Fresh, as it must be each time.
  Responder responder(config);
  std::size_t consumed = 0;
  const auto message2 = responder.receive(recorded.opening, consumed);
  ASSERT_TRUE(message2);
  EXPECT_EQ(message2->size(), message2_bytes);
  EXPECT_NE(*message2, recorded.message2);
  EXPECT_FALSE(feed(responder, recorded.message3));
  EXPECT_FALSE(responder.finished());
}

TEST(ChannelHandshake, AReflectedOrRecordedMessage2IsRefused) {
  const Wire recorded = honest_wire();
  auto config = initiator_config();
  config.ephemeral = filled<DhSecret>(0x34);
  std::size_t consumed = 0;
  Initiator replayed_to(config);
  ASSERT_TRUE(replayed_to.start());
  EXPECT_FALSE(replayed_to.receive(recorded.message2, consumed));

  Initiator reflected_to(config);
  const Bytes own = *reflected_to.start();
  EXPECT_FALSE(reflected_to.receive(BytesView(own).subspan(preamble_bytes), consumed));
}

TEST(ChannelHandshake, AFailedHandshakeSaysSoWhateverComesNext) {
  const Wire wire = honest_wire();
  std::size_t consumed = 0;
  Responder responder(responder_config());
  ASSERT_FALSE(feed(responder, Bytes(opening_bytes)));
  EXPECT_EQ(responder.receive(wire.opening, consumed).error().code, Errc::unavailable);
  EXPECT_EQ(consumed, 0U);
  Initiator initiator(initiator_config());
  ASSERT_TRUE(initiator.start());
  ASSERT_FALSE(initiator.receive(Bytes(message2_bytes), consumed));
  EXPECT_EQ(initiator.receive(wire.message2, consumed).error().code, Errc::unavailable);
  EXPECT_EQ(consumed, 0U);
}

TEST(ChannelHandshake, AnEarlyMessage3OfAnAttackerIsRefused) {
  // All in one write, before message 2 could have been seen.
  const Wire wire = honest_wire();
  Bytes both = wire.opening;
  append(both, Bytes{0, 128});
  append(both, Bytes(128, 3));
  Responder responder(responder_config());
  EXPECT_FALSE(feed(responder, both));
}

TEST(ChannelHandshake, AHelloThatDoesNotSpeakThisVersionIsRefused) {
  Hello newer;
  newer.version_min = 2;
  newer.version_max = 3;
  auto config = initiator_config();
  config.hello = newer;
  Initiator initiator(config);
  Responder responder(responder_config());
  run(initiator, responder);
  EXPECT_FALSE(responder.finished());

  newer.version_min = 1;  // Negative control: a range that includes it is fine.
  config.hello = newer;
  Initiator wider(config);
  Responder accepting(responder_config());
  run(wider, accepting);
  EXPECT_TRUE(accepting.finished());
}

TEST(ChannelHandshake, DiallingALowOrderKeyFails) {
  auto config = initiator_config();
  config.responder_static = DhPublic{};
  Initiator initiator(config);
  EXPECT_FALSE(initiator.start());
  std::size_t consumed = 0;
  EXPECT_FALSE(initiator.receive(Bytes(48), consumed));
}

TEST(ChannelHandshake, AfterTheEndNothingMoreIsConsumed) {
  Initiator initiator(initiator_config());
  Responder responder(responder_config());
  run(initiator, responder);
  std::size_t consumed = 99;
  EXPECT_TRUE(initiator.receive(Bytes(10), consumed)->empty());
  EXPECT_EQ(consumed, 0U);
  consumed = 99;
  EXPECT_TRUE(responder.receive(Bytes(10), consumed)->empty());
  EXPECT_EQ(consumed, 0U);
}

TEST(ChannelHandshakeDeathTest, TakingAChannelThatIsNotThereIsABug) {
  Initiator initiator(initiator_config());
  EXPECT_DEATH(static_cast<void>(initiator.take_channel()), "internal error");
  Responder responder(responder_config());
  EXPECT_DEATH(static_cast<void>(responder.take_channel()), "internal error");
}

}  // namespace
}  // namespace kith::channel
