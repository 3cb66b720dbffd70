#include "protocol/crypto/noise.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "protocol/crypto/crypto.hpp"

namespace kith::noise {
namespace {

template <class T>
T filled(std::uint8_t byte) {
  return T::from(Bytes(T::size, byte));
}

const auto initiator_static = filled<DhSecret>(0x11);
const auto responder_static = filled<DhSecret>(0x22);
const auto psk = filled<Key32>(0x55);

struct Sides {
  Handshake initiator;
  Handshake responder;
};

Sides xkpsk3() {
  const Pattern xk = *pattern("XKpsk3");
  return {Handshake(xk, true, view("prologue"),
                    {.static_secret = initiator_static,
                     .ephemeral_secret = filled<DhSecret>(0x33),
                     .remote_static = dh_public(responder_static),
                     .psk = psk}),
          Handshake(xk, false, view("prologue"),
                    {.static_secret = responder_static,
                     .ephemeral_secret = filled<DhSecret>(0x44),
                     .psk = psk})};
}

/// Runs messages 1 and 2 and returns message 3.
Bytes up_to_message3(Sides& sides) {
  EXPECT_TRUE(sides.responder.read(*sides.initiator.write({})));
  EXPECT_TRUE(sides.initiator.read(*sides.responder.write({})));
  return *sides.initiator.write(view("payload"));
}

TEST(CipherState, WithoutAKeyPassesTextThrough) {
  CipherState cipher;
  EXPECT_EQ(*cipher.encrypt({}, view("text")), to_bytes(view("text")));
  EXPECT_EQ(*cipher.decrypt({}, view("text")), to_bytes(view("text")));
  EXPECT_EQ(cipher.counter(), 0U);
}

TEST(CipherState, AFailedDecryptChangesNothing) {
  CipherState sender(psk);
  CipherState receiver(psk);
  const Bytes sealed = *sender.encrypt({}, view("one"));
  Bytes forged = sealed;
  forged[0] ^= 1;
  const auto opened = receiver.decrypt({}, forged);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::bad_signature);
  EXPECT_EQ(receiver.counter(), 0U);
  Bytes out(sealed.size() - tag_bytes, 0xff);
  EXPECT_FALSE(receiver.decrypt_into(out, forged));
  EXPECT_EQ(out, Bytes(out.size(), 0));
  EXPECT_EQ(receiver.counter(), 0U);
  EXPECT_EQ(*receiver.decrypt({}, sealed), to_bytes(view("one")));
}

TEST(CipherState, TheLastCounterIsNeverUsed) {
  constexpr std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
  CipherState sender(psk);
  CipherState receiver(psk);
  sender.set_counter(end - 1);
  receiver.set_counter(end - 1);
  const Bytes last = *sender.encrypt({}, view("last"));
  EXPECT_EQ(*receiver.decrypt({}, last), to_bytes(view("last")));
  EXPECT_EQ(sender.encrypt({}, view("more")).error().code, Errc::too_large);
  EXPECT_EQ(receiver.decrypt({}, last).error().code, Errc::too_large);
  Bytes out(20);
  EXPECT_EQ(sender.encrypt_into(out, view("more")).error().code, Errc::too_large);
  Bytes plain(4);
  EXPECT_EQ(receiver.decrypt_into(plain, last).error().code, Errc::too_large);
  EXPECT_EQ(sender.counter(), end);
}

TEST(CipherState, RekeyGivesTheFirstHalfOfZerosSealedUnderTheLastCounter) {
  CipherState cipher(psk);
  cipher.set_counter(7);
  cipher.rekey();
  EXPECT_EQ(cipher.counter(), 7U);
  const Bytes sealed =
      chachapoly_seal(psk, std::numeric_limits<std::uint64_t>::max(), {}, Bytes(32, 0));
  const auto key = Key32::from(BytesView(sealed).first(32));
  EXPECT_EQ(*cipher.encrypt({}, view("text")), chachapoly_seal(key, 7, {}, view("text")));
}

TEST(CipherState, EncryptIntoGivesTheSameAsEncrypt) {
  CipherState one(psk);
  CipherState other(psk);
  Bytes out(4 + tag_bytes);
  ASSERT_TRUE(one.encrypt_into(out, view("text")));
  EXPECT_EQ(out, *other.encrypt({}, view("text")));
}

TEST(Pattern, OnlyThoseWithVectorsAreKnown) {
  for (const std::string_view known :
       {"XX", "IK", "XK", "KK", "NK", "IX", "XXpsk3", "IKpsk1", "IKpsk2", "XKpsk3"}) {
    ASSERT_TRUE(pattern(known)) << known;
    EXPECT_EQ(pattern(known)->name, known);
  }
  EXPECT_EQ(pattern("XXfallback").error().code, Errc::not_found);
  EXPECT_EQ(pattern("").error().code, Errc::not_found);
}

TEST(Handshake, BothSidesEndWithTheSameKeysAndHash) {
  Sides sides = xkpsk3();
  const Bytes message3 = up_to_message3(sides);
  EXPECT_EQ(*sides.responder.read(message3), to_bytes(view("payload")));
  ASSERT_TRUE(sides.initiator.finished() && sides.responder.finished());
  EXPECT_EQ(sides.responder.remote_static(), dh_public(initiator_static));
  Transport a = sides.initiator.split();
  Transport b = sides.responder.split();
  EXPECT_EQ(a.handshake_hash, b.handshake_hash);
  EXPECT_EQ(*b.initiator_to_responder.decrypt({}, *a.initiator_to_responder.encrypt({}, view("x"))),
            to_bytes(view("x")));
  EXPECT_EQ(*a.responder_to_initiator.decrypt({}, *b.responder_to_initiator.encrypt({}, view("y"))),
            to_bytes(view("y")));
  // The two directions have different keys.
  EXPECT_NE(*a.initiator_to_responder.encrypt({}, view("z")),
            *a.responder_to_initiator.encrypt({}, view("z")));
}

TEST(Handshake, AResponderMayTryKeysOnCopies) {
  Sides sides = xkpsk3();
  const Bytes message3 = up_to_message3(sides);
  const auto at = sides.responder.read_before_psk(message3);
  ASSERT_TRUE(at);
  EXPECT_EQ(*at, 48U);
  EXPECT_EQ(sides.responder.remote_static(), dh_public(initiator_static));
  Handshake wrong = sides.responder;
  EXPECT_EQ(wrong.read_rest(message3, *at, filled<Key32>(1)).error().code, Errc::bad_signature);
  EXPECT_FALSE(wrong.finished());
  Handshake right = sides.responder;
  EXPECT_EQ(*right.read_rest(message3, *at, psk), to_bytes(view("payload")));
  EXPECT_TRUE(right.finished());
  EXPECT_EQ(right.handshake_hash(), sides.initiator.handshake_hash());
}

TEST(Handshake, RefusesToSpeakOutOfTurn) {
  Sides sides = xkpsk3();
  EXPECT_EQ(sides.responder.write({}).error().code, Errc::usage);
  EXPECT_EQ(sides.initiator.read({}).error().code, Errc::usage);
  EXPECT_EQ(sides.initiator.read_before_psk({}).error().code, Errc::usage);
  EXPECT_EQ(sides.initiator.read_rest({}, 0, psk).error().code, Errc::usage);
  // Message 1 has no psk token.
  EXPECT_EQ(sides.responder.read_rest({}, 0, psk).error().code, Errc::usage);
  ASSERT_TRUE(sides.responder.read(up_to_message3(sides)));
  EXPECT_EQ(sides.initiator.write({}).error().code, Errc::usage);
  EXPECT_EQ(sides.initiator.read({}).error().code, Errc::usage);
}

TEST(Handshake, FailsWhereAKeyIsAbsent) {
  const Pattern xk = *pattern("XKpsk3");
  Handshake no_ephemeral(xk, true, {}, {.remote_static = dh_public(responder_static)});
  EXPECT_EQ(no_ephemeral.write({}).error().code, Errc::usage);

  for (const bool with_static : {false, true}) {
    Sides sides = xkpsk3();
    Keys keys{.ephemeral_secret = filled<DhSecret>(0x33),
              .remote_static = dh_public(responder_static)};
    if (with_static) keys.static_secret = initiator_static;  // Then only the psk is absent.
    sides.initiator = Handshake(xk, true, view("prologue"), keys);
    ASSERT_TRUE(sides.responder.read(*sides.initiator.write({})));
    ASSERT_TRUE(sides.initiator.read(*sides.responder.write({})));
    EXPECT_EQ(sides.initiator.write({}).error().code, Errc::usage);
  }

  Sides sides = xkpsk3();
  sides.responder =
      Handshake(xk, false, view("prologue"),
                {.static_secret = responder_static, .ephemeral_secret = filled<DhSecret>(0x44)});
  EXPECT_EQ(sides.responder.read(up_to_message3(sides)).error().code, Errc::usage);
}

TEST(Handshake, RefusesMessagesThatAreTooShortOrTooLong) {
  Sides sides = xkpsk3();
  for (const std::size_t size : {0U, 31U, 32U, 47U}) {
    Handshake copy = sides.responder;
    EXPECT_FALSE(copy.read(Bytes(size, 9))) << size;
  }
  EXPECT_EQ(sides.responder.read(Bytes(65'536)).error().code, Errc::too_large);
  EXPECT_EQ(sides.responder.read_before_psk(Bytes(65'536)).error().code, Errc::too_large);
  Handshake writer = sides.initiator;
  EXPECT_EQ(writer.write(Bytes(65'535 - 47)).error().code, Errc::too_large);
  EXPECT_EQ(sides.initiator.write(Bytes(65'535 - 48))->size(), 65'535U);
}

TEST(Handshake, RefusesLowOrderPoints) {
  Sides sides = xkpsk3();
  const auto read = sides.responder.read(Bytes(48, 0));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::malformed);

  Handshake dials_zero(*pattern("XKpsk3"), true, {},
                       {.static_secret = initiator_static,
                        .ephemeral_secret = filled<DhSecret>(0x33),
                        .remote_static = DhPublic{},
                        .psk = psk});
  EXPECT_EQ(dials_zero.write({}).error().code, Errc::malformed);
}

TEST(HandshakeDeathTest, KeysThatThePatternPresumesMustBeThere) {
  EXPECT_DEATH(Handshake(*pattern("XK"), true, {}, {}), "internal error");
  EXPECT_DEATH(Handshake(*pattern("XK"), false, {}, {}), "internal error");
  EXPECT_DEATH(static_cast<void>(xkpsk3().initiator.split()), "internal error");
}

}  // namespace
}  // namespace kith::noise
