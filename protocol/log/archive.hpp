#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/limits.hpp"
#include "protocol/log/note.hpp"
#include "protocol/log/tile.hpp"
#include "protocol/schema/cosignature.hpp"

/// Bytes and names of an export: a folder that holds, for each log, a plain C2SP tlog-tiles tree
/// and, beside it under `kith/`, what kith adds (docs/PROTOCOL).
namespace kith {

/// The list of contents, in the folder itself.
inline constexpr std::string_view manifest_name = "kith-export";
/// The certificates of witnesses, beside it.
inline constexpr std::string_view certificates_name = "kith-certificates";
/// In the folder of a log.
inline constexpr std::string_view checkpoint_name = "checkpoint";
inline constexpr std::string_view cosignatures_name = "kith/cosignatures";

/// Cosignature lines of one checkpoint in an export: every verifier takes 16 lines.
inline constexpr std::size_t checkpoint_cosignatures_max = 15;
inline constexpr std::size_t manifest_bytes_max = 64 * limits::mi;
inline constexpr std::size_t certificates_bytes_max = 16 * limits::mi;
inline constexpr std::size_t cosignatures_bytes_max = 4 * limits::mi;

/// One log of an export.
struct ArchivedLog {
  std::string path;  ///< Its folder: "commons/ZZA".
  MemberId member;
  SpaceId space;
  std::uint64_t size = 0;  ///< Of its checkpoint; at least 1.
  Hash checkpoint;         ///< H of the file of its checkpoint ...
  std::optional<Hash>
      cosignatures;  ///< ... and of that with further cosignatures, if there is one.

  friend bool operator==(const ArchivedLog&, const ArchivedLog&) = default;
};

/// What an export holds. Nothing in it is believed: verifying derives all of it again. Its hashes
/// tell an accident from a forgery.
struct Manifest {
  NetworkId network;
  std::string network_name;
  MemberId exporter;      ///< Whose daemon wrote it.
  Millis time = 0;        ///< When.
  bool is_whole = false;  ///< Whether sealed payloads are in it, or only those in clear.
  Hash certificates;      ///< H of the file of certificates.
  std::vector<ArchivedLog> logs;
  std::vector<Hash> evidence;      ///< H of each file of evidence.
  std::vector<std::string> vkeys;  ///< Of the logs and of all witnesses, for outside tools.

  friend bool operator==(const Manifest&, const Manifest&) = default;
};
[[nodiscard]] std::string encode_manifest(const Manifest& manifest);
/// Strict: only what encode_manifest() writes, with its check line. Paths cannot leave the folder
/// and are different from one another, as are the logs.
[[nodiscard]] Result<Manifest> decode_manifest(std::string_view text);

/// Statements, in base64, one to a line.
[[nodiscard]] std::string encode_certificates(const std::vector<Bytes>& statements);
/// Strict. The statements themselves are not looked at.
[[nodiscard]] Result<std::vector<Bytes>> decode_certificates(std::string_view text);

/// Cosignatures that no line of the checkpoint holds: of smaller sizes, and beyond the first 15.
[[nodiscard]] std::string encode_cosignatures(const std::vector<Cosignature>& cosignatures);
/// Strict; none for the same witness twice.
[[nodiscard]] Result<std::vector<Cosignature>> decode_cosignatures(std::string_view text,
                                                                   const LogId& log);

/// "kith-evidence/001.kith-evidence" for the first.
[[nodiscard]] std::string evidence_path(std::size_t position);
/// "kith/payloads/x001/x234/067.p/8": the payloads of one bundle, as a payload list.
[[nodiscard]] std::string payloads_path(std::uint64_t index, unsigned width);
/// Calls `each` with the path of every file in the folder of a log, relative to it, until it
/// returns false.
void each_file(const ArchivedLog& log, const std::function<bool(const std::string&)>& each);
/// How many these are.
[[nodiscard]] std::uint64_t count_files(const ArchivedLog& log);

}  // namespace kith
