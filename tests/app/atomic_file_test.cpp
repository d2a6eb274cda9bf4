#include "app/atomic_file.hpp"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "folder.hpp"

using namespace bmsd;
using test::content;
namespace fs = std::filesystem;

namespace {

std::size_t files_in(const std::string& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST(AtomicFile, WritesANewFileForItsOwnerOnly) {
    test::TemporaryFolder folder;
    const std::string text("a\0b\n", 4);
    ASSERT_TRUE(app::write_atomically(folder.file("new"), text));
    EXPECT_EQ(content(folder.file("new")), text);
    struct stat status {};
    ASSERT_EQ(::stat(folder.file("new").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(AtomicFile, ReplacesAFileAndLeavesNothingBeside) {
    test::TemporaryFolder folder;
    ASSERT_TRUE(app::write_atomically(folder.file("state"), std::string(100000, 'x')));
    ASSERT_TRUE(app::write_atomically(folder.file("state"), "short"));
    EXPECT_EQ(content(folder.file("state")), "short");
    EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, AFolderThatIsNotThereIsNamed) {
    const auto result = app::write_atomically("/nonexistent/state", "x");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().cls, ErrorClass::config);
    EXPECT_NE(result.error().detail.find("/nonexistent/state"), std::string::npos) << result.error().detail;
    EXPECT_NE(result.error().detail.find(std::generic_category().message(ENOENT)), std::string::npos);
}

TEST(AtomicFile, TheOldFileSurvivesAFullDisk) {
    test::TemporaryFolder folder;
    ASSERT_TRUE(app::write_atomically(folder.file("state"), "old"));
    // A limit on the size of files fails a write in the middle, as a full disk does.
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto result = app::write_atomically(folder.file("state"), std::string(5000, 'x'));
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    EXPECT_FALSE(result);
    EXPECT_EQ(content(folder.file("state")), "old");
    EXPECT_EQ(files_in(folder.path()), 1u) << "the half-written file is gone";
}

TEST(AtomicFile, WhatCannotBeReplacedIsKept) {
    test::TemporaryFolder folder;
    fs::create_directory(folder.file("state"));
    EXPECT_FALSE(app::write_atomically(folder.file("state"), "x"));
    EXPECT_TRUE(fs::is_directory(folder.file("state")));
    EXPECT_EQ(files_in(folder.path()), 1u);
}
