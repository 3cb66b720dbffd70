#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/archive.hpp"

/// Writes exports of one log at several sizes, for tests/end_to_end/outside.sh: FOLDER/SIZE for
/// each size, and FOLDER/fork, where the same keys signed another history.
namespace kith::testing {
namespace {

/// So many entries are what an author signed. Signing all would take most of the time, and the
/// later ones are sealed and left out: nobody can tell what they say.
constexpr std::uint64_t signed_entries = 200;
constexpr std::uint64_t fork_size = 257;
constexpr std::uint64_t forked_entry = 100;
constexpr std::uint64_t never = UINT64_MAX;

/// An entry follows from its index alone, so a smaller log is the beginning of a larger one.
std::vector<std::pair<LeafClass, Bytes>> texts_of(const ArchivedMember& member, std::uint64_t size,
                                                  std::uint64_t changed) {
  auto texts = usual_texts(member, std::min(size, signed_entries));
  for (std::uint64_t i = texts.size(); i < size; ++i) {
    texts.emplace_back(LeafClass::record, to_bytes(view("Entry " + std::to_string(i))));
  }
  if (changed < size) texts[changed].second = to_bytes(view(std::string("Another entry")));
  return texts;
}

void write_export(const std::filesystem::path& folder, std::uint64_t size, std::uint64_t changed) {
  ArchiveOptions options;
  options.size = size;
  options.is_whole = false;
  options.texts = [&](const ArchivedMember& member, std::uint64_t entries) {
    return texts_of(member, entries, changed);
  };
  write_archive(make_archive(options), folder);
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) {
    std::cerr << "usage: make_exports FOLDER SIZE…\n";
    return 2;
  }
  const std::filesystem::path folder = arguments.front();
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    write_export(folder / arguments[i], std::stoull(arguments[i]), never);
  }
  write_export(folder / "fork", fork_size, forked_entry);
  return 0;
}

}  // namespace
}  // namespace kith::testing

int main(int argc, char** argv) {
  return kith::testing::run(std::vector<std::string>(argv + 1, argv + argc));
}
