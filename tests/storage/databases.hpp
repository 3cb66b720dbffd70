#pragma once

#include <gtest/gtest.h>

#include "storage/lmdb.hpp"
#include "tests/storage/scratch.hpp"
#include "tests/support/memory_database.hpp"

/// The two databases that the same tests run over.
namespace kith::testing {

class LmdbWorld {
 public:
  [[nodiscard]] storage::Database& database() { return log_; }
  [[nodiscard]] storage::Database& views() { return views_; }
  static constexpr const char* name = "Lmdb";

 private:
  // Nothing here survives the test, so nothing needs to be synced.
  static constexpr auto quick = storage::LmdbDatabase::Durability::rebuildable;

  Scratch scratch_;
  storage::LmdbDatabase log_{scratch_ / "log", storage::log_tables(), quick};
  storage::LmdbDatabase views_{scratch_ / "views", storage::view_tables(), quick};
};

class MemoryWorld {
 public:
  [[nodiscard]] storage::Database& database() { return database_; }
  [[nodiscard]] storage::Database& views() { return database_; }
  static constexpr const char* name = "Memory";

 private:
  MemoryDatabase database_;
};

using Worlds = ::testing::Types<LmdbWorld, MemoryWorld>;

struct WorldNames {
  template <class World>
  static std::string GetName(int) {
    return World::name;
  }
};

}  // namespace kith::testing
