// Durable appends one at a time and the disk they take, each beside its limit measured in the same
// run. One JSON line a figure. usage: bench_append [FOLDER] [ENTRIES]
#include <lmdb.h>
#include <sodium.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
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

namespace {

using namespace kith;
using Clock = std::chrono::steady_clock;

constexpr std::size_t body_bytes = 1024;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void must(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "bench_append: %s\n", what);
  std::exit(1);
}

Seed fresh_seed() {
  Seed seed;
  randombytes_buf(seed.bytes.data(), seed.bytes.size());
  return seed;
}

/// The limit: LMDB alone, one value of body and signature to a commit, default durability.
double lmdb_alone(const std::filesystem::path& folder, std::size_t entries) {
  std::filesystem::create_directories(folder);
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi table = 0;
  must(mdb_env_create(&env) == 0 && mdb_env_set_mapsize(env, 1UL << 32) == 0 &&
           mdb_env_open(env, folder.c_str(), 0, 0600) == 0 &&
           mdb_txn_begin(env, nullptr, 0, &txn) == 0 &&
           mdb_dbi_open(txn, nullptr, 0, &table) == 0 && mdb_txn_commit(txn) == 0,
       "LMDB does not open");
  Bytes value(body_bytes + 64);
  randombytes_buf(value.data(), value.size());
  const auto start = Clock::now();
  for (std::uint64_t i = 0; i < entries; ++i) {
    Bytes key;
    append_integer(key, i);
    MDB_val k{key.size(), key.data()};
    MDB_val v{value.size(), value.data()};
    must(mdb_txn_begin(env, nullptr, 0, &txn) == 0 &&
             mdb_put(txn, table, &k, &v, MDB_APPEND) == 0 && mdb_txn_commit(txn) == 0,
         "LMDB does not write");
  }
  const double rate = static_cast<double>(entries) / seconds_since(start);
  mdb_env_close(env);
  return rate;
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
  const double limit_before = lmdb_alone(folder / "limit-1", entries);
  WrittenBytes sizes;
  std::uint64_t disk = 0;
  const double reached = kith_appends(folder, prepared, sizes, disk);
  const double limit_after = lmdb_alone(folder / "limit-2", entries);
  const double limit = (limit_before + limit_after) / 2;
  std::printf(
      "{\"figure\":\"durable append, one at a time\",\"per_second\":%.0f,"
      "\"lmdb_batch_1_per_second\":%.0f,\"ratio\":%.3f,\"goal\":0.45}\n",
      reached, limit, reached / limit);
  const auto count = static_cast<double>(entries);
  const double stored = static_cast<double>(disk) / count;
  const double needed = static_cast<double>(sizes.payload + sizes.leaf) / count + 32;
  std::printf(
      "{\"figure\":\"disk per entry\",\"bytes\":%.0f,\"payload_leaf_hash_bytes\":%.0f,"
      "\"ratio\":%.3f,\"goal\":1.25,\"over_body_and_signature\":%.3f}\n",
      stored, needed, stored / needed, stored / (body_bytes + 64.0));
  std::filesystem::remove_all(folder);
  return 0;
}
