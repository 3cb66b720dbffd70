#include "daemon/peer_session.hpp"

#include <gtest/gtest.h>

#include "protocol/crypto/crypto.hpp"
#include "tests/daemon/support/loop.hpp"

namespace kith::daemon {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

const Bytes ping{'p'};

/// One end: a session, what it received and whether it is over.
struct End {
  End(tcp::socket socket, channel::SecureChannel channel, Session::Limits limits)
      : session(std::make_unique<transport::Tcp>(std::move(socket)), std::move(channel), {}, ping,
                limits, [this](BytesView message) { on_message(message); }) {}

  void start(asio::io_context& io) {
    asio::co_spawn(io, session.run(), [this](const std::exception_ptr& failure) {
      testing::expect_no_exception(failure);
      over = true;
    });
  }

  std::vector<Bytes> received;
  std::function<void(BytesView)> on_message = [this](BytesView message) {
    received.push_back(to_bytes(message));
  };
  bool over = false;
  Session session;
};

/// Deadlines that a test waits for. None of them is met by an honest peer in any of these tests.
Session::Limits hasty() {
  Session::Limits limits;
  limits.watch_every = 5ms;
  return limits;
}

/// Two sessions, connected.
class SessionPair : public ::testing::Test {
 protected:
  void start(Session::Limits limits_a = {}, Session::Limits limits_b = {}) {
    auto [socket_a, socket_b] = testing::connected_sockets(loop_.io);
    auto [channel_a, channel_b] = testing::connected_channels();
    a_ = std::make_unique<End>(std::move(socket_a), std::move(channel_a), limits_a);
    b_ = std::make_unique<End>(std::move(socket_b), std::move(channel_b), limits_b);
    a_->start(loop_.io);
    b_->start(loop_.io);
  }

  testing::Loop loop_;
  std::unique_ptr<End> a_;
  std::unique_ptr<End> b_;
};

/// One session, and a peer that is played by hand.
class SessionAlone : public ::testing::Test {
 protected:
  void start(Session::Limits limits) {
    auto [socket_a, socket_b] = testing::connected_sockets(loop_.io);
    auto [channel_a, channel_b] = testing::connected_channels();
    peer_.emplace(std::move(socket_a));
    peers_channel_.emplace(std::move(channel_a));
    end_ = std::make_unique<End>(std::move(socket_b), std::move(channel_b), limits);
    end_->start(loop_.io);
  }
  void write(BytesView bytes) { asio::write(*peer_, asio::buffer(bytes.data(), bytes.size())); }
  Bytes frames_of(const Bytes& message) {
    peers_channel_->send(message);
    return peers_channel_->take_output(limits::message_bytes_max);
  }
  [[nodiscard]] ::testing::AssertionResult ends_by(Session::End why) {
    if (!loop_.until([&] { return end_->over; })) return ::testing::AssertionFailure() << "goes on";
    if (end_->session.ended() == why) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "ended: " << name(end_->session.ended());
  }

  testing::Loop loop_;
  std::optional<tcp::socket> peer_;
  std::optional<channel::SecureChannel> peers_channel_;
  std::unique_ptr<End> end_;
};

Bytes pattern(std::size_t size, unsigned seed) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + seed);
  return bytes;
}

TEST_F(SessionPair, MessagesOfAMebibyteCrossBothWaysInOrder) {
  start();
  constexpr unsigned count = 7;
  for (unsigned i = 0; i < count; ++i) {
    a_->session.send(pattern(limits::mi, i));
    b_->session.send(pattern(limits::mi, 100 + i));
  }
  ASSERT_TRUE(
      loop_.until([&] { return a_->received.size() == count && b_->received.size() == count; }));
  for (unsigned i = 0; i < count; ++i) {
    EXPECT_EQ(b_->received[i], pattern(limits::mi, i));
    EXPECT_EQ(a_->received[i], pattern(limits::mi, 100 + i));
  }
  a_->session.close();
  ASSERT_TRUE(loop_.finish());
}

TEST_F(SessionPair, WhatIsQueuedBeforeACloseArrivesAndBothKnowItWasOne) {
  start();
  a_->session.send(pattern(limits::mi, 1));
  a_->session.close();
  ASSERT_TRUE(loop_.finish());
  EXPECT_EQ(b_->received, std::vector<Bytes>{pattern(limits::mi, 1)});
  EXPECT_EQ(a_->session.ended(), Session::End::closed);
  EXPECT_EQ(b_->session.ended(), Session::End::closed_by_peer);
}

TEST_F(SessionPair, ADropIsACutForThePeer) {
  start();
  a_->session.drop();
  ASSERT_TRUE(loop_.finish());
  EXPECT_EQ(a_->session.ended(), Session::End::dropped);
  EXPECT_EQ(b_->session.ended(), Session::End::cut);
}

TEST_F(SessionPair, SilenceIsFilledWithKeepalives) {
  Session::Limits limits = hasty();
  limits.keepalive = 20ms;
  start(limits, {});
  ASSERT_TRUE(loop_.until([&] { return b_->received.size() >= 2; }));
  EXPECT_EQ(b_->received[0], ping);
  a_->session.drop();
  ASSERT_TRUE(loop_.finish());
}

TEST_F(SessionPair, AnAnswerLeavesInTheTurnInWhichTheQuestionCame) {
  start();
  b_->on_message = [&](BytesView message) { b_->session.send(message); };
  a_->session.send(Bytes{1, 2, 3});
  ASSERT_TRUE(loop_.until([&] { return !a_->received.empty(); }));
  EXPECT_EQ(a_->received[0], (Bytes{1, 2, 3}));
  a_->session.drop();
  ASSERT_TRUE(loop_.finish());
}

TEST_F(SessionPair, AMessageMayEndTheSessionFromInside) {
  start();
  b_->on_message = [&](BytesView message) {
    b_->received.push_back(to_bytes(message));
    b_->session.drop();
  };
  a_->session.send(Bytes{1});
  a_->session.send(Bytes{2});
  ASSERT_TRUE(loop_.finish());
  EXPECT_EQ(b_->received.size(), 1U) << "after drop() nothing is handed on";
  EXPECT_EQ(b_->session.ended(), Session::End::dropped);
}

TEST_F(SessionAlone, SomebodyWhoAsksForMoreThanHeReadsIsMadeToWait) {
  Session::Limits limits;
  limits.queue_bytes_max = 4 * limits::mi;
  start(limits);
  constexpr std::size_t questions = 64;
  std::size_t queued_max = 0;
  std::size_t asked = 0;
  end_->on_message = [&](BytesView) {
    ++asked;
    end_->session.send(pattern(limits::mi, 5));
    queued_max = std::max(queued_max, end_->session.queued_bytes());
  };
  for (std::size_t i = 0; i < questions; ++i) write(frames_of(Bytes{1}));
  ASSERT_TRUE(loop_.until([&] { return queued_max > 2 * limits::mi; }));
  EXPECT_LT(asked, questions) << "while the answers are not read, questions wait";

  // The peer begins to read: every answer comes, and memory stayed bounded.
  std::vector<Bytes> answers;
  Bytes buffer(limits::mi);
  peer_->non_blocking(true);
  ASSERT_TRUE(loop_.until([&] {
    error_code error;
    const std::size_t size = peer_->read_some(asio::buffer(buffer), error);
    if (!error) {
      EXPECT_TRUE(peers_channel_->receive({buffer.data(), size}, answers));
    }
    return answers.size() == questions;
  }));
  EXPECT_LE(queued_max, limits.queue_bytes_max / 2 + limits::mi + limits::ki);
  EXPECT_EQ(end_->session.ended(), Session::End::none);
  peer_->close();
  EXPECT_TRUE(ends_by(Session::End::cut));
}

TEST_F(SessionAlone, SomebodyWhoDoesNotReadWhatIsPushedIsDropped) {
  Session::Limits limits;
  limits.queue_bytes_max = 4 * limits::mi;
  start(limits);
  for (int i = 0; i < 100 && end_->session.ended() == Session::End::none; ++i) {
    end_->session.send(pattern(limits::mi, 1));
    EXPECT_LE(end_->session.queued_bytes(), limits.queue_bytes_max + limits::ki);
  }
  EXPECT_TRUE(ends_by(Session::End::queue_full));
}

TEST_F(SessionAlone, ASlowLorisIsClosedByTheMinimumRate) {
  Session::Limits limits = hasty();
  limits.rate_grace = 30ms;
  start(limits);
  const Bytes frames = frames_of(pattern(1'000, 1));
  write(BytesView(frames).first(10));
  EXPECT_TRUE(ends_by(Session::End::too_slow));
}

TEST_F(SessionAlone, WithoutTheMinimumRateASlowLorisStays) {
  Session::Limits limits = hasty();
  limits.rate_grace = 5ms;
  limits.bytes_per_second_min = 0;
  start(limits);
  const Bytes frames = frames_of(pattern(1'000, 1));
  write(BytesView(frames).first(10));
  int turns = 0;
  asio::steady_timer timer(loop_.io, 100ms);
  timer.async_wait([&](error_code) { ++turns; });
  ASSERT_TRUE(loop_.until([&] { return turns > 0; }));
  EXPECT_EQ(end_->session.ended(), Session::End::none);
  write(BytesView(frames).subspan(10));
  ASSERT_TRUE(loop_.until([&] { return end_->received.size() == 1; }));
  peer_->close();
  EXPECT_TRUE(ends_by(Session::End::cut));
}

TEST_F(SessionAlone, SilenceEndsIt) {
  Session::Limits limits = hasty();
  limits.idle = 50ms;
  start(limits);
  EXPECT_TRUE(ends_by(Session::End::idle));
}

TEST_F(SessionAlone, APeerThatNeverReadsOurLastWordDoesNotHoldUpTheEnd) {
  Session::Limits limits = hasty();
  limits.closing = 30ms;
  start(limits);
  for (int i = 0; i < 7; ++i) end_->session.send(pattern(limits::mi, 1));
  end_->session.close();
  EXPECT_TRUE(ends_by(Session::End::closed));
}

TEST_F(SessionAlone, GarbageEndsItInSilence) {
  start({});
  write(pattern(1'000, 3));
  EXPECT_TRUE(ends_by(Session::End::bad_frame));
  error_code error;
  Bytes buffer(100);
  EXPECT_EQ(peer_->read_some(asio::buffer(buffer), error), 0U);
}

TEST_F(SessionAlone, AMessageThatAnnouncesTooMuchEndsItBeforeItCosts) {
  start({});
  auto cipher = testing::initiators_cipher();
  Bytes plaintext;
  append_integer(plaintext, static_cast<std::uint32_t>(limits::message_bytes_max + 1));
  pad(plaintext, limits::frame_padding);
  const auto sealed = cipher.encrypt({}, plaintext);
  ASSERT_TRUE(sealed);
  Bytes frame;
  append_integer(frame, static_cast<std::uint16_t>(sealed->size()));
  append(frame, *sealed);
  write(frame);
  EXPECT_TRUE(ends_by(Session::End::bad_frame));
}

TEST_F(SessionAlone, ACutIsNotACloseAndWhatCameBeforeCounts) {
  start({});
  write(frames_of(Bytes{1, 2}));
  peer_->close();
  EXPECT_TRUE(ends_by(Session::End::cut));
  EXPECT_EQ(end_->received, (std::vector<Bytes>{{1, 2}}));
}

TEST_F(SessionAlone, NothingIsQueuedAfterTheEnd) {
  start({});
  end_->session.drop();
  end_->session.send(Bytes{1});
  end_->session.close();
  EXPECT_EQ(end_->session.queued_bytes(), 0U);
  EXPECT_TRUE(ends_by(Session::End::dropped));
}

}  // namespace
}  // namespace kith::daemon
