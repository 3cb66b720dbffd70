// Durable appends one at a time and the disk they take, each beside its limit measured in the same
// run. One JSON line a figure. usage: bench_append [FOLDER] [ENTRIES]
#include <sodium.h>

#include <filesystem>
#include <string>

#include "protocol/keys/space_key.hpp"
#include "protocol/log/checkpoint.hpp"
#include "protocol/log/leaf.hpp"
#include "protocol/log/payload.hpp"
#include "protocol/records/record.hpp"
#include "storage/high_water.hpp"
#include "storage/lmdb.hpp"
#include "storage/log_store.hpp"
#include "tests/bench/support/figure.hpp"
#include "tests/bench/support/limits.hpp"

namespace {

using namespace kith;
using namespace kith::bench;

constexpr std::size_t body_bytes = 1024;

Seed fresh_seed() {
  Seed seed;
  randombytes_buf(seed.bytes.data(), seed.bytes.size());
  return seed;
}

struct Prepared {
  NetworkId network;
  LogId log;
  MemberId member;
  Key32 r_key;
  std::vector<SignedRecord> records;
};

Prepared prepare(std::size_t entries) {
  Prepared out;
  const SigningKey author(fresh_seed());
  out.member = MemberId::from(SigningKey(fresh_seed()).public_key().view());
  randombytes_buf(out.network.bytes.data(), 32);
  out.log = log_id(out.network, out.member, commons);
  Key32 space;
  randombytes_buf(space.bytes.data(), 32);
  out.r_key = log_key(space, out.log);
  for (std::size_t i = 0; i < entries; ++i) {
    Record record;
    randombytes_buf(record.nonce.bytes.data(), 16);
    record.kind = "document";
    record.body.resize(body_bytes);
    randombytes_buf(record.body.data(), record.body.size());
    record.author = author.public_key();
    record.network = out.network;
    record.log = out.log;
    out.records.push_back(sign_batch(out.network, out.log, {encode(record)}, author).front());
  }
  return out;
}

struct WrittenBytes {
  std::uint64_t payload = 0;
  std::uint64_t leaf = 0;
};

/// What the daemon does for one entry: check the author, seal, log, commit, high water, checkpoint.
double kith_appends(const std::filesystem::path& folder, const Prepared& prepared,
                    WrittenBytes& sizes, std::uint64_t& disk) {
  storage::LmdbDatabase database(folder / "log", storage::log_tables(),
                                 storage::LmdbDatabase::Durability::full);
  storage::HighWaterFile high_water(folder / "high-water");
  const SigningKey log_key(fresh_seed());
  {
    const auto txn = database.write();
    storage::log_store::create(*txn, prepared.log, prepared.member, commons);
    txn->commit();
  }
  BatchVerifier verifier;
  std::uint64_t index = 0;
  const auto start = Clock::now();
  for (const SignedRecord& record : prepared.records) {
    must(verifier.verify(record, prepared.network, prepared.log).has_value(), "author refused");
    Nonce24 nonce;
    randombytes_buf(nonce.bytes.data(), nonce.bytes.size());
    const auto payload =
        seal_payload(prepared.r_key, prepared.log, nonce, encode_text(PayloadText(record)));
    const std::string leaf = encode_leaf(make_leaf(LeafClass::record, 1'800'000'000'000, *payload));
    const storage::NewEntry entry{view(leaf), BytesView(*payload)};
    const auto txn = database.write();
    const auto head = storage::log_store::append(*txn, prepared.log, index, {&entry, 1});
    must(head.has_value(), "append refused");
    txn->commit();
    high_water.advance({{prepared.log, {head->size(), head->range.root()}}});
    must(!sign_checkpoint(prepared.log, head->size(), head->range.root(), log_key).empty(), "");
    sizes.payload += payload->size();
    sizes.leaf += leaf.size();
    ++index;
  }
  const double rate = static_cast<double>(index) / seconds_since(start);
  disk = database.used_bytes();
  return rate;
}

}  // namespace

int main(int argc, char** argv) {
  initialise_crypto();
  const std::filesystem::path folder = argc > 1 ? argv[1] : "bench-append-data";
  const std::size_t entries = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 5'000;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);

  const Prepared prepared = prepare(entries);
  const double limit_before = lmdb_rate(folder / "limit-1", entries, 1);
  WrittenBytes sizes;
  std::uint64_t disk = 0;
  const double reached = kith_appends(folder, prepared, sizes, disk);
  const double limit_after = lmdb_rate(folder / "limit-2", entries, 1);
  const double limit = (limit_before + limit_after) / 2;
  Figure("durable append, one at a time")
      .number("per_second", reached, 0)
      .number("lmdb_batch_1_per_second", limit, 0)
      .at_least(reached / limit, 0.45)
      .print();
  const auto count = static_cast<double>(entries);
  const double stored = static_cast<double>(disk) / count;
  const double needed = static_cast<double>(sizes.payload + sizes.leaf) / count + 32;
  Figure("disk per entry of the log environment over payload, leaf and hash")
      .number("bytes", stored, 0)
      .number("payload_leaf_hash_bytes", needed, 0)
      .number("over_body_and_signature", stored / (body_bytes + Signature::size))
      .at_most(stored / needed, 1.25)
      .print();
  std::filesystem::remove_all(folder);
  return exit_code();
}
