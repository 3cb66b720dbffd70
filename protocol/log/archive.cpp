#include "protocol/log/archive.hpp"

#include <algorithm>
#include <set>

#include "protocol/base/named_lines.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/crypto.hpp"
#include "protocol/log/lines.hpp"

namespace kith {
namespace {

constexpr std::string_view manifest_header = "kith-export v1";
constexpr std::string_view certificates_header = "kith-certificates v1";
constexpr std::string_view cosignatures_header = "kith-cosignatures v1";
constexpr std::size_t path_bytes_max = 80;
constexpr std::size_t path_parts = 2;
constexpr std::size_t vkey_bytes_max = 512;
constexpr std::string_view no_file = "-";

/// The words of a line, which one blank parts.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

/// "commons/ZZA": two names that mean nothing to a file system.
bool is_log_path(std::string_view path) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '~';
  };
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos || path.size() > path_bytes_max) return false;
  const std::array<std::string_view, path_parts> parts{path.substr(0, slash),
                                                       path.substr(slash + 1)};
  return std::ranges::all_of(parts, [&](std::string_view part) {
    return !part.empty() && std::ranges::all_of(part, is_plain);
  });
}

Result<ArchivedLog> decode_log(std::string_view line) {
  const Error refused = fail(Errc::malformed, "a line of a log is damaged");
  const auto words = words_of(line);
  ArchivedLog log;
  if (words.size() != 6 || !is_log_path(words[0]) || !octets_from_base32(words[1], log.member) ||
      !octets_from_base32(words[2], log.space) || !octets_from_base32(words[4], log.checkpoint)) {
    return refused;
  }
  // The one space there is: a log of another must not pass for one of it.
  if (log.space != commons || !words[0].starts_with("commons/")) return refused;
  const auto size = parse_decimal(words[3], limits::tree_size_max);
  if (!size || *size == 0) return refused;
  if (words[5] != no_file && !octets_from_base32(words[5], log.cosignatures.emplace())) {
    return refused;
  }
  log.path = words[0];
  log.size = *size;
  return log;
}

std::string manifest_lines(const Manifest& manifest) {
  std::string text = std::string(manifest_header) + "\n";
  add_line(text, "network", to_base32(manifest.network.view()));
  add_line(text, "name", manifest.network_name);
  add_line(text, "exporter", to_base32(manifest.exporter.view()));
  add_line(text, "time", std::to_string(manifest.time));
  add_line(text, "payloads", manifest.is_whole ? "all" : "clear");
  add_line(text, "certificates", to_base32(manifest.certificates.view()));
  for (const ArchivedLog& log : manifest.logs) {
    add_line(text, "log",
             log.path + ' ' + to_base32(log.member.view()) + ' ' + to_base32(log.space.view()) +
                 ' ' + std::to_string(log.size) + ' ' + to_base32(log.checkpoint.view()) + ' ' +
                 (log.cosignatures ? to_base32(log.cosignatures->view()) : std::string(no_file)));
  }
  for (const Hash& hash : manifest.evidence) add_line(text, "evidence", to_base32(hash.view()));
  for (const std::string& vkey : manifest.vkeys) add_line(text, "vkey", vkey);
  return text;
}

Result<bool> read_head(NamedLines& lines, Manifest& to) {
  std::string payloads;
  Result<bool> read = read_octets(lines, "network", to.network);
  if (read) read = read_words(lines, "name", limits::name_bytes_max, to.network_name);
  if (read) read = read_octets(lines, "exporter", to.exporter);
  if (read) read = read_number(lines, "time", to.time);
  if (read) read = read_words(lines, "payloads", limits::name_bytes_max, payloads);
  if (read) read = read_octets(lines, "certificates", to.certificates);
  to.is_whole = payloads == "all";
  return read;
}

Result<bool> read_logs(NamedLines& lines, Manifest& to) {
  std::set<std::string> paths;
  std::set<std::pair<MemberId, SpaceId>> logs;
  while (lines.next_is("log")) {
    const auto line = lines.value("log");
    if (!line) return line.error();
    auto log = decode_log(*line);
    if (!log) return log.error();
    if (to.logs.size() == limits::logs_max) return fail(Errc::too_large, "too many logs");
    if (!paths.insert(log->path).second || !logs.insert({log->member, log->space}).second) {
      return fail(Errc::malformed, "a log or a folder is listed twice: " + log->path);
    }
    to.logs.push_back(std::move(*log));
  }
  if (to.logs.empty()) return fail(Errc::malformed, "no log is listed");
  while (lines.next_is("evidence")) {
    Hash hash;
    const auto read = read_octets(lines, "evidence", hash);
    if (!read) return read;
    if (to.evidence.size() == limits::evidence_pieces_max) {
      return fail(Errc::too_large, "too many pieces of evidence");
    }
    if (std::ranges::count(to.evidence, hash) > 0) {
      return fail(Errc::malformed, "a piece of evidence is listed twice");
    }
    to.evidence.push_back(hash);
  }
  while (lines.next_is("vkey")) {
    const auto vkey = lines.value("vkey");
    if (!vkey) return vkey.error();
    if (vkey->size() > vkey_bytes_max || !decode_vkey(*vkey)) {
      return fail(Errc::malformed, "a verifier key is damaged");
    }
    to.vkeys.emplace_back(*vkey);
  }
  return true;
}

std::string encode_line(const Cosignature& word) {
  return std::to_string(word.size) + ' ' + to_base64(word.root.view()) + ' ' +
         to_base32(word.witness.view()) + ' ' + std::to_string(word.time_s) + ' ' +
         to_base64(word.signature.view()) + '\n';
}

Result<Cosignature> decode_line(std::string_view line, const LogId& log) {
  const Error refused = fail(Errc::malformed, "the line of a cosignature is damaged");
  const auto words = words_of(line);
  Cosignature word;
  word.log = log;
  if (words.size() != 5 || !octets_from_base32(words[2], word.witness)) return refused;
  const auto size = parse_decimal(words[0], limits::tree_size_max);
  const auto root = value_from_base64<TreeHash>(words[1]);
  const auto time = parse_decimal(words[3], cosignature_time_s_max);
  const auto signature = value_from_base64<Signature>(words[4]);
  if (!size || !root || !time || !signature) return refused;
  word.size = *size;
  word.root = *root;
  word.time_s = *time;
  word.signature = *signature;
  return word;
}

std::uint64_t tiles_of(std::uint64_t hashes) {
  return (hashes + limits::tile_hashes - 1) / limits::tile_hashes;
}

/// Calls `each` with number and width of every tile that `hashes` hashes fill.
bool each_tile(std::uint64_t hashes, const std::function<bool(std::uint64_t, unsigned)>& each) {
  for (std::uint64_t n = 0; n < tiles_of(hashes); ++n) {
    const std::uint64_t rest = hashes - n * limits::tile_hashes;
    if (!each(n, static_cast<unsigned>(std::min<std::uint64_t>(rest, limits::tile_hashes)))) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
  std::string text = manifest_lines(manifest);
  add_line(text, "check", to_base32(blake2b({view(text)}).view()));
  return text;
}

Result<Manifest> decode_manifest(std::string_view text) {
  if (text.size() > manifest_bytes_max) return fail(Errc::too_large, "the list of contents");
  NamedLines lines(text);
  const auto header = lines.exactly(manifest_header);
  if (!header) return header.error();
  Manifest manifest;
  Result<bool> read = read_head(lines, manifest);
  if (read) read = read_logs(lines, manifest);
  if (!read) return read.error();
  if (encode_manifest(manifest) != text) {
    return fail(Errc::malformed, "the list of contents was changed or cut off");
  }
  return manifest;
}

std::string encode_certificates(const std::vector<Bytes>& statements) {
  std::string text = std::string(certificates_header) + "\n";
  for (const Bytes& statement : statements) text += to_base64(statement) + '\n';
  return text;
}

Result<std::vector<Bytes>> decode_certificates(std::string_view text) {
  if (text.size() > certificates_bytes_max) return fail(Errc::too_large, "the certificates");
  if (take_line(text) != certificates_header) {
    return fail(Errc::malformed, "no certificates of version 1");
  }
  std::vector<Bytes> statements;
  while (const auto line = take_line(text)) {
    auto statement = from_base64(*line);
    if (!statement) return fail(statement.error(), "a certificate");
    if (statement->empty() || statement->size() > limits::statement_bytes_max) {
      return fail(Errc::malformed, "a certificate of a wrong length");
    }
    statements.push_back(std::move(*statement));
  }
  if (!text.empty()) return fail(Errc::malformed, "the last line is cut off");
  return statements;
}

std::string encode_cosignatures(const std::vector<Cosignature>& cosignatures) {
  std::string text = std::string(cosignatures_header) + "\n";
  for (const Cosignature& word : cosignatures) text += encode_line(word);
  return text;
}

Result<std::vector<Cosignature>> decode_cosignatures(std::string_view text, const LogId& log) {
  if (text.size() > cosignatures_bytes_max) return fail(Errc::too_large, "the cosignatures");
  if (take_line(text) != cosignatures_header) {
    return fail(Errc::malformed, "no cosignatures of version 1");
  }
  std::vector<Cosignature> words;
  std::set<MemberId> witnesses;
  while (const auto line = take_line(text)) {
    const auto word = decode_line(*line, log);
    if (!word) return word.error();
    if (!witnesses.insert(word->witness).second) {
      return fail(Errc::malformed, "two cosignatures of one witness");
    }
    words.push_back(*word);
  }
  if (!text.empty()) return fail(Errc::malformed, "the last line is cut off");
  return words;
}

std::string evidence_path(std::size_t position) {
  constexpr std::size_t digits = 3;
  const std::string number = std::to_string(position + 1);
  return "kith-evidence/" + std::string(digits - std::min(digits, number.size()), '0') + number +
         ".kith-evidence";
}

std::string payloads_path(std::uint64_t index, unsigned width) {
  return "kith/payloads/" + numbered_path(index, width);
}

void each_file(const ArchivedLog& log, const std::function<bool(const std::string&)>& each) {
  if (!each(std::string(checkpoint_name))) return;
  if (log.cosignatures && !each(std::string(cosignatures_name))) return;
  for (unsigned level = 0; hashes_at(log.size, level) > 0; ++level) {
    const auto tile = [&](std::uint64_t n, unsigned width) {
      return each(tile_path({level, n, width}));
    };
    if (!each_tile(hashes_at(log.size, level), tile)) return;
  }
  (void)each_tile(log.size, [&](std::uint64_t n, unsigned width) {
    return each(bundle_path(n, width)) && each(payloads_path(n, width));
  });
}

std::uint64_t count_files(const ArchivedLog& log) {
  std::uint64_t files = 1 + (log.cosignatures ? 1 : 0) + 2 * tiles_of(log.size);
  for (unsigned level = 0; hashes_at(log.size, level) > 0; ++level) {
    files += tiles_of(hashes_at(log.size, level));
  }
  return files;
}

}  // namespace kith
