#pragma once

#include <gtest/gtest.h>

#include "daemon/random.hpp"
#include "daemon/replica.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/keys/space_key.hpp"
#include "protocol/records/record.hpp"
#include "tests/daemon/support/plain_host.hpp"

/// One Replica, the founder of a network, and its two doors: what people publish, and who comes
/// with an invitation.
namespace kith::daemon {

inline constexpr Millis now_ms = 1'800'000'000'000;  // As PlainHost says.

inline Profile profile_of(const std::string& code) {
  return {code, code + " Hospitals", "trust", {code + ".example:5484"}};
}

class Doors : public ::testing::Test {
 protected:
  Doors() {
    const auto txn = desk_.disk().write();
    Charter charter;
    charter.name = "Test";
    charter.aim = "To learn.";
    auto made =
        found_network(charter, profile_of("ZZA"), steward_.public_key(), now_ms, fill_random, *txn);
    txn->commit();
    me_ = made->identity;
    own_recovery_ = made->recovery;
    desk_.marks = made->marks;
    replica_ = std::make_unique<Replica>(me_, Replica::Options{}, desk_.marks, desk_);
    desk_.run();
  }

  [[nodiscard]] Bytes record(const std::string& title) const {
    return record("document", to_bytes(view("# " + title + "\n\ntext\n")));
  }
  [[nodiscard]] Bytes record(const std::string& kind, Bytes body) const {
    Record record;
    fill_random(record.nonce.bytes);
    record.kind = kind;
    record.body = std::move(body);
    record.author = steward_.public_key();
    record.time = now_ms;
    record.network = me_.network;
    record.log = log_id(me_.network, me_.member, commons);
    return encode(record);
  }
  [[nodiscard]] std::vector<Bytes> signed_texts(const std::vector<Bytes>& records) const {
    std::vector<Bytes> texts;
    for (SignedRecord& one :
         sign_batch(me_.network, log_id(me_.network, me_.member, commons), records, steward_)) {
      texts.push_back(encode_text(std::move(one)));
    }
    return texts;
  }
  [[nodiscard]] local::Answer ask(local::Request request) {
    std::optional<local::Answer> answer;
    replica_->handle(1, std::move(request), [&](local::Answer said) { answer = std::move(said); });
    desk_.run();
    return answer.value_or(local::Refusal{Errc::io, "no answer"});
  }
  [[nodiscard]] bool published(const std::vector<Bytes>& texts) {
    return std::holds_alternative<local::PublishAnswer>(ask(local::PublishRequest{texts}));
  }
  [[nodiscard]] Errc refusal(const std::vector<Bytes>& texts) {
    const auto answer = ask(local::PublishRequest{texts});
    const auto* refused = std::get_if<local::Refusal>(&answer);
    return refused == nullptr ? Errc::usage : refused->code;
  }
  [[nodiscard]] std::uint64_t log_size() {
    return std::get<local::StatusAnswer>(ask(local::StatusRequest{})).log_size;
  }
  [[nodiscard]] std::size_t waiting() {
    return std::get<local::ProposalsAnswer>(ask(local::ProposalsRequest{})).candidates.size();
  }

  /// Somebody with an invitation and a transport key of their own.
  [[nodiscard]] peer::JoinRequest candidate(const DhSecret& transport,
                                            const std::string& code = "ZZB") const {
    Seed recovery;
    fill_random(recovery.bytes);
    return {certified(SigningKey(recovery), now_ms, transport), profile_of(code)};
  }
  /// A certificate of this network; all its signing keys are the steward's.
  [[nodiscard]] Bytes certified(const SigningKey& identity, std::uint64_t number,
                                const DhSecret& transport) const {
    Certificate certificate;
    certificate.network = me_.network;
    certificate.member = MemberId{identity.public_key().bytes};
    certificate.number = number;
    certificate.log_key = certificate.witness_key = certificate.daemon_key = certificate.steward =
        steward_.public_key();
    certificate.transport_key = certificate.sealing_key = dh_public(transport);
    return sign_certificate(certificate, identity);
  }
  /// A proposal to admit them, and our word on it.
  [[nodiscard]] std::vector<Bytes> admission(const peer::JoinRequest& newcomer,
                                             const DecisionId& basis) const {
    Proposal proposal;
    proposal.basis = basis;
    proposal.effects.emplace_back(Admit{newcomer.certificate, newcomer.profile});
    const Bytes proposed = record("proposal", encode(proposal));
    const Bytes agreed =
        record("consent", encode(Consent{record_id(proposed), 1, Consent::Word::agree}));
    return signed_texts({proposed, agreed});
  }
  [[nodiscard]] Key32 invite() {
    const auto answer = ask(local::InviteRequest{});
    return decode_invitation(std::get<local::InviteAnswer>(answer).invitation)->secret;
  }
  void connect(PeerId peer, const Key32& invitation, const DhSecret& transport) {
    replica_->peer_connected({peer, false, std::nullopt, invitation, dh_public(transport), {}});
    desk_.run();
  }
  void say(PeerId peer, const peer::Message& message) {
    replica_->message(peer, peer::encode(message));
    desk_.run();
  }
  [[nodiscard]] bool dropped(PeerId peer) const { return desk_.dropped.contains(peer); }

  PlainHost desk_;
  SigningKey steward_{Seed{{5}}};
  Identity me_;
  Seed own_recovery_;
  std::unique_ptr<Replica> replica_;
};

}  // namespace kith::daemon
