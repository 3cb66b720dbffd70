// What the engine asks of the disk and of the wire; witnessing.
#include "daemon/replica_impl.hpp"
#include "protocol/base/check.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/keys/certificate.hpp"

namespace kith::daemon {
namespace {

/// Appends the payloads of [first, last) to a list, as many as fit into `budget` (at least one).
void append_payloads(const storage::ReadTxn& txn, const LogId& log, std::uint64_t first,
                     std::uint64_t last, std::size_t budget, Bytes& list) {
  storage::log_store::each_payload(txn, log, first, last,
                                   [&](std::uint64_t, std::optional<BytesView> payload) {
                                     const std::size_t bytes = payload ? payload->size() : 0;
                                     if (!list.empty() && list.size() + bytes > budget)
                                       return false;
                                     peer::append_payload(list, payload);
                                     return true;
                                   });
}

peer::Tiles serve_tiles(const storage::ReadTxn& txn, const peer::GetTiles& request) {
  peer::Tiles answer{request.log, request.size, {}};
  for (const auto& tile : request.tiles) {
    const auto hashes =
        storage::log_store::tile(txn, request.log, request.size, tile.level, tile.index);
    answer.tiles.push_back(hashes ? encode_hashes(*hashes) : Bytes{});
  }
  return answer;
}

peer::Entries serve_entries(const storage::ReadTxn& txn, const peer::GetEntries& request) {
  peer::Entries answer{request.log, request.first, request.last, request.payloads_from, {}, {}};
  const auto head = storage::log_store::head(txn, request.log);
  if (!head || head->size() < request.last) return answer;
  answer.leaves = storage::log_store::bundle(txn, request.log, request.first, request.last);
  answer.payloads.reserve(limits::answer_payload_bytes);
  append_payloads(txn, request.log, request.payloads_from, request.last,
                  limits::answer_payload_bytes, answer.payloads);
  return answer;
}

peer::Payloads serve_payloads(const storage::ReadTxn& txn, const peer::GetPayloads& request) {
  peer::Payloads answer{request.log, {}, {}};
  for (const std::uint64_t index : request.indices) {
    const auto payload = storage::log_store::payload(txn, request.log, index);
    const std::size_t bytes = payload ? payload->size() : 0;
    if (!answer.indices.empty() && answer.payloads.size() + bytes > limits::answer_payload_bytes) {
      break;
    }
    peer::append_payload(answer.payloads,
                         payload ? std::optional<BytesView>(*payload) : std::nullopt);
    answer.indices.push_back(index);
  }
  return answer;
}

/// What came of a StoreEntries.
struct StoreOutcome {
  std::optional<storage::LogHead> head;
  std::optional<Cosignature> cosignature;
  bool refused = false;
  bool out_of_turn = false;  // What precedes it is not here: nobody's fault.
  bool kept = false;
  bool conflict = false;
  bool reached = false;
};

/// Our word for the tree that is held, kept in the same transaction, if it contradicts none of
/// ours.
std::optional<Cosignature> confirm(storage::WriteTxn& txn, const LogId& log, std::uint64_t size,
                                   const std::optional<Cosignature>& before, const MemberId& member,
                                   std::uint64_t time_s, const SigningKey& key) {
  // What is cosigned is our own tree, never what was received.
  const auto head = storage::log_store::head(txn, log);
  if (!head || head->size() < size) return std::nullopt;
  const auto root_at = [&](std::uint64_t of) { return storage::log_store::root_at(txn, log, of); };
  if (before && (before->size > size || root_at(before->size) != before->root)) return std::nullopt;
  Cosignature own = cosign(log, size, root_at(size), member, time_s, key);
  if (!storage::log_store::put_cosignature(txn, own)) return std::nullopt;
  return own;
}

/// The writer's part of it, but for the cosignature.
StoreOutcome store_entries(storage::WriteTxn& txn, const sync::StoreEntries& given) {
  StoreOutcome outcome;
  std::vector<storage::NewEntry> entries;
  entries.reserve(given.entries.size());
  for (const auto& entry : given.entries) {
    entries.push_back(
        {entry.leaf, entry.payload ? std::optional<BytesView>(*entry.payload) : std::nullopt});
  }
  if (!entries.empty()) {
    const auto head = storage::log_store::append(txn, given.log, given.first, entries);
    if (!head) {
      outcome.out_of_turn =
          head.error().code == Errc::conflict || head.error().code == Errc::unavailable;
      outcome.refused = !outcome.out_of_turn;
      return outcome;
    }
  }
  outcome.head = storage::log_store::head(txn, given.log);
  if (!given.checkpoint || given.checkpoint->size > outcome.head->size()) return outcome;
  const auto& target = *given.checkpoint;
  if (target.note.empty()) {  // What witnesses agreed on.
    outcome.reached = storage::log_store::root_at(txn, given.log, target.size) == target.root;
    return outcome;
  }
  const auto kept =
      storage::log_store::put_checkpoint(txn, given.log, {target.size, target.root, target.note});
  outcome.kept = kept.has_value();
  outcome.conflict = !kept && kept.error().code == Errc::conflict;
  return outcome;
}

}  // namespace

void Replica::Impl::write(std::function<void(storage::WriteTxn&, storage::HighWaterMarks&)> work,
                          std::function<void(const std::optional<Error>&)> done) {
  ++jobs;
  host.write({std::move(work), [this, done = std::move(done)](const std::optional<Error>& failure) {
                --jobs;
                if (failure) host.log_line("not written: " + failure->detail);
                done(failure);
              }});
}

void Replica::Impl::carry_out(sync::Send& action) {
  if (auto* welcome = std::get_if<peer::Welcome>(&action.message)) {
    welcome->certificate_number = own_number;
    const auto session = peers.find(action.peer);
    if (session != peers.end() && session->second.session.member) {
      const auto theirs = newest_certificate(*session->second.session.member);
      welcome->your_certificate_number = theirs ? theirs->number : 0;
    }
  }
  host.send(action.peer, peer::encode(action.message));
}

void Replica::Impl::carry_out(sync::Serve& action) {
  const auto txn = host.log().read();
  peer::Message answer;
  if (const auto* tiles = std::get_if<peer::GetTiles>(&action.request)) {
    answer = serve_tiles(*txn, *tiles);
  } else if (const auto* entries = std::get_if<peer::GetEntries>(&action.request)) {
    answer = serve_entries(*txn, *entries);
  } else {
    answer = serve_payloads(*txn, std::get<peer::GetPayloads>(action.request));
  }
  host.send(action.peer, peer::encode(answer));
}

void Replica::Impl::carry_out(sync::AnnounceLogs& action) {
  for (const LogId& log : action.logs) {
    // A log without a checkpoint has nothing to announce; an empty note says so.
    if (log == own_log) peers.at(action.peer).knows_us = true;
    host.send(action.peer, peer::encode(announce(log)));
  }
}

void Replica::Impl::carry_out(sync::PushEntries& action) {
  const LogState& state = logs.at(action.log);
  peer::Push push{action.log, state.checkpoint.note, action.first, {}, {}};
  const std::uint64_t size = state.checkpoint.size;
  const auto txn = host.log().read();
  // Who cannot know the key that signed it is told whose it is.
  const bool is_known = std::exchange(peers.at(action.peer).knows_us, true);
  bool small = is_known && size - action.first <= limits::tile_hashes;
  if (small) {
    push.leaves = storage::log_store::bundle(*txn, action.log, action.first, size);
    small = !push.leaves.empty();  // Else some of them are damaged here.
    storage::log_store::each_payload(
        *txn, action.log, action.first, size, [&](std::uint64_t, std::optional<BytesView> payload) {
          if (push.payloads.size() + (payload ? payload->size() : 0) > limits::push_bytes_max) {
            small = false;
          } else if (small) {
            peer::append_payload(push.payloads, payload);
          }
          return small;
        });
  }
  if (small) {
    host.send(action.peer, peer::encode(push));
  } else {
    host.send(action.peer, peer::encode(announce(action.log)));
  }
}

void Replica::Impl::carry_out(sync::StoreEntries& action) {
  const auto given = std::make_shared<sync::StoreEntries>(std::move(action));
  const auto outcome = std::make_shared<StoreOutcome>();
  const LogId id = given->log;
  const bool witness = is_witness_of(logs.at(id).member) && !logs.at(id).frozen && may_cosign();
  const std::uint64_t time_s = host.now() / 1000;

  auto work = [=, before = logs.at(id).confirmed_ahead, member = me.member, key = witness_key](
                  storage::WriteTxn& txn, storage::HighWaterMarks&) {
    *outcome = store_entries(txn, *given);
    if (!outcome->kept || !witness) return;
    outcome->cosignature = confirm(txn, id, given->checkpoint->size, before, member, time_s, key);
  };

  write(std::move(work), [=, this](const std::optional<Error>& failure) {
    LogState& state = logs.at(id);
    using Stored = sync::EntriesStored::Outcome;
    const Stored how = failure || outcome->out_of_turn ? Stored::failed
                       : outcome->refused              ? Stored::refused
                                                       : Stored::stored;
    sync::EntriesStored stored{id, {}, {}, how, given->from};
    if (how != Stored::stored) {
      const auto txn = host.log().read();
      stored.held = storage::log_store::head(*txn, id)->range;
      return step(std::move(stored));
    }
    stored.held = outcome->head->range;
    std::uint64_t index = given->first;
    for (const auto& entry : given->entries) {
      if (!entry.payload) stored.new_gaps.push_back(index);
      ++index;
    }
    state.gaps.insert(stored.new_gaps.begin(), stored.new_gaps.end());
    state.size = std::max(state.size, outcome->head->size());
    if (id == own_log) own_range = outcome->head->range;
    if (outcome->kept) {
      const auto& target = *given->checkpoint;
      state.checkpoint = {target.size, target.root, target.note};
    }
    step(std::move(stored));
    if (outcome->kept || outcome->reached) step(sync::CheckpointKept{id, *given->checkpoint, 0});
    if (outcome->reached) agreed_reached(id);
    const bool is_cut = outcome->conflict && cut_away(id, given->checkpoint->note);
    if (outcome->conflict && !is_cut) state.suspect = *given->checkpoint;
    if (state.suspect && state.suspect->size < state.checkpoint.size) {
      sync::CompareCheckpoint compare{id, *std::exchange(state.suspect, std::nullopt)};
      carry_out(compare);
    }
    if (outcome->cosignature) cosignature_kept(*outcome->cosignature);
    recompute_agreed(id);
    if (id == own_log && outcome->kept) sign_again_if_whole();
    judge_more(id);
  });
}

void Replica::Impl::carry_out(sync::StorePayloads& action) {
  const auto given = std::make_shared<sync::StorePayloads>(std::move(action));
  const auto taken = std::make_shared<std::vector<std::uint64_t>>();
  const auto refused = std::make_shared<bool>(false);
  write(
      [=](storage::WriteTxn& txn, storage::HighWaterMarks&) {
        for (const auto& [index, payload] : given->payloads) {
          // False: another peer's answer was quicker.
          const auto filled = storage::log_store::put_payload(txn, given->log, index, payload);
          if (!filled && filled.error().code == Errc::bad_proof) *refused = true;
          if (filled && *filled) taken->push_back(index);
        }
      },
      [=, this](const std::optional<Error>& failure) {
        if (failure) taken->clear();
        LogState& state = logs.at(given->log);
        for (const std::uint64_t index : *taken) {
          state.gaps.erase(index);
          if (state.judged_gaps.erase(index) == 0) state.late.insert(index);
        }
        step(sync::PayloadsStored{given->log, *taken, !*refused, given->from});
        judge_more(given->log);
      });
}

void Replica::Impl::carry_out(sync::DropPeer& action) {
  host.log_line("dropped a peer: " + action.why.detail);
  host.drop(action.peer, action.why);
}

void Replica::Impl::carry_out(sync::OwnLogBehind& action) {
  signed_size = std::max(signed_size, action.size);
  // A member that is rebuilt signs nothing before all of it is here, whoever has it.
  if (no_signing || rebuilding) return;
  no_signing = "a peer holds " + std::to_string(action.size) +
               " entries of our own log, more than this store: fetching them back first";
  host.log_line(*no_signing);
}

// ---- witnessing
// ----------------------------------------------------------------------------------

bool Replica::Impl::is_witness_of(const MemberId& owner) const {
  if (!fold || owner == me.member) return false;
  const auto witnesses = fold->state().commons_witnesses(owner);
  return std::ranges::find(witnesses, me.member) != witnesses.end();
}

void Replica::Impl::cosign_one(const LogId& id) {
  LogState& state = logs.at(id);
  const bool is_new = state.checkpoint.size > state.cosigned;
  if (state.frozen || state.setting_back || !is_new || !is_witness_of(state.member) ||
      !may_cosign())
    return;
  // Its root rests on leaves that are damaged here: they come back first.
  if (state.wanted.contains(state.checkpoint.size / limits::tile_hashes)) return;
  state.cosigned = state.checkpoint.size;
  const auto made = std::make_shared<std::optional<Cosignature>>();
  write(
      [=, size = state.checkpoint.size, before = state.confirmed_ahead, member = me.member,
       key = witness_key,
       time_s = host.now() / 1000](storage::WriteTxn& txn, storage::HighWaterMarks&) {
        *made = confirm(txn, id, size, before, member, time_s, key);
      },
      [=, this](const std::optional<Error>& failure) {
        if (!failure && *made) return cosignature_kept(**made);
        LogState& now = logs.at(id);
        const auto own = now.cosignatures.find(me.member);
        now.cosigned = own == now.cosignatures.end() ? 0 : own->second.size;
      });
}

void Replica::Impl::ask_for_cosignatures() {
  // What is agreed stays so, but decisions count the words of the witnesses in force: where these
  // are not at hand, equal digests do not show it. The owner has them; without it, anyone may.
  if (!fold || peers.empty()) return;
  std::map<PeerId, peer::GetCheckpoints> wanted;
  for (const auto& [id, state] : logs) {
    const auto witnesses = fold->state().commons_witnesses(state.member);
    const auto& cosigned = governance[state.member].cosigned;
    if (agreed_size(witnesses, cosigned, state.checkpoint.size) == state.checkpoint.size) continue;
    auto asked = std::ranges::find_if(peers, [&](const auto& entry) {
      return entry.second.session.member == state.member && !entry.second.candidate;
    });
    if (asked == peers.end() || tended % 2 == 1) {
      asked = std::next(peers.begin(), static_cast<std::ptrdiff_t>(tended % peers.size()));
    }
    if (!asked->second.candidate) wanted[asked->first].logs.push_back(id);
  }
  for (auto& [peer, message] : wanted) {
    message.logs.resize(std::min<std::size_t>(message.logs.size(), limits::entries_per_list_max));
    host.send(peer, peer::encode(message));
  }
}

void Replica::Impl::remind_owners() {
  // An owner may have lost our word (a full disk, a broken connection): say it again.
  for (const auto& [id, state] : logs) {
    const auto own = state.cosignatures.find(me.member);
    if (own == state.cosignatures.end() || own->second.size <= state.agreed) continue;
    for (const auto& [peer_id, peer] : peers) {
      if (peer.session.member != state.member || peer.candidate) continue;
      host.send(peer_id, peer::encode(peer::Cosigned{own->second}));
    }
  }
}

void Replica::Impl::cosign_all() {
  for (const auto& [id, _] : logs) cosign_one(id);
}

bool Replica::Impl::cosigned_by(PeerId from, const Cosignature& cosignature) {
  const auto log = logs.find(cosignature.log);
  // Our own may be news as well, where a backup was restored.
  if (log == logs.end()) return true;
  if (is_old_news(log->second, cosignature) || is_distrusted(cosignature.witness)) return true;
  const auto known = known_certificates(cosignature.witness);
  const bool verified = std::ranges::any_of(known, [&](const KnownCertificate& one) {
    return verify_cosignature(cosignature, one.certificate->witness_key);
  });
  if (!verified) {
    // A witness, or a new key of it, that we do not know yet is not the messenger's fault.
    if (known.empty() || ++peers.at(from).unknown_words <= limits::unknown_words_max) return true;
    host.drop(from, fail(Errc::bad_signature, "cosignatures that do not verify"));
    return false;
  }
  if (cosignature.witness == me.member) remember_own_word(cosignature);
  const auto kept = std::make_shared<Result<bool>>(false);
  write(
      [=](storage::WriteTxn& txn, storage::HighWaterMarks&) {
        *kept = storage::log_store::put_cosignature(txn, cosignature);
      },
      [=, this](const std::optional<Error>& failure) {
        if (failure) return;
        if (*kept) return cosignature_kept(cosignature);
        if (kept->error().code == Errc::conflict) contradicted(cosignature);
      });
  return true;
}

void Replica::Impl::remember_own_word(const Cosignature& word) {
  auto& ahead = logs.at(word.log).confirmed_ahead;
  if (word.size > logs.at(word.log).size && (!ahead || ahead->size < word.size)) ahead = word;
}

bool Replica::Impl::is_old_news(const LogState& state, const Cosignature& word) const {
  const auto known = state.cosignatures.find(word.witness);
  if (known == state.cosignatures.end() || known->second.size < word.size) return false;
  // It may also contradict what is known.
  const auto root = known_root(word.log, word.size);
  return !root || *root == word.root;
}

void Replica::Impl::cosignature_kept(const Cosignature& cosignature) {
  LogState& state = logs.at(cosignature.log);
  state.cosignatures[cosignature.witness] = cosignature;
  std::uint64_t& largest = governance[state.member].cosigned[cosignature.witness];
  largest = std::max(largest, cosignature.size);
  if (cosignature.witness == me.member) state.cosigned = std::max(state.cosigned, cosignature.size);

  // It answers the owner; where the owner is not in reach, whoever is may pass it on.
  if (state.member != me.member) {
    const Bytes message = peer::encode(peer::Cosigned{cosignature});
    const bool owner_in_reach = connected(state.member);
    for (const auto& [id, peer] : peers) {
      const bool own_word = cosignature.witness == me.member;
      const bool to_owner = peer.session.member == state.member;
      if (!peer.candidate && (to_owner || (!owner_in_reach && own_word))) host.send(id, message);
    }
  }
  recompute_agreed(cosignature.log);
  govern();
}

void Replica::Impl::recompute_agreed(const LogId& id) {
  // Before the fold knows the decision that admitted us, it knows too few witnesses.
  if (!fold_complete()) return;
  LogState& state = logs.at(id);
  const auto witnesses = fold->state().commons_witnesses(state.member);
  const std::uint64_t now_agreed =
      agreed_size(witnesses, governance[state.member].cosigned, state.checkpoint.size);
  raise_agreed(id, now_agreed);
}

void Replica::Impl::save_agreed() {
  // Once agreed it stays so: what the witnesses before a decision made so is kept across restarts.
  // Under unchanged witnesses it follows from the cosignatures.
  write(
      [agreed = agreed_states()](storage::WriteTxn& txn, storage::HighWaterMarks&) {
        for (const auto& [log, state] : agreed) {
          txn.put(storage::Table::meta, log.view(), encode_agreed(log, state));
        }
      },
      [](const std::optional<Error>&) {});
}

std::map<LogId, AgreedState> Replica::Impl::agreed_states() const {
  std::map<LogId, AgreedState> states;
  for (const auto& [id, state] : logs) states[id] = {state.agreed, state.confirmed_before};
  return states;
}

}  // namespace kith::daemon
