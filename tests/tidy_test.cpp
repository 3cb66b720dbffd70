// Reads the sources and fails where they break a rule that no compiler knows: which way includes
// go, who may use which library, what protocol/ may touch, where a role is read.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kith {
namespace {

/// Where a file lies and what it says: all that a rule may look at.
struct Source {
  std::string path;  // From the repository root.
  std::vector<std::string> lines;
};
struct Fault {
  std::string path;
  std::size_t line = 0;
  std::string what;
};
using Faults = std::vector<Fault>;

Source source(std::string path, const std::string& text) {
  Source read{std::move(path), {}};
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    read.lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return read;
}

/// A line without the comment at its end.
std::string code_of(const std::string& line) { return line.substr(0, line.find("//")); }
bool has_comment(const std::string& line) { return line.find("//") != std::string::npos; }

template <class List>
bool holds(const List& list, std::string_view value) {
  return std::ranges::find(list, value) != std::end(list);
}

/// Whether any of the words is there: asked first, as a regular expression takes a hundred times as
/// long.
bool mentions(const std::string& line, std::initializer_list<const char*> words) {
  return std::ranges::any_of(
      words, [&](const char* word) { return line.find(word) != std::string::npos; });
}

/// Calls `each(line number, name, is_ours)` for each include; ours are those in quotes.
template <class Each>
void each_include(const Source& file, Each each) {
  static const std::regex include(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    std::smatch found;
    if (mentions(file.lines[i], {"include"}) && std::regex_search(file.lines[i], found, include)) {
      each(i + 1, found[2].str(), found[1] == "\"");
    }
  }
}

// ---- which way includes go
// -----------------------------------------------------------------------

/// A folder of protocol/ includes only itself and those before it.
constexpr std::array protocol_order = {"base",    "crypto",     "schema",  "log",  "keys",
                                       "records", "governance", "channel", "sync", "audit"};

struct Layer {
  std::string_view folder;
  std::vector<std::string_view> may_include;
};
/// The first whose folder a path begins with is its layer.
const std::vector<Layer>& layers() {
  static const std::vector<Layer> all = {
      {"protocol/", {"protocol/"}},
      {"storage/files/", {"protocol/", "storage/files/"}},
      {"storage/", {"protocol/", "storage/files/", "storage/"}},
      {"daemon/transport/", {"protocol/", "daemon/transport/"}},
      {"daemon/", {"protocol/", "storage/files/", "storage/", "daemon/transport/", "daemon/"}},
      {"client/", {"protocol/", "storage/files/", "daemon/transport/", "client/"}},
  };
  return all;
}
std::string_view layer_of(std::string_view path) {
  for (const Layer& layer : layers()) {
    if (path.starts_with(layer.folder)) return layer.folder;
  }
  return {};
}
/// The place of a path below protocol/ in the order; its end if it is not there.
std::size_t place_in_protocol(std::string_view path) {
  path.remove_prefix(std::string_view("protocol/").size());
  const auto folder = path.substr(0, path.find('/'));
  return static_cast<std::size_t>(std::ranges::find(protocol_order, folder) -
                                  protocol_order.begin());
}

void check_directions(const Source& file, Faults& faults) {
  const auto layer = std::ranges::find(layers(), layer_of(file.path), &Layer::folder);
  if (layer == layers().end()) return;
  each_include(file, [&](std::size_t line, const std::string& name, bool is_ours) {
    // Headers that the build makes of the schemas lie beside the codecs.
    if (!is_ours || name.ends_with(".capnp.h")) return;
    const std::string_view target = layer_of(name);
    if (!holds(layer->may_include, target)) {
      faults.push_back({file.path, line, "may not include " + name});
      return;
    }
    if (target != "protocol/" || layer->folder != "protocol/") return;
    const std::size_t to = place_in_protocol(name);
    if (to == protocol_order.size() || to > place_in_protocol(file.path)) {
      faults.push_back({file.path, line, "may not include " + name + ", which lies above it"});
    }
  });
}

// ---- one wrapper for each outside library
// ----------------------------------------------------------

struct Library {
  std::string_view header;                 // How its headers begin.
  std::vector<std::string_view> wrappers;  // The files, or folders, that may include them.
};
const std::vector<Library>& libraries() {
  static const std::vector<Library> all = {
      {"sodium", {"protocol/crypto/crypto.cpp", "daemon/random.cpp", "client/random.cpp"}},
      {"openssl/", {"protocol/crypto/sha256.cpp", "daemon/transport/tls."}},
      {"capnp/",
       {"protocol/schema/record_codec.cpp", "protocol/schema/peer_codec.cpp",
        "protocol/schema/local_codec.cpp"}},
      {"kj/",
       {"protocol/schema/record_codec.cpp", "protocol/schema/peer_codec.cpp",
        "protocol/schema/local_codec.cpp", "protocol/schema/capnp_for_clang.hpp"}},
      {"lmdb.h", {"storage/lmdb.cpp"}},
      {"yaml-cpp/", {"protocol/records/document.cpp"}},
      {"CLI/", {"daemon/settings.cpp", "client/command_line.cpp"}},
      {"nlohmann/", {"client/json_"}},
      {"boost/system/", {"protocol/base/result.hpp"}},
      {"boost/asio", {"daemon/", "client/connection."}},
      {"boost/", {}},  // No other part of it.
  };
  return all;
}

void check_wrappers(const Source& file, Faults& faults) {
  each_include(file, [&](std::size_t line, const std::string& name, bool is_ours) {
    if (is_ours) return;
    const auto library = std::ranges::find_if(
        libraries(), [&](const Library& one) { return name.starts_with(one.header); });
    if (library == libraries().end()) return;
    const bool allowed = std::ranges::any_of(library->wrappers, [&](std::string_view wrapper) {
      return file.path.starts_with(wrapper);
    });
    if (!allowed) faults.push_back({file.path, line, "includes <" + name + "> past its wrapper"});
  });
}

// ---- protocol/ touches nothing
// ---------------------------------------------------------------------

void check_purity(const Source& file, Faults& faults) {
  static constexpr std::array impure = {
      "chrono",     "thread",  "mutex",    "shared_mutex", "condition_variable",
      "future",     "atomic",  "random",   "fstream",      "iostream",
      "filesystem", "ctime",   "cstdio",   "time.h",       "stdio.h",
      "unistd.h",   "fcntl.h", "poll.h",   "pthread.h",    "netdb.h",
      "signal.h",   "csignal", "syslog.h", "semaphore"};
  if (!file.path.starts_with("protocol/")) return;
  each_include(file, [&](std::size_t line, const std::string& name, bool is_ours) {
    if (is_ours) return;
    const bool system = name.starts_with("sys/") || name.starts_with("netinet/");
    // Its last words before it stops the process.
    if (file.path == "protocol/base/check.cpp" && name == "cstdio") return;
    if (system || holds(impure, name)) {
      faults.push_back({file.path, line, "protocol/ may not touch <" + name + ">"});
    }
  });
}

// ---- words that need a reason, or a place
// ----------------------------------------------------------

void check_words(const Source& file, Faults& faults) {
  static const std::regex risky(
      R"(\b(reinterpret_cast|const_cast|shared_from_this)\b|\bdetached\b)");
  static const std::regex banned(R"(\bassert\(|\brand\(|\bstd::rand\b|\bsystem\(|\bgets\()");
  static const std::regex task(R"(\b(TODO|FIXME|XXX)\b)");
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    if (!mentions(file.lines[i], {"_cast", "shared_from", "detached", "assert", "rand", "system(",
                                  "gets", "TODO", "FIXME", "XXX"})) {
      continue;
    }
    const std::string code = code_of(file.lines[i]);
    const bool reasoned = has_comment(file.lines[i]) || (i > 0 && has_comment(file.lines[i - 1]));
    if (std::regex_search(code, risky) && !reasoned) {
      faults.push_back({file.path, i + 1, "needs a comment that says why: " + code});
    }
    if (std::regex_search(code, banned)) {
      faults.push_back({file.path, i + 1, "is not used in kith: " + code});
    }
    static const std::regex issue(R"(#[0-9]+)");
    if (std::regex_search(file.lines[i], task) && !std::regex_search(file.lines[i], issue)) {
      faults.push_back({file.path, i + 1, "names no issue: " + file.lines[i]});
    }
  }
}

/// A role is a label. These write it down, send it on or show it, and nothing else may look at it.
void check_roles(const Source& file, Faults& faults) {
  static constexpr std::array may_read = {"protocol/schema/record_codec.cpp",
                                          "protocol/schema/local_codec.cpp",
                                          "daemon/identity.cpp",
                                          "daemon/settings.cpp",
                                          "daemon/commands/init_command.cpp",
                                          "daemon/answers.cpp",
                                          "client/json_output.cpp"};
  static const std::regex role(R"((\.|->)role\b|::role\b|[gs]etRole\b)");
  if (holds(may_read, file.path)) return;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    if (mentions(file.lines[i], {"role", "Role"}) &&
        std::regex_search(code_of(file.lines[i]), role)) {
      faults.push_back({file.path, i + 1, "reads a role, which grants nothing to anybody"});
    }
  }
}

/// About 300 lines are aimed at; well beyond that a file has more than one reason to change.
void check_size(const Source& file, Faults& faults) {
  constexpr std::size_t lines_max = 500;
  // One codec for each request and answer; it is read by looking up one of them.
  constexpr std::size_t codec_lines_max = 1'000;
  const bool is_codec = file.path == "protocol/schema/local_codec.cpp";
  if (file.lines.size() > (is_codec ? codec_lines_max : lines_max)) {
    faults.push_back({file.path, file.lines.size(), "is too long for one file"});
  }
}

void check_header(const Source& file, Faults& faults) {
  if (!file.path.ends_with(".hpp")) return;
  if (file.lines.empty() || file.lines.front() != "#pragma once") {
    faults.push_back({file.path, 1, "does not begin with #pragma once"});
  }
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    if (file.lines[i].starts_with("using namespace ")) {
      faults.push_back({file.path, i + 1, "a header opens a namespace for all who include it"});
    }
  }
}

Faults faults_of(const Source& file) {
  Faults faults;
  for (const auto check : {check_directions, check_wrappers, check_purity, check_words, check_roles,
                           check_size, check_header}) {
    check(file, faults);
  }
  return faults;
}

// ---- the tests
// -------------------------------------------------------------------------------------

std::vector<Source> sources() {
  std::vector<Source> all;
  for (const char* folder : {"protocol", "storage", "daemon", "client"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const auto extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".hpp") continue;
      std::ifstream in(entry.path());
      all.push_back(source(entry.path().generic_string(),
                           std::string(std::istreambuf_iterator<char>(in), {})));
    }
  }
  return all;
}

TEST(Tidy, TheSourcesBreakNoRule) {
  const std::vector<Source> all = sources();
  ASSERT_GT(all.size(), 100U) << "run it from the root of the repository";
  for (const Source& file : all) {
    for (const Fault& fault : faults_of(file)) {
      ADD_FAILURE() << fault.path << ':' << fault.line << ": " << fault.what;
    }
  }
}

struct Case {
  const char* path;
  const char* text;
};

TEST(Tidy, ABadLineIsFound) {
  const std::vector<Case> bad = {
      {"protocol/log/a.cpp", "#include \"storage/files/file.hpp\"\n"},
      {"protocol/log/a.cpp", "#include \"protocol/keys/authors.hpp\"\n"},
      {"protocol/schema/a.cpp", "#include \"protocol/log/tile.hpp\"\n"},
      {"protocol/log/a.cpp", "#include \"protocol/unknown/a.hpp\"\n"},
      {"protocol/log/a.cpp", "#include \"leaf.hpp\"\n"},
      {"storage/files/a.cpp", "#include \"storage/lmdb.hpp\"\n"},
      {"storage/a.cpp", "#include \"daemon/clock.hpp\"\n"},
      {"daemon/transport/a.cpp", "#include \"daemon/clock.hpp\"\n"},
      {"daemon/transport/a.cpp", "#include \"storage/files/file.hpp\"\n"},
      {"daemon/a.cpp", "#include \"client/desk.hpp\"\n"},
      {"client/a.cpp", "#include \"storage/views.hpp\"\n"},
      {"client/commands/a.cpp", "#include \"daemon/identity.hpp\"\n"},
      {"client/a.cpp", "#include \"tests/support/entries.hpp\"\n"},
      {"daemon/a.cpp", "#include <sodium.h>\n"},
      {"protocol/log/a.cpp", "#include <openssl/sha.h>\n"},
      {"daemon/a.cpp", "  #  include <capnp/message.h>\n"},
      {"storage/views.cpp", "#include <lmdb.h>\n"},
      {"client/a.cpp", "#include <boost/asio.hpp>\n"},
      {"daemon/a.cpp", "#include <boost/algorithm/string.hpp>\n"},
      {"client/layout.cpp", "#include <nlohmann/json.hpp>\n"},
      {"client/a.cpp", "#include <CLI/CLI.hpp>\n"},
      {"protocol/records/a.cpp", "#include <yaml-cpp/yaml.h>\n"},
      {"protocol/sync/a.cpp", "#include <chrono>\n"},
      {"protocol/sync/a.cpp", "#include <random>\n"},
      {"protocol/sync/a.cpp", "#include <sys/socket.h>\n"},
      {"protocol/log/a.cpp", "#include <cstdio>\n"},
      {"daemon/a.cpp", "\nauto* p = reinterpret_cast<int*>(q);\n"},
      {"daemon/a.cpp", "\nco_spawn(io, run(), asio::detached);\n"},
      {"daemon/a.cpp", "\nauto self = shared_from_this();\n"},
      {"storage/a.cpp", "assert(size > 0);\n"},
      {"storage/a.cpp", "// TODO: later\n"},
      {"protocol/governance/a.cpp", "if (profile.role == \"secretary\") return true;\n"},
      {"daemon/a.cpp", "const auto& role = member->role;\n"},
      {"daemon/a.hpp", "// No guard.\n"},
      {"daemon/a.hpp", "#pragma once\nusing namespace std;\n"},
  };
  for (const Case& one : bad) {
    EXPECT_EQ(faults_of(source(one.path, one.text)).size(), 1U) << one.path << ": " << one.text;
  }
  std::string long_file;
  for (int i = 0; i < 501; ++i) long_file += "\n";
  EXPECT_EQ(faults_of(source("daemon/a.cpp", long_file)).size(), 1U);
}

TEST(Tidy, TheProtocolShowsTheSchemaOfLocalMessages) {
  const auto read = [](const char* path) {
    std::ifstream in(path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string schema = read("protocol/schema/local.capnp");
  const std::size_t begin = schema.find("struct Request");
  ASSERT_NE(begin, std::string::npos);
  EXPECT_NE(read("docs/PROTOCOL.md").find(schema.substr(begin) + "```"), std::string::npos)
      << "copy it from there";
}

TEST(Tidy, AGoodLineIsNot) {
  const std::vector<Case> good = {
      {"protocol/log/a.cpp", "#include \"protocol/log/leaf.hpp\"\n#include <vector>\n"},
      {"protocol/audit/a.cpp", "#include \"protocol/base/text.hpp\"\n"},
      {"protocol/schema/log_codec.cpp", "#include \"protocol/schema/log.capnp.h\"\n"},
      {"protocol/crypto/crypto.cpp", "#include <sodium.h>\n"},
      {"client/connection.cpp", "#include <boost/asio.hpp>\n"},
      {"client/a.cpp", "#include \"daemon/transport/tcp.hpp\"\n"},
      {"daemon/a.cpp", "#include <chrono>\n#include \"storage/views.hpp\"\n"},
      {"daemon/a.cpp", "// The socket API asks for it.\nauto* p = reinterpret_cast<int*>(q);\n"},
      {"daemon/a.cpp", "crypto_sign_detached();  static_assert(true);\n"},
      {"daemon/a.cpp", "// TODO(#12): later\n"},
      {"daemon/answers.cpp", "row.role = profile.role;\n"},
      {"daemon/a.cpp", "// A member's role grants nothing: profile.role is a label.\n"},
  };
  for (const Case& one : good) {
    for (const Fault& fault : faults_of(source(one.path, one.text))) {
      ADD_FAILURE() << one.path << ": " << one.text << fault.what;
    }
  }
}

}  // namespace
}  // namespace kith
