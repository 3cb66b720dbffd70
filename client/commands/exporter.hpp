#pragma once

#include <string>
#include <vector>

#include "client/archive_folder.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/verifying.hpp"
#include "client/daemon.hpp"
#include "protocol/log/archive_writer.hpp"
#include "protocol/log/leaf.hpp"

namespace kith::client {

/// What was written and checked.
struct WrittenLogs {
  Manifest manifest;
  std::vector<LogReport> reports;     ///< One for each log of the manifest.
  std::vector<std::string> left_out;  ///< Codes of those that cannot be handed out yet.
};

/// Writes logs one after the other, and checks each as whoever is given it will.
class Exporter {
 public:
  /// All must outlive it. `before` lists what is taken over from the export that stands there.
  Exporter(const ExportOptions& options, const local::ExportLogsAnswer& answer,
           const local::EvidenceAnswer& evidence, FolderWriter& folder, const Manifest& before,
           Daemon& daemon, const Console& console);

  /// All but the list of contents itself. A log lacks its place in it if content in clear has not
  /// arrived here yet: then nobody could tell who may sign it. The exit code of the complaint if
  /// something failed.
  [[nodiscard]] Answered<WrittenLogs> run(Millis now);

 private:
  [[nodiscard]] Answered<ArchivedLog> write_log(const local::ExportedLog& log);
  Exit write_bundle(const local::ExportedLog& log, const std::string& path, std::uint64_t first,
                    ArchiveWriter& writer);
  /// Takes a bundle over, if nothing of it could be better now.
  [[nodiscard]] Result<bool> take_over(const std::string& bundle, const std::string& payloads,
                                       ArchiveWriter& writer);
  [[nodiscard]] bool has_all(const std::string& path, const std::vector<Leaf>& leaves) const;
  [[nodiscard]] Answered<local::ExportEntriesAnswer> ask_entries(
      const local::ExportEntriesRequest& request);
  [[nodiscard]] Result<bool> write_words(const local::ExportedLog& log, ArchivedLog& archived);
  [[nodiscard]] LogReport check(const ArchivedLog& log);
  [[nodiscard]] Result<bool> write_certificates(Manifest& manifest);
  [[nodiscard]] Result<bool> write_evidence(Manifest& manifest,
                                            const std::vector<Certificate>& witnesses);
  /// Complains where no progress bar stands.
  Exit refuse(const Error& error);

  const ExportOptions& options_;
  const local::ExportLogsAnswer& answer_;
  const local::EvidenceAnswer& evidence_;
  FolderWriter& folder_;
  Daemon& daemon_;
  const Console& console_;
  ProgressBar bar_;
  AuditProgress progress_;         // Each entry is written, then checked.
  std::vector<Bytes> statements_;  // Of these certificates.
  WitnessCertificates witnesses_;
  const Manifest& before_;
  std::uint64_t held_ = 0;
  bool keeps_payloads_ = false;
};

}  // namespace kith::client
