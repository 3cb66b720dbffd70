#include "client/connection.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "protocol/base/limits.hpp"
#include "tests/client/bench.hpp"

namespace kith::client {
namespace {

/// A listener that takes one connection, reads one request and then writes `reply` as it is.
class Listener {
 public:
  Listener(const std::string& path, Bytes reply)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    thread_ = std::thread([this, reply = std::move(reply)] { serve(reply); });
  }
  ~Listener() {
    thread_.join();
    ::close(socket_);
  }

  Bytes request;  ///< As received, without its length. Valid after the answer has been read.

 private:
  void serve(const Bytes& reply) {
    const int client = ::accept(socket_, nullptr, nullptr);
    std::array<std::uint8_t, 4> header{};
    if (::recv(client, header.data(), header.size(), MSG_WAITALL) == 4) {
      request.resize(read_integer<std::uint32_t>(header));
      EXPECT_EQ(::recv(client, request.data(), request.size(), MSG_WAITALL),
                static_cast<ssize_t>(request.size()));
    }
    EXPECT_EQ(::send(client, reply.data(), reply.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(reply.size()));
    ::close(client);
  }

  int socket_;
  std::thread thread_;
};

void add_message(Bytes& to, const local::Answer& answer) {
  const Bytes message = local::encode(answer);
  append_integer(to, static_cast<std::uint32_t>(message.size()));
  append(to, message);
}

TEST(Connection, SendsARequestAndReadsProgressThenTheAnswer) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "s").string();
  Bytes reply;
  add_message(reply, local::Progress{1, 2, "half"});
  add_message(reply, local::EnrolAnswer{7});
  Listener listener(path, reply);
  Connection connection(path);
  std::vector<local::Progress> progress;
  const auto answer = connection.ask(local::ShowRequest{"abcd"},
                                     [&](const auto& each) { progress.push_back(each); });
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, local::Answer(local::EnrolAnswer{7}));
  EXPECT_EQ(progress, (std::vector<local::Progress>{{1, 2, "half"}}));
  EXPECT_EQ(listener.request, local::encode(local::Request(local::ShowRequest{"abcd"})));
}

TEST(Connection, ReadsMoreAnswersUntilTheDaemonGoes) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "s").string();
  Bytes reply;
  add_message(reply, local::WatchAnswer{some_entry(1, "one")});
  add_message(reply, local::WatchAnswer{some_entry(2, "two")});
  Listener listener(path, reply);
  Connection connection(path);
  ASSERT_TRUE(connection.ask(local::WatchRequest{0}, [](const auto&) {}));
  const auto second = connection.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(std::get<local::WatchAnswer>(*second).record.title, "two");
  const auto third = connection.next();
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::unavailable);
}

TEST(Connection, SaysWhatToDoWhenNobodyListens) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "nobody").string();
  Connection connection(path);
  const auto answer = connection.ask(local::StatusRequest{}, [](const auto&) {});
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().detail.find(path), std::string::npos);
  EXPECT_NE(answer.error().detail.find("kithd --dir DIR run"), std::string::npos);
}

/// Accepts, and then says nothing, or one thing late.
TEST(Connection, GivesUpWhoIsSilentButNotAWatch) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "s").string();
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(socket, 2), 0);

  constexpr std::chrono::milliseconds patience{50};
  Connection impatient(path, patience);
  const auto given_up = impatient.ask(local::StatusRequest{}, [](const auto&) {});
  ASSERT_FALSE(given_up);
  EXPECT_EQ(given_up.error().code, Errc::unavailable);
  EXPECT_NE(given_up.error().detail.find("has been silent"), std::string::npos);

  std::thread late([&] {
    ::close(::accept(socket, nullptr, nullptr));  // The one that gave up.
    const int client = ::accept(socket, nullptr, nullptr);
    std::this_thread::sleep_for(4 * patience);
    Bytes reply;
    add_message(reply, local::WatchAnswer{some_entry(1, "late")});
    EXPECT_EQ(::send(client, reply.data(), reply.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(reply.size()));
    ::close(client);
  });
  Connection watching(path, patience);
  const auto arrival = watching.ask(local::WatchRequest{}, [](const auto&) {});
  late.join();
  ::close(socket);
  ASSERT_TRUE(arrival) << arrival.error().detail;
  EXPECT_EQ(std::get<local::WatchAnswer>(*arrival).record.title, "late");
}

TEST(Connection, SaysThatAFileOrAFolderIsNoSocket) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "file") << "text";
  for (const auto& path : {folder.path() / "file", folder.path()}) {
    Connection connection(path.string());
    const auto answer = connection.ask(local::StatusRequest{}, [](const auto&) {});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::usage);
    EXPECT_NE(answer.error().detail.find("is no socket"), std::string::npos);
  }
}

TEST(Connection, RefusesAPathThatNoSystemTakes) {
  Connection connection("/" + std::string(200, 'x'));
  EXPECT_FALSE(connection.ask(local::StatusRequest{}, [](const auto&) {}));
}

TEST(Connection, RefusesALengthAboveTheLimitBeforeItAllocates) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "s").string();
  Bytes reply;
  append_integer(reply, static_cast<std::uint32_t>(limits::local_message_bytes_max + 1));
  Listener listener(path, reply);
  Connection connection(path);
  const auto answer = connection.ask(local::StatusRequest{}, [](const auto&) {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::too_large);
}

TEST(Connection, RefusesAnAnswerThatIsCutOrMakesNoSense) {
  Bytes cut;
  add_message(cut, local::EnrolAnswer{7});
  cut.pop_back();
  Bytes nonsense;
  append_integer(nonsense, std::uint32_t{8});
  append(nonsense, Bytes(8, 0xFF));
  for (const auto& [reply, code] :
       {std::pair{cut, Errc::unavailable}, std::pair{nonsense, Errc::malformed}}) {
    const TemporaryFolder folder;
    const std::string path = (folder.path() / "s").string();
    Listener listener(path, reply);
    Connection connection(path);
    const auto answer = connection.ask(local::StatusRequest{}, [](const auto&) {});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, code);
  }
}

}  // namespace
}  // namespace kith::client
