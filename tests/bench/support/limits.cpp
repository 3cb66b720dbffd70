#include "tests/bench/support/limits.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <lmdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <thread>

#include "protocol/base/limits.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/merkle.hpp"
#include "protocol/log/tile.hpp"
#include "tests/bench/support/figure.hpp"

namespace kith::bench {
namespace {

constexpr std::size_t body_bytes = 1024;
constexpr std::size_t entry_bytes = body_bytes + Signature::size;
constexpr double measure_seconds = 0.7;

/// Both ends of one TCP connection on loopback.
struct Connection {
  int from = -1;
  int to = -1;

  Connection() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    must(::bind(listener, where, size) == 0 && ::listen(listener, 1) == 0 &&
             ::getsockname(listener, where, &size) == 0,
         "no port on loopback");
    from = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(::connect(from, where, size) == 0, "loopback does not connect");
    to = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    const int on = 1;
    ::setsockopt(from, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    ::close(from);
    ::close(to);
  }
};

bool write_all(int socket, const std::uint8_t* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(socket, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool read_all(int socket, std::uint8_t* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(socket, bytes, size, 0);
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

/// LMDB with one table, and nothing of kith around it.
class PlainLmdb {
 public:
  explicit PlainLmdb(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    MDB_txn* txn = nullptr;
    must(mdb_env_create(&env_) == 0 && mdb_env_set_mapsize(env_, 1UL << 33) == 0 &&
             mdb_env_open(env_, folder.c_str(), 0, 0600) == 0 &&
             mdb_txn_begin(env_, nullptr, 0, &txn) == 0 &&
             mdb_dbi_open(txn, nullptr, 0, &table_) == 0 && mdb_txn_commit(txn) == 0,
         "LMDB does not open");
    value_.resize(entry_bytes);
    randombytes_buf(value_.data(), value_.size());
  }
  PlainLmdb(const PlainLmdb&) = delete;
  PlainLmdb& operator=(const PlainLmdb&) = delete;
  ~PlainLmdb() { mdb_env_close(env_); }

  void commit(std::size_t entries) {
    MDB_txn* txn = nullptr;
    must(mdb_txn_begin(env_, nullptr, 0, &txn) == 0, "LMDB does not begin");
    for (std::size_t i = 0; i < entries; ++i) {
      Bytes key;
      append_integer(key, next_++);
      MDB_val k{key.size(), key.data()};
      MDB_val v{value_.size(), value_.data()};
      must(mdb_put(txn, table_, &k, &v, MDB_APPEND) == 0, "LMDB does not put");
    }
    must(mdb_txn_commit(txn) == 0, "LMDB does not commit");
  }

 private:
  MDB_env* env_ = nullptr;
  MDB_dbi table_ = 0;
  std::uint64_t next_ = 0;
  Bytes value_;
};

/// A signature that is good.
struct Signed {
  explicit Signed(std::size_t message_bytes = body_bytes)
      : key(fresh_seed()), message(message_bytes) {
    randombytes_buf(message.data(), message.size());
    signature = key.sign(message);
  }
  void verify_once() const {
    must(verify(key.public_key(), message, signature), "a good signature is refused");
  }

  SigningKey key;
  Bytes message;
  Signature signature;

 private:
  static Seed fresh_seed() {
    Seed seed;
    randombytes_buf(seed.bytes.data(), seed.bytes.size());
    return seed;
  }
};

std::uint64_t verify_until(Clock::time_point end, std::size_t message_bytes) {
  const Signed one(message_bytes);
  std::uint64_t count = 0;
  for (; Clock::now() < end; ++count) one.verify_once();
  return count;
}

double timed_after(std::chrono::milliseconds pause, const std::function<void()>& work) {
  std::this_thread::sleep_for(pause);
  const auto start = Clock::now();
  work();
  return seconds_since(start);
}

}  // namespace

double verify_rate(unsigned threads, std::size_t message_bytes) {
  std::atomic<std::uint64_t> total{0};
  const auto start = Clock::now();
  const auto end = start + std::chrono::milliseconds(static_cast<int>(2'000 * measure_seconds));
  std::vector<std::thread> all;
  for (unsigned i = 0; i < threads; ++i) {
    all.emplace_back([&] { total += verify_until(end, message_bytes); });
  }
  for (std::thread& thread : all) thread.join();
  return static_cast<double>(total) / seconds_since(start);
}

double tree_rate() {
  Bytes leaf(body_bytes);
  randombytes_buf(leaf.data(), leaf.size());
  CompactRange range;
  const auto start = Clock::now();
  while (seconds_since(start) < measure_seconds) {
    for (int i = 0; i < 1'000; ++i) range.push(leaf_hash(leaf));
  }
  return static_cast<double>(range.size()) / seconds_since(start);
}

double leaf_tree_rate(unsigned threads, std::uint64_t count, std::size_t payload_bytes) {
  const Bytes payload(payload_bytes, 7);
  const std::string leaf = encode_leaf(make_leaf(LeafClass::record, 1'790'000'000'000, payload));
  const auto hash_share = [&] {
    for (std::uint64_t done = 0; done < count / threads; done += limits::tile_hashes) {
      std::vector<TreeHash> hashes;
      hashes.reserve(limits::tile_hashes);
      for (std::size_t i = 0; i < limits::tile_hashes; ++i) {
        hashes.push_back(leaf_hash(view(leaf)));
        if (payload_bytes > 0) must(blake2b({payload}) != Hash{}, "a hash of nothing");
      }
      must(tile_root(hashes) != TreeHash{}, "a root of nothing");
    }
  };
  const auto start = Clock::now();
  {
    std::vector<std::jthread> all;
    for (unsigned i = 0; i < threads; ++i) all.emplace_back(hash_share);
  }
  return static_cast<double>(count) / seconds_since(start);
}

double stream_rate() {
  constexpr std::size_t plain_bytes = 16 * 1024;
  constexpr std::size_t frame_bytes = plain_bytes + crypto_aead_chacha20poly1305_ietf_ABYTES;
  constexpr std::size_t frames = 40'000;
  const Connection connection;
  std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_KEYBYTES> key{};
  const auto start = Clock::now();
  std::thread sender([&] {
    std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES> nonce{};
    const Bytes plain(plain_bytes, 7);
    Bytes frame(frame_bytes);
    for (std::size_t i = 0; i < frames; ++i) {
      sodium_increment(nonce.data(), nonce.size());
      crypto_aead_chacha20poly1305_ietf_encrypt(frame.data(), nullptr, plain.data(), plain.size(),
                                                nullptr, 0, nullptr, nonce.data(), key.data());
      if (!write_all(connection.from, frame.data(), frame.size())) return;
    }
  });
  std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES> nonce{};
  Bytes plain(plain_bytes);
  Bytes frame(frame_bytes);
  for (std::size_t i = 0; i < frames; ++i) {
    must(read_all(connection.to, frame.data(), frame.size()), "the stream ended early");
    sodium_increment(nonce.data(), nonce.size());
    must(crypto_aead_chacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr, frame.data(),
                                                   frame.size(), nullptr, 0, nonce.data(),
                                                   key.data()) == 0,
         "a frame does not open");
  }
  const double seconds = seconds_since(start);
  sender.join();
  return static_cast<double>(frames * plain_bytes) / static_cast<double>(entry_bytes) / seconds;
}

double lmdb_rate(const std::filesystem::path& folder, std::size_t entries, std::size_t batch) {
  PlainLmdb lmdb(folder);
  const auto start = Clock::now();
  for (std::size_t done = 0; done < entries; done += batch) lmdb.commit(batch);
  const double rate = static_cast<double>(entries) / seconds_since(start);
  std::filesystem::remove_all(folder);
  return rate;
}

double tree_only_bound(const std::filesystem::path& folder) {
  const double stream = stream_rate();
  const double tree = tree_rate();
  const double lmdb = lmdb_rate(folder / "limit-lmdb", 200'000, 1'000);
  return 1 / (1 / stream + 1 / tree + 1 / lmdb);
}

LiveParts parts_after_pauses(const std::filesystem::path& folder, std::chrono::milliseconds pause) {
  constexpr int rounds = 300;
  std::vector<double> commits, round_trips, verifies;
  {
    PlainLmdb lmdb(folder / "limit-parts");
    const Connection connection;
    std::thread echo([&] {
      std::uint8_t byte = 0;
      while (read_all(connection.to, &byte, 1) && write_all(connection.to, &byte, 1)) {
      }
    });
    const Signed one;
    for (int i = 0; i < rounds; ++i) {
      commits.push_back(timed_after(pause, [&] { lmdb.commit(1); }));
      round_trips.push_back(timed_after(pause, [&] {
        std::uint8_t byte = 1;
        must(write_all(connection.from, &byte, 1) && read_all(connection.from, &byte, 1),
             "the ping does not come back");
      }));
      verifies.push_back(timed_after(pause, [&] { one.verify_once(); }));
    }
    ::shutdown(connection.from, SHUT_RDWR);
    echo.join();
  }
  std::filesystem::remove_all(folder / "limit-parts");
  return {quantile(std::move(commits), 0.5), quantile(std::move(round_trips), 0.5),
          quantile(std::move(verifies), 0.5)};
}

}  // namespace kith::bench
