#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "client/command_line.hpp"
#include "protocol/crypto/crypto.hpp"

/// A person at a desk, a daemon that says what the test wants, and the whole command line between.
namespace kith::client {

class FakeDaemon : public Daemon {
 public:
  template <class Request>
  void on(local::Answer answer) {
    answers_.insert_or_assign(local::Request(Request{}).index(), std::move(answer));
  }
  /// The answer from the moment on in which something was published.
  template <class Request>
  void after_publishing(local::Answer answer) {
    then_.insert_or_assign(local::Request(Request{}).index(), std::move(answer));
  }
  /// Asked before all others; what it does not answer, they do.
  std::function<std::optional<local::Answer>(const local::Request&)> first;
  /// Every request fails as if nobody listened.
  bool unreachable = false;
  std::vector<local::Progress> progress;  ///< Said before each answer.
  std::deque<local::Answer> arrivals;     ///< What next() gives; then the connection ends.
  std::vector<local::Request> asked;

  template <class Request>
  [[nodiscard]] const Request* last() const {
    for (auto at = asked.rbegin(); at != asked.rend(); ++at) {
      if (const auto* found = std::get_if<Request>(&*at)) return found;
    }
    return nullptr;
  }

  Result<local::Answer> ask(const local::Request& request, const OnProgress& on_progress) override;
  Result<local::Answer> next() override;

 private:
  std::map<std::size_t, local::Answer> answers_;
  std::map<std::size_t, local::Answer> then_;
};

struct Outcome {
  Exit exit = Exit::ok;
  std::string out;
  std::string err;

  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(out); }
};

/// Removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Bench {
 public:
  Bench();

  TemporaryFolder folder;
  FakeDaemon daemon;
  Desk desk;
  bool terminal = false;            ///< Whether all three streams are one.
  std::size_t width = 80;           ///< Of the terminal.
  std::string input;                ///< What the person types.
  std::deque<std::string> secrets;  ///< What the person types without echo.
  std::string edited;               ///< What the editor leaves.
  std::string shown_in_editor;
  std::size_t waits = 0;  ///< How often a command let others get on.

  Outcome run(const std::vector<std::string>& arguments);
  /// Makes the author key, without a passphrase.
  PublicKey make_author();
  void write(const std::string& name, const std::string& content) const;
  [[nodiscard]] std::string read(const std::string& name) const;
};

/// Names of the keys of an object, in order of the alphabet.
[[nodiscard]] std::vector<std::string> keys_of(const nlohmann::json& object);
/// Whether anything in `text` could do more to a terminal than print.
[[nodiscard]] bool is_harmless(const std::string& text);
[[nodiscard]] std::size_t lines_of(const std::string& text);

/// Text with everything that a terminal must not get.
inline const std::string nasty =
    "a\x1b[2Jb\x07\x9b"
    "c\xC2\x9B"
    "d\xE2\x80\xAE"
    "e\rf";

[[nodiscard]] local::StatusAnswer some_status();
[[nodiscard]] local::RecordSummary some_entry(std::uint8_t number, const std::string& title);
[[nodiscard]] local::ShowAnswer some_practice();
/// A candidate with a certificate that verifies.
[[nodiscard]] local::CandidateRow some_candidate(const std::string& code);
[[nodiscard]] local::ProposalRow some_proposal(std::uint8_t number);

/// The eight words of a fingerprint, with blanks between.
[[nodiscard]] std::string words_of(const MemberId& member);
/// A good practice as a file.
[[nodiscard]] std::string good_practice();

}  // namespace kith::client
