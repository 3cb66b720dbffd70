#include <gtest/gtest.h>

#include "daemon/dialer.hpp"
#include "daemon/identity.hpp"
#include "daemon/listener.hpp"
#include "daemon/random.hpp"
#include "protocol/crypto/crypto.hpp"
#include "tests/daemon/support/loop.hpp"

/// Listener and Dialer, against one another and against strangers.
namespace kith::daemon {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

const NetworkId network{{1, 2, 3}};
const Key32 psk{{4, 5, 6}};

DhSecret secret(std::uint8_t byte) {
  DhSecret value;
  value.bytes.fill(byte);
  return value;
}
const DhSecret listeners_static = secret(7);
const DhSecret diallers_static = secret(9);

class Peers : public ::testing::Test {
 protected:
  void listen(Listener::Limits limits = {}) {
    const Listener::Events events{
        .candidates =
            [this](const DhPublic& remote) {
              judged_.push_back(remote);
              return std::vector<channel::Candidate>{{.psk = psk, .tag = 3}};
            },
        .admit = [](const DhPublic&, const channel::Candidate&,
                    const channel::Hello&) { return true; },
        .accepted =
            [this](std::unique_ptr<transport::Carrier> carrier, channel::Responder& responder,
                   Bytes) {
              accepted_.push_back(responder.remote_static());
              hellos_.push_back(responder.hello());
              carriers_.push_back(std::move(carrier));
            }};
    listener_ = std::make_unique<Listener>(loop_.io, limits,
                                           Listener::Keys{{listeners_static}, network}, events);
    port_ = listener_->listen({"127.0.0.1", 0}).port;
  }

  void start_dialer(Dialer::Limits limits = {}) {
    dialer_ = std::make_unique<Dialer>(
        loop_.io, limits,
        Dialer::Events{
            .targets = [this] { return targets_; },
            .connected =
                [this](const DialTarget& target, std::unique_ptr<transport::Carrier> carrier,
                       channel::SecureChannel, Bytes) {
                  connected_.push_back(target.member);
                  carriers_.push_back(std::move(carrier));
                  for (DialTarget& known : targets_) {
                    if (known.member == target.member) known.connected = true;
                  }
                },
            .failed = [this](const MemberId&, const std::string& why) { failed_.push_back(why); },
        });
    dialer_->set_keys(diallers_static, network);
    dialer_->start();
  }

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] DialTarget target(std::uint8_t member, std::vector<std::string> addresses) const {
    DialTarget target;
    target.member.bytes.fill(member);
    target.transport_key = dh_public(listeners_static);
    target.addresses = std::move(addresses);
    target.psk = psk;
    target.hello.certificate_number = 77;
    return target;
  }

  [[nodiscard]] tcp::socket dial_by_hand() {
    tcp::socket socket(loop_.io);
    socket.connect({asio::ip::address_v4::loopback(), port_});
    return socket;
  }
  /// Whether the other side closed without a word.
  [[nodiscard]] bool closed_in_silence(tcp::socket& socket) {
    socket.non_blocking(true);
    std::size_t heard = 0;
    const bool ended = loop_.until([&] {
      std::array<char, 100> buffer;
      error_code error;
      heard += socket.read_some(asio::buffer(buffer), error);
      return error && error != asio::error::would_block;
    });
    return ended && heard == 0;
  }
  [[nodiscard]] Bytes opening() const {
    channel::Initiator initiator(
        {diallers_static, dh_public(listeners_static), network, psk, secret(11), {}});
    return *initiator.start();
  }
  /// An address on which nobody listens.
  [[nodiscard]] std::string dead_address() {
    tcp::acceptor acceptor(loop_.io, {asio::ip::address_v4::loopback(), 0});
    return "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
  }
  void TearDown() override {
    if (listener_) listener_->stop();
    if (dialer_) dialer_->stop();
    carriers_.clear();
    EXPECT_TRUE(loop_.finish()) << "after stop() nothing may be left to do";
  }

  testing::Loop loop_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Dialer> dialer_;
  std::uint16_t port_ = 0;
  std::vector<DialTarget> targets_;
  std::vector<DhPublic> judged_;
  std::vector<DhPublic> accepted_;
  std::vector<channel::Hello> hellos_;
  std::vector<MemberId> connected_;
  std::vector<std::string> failed_;
  std::vector<std::unique_ptr<transport::Carrier>> carriers_;
};

TEST_F(Peers, ADialledListenerKnowsWhoCameAndWhatWasSaid) {
  listen();
  targets_ = {target(1, {address()})};
  start_dialer();
  ASSERT_TRUE(loop_.until([&] { return accepted_.size() == 1 && connected_.size() == 1; }));
  EXPECT_EQ(accepted_[0], dh_public(diallers_static));
  EXPECT_EQ(hellos_[0].certificate_number, 77U);
  EXPECT_EQ(listener_->counters().accepted, 1U);
  EXPECT_TRUE(failed_.empty());
}

TEST_F(Peers, AReplacedTransportKeyGoesOnAnswering) {
  listen();
  Identity identity;
  identity.transport_key = secret(8);
  identity.former_transport_keys = {listeners_static};
  listener_->set_keys({answering_keys(identity), network});
  targets_ = {target(1, {address()})};
  start_dialer();
  ASSERT_TRUE(loop_.until([&] { return accepted_.size() == 1 && connected_.size() == 1; }));

  identity.former_transport_keys.clear();
  listener_->set_keys({answering_keys(identity), network});
  // The control: without it, whoever dials it is a stranger.
  tcp::socket late = dial_by_hand();
  asio::write(late, asio::buffer(opening()));
  EXPECT_TRUE(closed_in_silence(late));
  EXPECT_EQ(listener_->counters().strangers, 1U);
}

TEST_F(Peers, AStrangerCostsNoHandshakeAndHearsNothing) {
  listen();
  tcp::socket stranger = dial_by_hand();
  Bytes garbage(channel::opening_bytes);
  fill_random(garbage);
  asio::write(stranger, asio::buffer(garbage));
  EXPECT_TRUE(closed_in_silence(stranger));
  EXPECT_EQ(listener_->counters().strangers, 1U);
  EXPECT_EQ(listener_->counters().handshakes, 0U);
}

TEST_F(Peers, AnOpeningForAnotherNetworkOrKeyIsAStranger) {
  listen();
  for (const auto& [key, of_network] :
       {std::pair(listeners_static, NetworkId{{9}}), std::pair(secret(8), network)}) {
    channel::Initiator initiator(
        {diallers_static, dh_public(key), of_network, psk, secret(11), {}});
    tcp::socket stranger = dial_by_hand();
    asio::write(stranger, asio::buffer(*initiator.start()));
    EXPECT_TRUE(closed_in_silence(stranger));
  }
  EXPECT_EQ(listener_->counters().handshakes, 0U);
}

TEST_F(Peers, AFloodOfOpeningsCostsNoHandshakeAndAnHonestPeerGetsThrough) {
  listen();
  std::vector<tcp::socket> flood;
  Bytes garbage(channel::opening_bytes);
  for (int i = 0; i < 300; ++i) {
    flood.push_back(dial_by_hand());
    fill_random(garbage);
    error_code closed_already;
    asio::write(flood.back(), asio::buffer(garbage), closed_already);
    loop_.io.poll();
  }
  ASSERT_TRUE(loop_.until(
      [&] { return listener_->counters().strangers + listener_->counters().turned_away == 300; }));
  EXPECT_EQ(listener_->counters().handshakes, 0U);
  targets_ = {target(1, {address()})};
  start_dialer();
  ASSERT_TRUE(loop_.until([&] { return accepted_.size() == 1; }));
}

TEST_F(Peers, HalfOpenConnectionsAreBoundedInAllAndEndByTheirDeadline) {
  Listener::Limits limits;
  limits.gate.half_open_max = 4;
  limits.first_message = 200ms;
  listen(limits);
  std::vector<tcp::socket> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(dial_by_hand());
  ASSERT_TRUE(loop_.until([&] { return listener_->counters().arrived == 10; }));
  EXPECT_GE(listener_->counters().gave_way + listener_->counters().turned_away, 6U);
  for (tcp::socket& socket : waiting) EXPECT_TRUE(closed_in_silence(socket));
  EXPECT_EQ(listener_->counters().turned_away + listener_->counters().strangers, 10U);
  EXPECT_EQ(listener_->counters().handshakes, 0U);
}

TEST_F(Peers, ConnectionsThatSayNothingCannotKeepAnHonestPeerOut) {
  Listener::Limits limits;
  limits.gate.half_open_max = 4;
  limits.first_message = 1h;
  listen(limits);
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 4; ++i) {
    silent.push_back(dial_by_hand());
    const auto arrived = static_cast<std::uint64_t>(i) + 1;
    ASSERT_TRUE(loop_.until([&] { return listener_->counters().arrived == arrived; }));
  }
  targets_ = {target(1, {address()})};
  start_dialer();
  ASSERT_TRUE(loop_.until([&] { return accepted_.size() == 1; }));
  EXPECT_EQ(listener_->counters().gave_way, 1U);
  EXPECT_TRUE(closed_in_silence(silent[0])) << "the one that had waited longest";
}

TEST_F(Peers, AHandshakeUnderWayDoesNotGiveWayWhileThereAreStrangers) {
  Listener::Limits limits;
  limits.gate.half_open_max = 2;
  listen(limits);
  tcp::socket known = dial_by_hand();
  asio::write(known, asio::buffer(opening()));
  ASSERT_TRUE(loop_.until([&] { return listener_->counters().handshakes == 1; }));
  tcp::socket stranger = dial_by_hand();
  ASSERT_TRUE(loop_.until([&] { return listener_->counters().arrived == 2; }));
  tcp::socket next = dial_by_hand();
  ASSERT_TRUE(loop_.until([&] { return listener_->counters().gave_way == 1; }));
  EXPECT_TRUE(closed_in_silence(stranger));
}

TEST_F(Peers, WithoutTrustThisMachineIsASourceLikeAnyOther) {
  Listener::Limits limits;
  limits.gate.trust_loopback = false;
  limits.gate.per_second = 0;
  listen(limits);
  std::vector<tcp::socket> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(dial_by_hand());
  ASSERT_TRUE(loop_.until([&] { return listener_->counters().arrived == 20; }));
  EXPECT_EQ(listener_->counters().turned_away, 20U - limits::accepts_burst);
}

TEST_F(Peers, ASlowLorisInTheOpeningIsClosedByItsDeadline) {
  Listener::Limits limits;
  limits.first_message = 50ms;
  listen(limits);
  tcp::socket loris = dial_by_hand();
  const Bytes bytes = opening();
  asio::write(loris, asio::buffer(bytes.data(), 40));
  EXPECT_TRUE(closed_in_silence(loris));
  EXPECT_EQ(listener_->counters().strangers, 1U);
}

TEST_F(Peers, ASlowLorisInTheHandshakeIsClosedByItsDeadline) {
  Listener::Limits limits;
  limits.handshake = 100ms;
  listen(limits);
  tcp::socket loris = dial_by_hand();
  asio::write(loris, asio::buffer(opening()));
  ASSERT_TRUE(loop_.until([&] { return listener_->counters().failed == 1; }));
  Bytes heard(200);
  error_code error;
  EXPECT_EQ(asio::read(loris, asio::buffer(heard), error), channel::message2_bytes);
  EXPECT_EQ(error, asio::error::eof);
  EXPECT_TRUE(accepted_.empty());
}

TEST_F(Peers, AnOpeningThatArrivesByteByByteIsWelcome) {
  listen();
  tcp::socket slow = dial_by_hand();
  slow.set_option(tcp::no_delay(true));
  for (const std::uint8_t byte : opening()) {
    asio::write(slow, asio::buffer(&byte, 1));
    loop_.io.poll();
  }
  ASSERT_TRUE(loop_.until([&] { return listener_->counters().handshakes == 1; }));
  EXPECT_EQ(listener_->counters().strangers, 0U);
}

TEST_F(Peers, AWrongPresharedKeyIsRefusedInSilenceAfterMessageThree) {
  listen();
  targets_ = {target(1, {address()})};
  targets_[0].psk = Key32{{99}};
  start_dialer();
  ASSERT_TRUE(loop_.until([&] { return listener_->counters().failed == 1; }));
  EXPECT_EQ(judged_, std::vector<DhPublic>{dh_public(diallers_static)});
  EXPECT_TRUE(accepted_.empty());
}

TEST_F(Peers, NewKeysCountForConnectionsToCome) {
  listen();
  listener_->set_keys({{secret(8), listeners_static}, network});
  targets_ = {target(1, {address()}), target(2, {address()})};
  targets_[1].transport_key = dh_public(secret(8));
  start_dialer();
  ASSERT_TRUE(loop_.until([&] { return accepted_.size() == 2; })) << "a replaced key still answers";
}

TEST_F(Peers, APortThatIsTakenIsSaidSo) {
  listen();
  EXPECT_THROW(listener_->listen({"127.0.0.1", port_}), std::system_error);
}

TEST_F(Peers, AddressesAreTriedInTurn) {
  listen();
  targets_ = {target(1, {dead_address(), "no address", address()})};
  start_dialer();
  ASSERT_TRUE(loop_.until([&] { return accepted_.size() == 1; }));
  EXPECT_TRUE(failed_.empty());
}

TEST_F(Peers, AFailureNamesEveryAddressAndIsTriedAgain) {
  const std::string dead = dead_address();
  targets_ = {target(1, {dead, "nonsense"})};
  Dialer::Limits limits;
  limits.pause_min = 2ms;
  start_dialer(limits);
  ASSERT_TRUE(loop_.until([&] { return failed_.size() >= 3; }));
  EXPECT_NE(failed_[0].find(dead + ": "), std::string::npos);
  EXPECT_NE(failed_[0].find("\"nonsense\" is no address"), std::string::npos);
}

TEST_F(Peers, PausesGrowUntilAnAddressChanges) {
  targets_ = {target(1, {dead_address()})};
  Dialer::Limits limits;
  limits.pause_min = 1h;
  limits.pause_max = 1h;
  start_dialer(limits);
  ASSERT_TRUE(loop_.until([&] { return failed_.size() == 1; }));
  dialer_->wake();
  loop_.io.poll();
  EXPECT_EQ(failed_.size(), 1U) << "waking alone does not shorten the pause";

  listen();
  targets_ = {target(1, {address()})};
  dialer_->wake();
  ASSERT_TRUE(loop_.until([&] { return connected_.size() == 1; }));
}

TEST_F(Peers, ASessionThatEndsAtOnceIsNotDialledInARush) {
  listen();
  targets_ = {target(1, {address()})};
  Dialer::Limits limits;
  limits.pause_min = 1h;
  limits.pause_max = 1h;
  start_dialer(limits);
  ASSERT_TRUE(loop_.until([&] { return connected_.size() == 1; }));
  targets_[0].connected = false;
  dialer_->wake();
  for (int i = 0; i < 10; ++i) loop_.io.run_one_for(5ms);
  EXPECT_EQ(connected_.size(), 1U);
}

TEST_F(Peers, ASessionThatLastedIsDialledAgainAtOnce) {
  listen();
  targets_ = {target(1, {address()})};
  Dialer::Limits limits;
  limits.pause_min = 1h;
  limits.pause_max = 1h;
  limits.steady = 0ms;
  start_dialer(limits);
  ASSERT_TRUE(loop_.until([&] { return connected_.size() == 1; }));
  targets_[0].connected = false;
  dialer_->wake();
  ASSERT_TRUE(loop_.until([&] { return connected_.size() == 2; }));
}

TEST_F(Peers, AtMostSoManyAreDialledAtOnceAndNoneThatIsConnected) {
  Listener::Limits silent;
  tcp::acceptor acceptor(loop_.io, {asio::ip::address_v4::loopback(), 0});
  port_ = acceptor.local_endpoint().port();
  for (std::uint8_t i = 1; i <= 5; ++i) targets_.push_back(target(i, {address()}));
  targets_[0].connected = true;
  Dialer::Limits limits;
  limits.dials_max = 2;
  start_dialer(limits);
  acceptor.non_blocking(true);
  std::vector<tcp::socket> arrived;
  const auto take = [&] {
    error_code error;
    tcp::socket socket(loop_.io);
    acceptor.accept(socket, error);
    if (!error) arrived.push_back(std::move(socket));
  };
  ASSERT_TRUE(loop_.until([&] {
    take();
    return arrived.size() == 2;
  }));
  for (int i = 0; i < 10; ++i) {
    loop_.io.run_one_for(5ms);
    take();
  }
  EXPECT_EQ(arrived.size(), 2U);
  arrived.erase(arrived.begin());
  ASSERT_TRUE(loop_.until([&] {
    take();
    return arrived.size() == 2;
  })) << "a place that became free is used";
  ASSERT_EQ(failed_.size(), 1U);
  EXPECT_NE(failed_[0].find("closed the connection"), std::string::npos);
}

TEST_F(Peers, StoppingEndsWhatIsHalfOpenOnBothSides) {
  listen();
  tcp::socket waiting = dial_by_hand();
  ASSERT_TRUE(loop_.until([&] { return listener_->counters().arrived == 1; }));
  tcp::acceptor silent(loop_.io, {asio::ip::address_v4::loopback(), 0});
  targets_ = {target(1, {"127.0.0.1:" + std::to_string(silent.local_endpoint().port())})};
  start_dialer();
  loop_.io.poll();
  listener_->stop();
  dialer_->stop();
  ASSERT_TRUE(loop_.until([&] { return listener_->idle() && dialer_->idle(); }));
}

}  // namespace
}  // namespace kith::daemon
