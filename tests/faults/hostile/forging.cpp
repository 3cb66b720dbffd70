#include "tests/faults/hostile/forging.hpp"

#include <algorithm>
#include <thread>

#include "protocol/keys/key_file.hpp"
#include "storage/files/file.hpp"

namespace kith::hostile {

SigningKey author_key(const std::string& path) {
  const auto text = files::read_secret(path, 65'536);
  const auto key = text ? open_key_file(*text, "") : Result<SigningKey>(text.error());
  if (!key) give_up(path + ": " + key.error().detail);
  return *key;
}

std::map<std::string, Bytes> forgeries(const Desk& desk, const LogId& elsewhere) {
  std::map<std::string, Bytes> all;
  const auto one = [&](const std::string& name) {
    return desk.batch({desk.record("# Forged: " + name + "\n\ntext\n")}).front();
  };

  SignedRecord signature = one("signature");
  signature.signature.bytes[5] ^= 1;
  all["forged_signature"] = encode_text(signature);

  SignedRecord body = one("body");
  auto& last = *std::ranges::find(body.record.rbegin(), body.record.rend(), 't');
  last = 'T';
  all["changed_body"] = encode_text(body);

  Desk stranger = desk;
  stranger.key = SigningKey(daemon::random_octets<Seed>());
  all["somebody_else's_signature"] = stranger.text("# Forged: signed by another\n\ntext\n");
  stranger.author = stranger.key.public_key();
  all["author_not_enrolled"] = stranger.text("# Forged: unknown author\n\ntext\n");

  auto pair = desk.batch(
      {desk.record("# Forged: first\n\ntext\n"), desk.record("# Forged: second\n\ntext\n")});
  std::swap(pair[0].index, pair[1].index);
  std::swap(pair[0].path, pair[1].path);
  all["reordered_in_its_batch"] = encode_text(pair[0]);
  auto counted = desk.batch({desk.record("# Forged: count\n\ntext\n")}).front();
  counted.count = 2;
  all["batch_of_another_size"] = encode_text(counted);

  Desk other = desk;
  other.log = elsewhere;
  all["for_another_log"] = other.text("# Forged: for another log\n\ntext\n");
  // Right inside, but the signature says otherwise.
  all["signed_for_another_log"] = encode_text(
      sign_batch(desk.network, elsewhere, {desk.record("# Forged: log\n\ntext\n")}, desk.key)
          .front());
  other = desk;
  other.network.bytes[3] ^= 1;
  all["for_another_network"] = other.text("# Forged: for another network\n\ntext\n");

  all["seen_by_a_person"] = desk.text("# Forged: seen", "seen");
  all["key_grant_by_a_person"] = desk.text("# Forged: grant", "keygrant");
  all["founding_again"] = desk.text("# Forged: founding", "founding");
  all["not_a_text"] = Bytes(100, 0x42);
  return all;
}

std::uint64_t held_of(const std::string& socket, const MemberId& member) {
  for (const auto& row : ask<local::MembersAnswer>(socket, local::MembersRequest{}).members) {
    if (row.member == member) return row.held_size;
  }
  give_up("the daemon does not know the member");
}

bool comes_to_hold(const std::string& socket, const MemberId& member, std::uint64_t size) {
  const auto end = Clock::now() + patience;
  while (held_of(socket, member) < size) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace kith::hostile
