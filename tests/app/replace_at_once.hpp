// Files replaced before the next line of a test.
#pragma once

#include <gtest/gtest.h>

#include "app/atomic_file.hpp"

namespace bmsd::test {

/// An app::ReplaceFile.
inline void at_once(const std::string& path, const std::string& content) {
    const auto written = app::write_atomically(path, content);
    EXPECT_TRUE(written) << written.error().detail;
}

}  // namespace bmsd::test
