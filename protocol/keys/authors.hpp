#pragma once

#include <map>
#include <optional>
#include <vector>

#include "protocol/keys/certificate.hpp"

/// Who may speak at which index of one log: a pure fold over the statements in that log.
namespace kith {

/// The key history of one log of one member. Statements are added in the order of the log.
class KeyHistory {
 public:
  KeyHistory() = default;
  KeyHistory(const NetworkId& network, const MemberId& member);

  /// A certificate at `index`. Void (stale, conflict, forbidden: passed over, changing nothing)
  /// unless its number is higher than every earlier one and network and member fit. The founder's
  /// first names the network too (it follows Founding). conflict: another certificate of the same
  /// number is known. `index` must be higher than that of every statement before.
  [[nodiscard]] Result<bool> add_certificate(std::uint64_t index, BytesView statement);
  /// The list at `index` that belongs to the certificate right before it, which cuts. bad_proof
  /// unless its hash is that of the certificate and, where it names `log`, it says that this
  /// certificate's index is the log's size and `root` the tree before it. unrequested if no such
  /// certificate stands there.
  [[nodiscard]] Result<bool> add_cut_list(std::uint64_t index, BytesView list, const LogId& log,
                                          const TreeHash& root);
  /// The index of a certificate that cuts and has no list yet.
  [[nodiscard]] std::optional<std::uint64_t> cut_without_list() const { return cut_alone_; }
  /// An enrolment or withdrawal at `index`. Void unless its number is the next and its signer is
  /// a steward there.
  [[nodiscard]] Result<bool> add_enrolment(std::uint64_t index, BytesView statement);

  /// The last certificate among the first `size` leaves.
  [[nodiscard]] const Certificate* certificate_at(std::uint64_t size) const;
  /// Whether `author` holds every bit of `scopes` for a record at `index`. A certificate gives its
  /// steward, when it names one that the certificate before it did not, every scope from its index
  /// on. With no bit in `scopes`: whether `author` holds any scope there.
  [[nodiscard]] bool may(const PublicKey& author, Scopes scopes, std::uint64_t index) const;
  /// Whether `author` is the daemon's author key at `index`.
  [[nodiscard]] bool is_daemon(const PublicKey& author, std::uint64_t index) const;

  /// The number the next enrolment must carry.
  [[nodiscard]] std::uint32_t next_enrolment() const { return enrolments_ + 1; }
  [[nodiscard]] std::uint64_t newest_certificate_number() const;
  /// The highest number of a certificate that cuts; 0: there is none.
  [[nodiscard]] std::uint64_t newest_cut_number() const;
  /// All that count, each with the index from which on it holds, in the order of the log.
  [[nodiscard]] const std::vector<std::pair<std::uint64_t, Certificate>>& certificates() const {
    return certificates_;
  }
  /// What an author might say, from the entry `from` on to the one before `to`.
  struct Span {
    PublicKey author;
    Scopes scopes = 0;
    std::uint64_t from = 0;
    std::optional<std::uint64_t> to;  ///< Nothing: to the end.

    friend bool operator==(const Span&, const Span&) = default;
  };
  /// Every author's, in order of where they begin.
  [[nodiscard]] std::vector<Span> spans() const;
  /// Everyone ever enrolled with what they may do now, in order of key.
  [[nodiscard]] std::map<PublicKey, Scopes> authors() const;
  /// All valid statements in order, for the start of a new log of this member.
  struct Entry {
    std::uint64_t index = 0;
    bool is_certificate = false;
    Bytes statement;
  };
  [[nodiscard]] const std::vector<Entry>& statements() const { return statements_; }

 private:
  struct Change {
    std::uint64_t index = 0;
    Scopes scopes = 0;
  };
  void set_scopes(const PublicKey& author, std::uint64_t index, Scopes scopes);

  NetworkId network_{};
  MemberId member_{};
  std::vector<std::pair<std::uint64_t, Certificate>> certificates_;
  std::map<PublicKey, std::vector<Change>> changes_;
  std::uint32_t enrolments_ = 0;
  std::optional<std::uint64_t> cut_alone_;
  std::vector<Entry> statements_;
};

}  // namespace kith
