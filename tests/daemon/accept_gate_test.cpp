#include "daemon/accept_gate.hpp"

#include <gtest/gtest.h>

namespace kith::daemon {
namespace {

using namespace std::chrono_literals;

const AcceptGate::Time start{1h};

Source v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return Source::of_v4({a, b, c, d});
}

bool enters(AcceptGate& gate, const Source& source, AcceptGate::Time now) {
  return gate.enter(source, now) == AcceptGate::Entry::taken;
}

TEST(AcceptGate, ABurstIsFollowedByTheRate) {
  AcceptGate gate({});
  const Source source = v4(192, 0, 2, 1);
  for (std::size_t i = 0; i < limits::accepts_burst; ++i) {
    EXPECT_TRUE(enters(gate, source, start));
    gate.leave(source);
  }
  EXPECT_FALSE(enters(gate, source, start));
  EXPECT_FALSE(enters(gate, source, start + 40ms));
  EXPECT_TRUE(enters(gate, source, start + 60ms)) << "20 a second is one each 50 ms";
  EXPECT_FALSE(enters(gate, source, start + 60ms));
}

TEST(AcceptGate, AnotherNetworkIsNotHeldUpByAFlood) {
  AcceptGate gate({});
  while (enters(gate, v4(192, 0, 2, 1), start)) gate.leave(v4(192, 0, 2, 1));
  EXPECT_FALSE(enters(gate, v4(192, 0, 2, 200), start)) << "the same /24 shares its bucket";
  EXPECT_TRUE(enters(gate, v4(192, 0, 3, 1), start));
}

TEST(AcceptGate, PlacesAreBoundedByNetworkAndInAll) {
  AcceptGate gate({.per_second = 1e9, .burst = 1e9});
  for (std::size_t i = 0; i < limits::half_open_per_source_max; ++i) {
    EXPECT_TRUE(enters(gate, v4(192, 0, 2, static_cast<std::uint8_t>(i)), start));
  }
  EXPECT_FALSE(enters(gate, v4(192, 0, 2, 99), start));
  for (std::size_t i = gate.half_open(); i < limits::half_open_max; ++i) {
    EXPECT_TRUE(enters(gate, v4(198, 51, static_cast<std::uint8_t>(i), 1), start));
  }
  EXPECT_FALSE(enters(gate, v4(203, 0, 113, 1), start));
  gate.leave(v4(198, 51, 20, 1));
  EXPECT_TRUE(enters(gate, v4(203, 0, 113, 1), start)) << "a place given back can be taken";
}

TEST(AcceptGate, WhoHasHadItsShareIsRefusedAlsoWhenAllPlacesAreTaken) {
  AcceptGate gate({.half_open_max = 4, .per_source_max = 4, .per_second = 20, .burst = 4});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(enters(gate, v4(192, 0, 2, 1), start));
  EXPECT_EQ(gate.enter(v4(192, 0, 2, 1), start + 1s), AcceptGate::Entry::refused)
      << "or a flood would cost others their places";
  EXPECT_EQ(gate.enter(v4(203, 0, 113, 1), start), AcceptGate::Entry::full);
  gate.leave(v4(192, 0, 2, 1));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(gate.enter(v4(203, 0, 113, 1), start),
              i == 0 ? AcceptGate::Entry::taken : AcceptGate::Entry::full)
        << "what found no place costs no token";
  }
}

TEST(AcceptGate, LoopbackIsExemptFromWhatIsCountedBySourceOnly) {
  AcceptGate trusting({});
  for (std::size_t i = 0; i < limits::half_open_max; ++i) {
    EXPECT_TRUE(enters(trusting, v4(127, 0, 0, 1), start));
  }
  EXPECT_FALSE(enters(trusting, v4(127, 0, 0, 1), start));

  AcceptGate strict({.trust_loopback = false});
  std::size_t entered = 0;
  while (enters(strict, v4(127, 0, 0, 1), start)) ++entered;
  EXPECT_EQ(entered, limits::accepts_burst);
}

TEST(AcceptGate, IPv6CountsByPrefixAndMappedIPv4AsIPv4) {
  std::array<std::uint8_t, 16> one{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1};
  std::array<std::uint8_t, 16> same = one;
  same[15] = 9;
  std::array<std::uint8_t, 16> other = one;
  other[7] = 2;
  EXPECT_EQ(Source::of_v6(one).network(), Source::of_v6(same).network());
  EXPECT_NE(Source::of_v6(one).network(), Source::of_v6(other).network());

  std::array<std::uint8_t, 16> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127, 0, 0, 1};
  EXPECT_EQ(Source::of_v6(mapped), v4(127, 0, 0, 1));
  EXPECT_TRUE(Source::of_v6(mapped).loopback);
  std::array<std::uint8_t, 16> loopback{};
  loopback[15] = 1;
  EXPECT_TRUE(Source::of_v6(loopback).loopback);
  EXPECT_FALSE(Source::of_v6(one).loopback);
}

TEST(AcceptGate, AFloodFromManyNetworksCostsABoundedTable) {
  AcceptGate gate({});
  for (unsigned i = 0; i < 20'000; ++i) {
    const Source source = v4(10, static_cast<std::uint8_t>(i >> 16),
                             static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i));
    if (enters(gate, source, start)) gate.leave(source);
  }
  for (unsigned i = 0; i < 20'000; ++i) {
    const Source source = v4(static_cast<std::uint8_t>(11 + (i >> 16)),
                             static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 1);
    if (enters(gate, source, start)) gate.leave(source);
  }
  EXPECT_LE(gate.buckets(), 4'096U);
  EXPECT_TRUE(enters(gate, v4(203, 0, 113, 1), start + 1s)) << "and is over when the flood is";
}

}  // namespace
}  // namespace kith::daemon
