// What must hold in every world, whatever breaks.
#include "protocol/crypto/crypto.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/log/checkpoint.hpp"
#include "storage/log_store.hpp"
#include "storage/views.hpp"
#include "tests/simulation/node.hpp"

namespace kith::simulation {

void World::observe(std::size_t sender, const Bytes& bytes) {
  const auto message = peer::decode_message(bytes);
  if (!message) return violation(nodes_[sender]->code() + " sent what does not decode");
  LogId log;
  std::string note;
  if (const auto* announce = std::get_if<peer::Announce>(&*message)) {
    log = announce->log;
    note = announce->note;
  } else if (const auto* push = std::get_if<peer::Push>(&*message)) {
    log = push->log;
    note = push->note;
  } else {
    return;
  }
  // The same note goes to every member: it is read once.
  if (note.empty() || !notes_seen_.insert({log, note}).second) return;
  const auto parsed = decode_note(note);
  const auto checkpoint = parsed ? decode_checkpoint(parsed->text)
                                 : Result<Checkpoint>(fail(Errc::malformed, "no note"));
  if (!checkpoint) return violation(nodes_[sender]->code() + " sent a note that does not parse");
  const auto [known, is_new] = signed_roots_.try_emplace({log, checkpoint->size}, checkpoint->root);
  const bool may_fork = options_.forger == Forger::forks && log == log_of_the_forger();
  if (!is_new && known->second != checkpoint->root && !may_fork) {
    violation("two histories of one log were signed at size " + std::to_string(checkpoint->size));
  }
}

void World::accused(std::size_t by, std::optional<std::size_t> whom, const std::string& why) {
  if (whom && is_forger(*whom)) {
    ++forger_dropped_;
    return;
  }
  // With a forger about, a peer that is gone already may have been it.
  if (forger_ && !whom) return;
  violation(nodes_[by]->code() + " dropped an honest peer: " + why);
}

void World::check_decisions(Node& node) {
  const auto status = node.status();
  if (status.decision.is_zero() || is_forger(node.index_)) return;
  const auto [known, is_new] = chain_.try_emplace(status.decisions, status.decision);
  if (is_new || known->second == status.decision) return;
  violation("the members disagree on decisions: " + node.code() + " has another number " +
            std::to_string(status.decisions));
}

bool World::agree(bool report) {
  const auto differ = [&](const std::string& what) {
    if (report) violation(what);
    return false;
  };
  std::optional<std::vector<local::MemberRow>> first;
  std::optional<DecisionId> decision;
  std::optional<std::uint64_t> bad;
  for (const auto& node : nodes_) {
    if (is_forger(node->index_)) continue;
    if (!node->up() || !node->replica().is_member()) {
      const std::string detail = node->up() ? node->status().state_detail : "down";
      return differ(node->code() + " is not a member in the end: " + detail);
    }
    if (!is_mended(*node)) return differ(node->code() + " has a damaged store");
    // What is verified is shown a little later.
    const bool is_done = node->replica().idle() && node->replica().waiting_acts() == 0;
    if (!is_done) return differ(node->code() + " has not finished");
    auto rows = node->members().members;
    const auto status = node->status();
    check_decisions(*node);
    if (decision && *decision != status.decision) {
      return differ(node->code() + " knows other decisions");
    }
    decision = status.decision;
    if (rows.size() != nodes_.size()) return differ(node->code() + " knows fewer members");
    for (auto& row : rows) {
      if (row.gaps != 0 || row.judged != row.held_size || row.frozen) {
        return differ(node->code() + " has an incomplete log of " + row.code + ": " +
                      std::to_string(row.judged) + " judged of " + std::to_string(row.held_size));
      }
      if (first) {
        const auto& other = (*first)[static_cast<std::size_t>(&row - rows.data())];
        if (other.held_size != row.held_size || other.agreed_size != row.agreed_size ||
            other.records != row.records) {
          return differ(node->code() + " holds " + std::to_string(row.held_size) + " (agreed " +
                        std::to_string(row.agreed_size) + ", records " +
                        std::to_string(row.records) + "/" + std::to_string(other.records) +
                        ") of " + row.code + ", another " + std::to_string(other.held_size) +
                        " (agreed " + std::to_string(other.agreed_size) + ")");
        }
      }
    }
    if (!first) first = std::move(rows);
    // Only what the forger signed falsely is bad, and every other member says so.
    const bool may_be_bad = signs_falsely();
    if (status.bad != bad.value_or(status.bad) || (status.bad != 0 && !may_be_bad) ||
        (may_be_bad && status.bad < forgeries_)) {
      return differ(node->code() + " counts " + std::to_string(status.bad) + " bad entries of " +
                    std::to_string(forgeries_));
    }
    bad = status.bad;
  }
  return true;
}

LogId World::log_of_the_forger() const {
  const daemon::Identity& identity = nodes_[*forger_]->identity();
  return log_id(identity.network, identity.member, commons);
}

std::vector<local::MemberRow> World::rows_of_the_forger() {
  std::vector<local::MemberRow> rows;
  std::optional<std::vector<local::MemberRow>> first;
  for (const auto& node : nodes_) {
    if (is_forger(node->index_)) continue;
    if (!node->replica().idle()) return {};
    auto members = node->members().members;
    const auto of_forger =
        std::ranges::find(members, nodes_[*forger_]->identity().member, &local::MemberRow::member);
    rows.push_back(*of_forger);
    members.erase(of_forger);
    if (!first) first = members;
    const bool same = std::ranges::equal(*first, members, [](const auto& one, const auto& other) {
      return one.held_size == other.held_size && one.agreed_size == other.agreed_size &&
             one.records == other.records && one.frozen == other.frozen && one.gaps == other.gaps;
    });
    if (!same) return {};
  }
  return rows;
}

Time World::time_to_tell_all() const {
  Time first = ~Time{0};
  Time last = 0;
  for (const auto& [_, at] : told_of_fork_) {
    first = std::min(first, at);
    last = std::max(last, at);
  }
  return last - first;
}

void World::check_histories(Node& node) {
  const auto txn = node.log().read();
  for (const auto& head : storage::log_store::heads(*txn)) {
    const Bytes bundle = storage::log_store::bundle(*txn, head.log, 0, head.size());
    const auto leaves = split_bundle(bundle, head.size());
    if (!leaves || leaves->size() != head.size()) {
      violation(node.code() + " holds leaves that cannot be read");
      continue;
    }
    CompactRange range;
    auto next = signed_roots_.lower_bound({head.log, 1});
    for (const BytesView leaf : *leaves) {
      range.push(leaf_hash(leaf));
      if (next == signed_roots_.end() || next->first != std::pair(head.log, range.size())) continue;
      if (next->second != range.root()) {
        violation(node.code() + " holds a history that its owner did not sign");
      }
      ++next;
    }
  }
}

void World::check_acknowledged() {
  for (const auto& node : nodes_) {
    if (!node->has_identity() || is_forger(node->index_)) continue;
    check_histories(*node);
    const auto txn = node->log().read();
    const auto views = node->views().read();
    const auto is_shown = [&](const RecordId& id) {
      return storage::views::record(*views, id).has_value();
    };
    if (std::ranges::any_of(forged_, is_shown)) violation(node->code() + " shows a forged record");
    for (const Acknowledged& record : acknowledged_) {
      const LogId log =
          log_id(node->identity().network, nodes_[record.node]->identity().member, commons);
      const auto head = storage::log_store::head(*txn, log);
      // Nobody waits for what a liar said last, or says later.
      if (is_forger(record.node) && !record.index) continue;
      const std::uint64_t index = record.index.value_or(0);
      if (is_forger(record.node) && (!head || head->size() <= index)) continue;
      if (!head || head->size() <= index) {
        if (node.get() == nodes_[record.node].get()) {
          violation(node->code() + " lost a record that it had acknowledged");
          break;
        }
        violation("a record that " + nodes_[record.node]->code() + " acknowledged is not at " +
                  node->code());
        break;
      }
      const auto row = storage::views::record(*views, record.id);
      if (record.document && !row) {
        violation("a document that " + nodes_[record.node]->code() +
                  " acknowledged is not shown at " + node->code());
        break;
      }
      if (row && (row->index != record.index.value_or(row->index) || row->log != log)) {
        violation("a record that " + nodes_[record.node]->code() + " acknowledged moved");
      }
    }
  }
}

std::size_t World::decisions() const { return nodes_[0]->up() ? nodes_[0]->status().decisions : 0; }

}  // namespace kith::simulation
