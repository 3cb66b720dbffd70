#include "daemon/commands/run_command.hpp"

#include <malloc.h>

#include <ostream>

#include "daemon/node.hpp"

namespace kith::daemon {
namespace {

/// What is wrong with the addresses that were given, before anything is opened.
std::optional<std::string> wrong_address(const RunSettings& settings) {
  for (const std::string& text : settings.listen) {
    const auto address = transport::parse_host_port(text);
    if (!address) return address.error().detail;
  }
  for (const std::string& text : settings.peers) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return "--peer \"" + text + "\": write CODE=HOST:PORT";
    }
    const auto address = transport::parse_host_port(text.substr(equals + 1));
    if (!address) return address.error().detail;
  }
  return std::nullopt;
}

/// A sync moves buffers of half a megabyte. By default glibc takes each from the kernel, filled
/// with zeros, and gives it back: a fifth of the work. What is kept instead is bounded.
void keep_freed_memory() {
  constexpr int mib = 1024 * 1024;
  ::mallopt(M_MMAP_THRESHOLD, 8 * mib);
  ::mallopt(M_TRIM_THRESHOLD, 16 * mib);
  ::mallopt(M_TOP_PAD, mib);
}

}  // namespace

Exit run_command(const std::string& dir, const RunSettings& settings, std::ostream& err) {
  if (const auto wrong = wrong_address(settings)) {
    err << "kithd: " << *wrong << '\n';
    return Exit::usage;
  }
  auto data = DataDir::open(dir);
  if (!data) {
    err << "kithd: " << data.error().detail << '\n';
    // A disk that fails may be mended by the time it is tried again.
    const bool may_pass = data.error().code == Errc::conflict || data.error().code == Errc::io;
    return may_pass ? Exit::failed : Exit::configuration;
  }
  auto identity = data->load_identity();
  if (!identity) {
    err << "kithd: " << identity.error().detail << '\n';
    return Exit::configuration;
  }
  keep_freed_memory();
  Log log(err, settings.debug ? Log::Level::debug : Log::Level::info);
  log.info("kithd " KITH_VERSION " for " + identity->profile.code + " on " + dir);
  Node node(std::move(*data), std::move(*identity), settings, log);
  return node.run();
}

}  // namespace kith::daemon
