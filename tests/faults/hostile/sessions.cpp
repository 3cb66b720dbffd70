// Who knows the member and the network, and lies about the rest.
#include <algorithm>

#include "daemon/random.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/schema/peer_codec.hpp"
#include "tests/faults/hostile/handshake.hpp"

namespace kith::hostile {
namespace {

constexpr milliseconds at_once{1'500};
constexpr milliseconds patience{15'000};

Caller member_calling(const daemon::Identity& identity, const Invitation& target) {
  Caller caller{identity.transport_key, target.sponsor_transport, identity.network,
                identity.network_secret.value_or(Key32{})};
  caller.hello.certificate = identity.certificate;
  caller.hello.certificate_number = verify_certificate(identity.certificate)->number;
  return caller;
}

peer::JoinRequest request_with(const NetworkId& network, const DhSecret& transport,
                               const std::string& code) {
  const SigningKey recovery(daemon::random_octets<Seed>());
  Certificate certificate;
  certificate.network = network;
  certificate.member = MemberId{recovery.public_key().bytes};
  certificate.number = 1;
  certificate.log_key = SigningKey(daemon::random_octets<Seed>()).public_key();
  certificate.witness_key = SigningKey(daemon::random_octets<Seed>()).public_key();
  certificate.daemon_key = SigningKey(daemon::random_octets<Seed>()).public_key();
  certificate.steward = SigningKey(daemon::random_octets<Seed>()).public_key();
  certificate.transport_key = dh_public(transport);
  certificate.sealing_key = dh_public(fresh_secret());
  return {sign_certificate(certificate, recovery), {code, "Nobody", "trust", {}}};
}

void refused(const std::string& name, const Attempt& attempt, std::size_t answered) {
  Finding("key_" + name)
      .figure("bytes_before_message3", attempt.answered)
      .figure("bytes_after_message3", attempt.after)
      .expect(attempt.answered == answered, "It learns what the protocol says and no more.")
      .expect(attempt.after == 0, "After its message it hears nothing.")
      .expect(attempt.closed, "It is disconnected.");
}

}  // namespace

void keys(const Arguments& arguments) {
  const std::uint16_t port = arguments.port();
  const Invitation invitation = arguments.invitation();
  const daemon::Identity member = arguments.identity();
  constexpr std::size_t nothing = 0;
  constexpr std::size_t message2 = channel::message2_bytes;

  Caller wrong_static = caller_with(invitation);
  wrong_static.responder = dh_public(fresh_secret());
  refused("wrong_static", attempt(port, wrong_static), nothing);

  Caller wrong_network = caller_with(invitation);
  wrong_network.network.bytes[0] ^= 1;
  refused("wrong_network", attempt(port, wrong_network), nothing);

  Caller wrong_psk = caller_with(invitation);
  wrong_psk.psk = daemon::random_octets<Key32>();
  refused("unknown_static_wrong_psk", attempt(port, wrong_psk), message2);

  refused("expired_invitation", attempt(port, caller_with(arguments.invitation("expired"))),
          message2);
  refused("invitation_of_somebody_else", attempt(port, caller_with(arguments.invitation("used"))),
          message2);

  Caller secret_only = member_calling(member, invitation);
  secret_only.own_static = fresh_secret();
  secret_only.hello = {};
  refused("network_secret_alone", attempt(port, secret_only), message2);
  secret_only.hello = member_calling(member, invitation).hello;
  refused("network_secret_and_another's_certificate", attempt(port, secret_only), message2);

  Caller static_only = member_calling(member, invitation);
  static_only.psk = daemon::random_octets<Key32>();
  refused("stolen_static_alone", attempt(port, static_only), message2);

  // A right proof over an ephemeral key that makes every Diffie-Hellman zero.
  const DhPublic low_order{};
  const auto preamble = channel::make_preamble(
      channel::preamble_key(invitation.sponsor_transport, invitation.network), low_order);
  Bytes opening = to_bytes(preamble);
  append(opening, low_order.view());
  opening.resize(channel::opening_bytes);
  Socket low(port);
  low.send(opening);
  const auto heard = low.bytes_until_end(patience);
  refused("low_order_ephemeral", {heard.value_or(1), 0, heard.has_value()}, nothing);

  // The negative control: the same code, with keys that are right, is let in.
  const Attempt invited = attempt(port, caller_with(invitation));
  const Attempt as_member = attempt(port, member_calling(member, invitation));
  Finding("key_control")
      .figure("invited_closed", invited.closed)
      .figure("member_bytes_after_message3", as_member.after)
      .expect(invited.answered == message2 && !invited.closed, "A good invitation is let in.")
      .expect(as_member.after > 0 && !as_member.closed, "A member is welcomed.");
}

void replay(const Arguments& arguments) {
  const std::uint16_t port = arguments.port();
  const daemon::Identity member = arguments.identity();
  auto session = OpenChannel::open(port, member_calling(member, arguments.invitation()));
  if (!session) give_up("the session to be recorded was refused");
  const auto welcome = session->next_message(patience);
  session->send_message(peer::encode(peer::Ping{Hash{{1}}}));
  std::optional<Bytes> pong = session->next_message(patience);
  const Bytes recorded = session->sent();

  // Whole, and cut in every place where a piece ends.
  std::size_t same_answers = 0;
  std::size_t too_much = 0;
  std::size_t unended = 0;
  const auto play = [&](std::size_t size, bool in_one_write) {
    Socket socket(port);
    const BytesView part = BytesView(recorded).first(size);
    if (in_one_write) {
      socket.send(part);
    } else {
      socket.send(part.first(channel::opening_bytes));
    }
    const Bytes answer = socket.receive_exactly(channel::message2_bytes, patience);
    if (!in_one_write) socket.send(part.subspan(channel::opening_bytes));
    if (answer == session->message2()) ++same_answers;
    const auto heard = socket.bytes_until_end(patience);
    if (!heard) ++unended;
    if (heard.value_or(0) > 0 || answer.size() != channel::message2_bytes) ++too_much;
  };
  const std::size_t message3_end = channel::opening_bytes + 2 + 64 + channel::long_hello_bytes;
  for (int i = 0; i < 20; ++i) {
    play(recorded.size(), i % 2 == 0);
    play(message3_end, i % 2 == 0);
  }
  Finding("replayed_session")
      .figure("recorded_bytes", recorded.size())
      .figure("welcomed", welcome.has_value())
      .figure("answered_pong", pong.has_value())
      .figure("replays", 40)
      .figure("answers_like_the_recorded", same_answers)
      .expect(welcome && pong, "What was recorded was a session that worked.")
      .expect(same_answers == 0, "Each answer is fresh.")
      .expect(too_much == 0, "A replay hears message 2 and nothing more.")
      .expect(unended == 0, "Each replay is disconnected.");

  // Every bit of the opening and of message 3, changed on the way.
  const Caller caller = caller_with(arguments.invitation());
  std::size_t answered = 0;
  std::size_t opening_flips = 0;
  for (std::size_t bit = 0; bit < channel::opening_bytes * 8; ++bit, ++opening_flips) {
    Bytes opening = opening_of(caller);
    opening[bit / 8] = static_cast<std::uint8_t>(opening[bit / 8] ^ (1U << (bit % 8)));
    Socket socket(port);
    socket.send(opening);
    answered += socket.bytes_until_end(patience).value_or(1);
  }
  Finding("flipped_opening")
      .figure("flips", opening_flips)
      .figure("bytes_back", answered)
      .expect(answered == 0, "A changed opening is met with silence.");

  constexpr std::size_t message3_bytes = 2 + 64 + channel::short_hello_bytes;
  std::size_t let_in = 0;
  for (std::size_t bit = 0; bit < message3_bytes * 8; ++bit) {
    const Attempt changed = attempt(port, caller, bit);
    if (!changed.closed || changed.after > 0) ++let_in;
  }
  Finding("flipped_message3")
      .figure("flips", message3_bytes * 8)
      .figure("let_in", let_in)
      .expect(let_in == 0, "A changed message 3 is refused.");
}

namespace {

/// A message with every 8 bytes in turn replaced by pointers that claim a great deal.
std::vector<Bytes> exaggerations() {
  const std::vector<peer::Message> honest = {peer::Welcome{},
                                             peer::Have{{{}, {}}},
                                             peer::GetCheckpoints{{LogId{}}},
                                             peer::Announce{},
                                             peer::Push{{}, "note", 0, Bytes(8), Bytes(8)},
                                             peer::GetTiles{{}, 9, {{0, 0}}},
                                             peer::Tiles{{}, 9, {Bytes(32)}},
                                             peer::Entries{{}, 0, 1, 0, Bytes(8), Bytes(8)},
                                             peer::Payloads{{}, {1}, Bytes(8)},
                                             peer::JoinRequest{Bytes(8), {"A", "B", "C", {"d:1"}}}};
  const std::uint64_t claims[] = {
      0xFFFFFFFF'00000001,  // A composite list of 2^29 - 1 words.
      0xFFFFFFFA'00000001,  // As many bytes.
      0xFFFFFFFD'00000001,  // As many words.
      0xFFFFFFFF'FFFFFFFD,  // The same, lying before itself.
      0xFFFFFFFF'00000000,  // A struct of 65,535 words and as many pointers.
      0x00000000'00000000,  // Nothing.
  };
  std::vector<Bytes> all;
  for (const peer::Message& message : honest) {
    const Bytes bytes = peer::encode(message);
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
      for (const std::uint64_t claim : claims) {
        Bytes changed = bytes;
        for (std::size_t i = 0; i < 8; ++i) {
          changed[at + i] = static_cast<std::uint8_t>(claim >> (8 * i));
        }
        all.push_back(std::move(changed));
      }
    }
  }
  return all;
}

struct Claim {
  const char* name;
  std::function<void(OpenChannel&)> make;
  milliseconds patience;
};

Bytes announced(std::uint32_t length, std::size_t sent) {
  Bytes run;
  append_integer(run, length);
  run.resize(run.size() + sent);
  return run;
}

}  // namespace

void claims(const Arguments& arguments) {
  const std::uint16_t port = arguments.port();
  const Invitation invitation = arguments.invitation();
  const int pid = arguments.pid();

  // Before the handshake is over: the length of message 3.
  std::size_t unended = 0;
  double slowest_ms = 0;
  for (const unsigned length : {0U, 1U, 127U, 129U, 1'087U, 1'089U, 32'768U, 65'535U}) {
    Socket socket(port);
    socket.send(opening_of(caller_with(invitation)));
    (void)socket.receive_exactly(channel::message2_bytes, patience);
    Bytes header;
    append_integer(header, static_cast<std::uint16_t>(length));
    const auto from = Clock::now();
    socket.send(header);
    if (!socket.bytes_until_end(at_once)) ++unended;
    slowest_ms = std::max(slowest_ms, ms_since(from));
  }
  Finding("message3_lengths")
      .figure("lengths", 8)
      .figure("slowest_end_ms", slowest_ms)
      .expect(unended == 0, "Two bytes are enough to see that a length is wrong.");

  // After it: frames and messages.
  const std::vector<Claim> all = {
      {"frame_of_0", [](OpenChannel& c) { c.send_raw(Bytes{0, 0}); }, at_once},
      {"frame_of_16", [](OpenChannel& c) { c.send_raw(Bytes{0, 16}); }, at_once},
      {"frame_of_65535_never_sent", [](OpenChannel& c) { c.send_raw(Bytes{0xFF, 0xFF, 1, 2, 3}); },
       patience},
      {"frame_that_does_not_verify",
       [](OpenChannel& c) {
         Bytes frame{0, 80};
         frame.resize(82);
         c.send_raw(frame);
       },
       at_once},
      {"message_of_4_GiB", [](OpenChannel& c) { c.send_run(announced(0xFFFFFFFF, 8)); }, at_once},
      {"message_of_2_GiB", [](OpenChannel& c) { c.send_run(announced(0x80000000, 8)); }, at_once},
      {"message_one_byte_too_large",
       [](OpenChannel& c) {
         c.send_run(announced(static_cast<std::uint32_t>(limits::message_bytes_max) + 1, 8));
       },
       at_once},
      {"largest_message_never_sent",
       [](OpenChannel& c) {
         c.send_run(announced(static_cast<std::uint32_t>(limits::message_bytes_max), 8));
       },
       patience},
      {"byte_after_the_close", [](OpenChannel& c) { c.send_run(announced(0, 1)); }, at_once},
      {"garbage_message", [](OpenChannel& c) { c.send_message(Bytes(64, 0xA5)); }, at_once},
  };
  for (const Claim& claim : all) {
    const Usage before = usage_of(pid);
    auto channel = OpenChannel::open(port, caller_with(invitation));
    if (!channel) give_up("the invitation was not let in");
    const auto from = Clock::now();
    claim.make(*channel);
    const bool ended = channel->ended(claim.patience);
    const double ended_ms = ms_since(from);
    const Usage after = usage_of(pid);
    const auto grown = static_cast<std::int64_t>(after.anonymous_kib) -
                       static_cast<std::int64_t>(before.anonymous_kib);
    Finding(std::string("claim_") + claim.name)
        .figure("ended_after_ms", ended_ms)
        .figure("memory_growth_kib", grown)
        .expect(ended, "The connection is ended.")
        .expect(stays_below(grown, 512), "What is only announced takes no memory.");
  }

  const Usage before = usage_of(pid);
  const std::vector<Bytes> lies = exaggerations();
  unended = 0;
  for (const Bytes& lie : lies) {
    auto channel = OpenChannel::open(port, caller_with(invitation));
    if (!channel) give_up("the invitation was not let in");
    channel->send_message(lie);
    // What happens to read as something harmless (a Ping) is passed over; then this ends it.
    channel->send_message(Bytes(8, 0xFF));
    if (!channel->ended(patience)) ++unended;
  }
  const Usage after = usage_of(pid);
  const auto grown = static_cast<std::int64_t>(after.anonymous_kib) -
                     static_cast<std::int64_t>(before.anonymous_kib);
  Finding("exaggerating_pointers")
      .figure("messages", lies.size())
      .figure("memory_growth_kib", grown)
      .figure("cpu_us_each",
              (after.cpu_ms - before.cpu_ms) * 1'000 / static_cast<double>(lies.size()))
      .expect(unended == 0, "Every lie ends its connection.")
      .expect(stays_below(grown, 1'024), "Counts and sizes that are only claimed take no memory.");
}

void candidates(const Arguments& arguments) {
  const std::uint16_t port = arguments.port();
  const Invitation invitation = arguments.invitation();
  const Caller caller = caller_with(invitation);
  const std::uint64_t connections = arguments.number("connections", 300);
  const Usage before = usage_of(arguments.pid());

  // One holder of an invitation, many connections at once.
  std::vector<OpenChannel> open;
  for (std::uint64_t i = 0; i < connections; ++i) {
    auto channel = OpenChannel::open(port, caller);
    if (channel) open.push_back(std::move(*channel));
  }
  std::size_t alive = 0;
  for (OpenChannel& channel : open) alive += channel.ended(milliseconds(200)) ? 0 : 1;
  const Usage during = usage_of(arguments.pid());
  open.clear();

  // One connection, many members that want to be admitted.
  std::size_t taken = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    auto channel = OpenChannel::open(port, caller);
    if (!channel) continue;
    const auto request =
        request_with(invitation.network, caller.own_static, "FAKE" + std::to_string(i));
    channel->send_message(peer::encode(request));
    if (channel->next_message(milliseconds(300))) ++taken;
  }
  // And somebody else with the same invitation, now that it is used.
  const Attempt second = attempt(port, caller_with(invitation));

  Finding("one_invitation")
      .figure("connections", connections)
      .figure("kept_at_once", alive)
      .figure("memory_growth_kib", static_cast<std::int64_t>(during.anonymous_kib) -
                                       static_cast<std::int64_t>(before.anonymous_kib))
      .figure("members_offered", 50)
      .figure("members_taken", taken)
      .expect(alive == 1, "One invitation holds one connection.")
      .expect(taken == 1, "One invitation brings one candidate.")
      .expect(second.closed && second.after == 0 && second.answered == channel::message2_bytes,
              "A second key with the same invitation is refused.");
}

}  // namespace kith::hostile
