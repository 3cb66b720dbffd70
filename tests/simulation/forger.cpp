#include "tests/simulation/forger.hpp"

#include "protocol/base/limits.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/log/leaf.hpp"
#include "tests/simulation/node.hpp"

namespace kith::simulation {
namespace {

/// The bundle with another leaf at `at`, which commits to `payload`.
Bytes with_leaf_for(BytesView bundle, std::size_t at, BytesView payload) {
  Bytes changed;
  const auto leaves = split_bundle(bundle, limits::tile_hashes);
  for (std::size_t i = 0; i < leaves->size(); ++i) {
    const BytesView leaf = (*leaves)[i];
    const auto said = decode_leaf(text(leaf));
    const std::string forged = encode_leaf(make_leaf(said->leaf_class, said->time, payload));
    append_to_bundle(changed, i == at ? view(forged) : leaf);
  }
  return changed;
}

/// `leaves` may be null; `skipped` of them come before the first payload.
bool change_one(Bytes& payloads, Bytes* leaves, std::size_t skipped, std::mt19937_64& random) {
  const auto list = peer::split_payloads(payloads, limits::tile_hashes);
  std::vector<std::size_t> held;
  for (std::size_t i = 0; list && i < list->size(); ++i) {
    if ((*list)[i] && !(*list)[i]->empty()) held.push_back(i);
  }
  if (held.empty()) return false;
  const std::size_t chosen = held[random() % held.size()];
  Bytes forged = to_bytes(*(*list)[chosen]);
  forged[random() % forged.size()] ^= static_cast<std::uint8_t>(1U << (random() % 8));

  if (leaves != nullptr && random() % 2 == 0) {
    *leaves = with_leaf_for(*leaves, skipped + chosen, forged);
  }
  Bytes changed;
  for (std::size_t i = 0; i < list->size(); ++i) {
    peer::append_payload(changed, i == chosen ? std::optional<BytesView>(forged) : (*list)[i]);
  }
  payloads = std::move(changed);
  return true;
}

}  // namespace

std::optional<Bytes> with_a_changed_entry(BytesView message, const LogId& own_log,
                                          std::mt19937_64& random) {
  auto decoded = peer::decode_message(message);
  bool changed = false;
  if (auto* push = std::get_if<peer::Push>(&*decoded); push != nullptr && push->log != own_log) {
    changed = change_one(push->payloads, &push->leaves, 0, random);
  }
  if (auto* some = std::get_if<peer::Entries>(&*decoded); some != nullptr && some->log != own_log) {
    const auto skipped = static_cast<std::size_t>(some->payloads_from - some->first);
    changed = change_one(some->payloads, &some->leaves, skipped, random);
  }
  if (auto* some = std::get_if<peer::Payloads>(&*decoded);
      some != nullptr && some->log != own_log) {
    changed = change_one(some->payloads, nullptr, 0, random);
  }
  if (!changed) return std::nullopt;
  return peer::encode(*decoded);
}

std::size_t withhold_payloads(Bytes& message, const LogId& own_log, std::mt19937_64& random) {
  auto decoded = peer::decode_message(message);
  Bytes* payloads = nullptr;
  if (auto* push = std::get_if<peer::Push>(&*decoded); push != nullptr && push->log == own_log) {
    payloads = &push->payloads;
  }
  if (auto* some = std::get_if<peer::Entries>(&*decoded); some != nullptr && some->log == own_log) {
    payloads = &some->payloads;
  }
  if (auto* some = std::get_if<peer::Payloads>(&*decoded);
      some != nullptr && some->log == own_log) {
    payloads = &some->payloads;
  }
  if (payloads == nullptr) return 0;
  const auto list = peer::split_payloads(*payloads, limits::tile_hashes);
  std::size_t withheld = 0;
  Bytes left;
  for (const auto& payload : *list) {
    const bool gone = payload && random() % 2 == 0;
    withheld += gone ? 1 : 0;
    peer::append_payload(left, gone ? std::nullopt : payload);
  }
  *payloads = std::move(left);
  message = peer::encode(*decoded);
  return withheld;
}

void World::Node::spoil(Bytes& message) {
  const LogId own_log = log_id(identity_->network, identity_->member, commons);
  const Forger forger = world_.options_.forger;
  if (forger == Forger::withholds && world_.busy_) {
    world_.withheld_ += withhold_payloads(message, own_log, world_.random_);
  }
  if (forger == Forger::changes_entries && world_.uniform() < 0.7) {
    if (auto forged = with_a_changed_entry(message, own_log, world_.random_)) {
      ++world_.forgeries_;
      message = std::move(*forged);
    }
  }
}

void World::Node::forge() {
  // In the name of somebody else's author, whom its own steward lets in; or in its own, badly.
  const Node& victim = *world_.nodes_[world_.pick(world_.nodes_.size())];
  const PublicKey author = victim.author_.public_key();
  const bool own = author == author_.public_key();
  if (!own && !let_in_.contains(author)) return let_in(author);

  const bool proposes = world_.uniform() < 0.25;
  const Proposal pause{status().decision, {Pause{identity_->member}}};
  const std::string words = "# Forged by " + code_ + "\n\nNobody signed this.\n";
  Record forged =
      proposes ? record("proposal", encode(pause)) : record("document", to_bytes(view(words)));
  forged.author = author;
  auto batch = sign_batch(identity_->network, forged.log, {encode(forged)}, author_);
  if (own) batch.front().signature.bytes[world_.pick(Signature::size)] ^= 1;

  const RecordId id = record_id(batch.front().record);
  world_.forged_.insert(id);
  ask(local::PublishRequest{{encode_text(batch.front())}}, [this](const local::Answer& answer) {
    if (std::holds_alternative<local::PublishAnswer>(answer)) ++world_.forgeries_;
  });
}

void World::Node::let_in(const PublicKey& author) {
  constexpr auto scopes =
      static_cast<Scopes>(static_cast<int>(Scope::publish) | static_cast<int>(Scope::speak));
  const Enrolment enrolment{
      identity_->network,  identity_->member, status().next_enrolment, author, scopes,
      author_.public_key()};
  ask(local::EnrolRequest{sign_enrolment(enrolment, author_)},
      [this, author](const local::Answer& answer) {
        if (std::holds_alternative<local::EnrolAnswer>(answer)) let_in_.insert(author);
      });
}

}  // namespace kith::simulation
