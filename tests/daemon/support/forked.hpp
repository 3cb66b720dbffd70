#pragma once

#include "protocol/audit/evidence.hpp"
#include "protocol/base/limits.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/merkle.hpp"
#include "protocol/log/tile.hpp"
#include "protocol/log/witness.hpp"
#include "storage/log_store.hpp"
#include "storage/packing.hpp"
#include "tests/daemon/support/doors.hpp"

/// A member that signs two histories of its log, as another daemon meets them.
namespace kith::daemon {

inline constexpr PeerId peer_id = 1;

/// A log from its first entry on: the member's certificate, then what differs by `seed`.
struct History {
  History(const Bytes& certificate, std::uint8_t seed, std::size_t size) {
    add(LeafClass::clear, encode_text(CertificateText{certificate}));
    grow(seed, size);
  }
  /// With entries that nobody can open.
  void grow(std::uint8_t seed, std::size_t size) {
    while (payloads.size() < size) {
      add(LeafClass::record, Bytes(72 + 64, static_cast<std::uint8_t>(seed + payloads.size())));
    }
  }
  void add(LeafClass leaf_class, Bytes payload) {
    std::string leaf = encode_leaf(make_leaf(leaf_class, payloads.size(), payload));
    add(std::move(leaf), std::move(payload));
  }
  void add(std::string leaf, Bytes payload) {
    hashes.push_back(leaf_hash(view(leaf)));
    append_to_bundle(leaves, view(leaf));
    range.push(hashes.back());
    peer::append_payload(list, payload);
    entries.push_back(std::move(leaf));
    payloads.push_back(std::move(payload));
  }
  History() = default;
  /// Its first entries.
  [[nodiscard]] History beginning(std::size_t size) const {
    History part;
    for (std::size_t i = 0; i < size; ++i) part.add(entries[i], payloads[i]);
    return part;
  }
  [[nodiscard]] TreeHash root(std::size_t size_of) const {
    return tree_root(std::span(hashes).first(size_of));
  }
  [[nodiscard]] Path path(std::size_t from, std::size_t to) const {
    const MemoryTree tree{std::span(hashes).first(to)};
    return consistency_path(from, to, [&](unsigned height, std::uint64_t index) {
      return tree.subtree(height, index);
    });
  }
  [[nodiscard]] peer::Tiles serve(const peer::GetTiles& asked) const {
    peer::Tiles answer{asked.log, asked.size, {}};
    for (const auto& tile : asked.tiles) {
      std::vector<TreeHash> of_level = hashes;
      of_level.resize(asked.size);
      for (unsigned level = 0; level < tile.level; ++level) {
        std::vector<TreeHash> above;
        for (std::size_t i = 0; i + limits::tile_hashes <= of_level.size();
             i += limits::tile_hashes) {
          above.push_back(tree_root(std::span(of_level).subspan(i, limits::tile_hashes)));
        }
        of_level = std::move(above);
      }
      const std::size_t first = tile.index * limits::tile_hashes;
      const std::size_t count = std::min(limits::tile_hashes, of_level.size() - first);
      answer.tiles.push_back(encode_hashes(std::span(of_level).subspan(first, count)));
    }
    return answer;
  }
  [[nodiscard]] peer::Entries serve(const peer::GetEntries& asked) const {
    peer::Entries answer{asked.log, asked.first, asked.last, asked.payloads_from, {}, {}};
    for (std::uint64_t i = asked.first; i < asked.last; ++i) {
      append_to_bundle(answer.leaves, view(entries[i]));
      if (i >= asked.payloads_from) peer::append_payload(answer.payloads, payloads[i]);
    }
    return answer;
  }
  std::vector<Bytes> payloads;
  std::vector<std::string> entries;
  std::vector<TreeHash> hashes;
  Bytes leaves;
  Bytes list;
  CompactRange range;
};

class Forked : public Doors {
 protected:
  /// `more` others are members too, and so its witnesses.
  explicit Forked(std::size_t more = 0) {
    Proposal proposal;
    proposal.basis = std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{})).basis;
    proposal.effects.emplace_back(Admit{other_.certificate, other_.profile});
    for (std::size_t i = 0; i < more; ++i) {
      const auto number = static_cast<std::uint8_t>(20 + i);
      others_.push_back({certified(SigningKey(Seed{{number}}), now_ms, DhSecret{{number}}),
                         profile_of(std::string("ZZ") + static_cast<char>('C' + i))});
      proposal.effects.emplace_back(Admit{others_.back().certificate, others_.back().profile});
    }
    const Bytes proposed = record("proposal", encode(proposal));
    const Bytes agreed =
        record("consent", encode(Consent{record_id(proposed), 1, Consent::Word::agree}));
    EXPECT_TRUE(published(signed_texts({proposed, agreed})));
    member_ = *read_member(other_.certificate);
    log_ = log_id(me_.network, member_, commons);
    meet();
  }
  void meet() {
    const DhPublic transport = verify_certificate(other_.certificate)->transport_key;
    replica_->peer_connected({peer_id, false, member_, std::nullopt, transport, {}});
    desk_.run();
  }
  [[nodiscard]] std::string note(const History& history) const {
    // Every key in the certificate of a candidate here is that of the steward.
    return sign_checkpoint(log_, history.range.size(), history.range.root(), steward_);
  }
  void push(const History& history) {
    say(peer_id, peer::Push{log_, note(history), 0, history.leaves, history.list});
  }
  /// What `longer` adds.
  void push(const History& before, const History& longer) {
    Bytes leaves;
    Bytes list;
    for (std::size_t i = before.payloads.size(); i < longer.payloads.size(); ++i) {
      append_to_bundle(leaves, view(longer.entries[i]));
      peer::append_payload(list, longer.payloads[i]);
    }
    say(peer_id, peer::Push{log_, note(longer), before.payloads.size(), leaves, list});
  }
  /// The peer answers what it is asked, as one that holds `history`; at most so many bundles.
  void answer_fetch(const History& history, std::size_t bundles = ~std::size_t{0}) {
    for (bool asked = true; asked;) {
      asked = false;
      for (const Bytes& bytes : std::exchange(desk_.sent[peer_id], {})) {
        const auto message = peer::decode_message(bytes);
        if (const auto* tiles = std::get_if<peer::GetTiles>(&*message)) {
          say(peer_id, history.serve(*tiles));
          asked = true;
        }
        const auto* entries = std::get_if<peer::GetEntries>(&*message);
        if (entries == nullptr) continue;
        if (bundles == 0) {
          desk_.sent[peer_id].push_back(bytes);
          continue;
        }
        --bundles;
        say(peer_id, history.serve(*entries));
        asked = true;
      }
    }
  }
  template <class Message>
  [[nodiscard]] std::vector<Message> said_to(PeerId peer) {
    std::vector<Message> all;
    for (const Bytes& bytes : desk_.sent[peer]) {
      const auto message = peer::decode_message(bytes);
      if (const auto* wanted = std::get_if<Message>(&*message)) all.push_back(*wanted);
    }
    return all;
  }
  /// What the evidence that is kept proves.
  [[nodiscard]] Result<Contradiction> proof() {
    const auto kept = storage::log_store::evidence(*desk_.log().read());
    if (kept.size() != 1) return fail(Errc::not_found, std::to_string(kept.size()) + " pieces");
    const auto evidence = decode_evidence(kept.begin()->second);
    return evidence ? verify_evidence(*evidence) : evidence.error();
  }
  [[nodiscard]] local::MemberRow row() {
    const auto answer = std::get<local::MembersAnswer>(ask(local::MembersRequest{}));
    return *std::ranges::find(answer.members, member_, &local::MemberRow::member);
  }
  [[nodiscard]] std::size_t cosigned() {
    const auto said = storage::log_store::cosignatures(*desk_.log().read(), log_);
    const auto ours = said.find(me_.member);
    return ours == said.end() ? 0 : ours->second.size;
  }

  Seed recovery_{{3}};
  peer::JoinRequest other_{certified(SigningKey(recovery_), now_ms, DhSecret{{7}}),
                           profile_of("ZZB")};
  std::vector<peer::JoinRequest> others_;
  MemberId member_;
  LogId log_;
};

}  // namespace kith::daemon
