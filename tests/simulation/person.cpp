// What a member's person asks of the daemon, and does.
#include <cstdlib>

#include "protocol/base/text.hpp"
#include "protocol/keys/space_key.hpp"
#include "tests/simulation/node.hpp"

namespace kith::simulation {
namespace {

/// The newest round in which a proposal passed; 0: none.
std::uint64_t passed_in(const local::ProposalRow& row) {
  constexpr std::string_view said = "Passed in round ";
  if (!row.explanation.starts_with(said)) return 0;
  return std::strtoull(row.explanation.c_str() + said.size(), nullptr, 10);
}

}  // namespace

void World::Node::ask(local::Request request, std::function<void(local::Answer)> answer) {
  replica_->handle(1, std::move(request), std::move(answer));
}

local::StatusAnswer World::Node::status() {
  local::StatusAnswer out;
  ask(local::StatusRequest{},
      [&](const local::Answer& answer) { out = std::get<local::StatusAnswer>(answer); });
  return out;
}

local::MembersAnswer World::Node::members() {
  local::MembersAnswer out;
  ask(local::MembersRequest{},
      [&](const local::Answer& answer) { out = std::get<local::MembersAnswer>(answer); });
  return out;
}

void World::Node::describe() {
  const auto now = status();
  world_.trace(code_ + " state " + now.state + " (" + now.state_detail + "), decisions " +
               std::to_string(now.decisions) + ", connected " +
               std::to_string(now.peers_connected));
  for (const auto& row : members().members) {
    world_.trace("   " + row.code + " held " + std::to_string(row.held_size) + " agreed " +
                 std::to_string(row.agreed_size) + " known " + std::to_string(row.known_size) +
                 " judged " + std::to_string(row.judged) + " gaps " + std::to_string(row.gaps) +
                 " records " + std::to_string(row.records) + " cosigned " +
                 std::to_string(row.cosigned) +
                 (row.connected ? " connected" : " apart: " + row.last_error));
  }
  ask(local::ProposalsRequest{}, [&](const local::Answer& answer) {
    const auto& waiting = std::get<local::ProposalsAnswer>(answer);
    for (const auto& candidate : waiting.candidates) {
      world_.trace("   candidate " + candidate.profile.code);
    }
    for (const auto& row : waiting.proposals) {
      world_.trace("   proposal of " + row.proposer + ": " + row.explanation);
    }
  });
}

void World::Node::invite(std::function<void(const std::string&)> then) {
  ask(local::InviteRequest{}, [this, life = life_, then = std::move(then)](local::Answer answer) {
    if (life != life_) return;
    if (const auto* made = std::get_if<local::InviteAnswer>(&answer)) then(made->invitation);
  });
}

void World::Node::person_acts(bool publishes) {
  if (!replica_->is_member() || asking_ > 3) return;
  local::ProposalsAnswer waiting;
  ask(local::ProposalsRequest{},
      [&](local::Answer answer) { waiting = std::get<local::ProposalsAnswer>(std::move(answer)); });
  const auto is_forged = [&](const auto& row) { return world_.forged_.contains(row.id); };
  if (world_.is_forger(index_)) {
    // A word on what nobody else holds would silence all its later words.
    std::erase_if(waiting.proposals, is_forged);
  } else if (std::ranges::any_of(waiting.proposals, is_forged)) {
    world_.violation(code_ + " puts a forged proposal to the vote");
  }
  consent(waiting);
  if (!publishes) return;
  const bool forges = world_.is_forger(index_) && world_.signs_falsely();
  if (forges && world_.uniform() < 0.5) return forge();
  publish_documents();
}

void World::Node::consent(const local::ProposalsAnswer& waiting) {
  // Our candidates that no open proposal names are proposed, all in one.
  Proposal proposal{waiting.basis, {}};
  for (const auto& candidate : waiting.candidates) {
    const bool asked = std::ranges::any_of(waiting.proposals, [&](const auto& row) {
      return std::ranges::count(row.admits, candidate.member) > 0;
    });
    if (!asked) proposal.effects.push_back(Admit{candidate.certificate, candidate.profile});
  }
  if (!proposal.effects.empty() && world_.uniform() < 0.5) {
    Record asked = record("proposal", encode(proposal));
    const RecordId id = record_id(encode(asked));
    Record agreed = record("consent", encode(Consent{id, 1, Consent::Word::agree}));
    // Only if nothing was agreed to in round 1 on this basis before.
    const bool spoken = std::ranges::any_of(
        waiting.proposals, [](const auto& row) { return row.our_round > 1 || row.ours_given(); });
    std::vector<Record> records{asked};
    if (!spoken) records.push_back(agreed);
    return publish(std::move(records), false);
  }
  auto open = waiting.proposals;
  if (!world_.busy_ && !open.empty()) {
    // In the end they talk to one another, and go for one proposal together: the one that passed
    // last, as whoever saw it pass is bound to it.
    open = {*std::ranges::max_element(open, {}, &passed_in)};
  }
  for (const auto& row : open) {
    // A person who is stuck asks again now and then: our_round says in which round.
    if (row.ours_given() && world_.uniform() < (world_.busy_ ? 0.97 : 0.8)) continue;
    if (world_.uniform() < 0.3) continue;
    return publish(
        {record("consent", encode(Consent{row.id, row.our_round, Consent::Word::agree}))}, false);
  }
}

void World::Node::publish_documents() {
  const std::size_t count = 1 + world_.pick(4);
  std::vector<Record> records;
  for (std::size_t i = 0; i < count; ++i) {
    std::string body;
    if (!read_.empty() && world_.uniform() < 0.15) {
      const RecordId& to = read_[world_.pick(read_.size())];
      body = "---\nkind: reply\nto: " + to_base32(to.view()) +
             "\nreply_kind: question\n---\nHow did it go on the second ward?\n";
      records.push_back(record("reply", to_bytes(view(body))));
      continue;
    }
    // Mostly short: what is long costs hashing and nothing else.
    const std::size_t length = world_.pick(world_.pick(8) == 0 ? 3'000 : 200);
    body = "# Notes from " + code_ + " " + std::to_string(world_.random_() % 100'000) + "\n\n" +
           std::string(length, 'x') + "\n";
    records.push_back(record("document", to_bytes(view(body))));
  }
  publish(std::move(records), true);
}

Record World::Node::record(const std::string& kind, Bytes body) {
  Record made;
  random(made.nonce.bytes);
  made.kind = kind;
  made.body = std::move(body);
  made.author = author_.public_key();
  made.time = now();
  made.network = identity_->network;
  made.log = log_id(identity_->network, identity_->member, commons);
  return made;
}

void World::Node::publish(std::vector<Record> records, bool acknowledge) {
  std::vector<Bytes> encoded;
  for (const Record& one : records) encoded.push_back(encode(one));
  local::PublishRequest request;
  const LogId log = log_id(identity_->network, identity_->member, commons);
  for (const auto& signed_record : sign_batch(identity_->network, log, encoded, author_)) {
    request.texts.push_back(encode_text(signed_record));
  }
  ++asking_;
  ask(std::move(request), [this, life = life_, acknowledge](local::Answer answer) {
    if (life != life_) return;
    --asking_;
    const auto* published = std::get_if<local::PublishAnswer>(&answer);
    if (published == nullptr) {
      world_.trace(code_ + " was refused: " + std::get<local::Refusal>(answer).said);
      return;
    }
    for (const auto& row : published->records) {
      const auto index = published->waiting.empty() ? std::optional(row.index) : std::nullopt;
      world_.acknowledged_.push_back({row.id, index_, index, acknowledge});
      if (acknowledge) read_.push_back(row.id);
    }
  });
}

}  // namespace kith::simulation
