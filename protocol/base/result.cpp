#include "protocol/base/result.hpp"

namespace kith {

const char* name(Errc code) {
  switch (code) {
    case Errc::malformed:
      return "malformed";
    case Errc::not_found:
      return "not_found";
    case Errc::bad_signature:
      return "bad_signature";
    case Errc::bad_proof:
      return "bad_proof";
    case Errc::forbidden:
      return "forbidden";
    case Errc::conflict:
      return "conflict";
    case Errc::unrequested:
      return "unrequested";
    case Errc::too_large:
      return "too_large";
    case Errc::stale:
      return "stale";
    case Errc::unavailable:
      return "unavailable";
    case Errc::io:
      return "io";
    case Errc::usage:
      return "usage";
  }
  return "unknown";
}

Error fail(Errc code, std::string detail) { return {code, std::move(detail)}; }

Error fail(const Error& cause, const std::string& attempting) {
  return {cause.code, attempting + ": " + cause.detail};
}

}  // namespace kith
