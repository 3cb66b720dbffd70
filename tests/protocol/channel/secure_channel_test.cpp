#include "protocol/channel/secure_channel.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "tests/protocol/channel/pair.hpp"

namespace kith::channel {
namespace {

using namespace testing;

Bytes numbered(std::size_t size, std::uint8_t first) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

Bytes with_length(std::uint32_t length, BytesView body) {
  Bytes run;
  append_integer(run, length);
  append(run, body);
  return run;
}

/// Length in front of each frame of `output`.
std::vector<std::size_t> frame_lengths(BytesView output) {
  std::vector<std::size_t> lengths;
  while (!output.empty()) {
    lengths.push_back(read_integer<std::uint16_t>(output));
    output = output.subspan(2 + lengths.back());
  }
  return lengths;
}

TEST(SecureChannel, CarriesMessagesOfEverySizeBothWaysInOrder) {
  Channels channels;
  std::vector<Bytes> sent;
  for (const std::size_t size : {1UL, 2UL, 58UL, 59UL, 60UL, 63UL, 64UL, 16'000UL, 16'378UL,
                                 16'379UL, 16'380UL, 65'536UL, limits::message_bytes_max}) {
    sent.push_back(numbered(size, static_cast<std::uint8_t>(size)));
  }
  std::vector<Bytes> arrived;
  for (const Bytes& message : sent) channels.initiator.send(message);
  ASSERT_TRUE(channels.responder.receive(channels.initiator.take_output(everything), arrived));
  EXPECT_EQ(arrived, sent);
  EXPECT_EQ(channels.initiator.queued_bytes(), 0U);

  arrived.clear();
  for (const Bytes& message : sent) channels.responder.send(message);
  ASSERT_TRUE(channels.initiator.receive(channels.responder.take_output(everything), arrived));
  EXPECT_EQ(arrived, sent);
  EXPECT_FALSE(channels.initiator.mid_message());
}

TEST(SecureChannel, PacksSmallMessagesIntoOneFrame) {
  Channels channels;
  for (int i = 0; i < 10; ++i) channels.initiator.send(Bytes(8, 1));
  // 10 times 12 bytes, padded to 128, and a tag.
  EXPECT_EQ(frame_lengths(channels.initiator.take_output(everything)),
            std::vector<std::size_t>{128 + 16});
}

TEST(SecureChannel, EveryFrameIsPaddedTo64AndCutAt16KiB) {
  Channels channels;
  channels.initiator.send(Bytes(100'000, 1));
  std::size_t frames = 0;
  for (const std::size_t length : frame_lengths(channels.initiator.take_output(everything))) {
    EXPECT_EQ((length - tag_bytes) % 64, 0U);
    EXPECT_LE(length, 16'384U + tag_bytes);
    ++frames;
  }
  EXPECT_EQ(frames, 7U);  // 100,004 bytes, at most 16,383 in each.
}

TEST(SecureChannel, PaddingNeverTellsSizesApartWithinABlock) {
  std::vector<std::size_t> sizes;
  for (std::size_t size = 1; size <= 59; ++size) {
    Channels channels;
    channels.initiator.send(Bytes(size, 1));
    sizes.push_back(channels.initiator.take_output(everything).size());
  }
  EXPECT_EQ(sizes, std::vector<std::size_t>(59, 2 + 64 + 16));
}

TEST(SecureChannel, TakeOutputStopsAboutWhereItIsTold) {
  Channels channels;
  channels.initiator.send(Bytes(1'000'000, 7));
  std::vector<Bytes> arrived;
  EXPECT_TRUE(channels.initiator.take_output(0).empty());
  std::size_t rounds = 0;
  while (channels.initiator.queued_bytes() > 0) {
    const std::size_t before = channels.initiator.queued_bytes();
    const Bytes output = channels.initiator.take_output(40'000);
    EXPECT_LE(output.size(), 40'000U + 16'402U);
    EXPECT_LT(channels.initiator.queued_bytes(), before);
    ASSERT_TRUE(channels.responder.receive(output, arrived));
    ++rounds;
  }
  EXPECT_GT(rounds, 15U);
  EXPECT_EQ(arrived, std::vector<Bytes>{Bytes(1'000'000, 7)});
  EXPECT_TRUE(channels.initiator.take_output(everything).empty());
}

TEST(SecureChannel, AnyCutOfTheStreamGivesTheSameMessages) {
  std::mt19937 random(7);
  for (const std::size_t step_max : {1U, 2U, 3U, 70U, 5'000U, 50'000U}) {
    Channels channels;
    std::vector<Bytes> sent;
    for (int i = 0; i < 30; ++i) {
      sent.push_back(numbered(1 + random() % 2'000, static_cast<std::uint8_t>(i)));
    }
    sent.push_back(numbered(40'000, 1));
    for (const Bytes& message : sent) channels.initiator.send(message);
    channels.initiator.send_close();
    const Bytes output = channels.initiator.take_output(everything);
    std::vector<Bytes> arrived;
    for (std::size_t at = 0; at < output.size();) {
      const std::size_t step = std::min(1 + random() % step_max, output.size() - at);
      EXPECT_FALSE(channels.responder.closed_by_peer());
      ASSERT_TRUE(channels.responder.receive(BytesView(output).subspan(at, step), arrived));
      at += step;
    }
    EXPECT_EQ(arrived, sent);
    EXPECT_TRUE(channels.responder.closed_by_peer());
    EXPECT_FALSE(channels.responder.mid_message());
  }
}

TEST(SecureChannel, ACutAtEveryByteIsNoCloseAndSaysWhetherSomethingIsOpen) {
  Channels source;
  source.initiator.send(Bytes(20'000, 5));  // Two frames.
  source.initiator.send_close();
  const Bytes output = source.initiator.take_output(everything);
  const std::size_t first_frame = 2 + frame_lengths(output)[0];
  Channels channels;
  std::vector<Bytes> arrived;
  for (std::size_t at = 0; at + 1 < output.size(); ++at) {
    ASSERT_TRUE(channels.responder.receive(BytesView(output).subspan(at, 1), arrived));
    EXPECT_FALSE(channels.responder.closed_by_peer());
    EXPECT_TRUE(channels.responder.mid_message()) << at;
    EXPECT_TRUE(arrived.empty());
  }
  EXPECT_LT(first_frame, output.size());
  ASSERT_TRUE(channels.responder.receive(BytesView(output).last(1), arrived));
  EXPECT_TRUE(channels.responder.closed_by_peer());
  EXPECT_FALSE(channels.responder.mid_message());
}

TEST(SecureChannel, AFlippedBitInAnyOfAThousandFramesEndsTheChannelThere) {
  std::mt19937 random(11);
  for (std::size_t victim = 0; victim < 1'000; ++victim) {
    // Three frames, one of them hurt; then enough honest bytes to complete any wrong length.
    Channels channels;
    Bytes stream;
    const std::size_t hurt = victim % 3;
    std::vector<Bytes> before;
    for (std::size_t i = 0; i < 3; ++i) {
      const Bytes message = numbered(1 + random() % 300, static_cast<std::uint8_t>(i));
      channels.initiator.send(message);
      Bytes frame = channels.initiator.take_output(everything);
      if (i < hurt) before.push_back(message);
      if (i == hurt) {
        const std::size_t bit = random() % (8 * frame.size());
        frame[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      }
      append(stream, frame);
    }
    channels.initiator.send(Bytes(70'000, 1));
    append(stream, channels.initiator.take_output(everything));

    std::vector<Bytes> arrived;
    EXPECT_FALSE(channels.responder.receive(stream, arrived)) << victim;
    EXPECT_EQ(arrived, before) << victim;
    EXPECT_TRUE(channels.responder.failed());
    EXPECT_FALSE(channels.responder.receive(stream, arrived)) << "must stay failed";
    channels.responder.send(view("more"));
    EXPECT_TRUE(channels.responder.take_output(everything).empty()) << "must say nothing";
  }
}

TEST(SecureChannel, AReplayedReorderedOrReflectedFrameEndsTheChannel) {
  const auto make = [](Channels& channels, const char* message) {
    channels.initiator.send(view(message));
    return channels.initiator.take_output(everything);
  };
  std::vector<Bytes> arrived;
  Channels replayed;
  const Bytes once = make(replayed, "once");
  ASSERT_TRUE(replayed.responder.receive(once, arrived));
  EXPECT_FALSE(replayed.responder.receive(once, arrived));
  EXPECT_EQ(arrived.size(), 1U);

  Channels reordered;
  const Bytes first = make(reordered, "first");
  const Bytes second = make(reordered, "second");
  EXPECT_FALSE(reordered.responder.receive(second, arrived));
  EXPECT_FALSE(reordered.responder.receive(first, arrived));

  Channels reflected;
  EXPECT_FALSE(reflected.initiator.receive(make(reflected, "mirror"), arrived));
  EXPECT_EQ(arrived.size(), 1U);
}

TEST(SecureChannel, FramesOfLessThan17BytesAreRefusedByTheirLengthAlone) {
  for (std::uint16_t length = 0; length < 20; ++length) {
    for (const bool in_pieces : {false, true}) {
      Channels channels;
      Bytes claimed;
      append_integer(claimed, length);
      std::vector<Bytes> arrived;
      const bool first =
          channels.responder.receive(BytesView(claimed).first(in_pieces ? 1 : 2), arrived)
              .has_value();
      const bool second =
          !in_pieces || channels.responder.receive(BytesView(claimed).last(1), arrived).has_value();
      EXPECT_TRUE(first || !in_pieces);
      EXPECT_EQ(first && second, length >= 17) << length;
    }
  }
}

TEST(SecureChannel, TheLargestFrameIsAccepted) {
  Channels channels;
  const Bytes body(65'472 - 5, 9);  // Length, body and one byte of padding fill 1,023 blocks.
  const Bytes frame = frame_of_run(with_length(static_cast<std::uint32_t>(body.size()), body), 0);
  EXPECT_EQ(frame.size(), 2U + 65'472U + 16U);
  std::vector<Bytes> arrived;
  ASSERT_TRUE(channels.responder.receive(frame, arrived));
  EXPECT_EQ(arrived, std::vector<Bytes>{body});
}

TEST(SecureChannel, MessageLengthsAreCheckedBeforeAnythingIsHeldForThem) {
  for (const std::uint64_t length :
       {limits::message_bytes_max + 1, std::size_t{0x7fffffff}, std::size_t{0xffffffff}}) {
    Channels channels;
    std::vector<Bytes> arrived;
    const auto received = channels.responder.receive(
        frame_of_run(with_length(static_cast<std::uint32_t>(length), {}), 0), arrived);
    ASSERT_FALSE(received);
    EXPECT_EQ(received.error().code, Errc::too_large);
    EXPECT_LT(channels.responder.held_bytes(), 200U);
  }
}

TEST(SecureChannel, MemoryFollowsWhatArrivedNotWhatWasAnnounced) {
  Channels channels;
  std::vector<Bytes> arrived;
  // The largest message is announced and one byte of it comes.
  const auto announced = static_cast<std::uint32_t>(limits::message_bytes_max);
  ASSERT_TRUE(
      channels.responder.receive(frame_of_run(with_length(announced, Bytes(1)), 0), arrived));
  EXPECT_LT(channels.responder.held_bytes(), 300U);
  std::size_t came = 1;
  for (std::uint64_t counter = 1; came + 1'000 < announced; ++counter) {
    ASSERT_TRUE(channels.responder.receive(frame_of_run(Bytes(1'000), counter), arrived));
    came += 1'000;
    ASSERT_LE(channels.responder.held_bytes(), 2 * came + 3'000);
  }
  // The largest frame is announced and nothing of it comes.
  ASSERT_TRUE(channels.initiator.receive(Bytes{0xff, 0xff}, arrived));
  EXPECT_LT(channels.initiator.held_bytes(), 100U);
}

TEST(SecureChannel, AFinishedMessageHoldsNoMoreThanItsOwnSizeBesides) {
  Channels channels;
  std::vector<Bytes> arrived;
  channels.initiator.send(Bytes(limits::message_bytes_max, 3));
  ASSERT_TRUE(channels.responder.receive(channels.initiator.take_output(everything), arrived));
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].capacity(), limits::message_bytes_max);
}

TEST(SecureChannel, WrongPaddingEndsTheChannel) {
  Bytes no_mark(64, 0);
  Bytes short_text = with_length(1, Bytes(1));
  short_text.push_back(0x80);  // Right, but not a multiple of 64.
  Bytes nothing(64, 0);
  nothing[0] = 0x80;  // A frame must carry something.
  for (const Bytes& plaintext : {no_mark, short_text, nothing}) {
    Channels channels;
    std::vector<Bytes> arrived;
    const auto received = channels.responder.receive(frame_of(plaintext, 0), arrived);
    ASSERT_FALSE(received);
    EXPECT_EQ(received.error().code, Errc::malformed);
    EXPECT_TRUE(channels.responder.failed());
  }
  Channels channels;  // Negative control: the helper itself makes frames that are accepted.
  std::vector<Bytes> arrived;
  EXPECT_TRUE(channels.responder.receive(frame_of_run(with_length(1, Bytes(1)), 0), arrived));
  EXPECT_EQ(arrived.size(), 1U);
}

TEST(SecureChannel, CloseIsAuthenticatedAndNothingMayFollow) {
  std::vector<Bytes> arrived;
  Channels channels;
  channels.initiator.send(view("last words"));
  channels.initiator.send_close();
  ASSERT_TRUE(channels.responder.receive(channels.initiator.take_output(everything), arrived));
  EXPECT_EQ(arrived.size(), 1U);
  EXPECT_TRUE(channels.responder.closed_by_peer());
  EXPECT_TRUE(channels.responder.receive({}, arrived));
  EXPECT_FALSE(channels.responder.failed());
  EXPECT_FALSE(channels.responder.receive(Bytes(1), arrived));

  // In the same frame, in the next frame of the same bytes, and in later bytes.
  Bytes run = with_length(0, {});
  append(run, with_length(1, Bytes(1)));
  Bytes two_frames = frame_of_run(with_length(0, {}), 0);
  append(two_frames, frame_of_run(with_length(1, Bytes(1)), 1));
  for (const Bytes& bytes : {frame_of_run(run, 0), two_frames}) {
    Channels fresh;
    std::vector<Bytes> none;
    EXPECT_FALSE(fresh.responder.receive(bytes, none));
    EXPECT_TRUE(none.empty());
  }
}

TEST(SecureChannel, OneSideMayStillSendAfterTheOtherClosed) {
  Channels channels;
  std::vector<Bytes> arrived;
  channels.initiator.send_close();
  ASSERT_TRUE(channels.responder.receive(channels.initiator.take_output(everything), arrived));
  channels.responder.send(view("answer"));
  channels.responder.send_close();
  ASSERT_TRUE(channels.initiator.receive(channels.responder.take_output(everything), arrived));
  EXPECT_EQ(arrived, std::vector<Bytes>{to_bytes(view("answer"))});
  EXPECT_TRUE(channels.initiator.closed_by_peer());
}

TEST(SecureChannelDeathTest, SendingAfterTheCloseOrBeyondTheLimitsIsABug) {
  Channels channels;
  EXPECT_DEATH(channels.initiator.send({}), "internal error");
  EXPECT_DEATH(channels.initiator.send(Bytes(limits::message_bytes_max + 1)), "internal error");
  channels.initiator.send_close();
  EXPECT_DEATH(channels.initiator.send(view("more")), "internal error");
  EXPECT_DEATH(channels.initiator.send_close(), "internal error");
}

TEST(SecureChannel, BothDirectionsRekeyEvery16384Frames) {
  Channels channels;
  std::vector<Bytes> arrived;
  constexpr std::uint64_t frames = 2 * limits::rekey_frames + 2;
  for (std::uint64_t i = 0; i < frames; ++i) {
    channels.initiator.send(Bytes(4, static_cast<std::uint8_t>(i)));
    channels.responder.send(Bytes(4, static_cast<std::uint8_t>(i)));
    ASSERT_TRUE(channels.responder.receive(channels.initiator.take_output(everything), arrived));
    ASSERT_TRUE(channels.initiator.receive(channels.responder.take_output(everything), arrived));
  }
  EXPECT_EQ(arrived.size(), 2 * frames);
}

TEST(SecureChannel, FrameNumber16384IsTheFirstUnderTheNextKey) {
  constexpr std::uint64_t last = limits::rekey_frames - 1;
  noise::Transport transport = known_transport(last);
  SecureChannel initiator(transport, true);
  initiator.send(Bytes(1));
  EXPECT_EQ(initiator.take_output(everything), frame_of_run(with_length(1, Bytes(1)), last));
  initiator.send(Bytes(1));
  const Bytes next = initiator.take_output(everything);
  EXPECT_NE(next, frame_of_run(with_length(1, Bytes(1)), last + 1));

  noise::CipherState rekeyed(filled<Key32>(1));
  rekeyed.set_counter(last + 1);
  rekeyed.rekey();
  EXPECT_TRUE(rekeyed.decrypt({}, BytesView(next).subspan(2)));

  // A peer that keeps the old key is not understood.
  SecureChannel responder(transport, false);
  std::vector<Bytes> arrived;
  ASSERT_TRUE(responder.receive(frame_of_run(with_length(1, Bytes(1)), last), arrived));
  EXPECT_FALSE(responder.receive(frame_of_run(with_length(1, Bytes(1)), last + 1), arrived));
}

TEST(SecureChannel, StopsHardAtTheLastFrame) {
  const noise::Transport transport = known_transport(limits::frames_max - 1);
  SecureChannel initiator(transport, true);
  SecureChannel responder(transport, false);
  std::vector<Bytes> arrived;
  initiator.send(Bytes(1));
  const Bytes last = initiator.take_output(everything);
  ASSERT_TRUE(responder.receive(last, arrived));
  EXPECT_FALSE(initiator.failed());

  initiator.send(Bytes(1));
  EXPECT_TRUE(initiator.take_output(everything).empty());
  EXPECT_TRUE(initiator.failed());
  EXPECT_FALSE(initiator.receive({}, arrived));

  const auto beyond = responder.receive(Bytes{0, 80}, arrived);
  ASSERT_TRUE(beyond);
  const auto received = responder.receive(Bytes(80), arrived);
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().code, Errc::too_large);
}

}  // namespace
}  // namespace kith::channel
