#include "protocol/base/verdict.hpp"

namespace kith {

const char* name(Verdict verdict) {
  switch (verdict) {
    case Verdict::intact:
      return "intact";
    case Verdict::incomplete:
      return "incomplete";
    case Verdict::damaged:
      return "damaged";
    case Verdict::forged:
      return "forged";
    case Verdict::forked:
      return "forked";
  }
  return "";
}

}  // namespace kith
