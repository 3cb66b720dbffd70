// Many who announce a great deal, send next to nothing and hold: what the daemon's memory is
// meanwhile.
#include <algorithm>

#include "protocol/base/limits.hpp"
#include "tests/faults/hostile/forging.hpp"
#include "tests/faults/hostile/handshake.hpp"

namespace kith::hostile {
namespace {

constexpr std::size_t connections = 50;
/// The longest frame that can be right.
constexpr std::uint16_t frame_bytes = 65'488;
constexpr std::size_t few = 16;

/// The daemon's memory, touched or only asked for, once it has seen all that was sent before. Its
/// one network thread answers two questions that were asked later.
std::int64_t memory_kib(const Arguments& arguments) {
  for (int i = 0; i < 2; ++i) {
    (void)ask<local::StatusAnswer>(arguments.text("socket"), local::StatusRequest{});
  }
  return static_cast<std::int64_t>(usage_of(arguments.pid()).reserved_kib);
}

template <class Length>
Bytes announced(Length length) {
  Bytes bytes;
  append_integer(bytes, length);
  bytes.resize(bytes.size() + few);
  return bytes;
}

/// Every second one announces the longest message, the others the longest frame.
void hold_as_peers(const Arguments& arguments) {
  // One invitation holds one connection.
  std::vector<Invitation> invitations;
  for (std::size_t i = 0; i < connections; ++i) {
    const auto made = ask<local::InviteAnswer>(arguments.text("socket"), local::InviteRequest{});
    const auto invitation = decode_invitation(made.invitation);
    if (!invitation) give_up(invitation.error().detail);
    invitations.push_back(*invitation);
  }
  const std::int64_t before = memory_kib(arguments);
  std::vector<OpenChannel> open;
  for (const Invitation& invitation : invitations) {
    auto channel = OpenChannel::open(arguments.port(), caller_with(invitation));
    if (!channel) give_up("an invitation was not let in");
    open.push_back(std::move(*channel));
  }
  const std::int64_t silent = memory_kib(arguments) - before;
  for (std::size_t i = 0; i < open.size(); ++i) {
    if (i % 2 == 0) {
      open[i].send_run(announced(static_cast<std::uint32_t>(limits::message_bytes_max)));
    } else {
      open[i].send_raw(announced(frame_bytes));
    }
  }
  const std::int64_t grown = memory_kib(arguments) - before - silent;
  const auto held =
      std::ranges::count_if(open, [](OpenChannel& one) { return !one.ended(milliseconds(0)); });
  Finding("held_claims_of_peers")
      .figure("connections", connections)
      .figure("held_while_measured", held)
      .figure("announced_kib",
              connections / 2 * (limits::message_bytes_max + frame_bytes) / limits::ki)
      .figure("memory_growth_kib_of_connections", silent)
      .figure("memory_growth_kib_of_claims", grown)
      .expect(held == static_cast<std::ptrdiff_t>(connections),
              "All were open when it was measured.")
      .expect(stays_below(silent, connections * 256), "A connection takes less than 256 KiB.")
      .expect(stays_below(grown, connections * 8),
              "What is announced and does not come takes less than 8 KiB a connection.");
}

void hold_as_clients(const Arguments& arguments) {
  const std::int64_t before = memory_kib(arguments);
  std::vector<Socket> open;
  for (std::size_t i = 0; i < connections; ++i) {
    open.push_back(Socket::local(arguments.text("socket")));
  }
  const std::int64_t silent = memory_kib(arguments) - before;
  for (Socket& one : open) {
    one.send(announced(static_cast<std::uint32_t>(limits::local_message_bytes_max)));
  }
  const std::int64_t grown = memory_kib(arguments) - before - silent;
  const auto held =
      std::ranges::count_if(open, [](Socket& one) { return !one.receive(milliseconds(0)); });
  Finding("held_claims_of_clients")
      .figure("connections", connections)
      .figure("held_while_measured", held)
      .figure("announced_kib", connections * limits::local_message_bytes_max / limits::ki)
      .figure("memory_growth_kib_of_connections", silent)
      .figure("memory_growth_kib_of_claims", grown)
      .expect(held == static_cast<std::ptrdiff_t>(connections),
              "All were open when it was measured.")
      .expect(stays_below(silent, connections * 64), "A local connection takes less than 64 KiB.")
      .expect(stays_below(grown, connections * 288),
              "A request is given 256 KiB at a time as it comes, whatever was announced.");
}

}  // namespace

void hold(const Arguments& arguments) {
  hold_as_peers(arguments);
  hold_as_clients(arguments);
}

}  // namespace kith::hostile
