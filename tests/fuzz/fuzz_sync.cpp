// The sync engine among honest and hostile peers. Whatever the hostile say, what SyncDriver checks
// holds on the way, and an honest peer that stays brings everything in the end.
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/sync_driver.hpp"

using namespace kith;
using namespace kith::fuzz;
using sync::PeerId;

namespace {

class Play {
 public:
  explicit Play(Input& input)
      : input_(input), may_fork_((input.byte() & 1) != 0), driver_(may_fork_) {
    for (const LogId& log : {SyncDriver::own_log, SyncDriver::other_log}) {
      const std::uint64_t size = input_.number(TrueLog::entries);
      driver_.follow(log, size, input_.number(size));
    }
  }

  void act() {
    const PeerId peer = 1 + input_.byte() % 4;
    switch (input_.byte() % 8) {
      case 0:
        return driver_.connect(peer, input_.byte() % 2 == 0);
      case 1:
        said_.erase(peer);
        return driver_.lose(peer);
      case 2:
        driver_.commit(input_.byte() % 8 == 0);
        return;
      case 3:
        return driver_.wait(input_.number(40'000));
      case 4:
        return driver_.append_own(input_.number(3));
      default:
        if (!driver_.connected(peer)) return driver_.connect(peer, false);
        return SyncDriver::is_honest(peer) ? speak(peer) : lie(peer);
    }
  }

  /// Everybody falls silent but one honest peer that holds everything.
  void come_to_rest() {
    constexpr PeerId last = 6;
    driver_.connect(last, false);
    say(last, SyncDriver::own_log, TrueLog::entries);
    say(last, SyncDriver::other_log, TrueLog::entries);
    // What is asked of one peer alone may wait for each silent one in turn.
    for (int second = 0; second < 400 && !driver_.at_rest(); ++second) {
      while (driver_.commit(false)) {
      }
      while (driver_.connected(last) && !driver_.requests(last).empty()) answer(last);
      driver_.wait(1'000);
    }
    // Of a log whose owner signed two histories nothing is promised.
    KITH_CHECK(may_fork_ || driver_.at_rest());
  }

 private:
  LogId any_log() { return input_.byte() % 2 == 0 ? SyncDriver::other_log : SyncDriver::own_log; }
  const TrueLog& truth() { return SyncDriver::truth(); }

  // ---- the honest
  // ---------------------------------------------------------------------------------

  /// It tells that it holds `size` entries now.
  void say(PeerId peer, const LogId& log, std::uint64_t size) {
    std::uint64_t& held = said_[peer][log];
    held = std::max(held, size);
    if (held == 0) return;
    driver_.hear(peer, peer::Have{{{log, held, truth().root(held), 0, {}, false}}});
  }

  void speak(PeerId peer) {
    const LogId log = any_log();
    switch (input_.byte() % 5) {
      case 0:
        return say(peer, log, input_.number(TrueLog::entries));
      case 1:
        return driver_.hear(peer, peer::Ping{});
      case 2: {
        const std::uint64_t size = said_[peer][log];
        if (size != 0) driver_.hear(peer, push(log, size));
        return;
      }
      default:
        return answer(peer);
    }
  }

  /// The oldest request, truthfully.
  void answer(PeerId peer) {
    auto& requests = driver_.requests(peer);
    if (requests.empty()) return;
    const peer::Message request = std::move(requests.front());
    requests.pop_front();
    const auto* get = std::get_if<peer::GetCheckpoints>(&request);
    if (get == nullptr) return driver_.hear(peer, answer_to(request, said_[peer]));
    for (const LogId& log : get->logs) {
      const std::uint64_t size = said_[peer][log];
      driver_.hear(peer, peer::Announce{log, size == 0 ? "" : SyncDriver::note_of(size), {}, {}});
    }
  }

  peer::Push push(const LogId& log, std::uint64_t size) {
    const std::uint64_t first = size - std::min<std::uint64_t>(size, input_.byte());
    return {log, SyncDriver::note_of(size), first, truth().bundle(first, size),
            truth().payload_list(first, size, input_.byte() % 4)};
  }

  /// What who holds so much answers.
  peer::Message answer_to(const peer::Message& request, std::map<LogId, std::uint64_t>& held) {
    if (const auto* get = std::get_if<peer::GetTiles>(&request)) {
      peer::Tiles tiles{get->log, get->size, {}};
      for (const auto& tile : get->tiles) {
        const bool is_held = get->size <= held[get->log];
        tiles.tiles.push_back(is_held ? truth().tile(get->size, tile.level, tile.index) : Bytes{});
      }
      return tiles;
    }
    if (const auto* get = std::get_if<peer::GetEntries>(&request)) {
      peer::Entries entries{get->log, get->first, get->last, get->payloads_from, {}, {}};
      if (get->last > held[get->log]) return entries;
      entries.leaves = truth().bundle(get->first, get->last);
      entries.payloads = truth().payload_list(get->payloads_from, get->last, input_.byte() % 4);
      return entries;
    }
    const auto& get = std::get<peer::GetPayloads>(request);
    peer::Payloads payloads{get.log, get.indices, {}};
    for (const std::uint64_t index : get.indices) {
      append(payloads.payloads, truth().payload_list(index, index + 1, 0));
    }
    return payloads;
  }

  // ---- the hostile
  // --------------------------------------------------------------------------------

  void lie(PeerId peer) {
    const LogId log = any_log();
    switch (input_.byte() % 8) {
      case 0: {
        auto message = peer::decode_message(input_.bytes());
        if (message) driver_.hear(peer, std::move(*message));
        return;
      }
      case 1: {
        // Sizes beyond what was ever signed too.
        peer::LogSummary said{log, input_.number(2 * TrueLog::entries)};
        said.agreed = input_.number(TrueLog::entries);
        said.gaps.bytes[0] = input_.byte();
        return driver_.hear(peer, peer::Have{{said, said}});
      }
      case 2:
        return driver_.hear(peer, announce(log));
      case 3: {
        peer::Push push = this->push(log, input_.number(TrueLog::entries));
        spoil(push.leaves);
        spoil(push.payloads);
        return driver_.hear(peer, std::move(push));
      }
      case 4:
        return driver_.hear(peer, peer::Welcome{driver_.digest(), {}, 0, 0});
      case 5:  // As if it held the very same.
        return driver_.hear(peer, peer::Pong{driver_.digest()});
      case 6:
        return driver_.hear(peer, peer::GetTiles{log, input_.number(700), {{input_.byte(), 0}}});
      default:
        return answer_badly(peer);
    }
  }

  peer::Announce announce(const LogId& log) {
    const bool is_fork = may_fork_ && input_.byte() % 4 == 0;
    const std::string note = SyncDriver::note_of(input_.number(TrueLog::entries + 1));
    return {log, (is_fork ? "-" : "") + note, {}, {}};
  }

  void answer_badly(PeerId peer) {
    auto& requests = driver_.requests(peer);
    if (requests.empty()) return;
    const auto which =
        requests.begin() + static_cast<std::ptrdiff_t>(input_.byte() % requests.size());
    const peer::Message request = *which;
    if (input_.byte() % 4 != 0) requests.erase(which);  // Else it answers twice.
    if (const auto* get = std::get_if<peer::GetCheckpoints>(&request)) {
      return driver_.hear(peer, announce(get->logs.front()));
    }
    std::map<LogId, std::uint64_t> held = {{SyncDriver::own_log, TrueLog::entries},
                                           {SyncDriver::other_log, TrueLog::entries}};
    peer::Message answer = answer_to(request, held);
    if (auto* tiles = std::get_if<peer::Tiles>(&answer)) {
      for (Bytes& tile : tiles->tiles) spoil(tile);
    } else if (auto* entries = std::get_if<peer::Entries>(&answer)) {
      spoil(entries->leaves);
      spoil(entries->payloads);
    } else if (auto* payloads = std::get_if<peer::Payloads>(&answer)) {
      spoil(payloads->payloads);
      if (input_.byte() % 4 == 0) *payloads = {payloads->log, {}, {}};
    }
    driver_.hear(peer, std::move(answer));
  }

  /// Sometimes one byte is another, sometimes the end is missing.
  void spoil(Bytes& bytes) {
    const std::uint8_t how = input_.byte() % 4;
    if (bytes.empty() || how > 1) return;
    const std::size_t at = input_.number(bytes.size() - 1);
    if (how == 0) {
      bytes[at] ^= static_cast<std::uint8_t>(1 + input_.byte() % 255);
    } else {
      bytes.resize(at);
    }
  }

  Input& input_;
  bool may_fork_;
  SyncDriver driver_;
  std::map<PeerId, std::map<LogId, std::uint64_t>> said_;  // What each of the honest holds.
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  Play play(input);
  for (int acts = 0; acts < 200 && !input.empty(); ++acts) play.act();
  play.come_to_rest();
  return 0;
}
