#include "storage/high_water.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "storage/database.hpp"
#include "storage/files/file.hpp"
#include "tests/storage/scratch.hpp"

namespace kith::storage {
namespace {

using kith::testing::flip_byte;
using kith::testing::Scratch;

constexpr std::size_t slot_bytes = 65'536;

HighWaterMarks mark(std::uint8_t log, std::uint64_t size) {
  HighWaterMark mark{size, {}};
  mark.root.bytes[0] = static_cast<std::uint8_t>(size);
  return {{LogId{{log}}, mark}};
}

/// Sequence 1 with size 10 lies in the second slot, sequence 2 with size 20 in the first.
void write_two(const std::filesystem::path& path) {
  HighWaterFile file(path);
  file.advance(mark(1, 10));
  file.advance(mark(1, 20));
}

std::string bytes_of(const std::filesystem::path& path) { return *files::read(path, 1 << 20); }

TEST(HighWater, ANewFileIsEmptyAndFullyAllocated) {
  const Scratch scratch;
  const HighWaterFile file(scratch / "hw");
  EXPECT_TRUE(file.marks().empty());
  struct stat status{};
  ASSERT_EQ(::stat((scratch / "hw").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 2 * static_cast<off_t>(slot_bytes));
  EXPECT_GE(status.st_blocks * 512, status.st_size);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST(HighWater, WhatWasMarkedIsThereAfterReopening) {
  const Scratch scratch;
  {
    HighWaterFile file(scratch / "hw");
    file.advance(mark(1, 10));
    HighWaterMarks more = mark(2, 5);
    more.merge(mark(1, 12));
    file.advance(more);
    EXPECT_EQ(file.marks().size(), 2U);
  }
  const HighWaterFile file(scratch / "hw");
  HighWaterMarks expected = mark(1, 12);
  expected.merge(mark(2, 5));
  EXPECT_EQ(file.marks(), expected);
}

TEST(HighWater, ACutSetsOneMarkBackAndLeavesTheOthers) {
  const Scratch scratch;
  HighWaterMarks both = mark(1, 20);
  both.merge(mark(2, 5));
  {
    HighWaterFile file(scratch / "hw");
    file.advance(both);
    file.cut(mark(1, 10));
    EXPECT_EQ(file.marks().at(mark(1, 10).begin()->first).size, 10U);
  }
  HighWaterFile file(scratch / "hw");
  HighWaterMarks expected = mark(1, 10);
  expected.merge(mark(2, 5));
  EXPECT_EQ(file.marks(), expected);
  file.advance(mark(1, 11));
  EXPECT_EQ(file.marks().size(), 2U);
}

TEST(HighWater, EverySlotIsUsedInTurn) {
  const Scratch scratch;
  for (std::uint64_t size = 1; size <= 5; ++size) {
    const std::string before = size == 1 ? "" : bytes_of(scratch / "hw");
    {
      HighWaterFile file(scratch / "hw");
      file.advance(mark(1, size));
    }
    const std::string after = bytes_of(scratch / "hw");
    if (before.empty()) continue;
    const bool first_changed = before.substr(0, slot_bytes) != after.substr(0, slot_bytes);
    const bool second_changed = before.substr(slot_bytes) != after.substr(slot_bytes);
    EXPECT_NE(first_changed, second_changed);
    EXPECT_EQ(first_changed, size % 2 == 0);
    EXPECT_EQ(HighWaterFile(scratch / "hw").marks(), mark(1, size));
  }
}

TEST(HighWater, AnyDamagedByteOfTheNewerSlotLeavesTheOlder) {
  const Scratch scratch;
  write_two(scratch / "hw");
  // Domain, sequence, count, one mark, checksum.
  constexpr std::size_t used = 19 + 8 + 4 + 72 + 32;
  for (std::size_t at = 0; at < used; ++at) {
    flip_byte(scratch / "hw", at);
    ASSERT_EQ(HighWaterFile(scratch / "hw").marks(), mark(1, 10)) << at;
    flip_byte(scratch / "hw", at);
  }
  EXPECT_EQ(HighWaterFile(scratch / "hw").marks(), mark(1, 20));
}

TEST(HighWater, ATornWriteOfTheNewerSlotLeavesTheOlder) {
  const Scratch scratch;
  write_two(scratch / "hw");
  const std::string two = bytes_of(scratch / "hw");
  {
    HighWaterFile file(scratch / "hw");
    file.advance(mark(1, 30));
  }
  const std::string three = bytes_of(scratch / "hw");
  // The new bytes reached the disk only up to here; the rest is what lay there before.
  for (std::size_t torn = 0; torn < 200; ++torn) {
    const std::string mixed =
        two.substr(0, slot_bytes) + three.substr(slot_bytes, torn) + two.substr(slot_bytes + torn);
    std::ofstream(scratch / "hw", std::ios::binary) << mixed;
    const auto marks = HighWaterFile(scratch / "hw").marks();
    ASSERT_TRUE(marks == mark(1, 20) || (mixed == three && marks == mark(1, 30))) << torn;
  }
}

TEST(HighWater, ACutOffFileLeavesTheOlderAndGoesOn) {
  const Scratch scratch;
  {
    HighWaterFile file(scratch / "hw");
    file.advance(mark(1, 10));
    file.advance(mark(1, 20));
    file.advance(mark(1, 30));  // In the second slot.
  }
  for (const std::size_t size : {slot_bytes + 100, slot_bytes + 1, slot_bytes}) {
    std::filesystem::resize_file(scratch / "hw", size);
    EXPECT_EQ(HighWaterFile(scratch / "hw").marks(), mark(1, 20)) << size;
  }
  {
    HighWaterFile file(scratch / "hw");
    file.advance(mark(1, 40));
  }
  EXPECT_EQ(HighWaterFile(scratch / "hw").marks(), mark(1, 40));
}

TEST(HighWater, WithoutAValidSlotNothingMayBeSigned) {
  const Scratch scratch;
  write_two(scratch / "hw");
  flip_byte(scratch / "hw", 30);
  flip_byte(scratch / "hw", slot_bytes + 30);
  try {
    const HighWaterFile file(scratch / "hw");
    FAIL() << "a file without a valid slot was believed";
  } catch (const StorageError& error) {
    EXPECT_EQ(error.kind, StorageError::Kind::other);
    EXPECT_NE(std::string(error.what()).find("Move it away and keep it"), std::string::npos);
  }
}

TEST(HighWater, AnEmptyFileIsNotTakenForANewOne) {
  const Scratch scratch;
  ASSERT_TRUE(files::write(scratch / "hw", {}, 0600));
  EXPECT_THROW(HighWaterFile(scratch / "hw"), StorageError);
}

TEST(HighWater, HoldsNineHundredAndNineLogs) {
  const Scratch scratch;
  HighWaterMarks many;
  for (std::uint16_t i = 0; i < 909; ++i) {
    LogId log;
    log.bytes[0] = static_cast<std::uint8_t>(i >> 8);
    log.bytes[1] = static_cast<std::uint8_t>(i);
    many[log] = {i, {}};
  }
  {
    HighWaterFile file(scratch / "hw");
    file.advance(many);
  }
  EXPECT_EQ(HighWaterFile(scratch / "hw").marks(), many);
}

TEST(HighWaterDeathTest, OneLogTooManyIsABug) {
  const Scratch scratch;
  HighWaterFile file(scratch / "hw");
  HighWaterMarks many;
  for (std::uint16_t i = 0; i < 910; ++i) {
    LogId log;
    log.bytes[0] = static_cast<std::uint8_t>(i >> 8);
    log.bytes[1] = static_cast<std::uint8_t>(i);
    many[log] = {i, {}};
  }
  EXPECT_DEATH(file.advance(many), "marks_max");
}

TEST(HighWaterDeathTest, AMarkThatGoesDownOrChangesItsRootIsABug) {
  const Scratch scratch;
  HighWaterFile file(scratch / "hw");
  file.advance(mark(1, 10));
  EXPECT_DEATH(file.advance(mark(1, 9)), "internal error");
  HighWaterMarks other = mark(1, 10);
  other.begin()->second.root.bytes[5] = 1;
  EXPECT_DEATH(file.advance(other), "internal error");
  file.advance(mark(1, 10));
  EXPECT_EQ(file.marks(), mark(1, 10));
}

}  // namespace
}  // namespace kith::storage
