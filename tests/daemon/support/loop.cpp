#include "tests/daemon/support/loop.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace kith::testing {
namespace {

Key32 key_of(std::uint8_t byte) {
  Key32 key;
  key.bytes.fill(byte);
  return key;
}

noise::Transport transport() {
  return {noise::CipherState(key_of(1)), noise::CipherState(key_of(2)), Hash{}};
}

}  // namespace

std::pair<asio::ip::tcp::socket, asio::ip::tcp::socket> connected_sockets(asio::io_context& io) {
  using asio::ip::tcp;
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket dialled(io);
  dialled.connect(acceptor.local_endpoint());
  tcp::socket accepted = acceptor.accept();
  return {std::move(dialled), std::move(accepted)};
}

std::pair<channel::SecureChannel, channel::SecureChannel> connected_channels() {
  return {channel::SecureChannel(transport(), true), channel::SecureChannel(transport(), false)};
}

noise::CipherState initiators_cipher() { return noise::CipherState(key_of(1)); }

void expect_no_exception(const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

TemporaryDir::TemporaryDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "kithd-XXXXXX").string();
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  path_ = pattern;
}

TemporaryDir::~TemporaryDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace kith::testing
