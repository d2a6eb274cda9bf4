// What a fuzz target holds true.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace bmsd::test {

/// Ends the run with a crash that names the invariant if it does not hold.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "invariant broken: %s\n", what);
    std::abort();
}

}  // namespace bmsd::test
