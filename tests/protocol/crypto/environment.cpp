#include <gtest/gtest.h>

#include "protocol/crypto/crypto.hpp"

namespace kith {
namespace {

// As main() does: without it libsodium stays with its slowest code.
class CryptoReady : public ::testing::Environment {
 public:
  void SetUp() override { initialise_crypto(); }
};

[[maybe_unused]] const auto* const registered =
    ::testing::AddGlobalTestEnvironment(new CryptoReady);

}  // namespace
}  // namespace kith
