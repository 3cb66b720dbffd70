#pragma once

#include <boost/system/result.hpp>
#include <string>

namespace kith {

/// Why something failed, for code that must choose what to do next.
enum class Errc {
  malformed,      ///< The bytes do not follow the format.
  not_found,      ///< The thing asked for is not here.
  bad_signature,  ///< A signature, tag or commitment does not verify.
  bad_proof,      ///< A hash, root or path does not match.
  forbidden,      ///< The asker may not do this.
  conflict,       ///< It contradicts what is already held.
  unrequested,    ///< A peer sent what nobody asked for.
  too_large,      ///< A limit of limits.hpp is exceeded.
  stale,          ///< It is older than what is held, expired or already used.
  unavailable,    ///< It cannot be done now; later it may work.
  io,             ///< A file or socket failed.
  usage,          ///< A person asked for something that makes no sense.
};

/// A short stable word for `code`, as used in JSON output and counters.
[[nodiscard]] const char* name(Errc code);

/// An expected failure. Disk failures are exceptions; bugs are KITH_CHECK.
struct Error {
  Error() : code(Errc::malformed) {}  ///< Only because Boost 1.81 asks for one; never seen.
  Error(Errc why, std::string said) : code(why), detail(std::move(said)) {}

  Errc code;           ///< For code that must choose what to do next.
  std::string detail;  ///< For the operator: lower case, no full stop, no secrets.

  friend bool operator==(const Error&, const Error&) = default;
};

[[nodiscard]] Error fail(Errc code, std::string detail);
/// Passes a failure up, saying what was being attempted.
[[nodiscard]] Error fail(const Error& cause, const std::string& attempting);

/// A value, or the Error that explains its absence. Ignoring one is a compiler warning.
template <class T>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
 public:
  using boost::system::result<T, Error>::result;
};

}  // namespace kith
