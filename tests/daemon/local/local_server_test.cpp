#include "daemon/local/local_server.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/daemon/support/loop.hpp"

namespace kith::daemon {
namespace {

using namespace std::chrono_literals;
using asio::local::stream_protocol;

class LocalServerTest : public ::testing::Test {
 protected:
  void start(LocalServer::Limits limits = {}) {
    auto lock = files::Lock::take(dir_.path() + "/lock");
    ASSERT_TRUE(lock);
    lock_.emplace(std::move(*lock));
    server_ = std::make_unique<LocalServer>(
        loop_.io, path_, *lock_, limits,
        LocalServer::Events{
            .request = [this](LocalServer::ClientId client,
                              Bytes request) { on_request(client, std::move(request)); },
            .lost = [this](LocalServer::ClientId client) { lost_.push_back(client); },
            .debug = [this](const std::string& line) { debug_.push_back(line); },
            .caught_up = [this](LocalServer::ClientId client) { on_caught_up(client); },
        });
  }
  void TearDown() override {
    if (!server_) return;
    server_->stop(0ms);
    EXPECT_TRUE(loop_.finish());
    EXPECT_TRUE(server_->idle());
  }

  [[nodiscard]] stream_protocol::socket connect() {
    stream_protocol::socket socket(loop_.io);
    socket.connect(path_);
    return socket;
  }
  static void ask(stream_protocol::socket& socket, const Bytes& message) {
    Bytes bytes;
    append_integer(bytes, static_cast<std::uint32_t>(message.size()));
    append(bytes, message);
    asio::write(socket, asio::buffer(bytes));
  }
  /// The next answer, or nothing if the server closed instead.
  [[nodiscard]] std::optional<Bytes> hear(stream_protocol::socket& socket) {
    Bytes header(4);
    if (!read(socket, header)) return std::nullopt;
    Bytes body(read_integer<std::uint32_t>(header));
    if (!read(socket, body)) return std::nullopt;
    return body;
  }
  [[nodiscard]] bool read(stream_protocol::socket& socket, Bytes& into) {
    std::size_t done = 0;
    bool closed = false;
    const bool in_time = loop_.until([&] {
      // Not by Asio: a thread of the test may be writing to the same socket.
      const ssize_t got =
          ::recv(socket.native_handle(), into.data() + done, into.size() - done, MSG_DONTWAIT);
      closed = got == 0 || (got < 0 && errno != EAGAIN);
      done += got > 0 ? static_cast<std::size_t>(got) : 0;
      return closed || done == into.size();
    });
    return in_time && !closed;
  }

  std::function<void(LocalServer::ClientId)> on_caught_up = [](LocalServer::ClientId) {};
  testing::TemporaryDir dir_;
  std::string path_ = dir_.path() + "/kithd.sock";
  testing::Loop loop_;
  std::optional<files::Lock> lock_;
  std::function<void(LocalServer::ClientId, Bytes)> on_request =
      [this](LocalServer::ClientId client, Bytes request) {
        asked_.push_back(client);
        server_->answer(client, std::move(request), true);
      };
  std::vector<LocalServer::ClientId> asked_;
  std::vector<LocalServer::ClientId> lost_;
  std::vector<std::string> debug_;
  std::unique_ptr<LocalServer> server_;
};

TEST_F(LocalServerTest, RequestsOfOneClientAreAnsweredOneAfterTheOther) {
  start();
  auto client = connect();
  for (const std::size_t size : {1U, 1'000U, 3'000'000U}) {
    const Bytes message(size, static_cast<std::uint8_t>(size));
    std::thread asking([&] { ask(client, message); });
    EXPECT_EQ(hear(client), message);
    asking.join();
  }
  EXPECT_EQ(asked_, (std::vector<LocalServer::ClientId>{1, 1, 1}));
  client.close();
  ASSERT_TRUE(loop_.until([&] { return lost_.size() == 1; }));
  EXPECT_EQ(lost_[0], 1U);
}

TEST_F(LocalServerTest, WhoWaitsIsRemindedAndNobodyElse) {
  start();
  on_request = [this](LocalServer::ClientId client, const Bytes&) { asked_.push_back(client); };
  auto waits = connect();
  auto idles = connect();
  ask(waits, {1});
  ASSERT_TRUE(loop_.until([&] { return asked_.size() == 1; }));
  server_->remind({7});
  EXPECT_EQ(hear(waits), Bytes{7});
  server_->answer(asked_[0], {2}, false);
  EXPECT_EQ(hear(waits), Bytes{2});
  server_->remind({7});
  server_->answer(asked_[0], {3}, true);
  EXPECT_EQ(hear(waits), Bytes{3}) << "a stream needs no reminding";
  server_->remind({7});
  server_->stop(10s);
  EXPECT_EQ(hear(waits), std::nullopt);
  EXPECT_EQ(hear(idles), std::nullopt);
}

TEST_F(LocalServerTest, TheSocketGoesToTheGroupOfItsFolder) {
  struct stat folder{};
  ASSERT_EQ(stat(dir_.path().c_str(), &folder), 0);
  // Root gives it to any group; others to one that they are in.
  std::array<gid_t, 64> groups{};
  const int count = ::geteuid() == 0 ? 0 : getgroups(groups.size(), groups.data());
  const auto mine = std::span(groups).first(static_cast<std::size_t>(std::max(count, 0)));
  const auto found = std::ranges::find_if(mine, [](gid_t group) { return group != ::getegid(); });
  if (::geteuid() != 0 && found == mine.end()) {
    GTEST_SKIP() << "this user is in one group only, so no other can be given";
  }
  const gid_t other = ::geteuid() == 0 ? 4242 : *found;
  ASSERT_EQ(chown(dir_.path().c_str(), folder.st_uid, other), 0);
  start();
  struct stat status{};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_gid, other);
}

TEST_F(LocalServerTest, TheSocketIsForOwnerAndGroup) {
  start();
  struct stat status{};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777, 0660U);
}

TEST_F(LocalServerTest, WhoConnectsIsInTheDebugLog) {
  start();
  auto client = connect();
  ASSERT_TRUE(loop_.until([&] { return !debug_.empty(); }));
  EXPECT_NE(debug_[0].find("uid " + std::to_string(getuid())), std::string::npos);
}

TEST_F(LocalServerTest, ASocketFileLeftBehindIsReplacedAndRemovedAtTheEnd) {
  {
    std::ofstream(path_) << "left";
  }
  start();
  auto client = connect();
  ask(client, {1});
  EXPECT_EQ(hear(client), Bytes{1});
  server_->stop(0ms);
  ASSERT_TRUE(loop_.finish());
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(LocalServerTest, AStreamOfAnswersGoesOnUntilTheClientLeaves) {
  on_request = [this](LocalServer::ClientId client, Bytes) {
    for (std::uint8_t i = 0; i < 3; ++i) server_->answer(client, {i}, false);
  };
  start();
  auto client = connect();
  ask(client, {9});
  for (std::uint8_t i = 0; i < 3; ++i) EXPECT_EQ(hear(client), Bytes{i});
  server_->answer(1, {7}, false);
  EXPECT_EQ(hear(client), Bytes{7});
  client.close();
  ASSERT_TRUE(loop_.until([&] { return lost_.size() == 1; }));
  server_->answer(1, {8}, false);
}

TEST_F(LocalServerTest, WhoAsksAgainBeforeTheAnswerIsDisconnected) {
  on_request = [this](LocalServer::ClientId client, Bytes) { asked_.push_back(client); };
  start();
  auto client = connect();
  ask(client, {1});
  ask(client, {2});
  EXPECT_EQ(hear(client), std::nullopt);
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(LocalServerTest, ALengthOfNothingOrOfTooMuchDisconnects) {
  LocalServer::Limits limits;
  limits.message_bytes_max = 1'000;
  start(limits);
  for (const std::uint32_t length : {0U, 1'001U, 0xFFFFFFFFU}) {
    auto client = connect();
    Bytes header;
    append_integer(header, length);
    asio::write(client, asio::buffer(header));
    EXPECT_EQ(hear(client), std::nullopt) << length;
  }
  EXPECT_TRUE(asked_.empty());
  auto client = connect();
  ask(client, Bytes(1'000, 1));
  EXPECT_EQ(hear(client), Bytes(1'000, 1));
}

TEST_F(LocalServerTest, ARequestThatBreaksOffIsNotARequest) {
  start();
  auto client = connect();
  asio::write(client, asio::buffer(Bytes{0, 0, 0, 9, 1, 2}));
  client.close();
  ASSERT_TRUE(loop_.until([&] { return lost_.size() == 1; }));
  EXPECT_TRUE(asked_.empty());
}

TEST_F(LocalServerTest, AClientThatDoesNotReadItsStreamIsDropped) {
  LocalServer::Limits limits;
  limits.pending_max = 16;
  on_request = [this](LocalServer::ClientId client, Bytes) { asked_.push_back(client); };
  start(limits);
  auto client = connect();
  ask(client, {1});
  ASSERT_TRUE(loop_.until([&] { return asked_.size() == 1; }));
  std::size_t sent = 0;
  ASSERT_TRUE(loop_.until([&] {
    server_->answer(1, Bytes(100'000, 1), false);
    return ++sent > 10'000 || !lost_.empty();
  }));
  EXPECT_EQ(lost_.size(), 1U);
}

TEST_F(LocalServerTest, WhoReadsGetsAStreamOfAnyLengthFromWhoWaitsForIt) {
  constexpr std::uint64_t many = 5'000;
  // It outlives the test's body: the last of it is written then.
  const auto sent = std::make_shared<std::uint64_t>(0);
  const auto send_more = [this, sent](LocalServer::ClientId client) {
    while (*sent < many && !server_->is_behind(client)) {
      Bytes number;
      append_integer(number, (*sent)++);
      server_->answer(client, number, false);
    }
  };
  on_request = [=](LocalServer::ClientId client, const Bytes&) { send_more(client); };
  on_caught_up = send_more;
  start();
  auto client = connect();
  ask(client, {1});
  for (std::uint64_t i = 0; i < many; ++i) {
    const auto heard = hear(client);
    ASSERT_TRUE(heard.has_value()) << "after " << i;
    ASSERT_EQ(read_integer<std::uint64_t>(*heard), i);
  }
  EXPECT_TRUE(lost_.empty());
}

TEST_F(LocalServerTest, ClientsAboveTheLimitAreTurnedAway) {
  LocalServer::Limits limits;
  limits.clients_max = 2;
  start(limits);
  auto first = connect();
  auto second = connect();
  ASSERT_TRUE(loop_.until([&] { return server_->clients() == 2; }));
  auto third = connect();
  EXPECT_EQ(hear(third), std::nullopt);
  ask(second, {5});
  EXPECT_EQ(hear(second), Bytes{5});
}

TEST_F(LocalServerTest, StoppingLetsAWaitingClientHaveItsAnswerAndEndsTheOthers) {
  on_request = [this](LocalServer::ClientId client, Bytes) { asked_.push_back(client); };
  start();
  auto waiting = connect();
  ask(waiting, {1});
  ASSERT_TRUE(loop_.until([&] { return asked_.size() == 1; }));
  auto idle = connect();
  ASSERT_TRUE(loop_.until([&] { return server_->clients() == 2; }));
  server_->stop(std::chrono::minutes(5));
  EXPECT_EQ(hear(idle), std::nullopt);
  server_->answer(1, {4}, true);
  EXPECT_EQ(hear(waiting), Bytes{4});
  ASSERT_TRUE(loop_.finish());
  EXPECT_EQ(lost_.size(), 2U);
}

TEST_F(LocalServerTest, APathThatIsTooLongIsSaidSo) {
  path_ = dir_.path() + "/" + std::string(120, 'x');
  EXPECT_THROW(start(), std::system_error);
}

}  // namespace
}  // namespace kith::daemon
