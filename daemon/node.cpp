#include "daemon/node.hpp"

#include <csignal>
#include <cstdlib>

#include "daemon/clock.hpp"
#include "daemon/random.hpp"
#include "protocol/schema/peer_codec.hpp"

namespace kith::daemon {

using Clock = std::chrono::steady_clock;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

namespace {

constexpr auto tick_every = 1s;
/// Ticks after which a client that waits hears that it is not forgotten.
constexpr std::uint64_t remind_every =
    std::chrono::milliseconds(limits::local_reminder_ms) / tick_every;
/// Between two lines about who knocked in vain.
constexpr auto strangers_every = 60s;
constexpr auto drain_step = 5ms;
/// For what is queued to become durable and answered.
constexpr auto drain_max = 10s;
/// For clients to take their last answers, and for peers to take our last frames.
constexpr auto farewell_max = 2s;

std::vector<std::pair<std::string, std::string>> extra_peers(
    const std::vector<std::string>& settings) {
  std::vector<std::pair<std::string, std::string>> peers;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    peers.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return peers;
}

void rethrow(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

Node::Node(DataDir dir, Identity identity, const RunSettings& settings, Log& log)
    : log_(log),
      dir_(std::move(dir)),
      log_database_(dir_.log(), storage::log_tables(), storage::LmdbDatabase::Durability::full),
      views_database_(dir_.views(), storage::view_tables(),
                      storage::LmdbDatabase::Durability::rebuildable),
      high_water_(dir_.high_water()),
      stop_ticking_(io_.get_executor()),
      signals_(io_, SIGTERM, SIGINT),
      listener_(io_, {.gate = {.trust_loopback = settings.trust_loopback}},
                {answering_keys(identity), identity.network}, listener_events()),
      dialer_(io_, {}, dialer_events()),
      verifier_(io_),
      writer_(log_database_, views_database_, high_water_, writer_events()),
      local_(io_, dir_.socket(), dir_.lock(), {}, local_events()) {
  dialer_.set_keys(identity.transport_key, identity.network);
  Replica::Options options;
  options.listen = listen(settings.listen);
  options.extra_peers = extra_peers(settings.peers);
  options.not_asked = settings.not_asked;
  replica_ = std::make_unique<Replica>(std::move(identity), std::move(options), high_water_.marks(),
                                       *this);
}

Node::~Node() = default;

Exit Node::run() {
  asio::co_spawn(io_, tick(), rethrow);
  asio::co_spawn(io_, await_signals(), rethrow);
  dialer_.start();
  log_.info("ready: clients connect to " + dir_.socket().string());
  try {
    io_.run();
  } catch (const std::exception& error) {
    // Coroutines are still suspended in the context and refer to members, so nothing can be taken
    // apart in order. What was acknowledged is durable: ending here loses nothing.
    log_.error(std::string("ending: ") + error.what());
    std::_Exit(static_cast<int>(Exit::failed));
  }
  writer_.stop();
  tell_again_ = {};
  report_strangers();
  log_.info("ended");
  return exit_;
}

// ---- what the Replica asks for ------------------------------------------------------------------

void Node::send(PeerId peer, Bytes message) {
  const auto at = peers_.find(peer);
  if (at != peers_.end()) at->second.session->send(message);
}

bool Node::is_behind(ClientId client) { return local_.is_behind(client); }

std::string Node::who_asks(ClientId client) { return local_.credentials(client); }

Result<bool> Node::note_in_trail(const std::string& act, const TrailFields& fields) {
  return daemon::note_in_trail(dir_.trail(), wall_now(), act, fields);
}

void Node::drop(PeerId peer, const Error& why) {
  const auto at = peers_.find(peer);
  if (at == peers_.end()) return;
  log_.info("peer " + std::to_string(peer) + " is dropped: " + why.detail);
  at->second.session->drop();
}

Millis Node::now() { return wall_now(); }

std::uint64_t Node::monotonic_ms() {
  const auto since = Clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

void Node::post(std::function<void()> later) { asio::post(io_, std::move(later)); }

void Node::random(std::span<std::uint8_t> out) { fill_random(out); }

void Node::write(WriteJob job) { writer_.write(std::move(job)); }

void Node::write_views(std::function<void(storage::WriteTxn&)> work, std::function<void()> done) {
  writer_.write_views(std::move(work), std::move(done));
}

void Node::compute(std::function<void()> work, std::function<void()> done) {
  verifier_.compute(std::move(work), std::move(done));
}

void Node::compute_later(std::function<void()> work, std::function<void()> done) {
  verifier_.compute_later(std::move(work), std::move(done));
}

std::uint64_t Node::disk_bytes() {
  return log_database_.used_bytes() + views_database_.used_bytes();
}

void Node::save(const Identity& identity) {
  const auto saved = dir_.save_identity(identity);
  if (!saved) throw storage::StorageError(storage::StorageError::Kind::other, saved.error().detail);
  set_keys(identity);
}

void Node::set_keys(const Identity& identity) {
  listener_.set_keys({answering_keys(identity), identity.network});
  dialer_.set_keys(identity.transport_key, identity.network);
}

// ---- peers --------------------------------------------------------------------------------------

std::string Node::listen(const std::vector<std::string>& addresses) {
  std::string bound;
  for (const std::string& text : addresses) {
    const auto address = transport::parse_host_port(text);
    if (!address) throw std::system_error(EINVAL, std::generic_category(), address.error().detail);
    bound += (bound.empty() ? "" : ", ") + transport::to_text(listener_.listen(*address));
  }
  log_.info(bound.empty() ? "accepting no peers" : "accepting peers on " + bound);
  return bound;
}

Listener::Events Node::listener_events() {
  return {
      .candidates = [this](const DhPublic& remote) { return replica_->candidates(remote); },
      .admit =
          [this](const DhPublic& remote, const channel::Candidate& candidate,
                 const channel::Hello& hello) { return replica_->admit(remote, candidate, hello); },
      .accepted =
          [this](std::unique_ptr<transport::Carrier> carrier, channel::Responder& responder,
                 Bytes rest) {
            const PeerSession about = replica_->session_of(next_peer_++, responder.remote_static(),
                                                           responder.accepted(), responder.hello());
            begin(about, std::move(carrier), responder.take_channel(), std::move(rest));
          },
  };
}

Dialer::Events Node::dialer_events() {
  return {
      .targets = [this] { return replica_->dial_targets(); },
      .connected =
          [this](const DialTarget& target, std::unique_ptr<transport::Carrier> carrier,
                 channel::SecureChannel channel, Bytes rest) {
            begin(dialled_session(next_peer_++, target), std::move(carrier), std::move(channel),
                  std::move(rest));
          },
      .failed = [this](const MemberId& member,
                       const std::string& why) { replica_->dial_failed(member, why); },
  };
}

void Node::begin(const PeerSession& about, std::unique_ptr<transport::Carrier> carrier,
                 channel::SecureChannel channel, Bytes received) {
  const PeerId id = about.peer;
  log_.debug("peer " + std::to_string(id) + " connected " + (about.we_dialled ? "to " : "from ") +
             carrier->remote());
  auto session = std::make_unique<Session>(
      std::move(carrier), std::move(channel), std::move(received), peer::encode(peer::Ping{}),
      Session::Limits{}, [this, id](BytesView message) { replica_->message(id, message); });
  Session& running = *session;
  peers_.emplace(id, Peer{about, std::move(session)});
  replica_->peer_connected(about);
  asio::co_spawn(io_, running.run(), [this, id](const std::exception_ptr& failure) {
    // Posted: nothing is erased while its coroutine still unwinds.
    asio::post(io_, [this, id] { ended(id); });
    rethrow(failure);
  });
}

void Node::ended(PeerId peer) {
  const auto at = peers_.find(peer);
  const Session& session = *at->second.session;
  const PeerSession about = at->second.about;
  const std::string how = name(session.ended());
  const bool unheard = about.we_dialled && session.messages_received() == 0;
  log_.debug("peer " + std::to_string(peer) + " at " + session.remote() + " ended: " + how);
  peers_.erase(at);
  replica_->peer_lost(peer);
  if (unheard && about.member) {
    replica_->refused(*about.member, "the connection ended before its first message (" + how +
                                         "): it may not know this member yet, or not any more");
  }
  dialer_.wake();
}

// ---- local clients ------------------------------------------------------------------------------

LocalServer::Events Node::local_events() {
  return {
      .request = [this](ClientId client, Bytes bytes) { request(client, bytes); },
      .lost = [this](ClientId client) { replica_->client_lost(client); },
      .debug = [this](const std::string& line) { log_.debug(line); },
      .caught_up = [this](ClientId client) { replica_->client_caught_up(client); },
  };
}

void Node::request(ClientId client, const Bytes& bytes) {
  auto request = local::decode_request(bytes);
  if (!request) return answer(client, local::Refusal{Errc::malformed, request.error().detail});
  replica_->handle(client, std::move(*request),
                   [this, client](const local::Answer& said) { answer(client, said); });
}

void Node::answer(ClientId client, const local::Answer& answer) {
  const bool more = std::holds_alternative<local::Progress>(answer) ||
                    std::holds_alternative<local::WatchAnswer>(answer);
  Bytes bytes = local::encode(answer);
  if (bytes.size() > limits::local_message_bytes_max) {
    bytes = local::encode(local::Answer(
        local::Refusal{Errc::too_large, "the answer is larger than 64 MiB: ask for less"}));
  }
  local_.answer(client, std::move(bytes), !more);
}

// ---- the life of the process --------------------------------------------------------------------

Writer::Events Node::writer_events() {
  return {
      .post = [this](std::function<void()> function) { asio::post(io_, std::move(function)); },
      .failed =
          [this](const std::string& why) {
            log_.error("nothing is signed any more, the daemon ends: " + why);
            shut_down(Exit::failed);
          },
      .disk_stuck =
          [this](std::optional<storage::StorageError::Kind> why) {
            if (!why) return log_.info("the disk can be written again");
            const bool full = *why == storage::StorageError::Kind::full;
            log_.error(std::string("the disk is ") + (full ? "full" : "read-only") +
                       ": publishing is refused, reading goes on; " +
                       (full ? "free space on " : "make the file system writable that holds ") +
                       dir_.path().string());
          },
  };
}

asio::awaitable<void> Node::tick() {
  while (!stopping_) {
    replica_->tick();
    report_strangers();
    if (++ticks_ % remind_every == 0) {
      local_.remind(local::encode(local::Answer(local::Progress{0, 0, "kithd is still at it"})));
    }
    co_await stop_ticking_.wait(Clock::now() + tick_every);
  }
}

void Node::report_strangers() {
  const auto now = Clock::now();
  const Listener::Counters& all = listener_.counters();
  const Listener::Counters& told = told_;
  const std::uint64_t in_vain = all.turned_away + all.strangers + all.failed;
  if (in_vain == told.turned_away + told.strangers + told.failed || now < tell_again_) return;
  tell_again_ = now + strangers_every;
  const auto since = [](std::uint64_t count, std::uint64_t before) {
    return std::to_string(count - before);
  };
  log_.info("peer port: " + since(all.arrived, told.arrived) + " connections, " +
            since(all.turned_away, told.turned_away) + " above the limits, " +
            since(all.strangers, told.strangers) + " that do not know this member, " +
            since(all.handshakes, told.handshakes) + " handshakes begun, " +
            since(all.accepted, told.accepted) + " accepted");
  told_ = all;
}

asio::awaitable<void> Node::await_signals() {
  const auto [error, signal] = co_await signals_.async_wait(as_value);
  if (error) co_return;
  log_.info(signal == SIGTERM ? "SIGTERM: ending" : "SIGINT: ending");
  shut_down(Exit::ok);
  const auto [error_again, signal_again] = co_await signals_.async_wait(as_value);
  if (!error_again) std::_Exit(static_cast<int>(Exit::failed));
}

void Node::shut_down(Exit exit) {
  if (exit != Exit::ok) exit_ = exit;
  if (stopping_) return;
  stopping_ = true;
  listener_.stop();
  dialer_.stop();
  stop_ticking_.notify();
  asio::co_spawn(io_, drain(), rethrow);
}

asio::awaitable<void> Node::drain() {
  // Clients that asked before the end get their answers; new requests are not read.
  local_.stop(std::chrono::duration_cast<std::chrono::milliseconds>(drain_max));
  replica_->end_watches();
  const auto durable_by = Clock::now() + drain_max;
  while (!(writer_.idle() && verifier_.idle() && replica_->idle()) && Clock::now() < durable_by) {
    co_await until(Clock::now() + drain_step);
  }
  for (auto& [id, peer] : peers_) peer.session->close();
  const auto farewell_by = Clock::now() + farewell_max;
  while (!(peers_.empty() && local_.idle() && dialer_.idle() && listener_.idle()) &&
         Clock::now() < farewell_by) {
    co_await until(Clock::now() + drain_step);
  }
  error_code ignored;
  signals_.cancel(ignored);
  if (!dialer_.idle()) {
    // A look-up of a name cannot be cancelled and may take a minute. All is durable: do not wait.
    writer_.stop();
    log_.info("ended");
    std::_Exit(static_cast<int>(exit_));
  }
  for (auto& [id, peer] : peers_) peer.session->drop();
}

}  // namespace kith::daemon
