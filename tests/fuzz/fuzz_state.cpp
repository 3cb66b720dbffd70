// What a person saw last, as kept in a file of theirs: a number or, from anything else, 0.
#include "client/state.hpp"
#include "tests/fuzz/file_on_disk.hpp"

using namespace kith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::FolderOnDisk folder;
  client::Desk desk;
  desk.state_folder = folder.path();
  desk.socket = "/run/kith/kithd.sock";
  // Its name is the state's own affair: written once, then replaced.
  static const auto file = [&] {
    KITH_CHECK(client::remember_seen(desk, 7).has_value());
    return std::filesystem::directory_iterator(folder.path())->path().filename().string();
  }();
  folder.put(file, {data, size});
  const std::uint64_t seen = client::last_seen(desk);
  if (seen != 0) {
    KITH_CHECK(text({data, size}).starts_with(std::to_string(seen)));
    KITH_CHECK(client::remember_seen(desk, seen).has_value());
    KITH_CHECK(client::last_seen(desk) == seen);
  }
  return 0;
}
