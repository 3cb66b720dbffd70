#pragma once

#include <filesystem>
#include <fstream>

#include "protocol/audit/archive_files.hpp"
#include "storage/files/file.hpp"
#include "storage/files/folder.hpp"

/// An export as a folder.
namespace kith::client {

class FolderFiles : public ArchiveFiles {
 public:
  explicit FolderFiles(const std::filesystem::path& folder) : folder_(folder) {}

  [[nodiscard]] Result<Bytes> read(const std::string& path, std::size_t bytes_max) const override;
  [[nodiscard]] Result<std::unique_ptr<ByteSource>> open(const std::string& path) const override;
  void each(const std::function<bool(const std::string&)>& each) const override;

 private:
  files::Folder folder_;
};

/// An export that is being written: beside its place, and put there by finish(), so that there is
/// the whole new one or what was there before; on a file system that cannot exchange two names see
/// files::put_folder(). What did not change since the export that stands there is linked, not
/// written again. One at a time for each place.
class FolderWriter {
 public:
  /// usage if something else than an export stands at `place`; conflict if another writes to it,
  /// naming its process; io.
  [[nodiscard]] static Result<FolderWriter> begin(const std::filesystem::path& place);
  FolderWriter(FolderWriter&& other) noexcept;
  FolderWriter& operator=(FolderWriter&&) = delete;
  /// Removes what was not finished.
  ~FolderWriter();

  /// A whole file; folders are made.
  [[nodiscard]] Result<bool> write(const std::string& path, BytesView content);
  /// A file that comes in pieces: the next piece of it, or its first.
  [[nodiscard]] Result<bool> append(const std::string& path, BytesView content);
  /// Takes a file over from the export that stands at the place; false if there is none.
  [[nodiscard]] bool keep(const std::string& path);
  /// Removes a folder and all that was written into it.
  [[nodiscard]] Result<bool> leave_out(const std::string& path);
  /// What stands at the place.
  [[nodiscard]] const FolderFiles& before() const { return before_; }
  /// What was written so far.
  [[nodiscard]] const FolderFiles& files() const { return files_; }
  /// Makes all of it durable and puts it into its place, as files::put_folder() says.
  [[nodiscard]] Result<bool> finish();

 private:
  FolderWriter(std::filesystem::path place, std::filesystem::path part, files::Lock lock);
  [[nodiscard]] Result<std::filesystem::path> path_for(const std::string& path);
  [[nodiscard]] Result<bool> close();
  [[nodiscard]] Error not_written();

  std::filesystem::path place_;
  std::filesystem::path part_;  // Holds the lock and what is written; empty: another's now.
  std::filesystem::path made_;  // What is written.
  files::Lock lock_;
  FolderFiles before_;
  FolderFiles files_;
  std::ofstream open_;
  std::string open_path_;
};

}  // namespace kith::client
