#pragma once

// Cap'n Proto 0.9.2 compares `const char*` with its own strings by a template that clang 19 refuses
// in C++20. Included before everything else where clang compiles the codecs
// (protocol/CMakeLists.txt).
#include <kj/string.h>

namespace kj {

inline bool operator==(const char* a, const StringPtr& b) { return b == StringPtr(a); }
inline bool operator!=(const char* a, const StringPtr& b) { return !(b == StringPtr(a)); }

}  // namespace kj
