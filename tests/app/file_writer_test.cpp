// Files written beside the loop, on a disk that takes its time.
#include "app/file_writer.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.hpp"

using namespace bmsd;

namespace {

class FileWriterTest : public testing::Test {
protected:
    FileWriterTest() { ::inotify_add_watch(watch_, folder_.path().c_str(), IN_MOVED_TO); }
    ~FileWriterTest() override { ::close(watch_); }

    /// How often files of the folder were replaced; the same one several times in a row counts once.
    [[nodiscard]] std::ptrdiff_t replaced() const {
        alignas(inotify_event) char events[64 * 1024];
        const ssize_t size = ::read(watch_, events, sizeof events);
        std::ptrdiff_t count = 0;
        for (ssize_t at = 0; at < size; ++count) {
            inotify_event event{};
            std::memcpy(&event, events + at, sizeof event);
            at += static_cast<ssize_t>(sizeof event + event.len);
        }
        return count;
    }
    /// A disk that takes this file only when it is read from.
    void block(const std::string& name) const { ASSERT_EQ(::mkfifo(folder_.file(name + ".new").c_str(), 0600), 0); }
    void release(const std::string& name) const {
        const int fd = ::open(folder_.file(name + ".new").c_str(), O_RDONLY);
        char byte[1];
        EXPECT_EQ(::read(fd, byte, 1), 1);
        ::close(fd);
    }

    /// A disk that takes no new content of this file, until it is mended.
    void refuse(const std::string& name) const { ASSERT_EQ(::mkdir(folder_.file(name + ".new").c_str(), 0700), 0); }
    void mend(const std::string& name) const { ASSERT_EQ(::rmdir(folder_.file(name + ".new").c_str()), 0); }

    [[nodiscard]] Report report() {
        return [this](Severity, const std::string& text) { log_ += text + "\n"; };
    }
    [[nodiscard]] std::ptrdiff_t lines() const { return std::count(log_.begin(), log_.end(), '\n'); }
    /// A millisecond of the loop. True: it waits for something.
    bool step() {
        ::usleep(1000);
        io_.restart();
        io_.poll();
        return !io_.stopped();
    }
    /// Runs the loop until the log has so many lines, or for some seconds.
    void run_until_logged(std::ptrdiff_t wanted) {
        for (int i = 0; i < 5000 && lines() < wanted; ++i) step();
        ASSERT_EQ(lines(), wanted) << log_;
    }

    test::TemporaryFolder folder_;
    int watch_ = ::inotify_init1(IN_NONBLOCK);
    boost::asio::io_context io_;
    std::string log_;
};

}  // namespace

TEST_F(FileWriterTest, WritesOnlyTheNewestOfWhatWaitsForTheDisk) {
    block("slow");
    {
        app::FileWriter files(io_.get_executor(), [this](Severity, const std::string& text) { log_ += text + "\n"; });
        files.write(folder_.file("slow"), "x");
        for (int i = 0; i < 1000; ++i) {
            files.write(folder_.file("a"), std::to_string(i));
            files.write(folder_.file("b"), std::to_string(-i));
        }
        release("slow");
    }
    EXPECT_EQ(test::content(folder_.file("a")), "999");
    EXPECT_EQ(test::content(folder_.file("b")), "-999");
    // A pipe is no disk: "slow" is written at the end, when it is gone.
    EXPECT_EQ(replaced(), 3);
    EXPECT_NE(log_.find("slow: does not reach the disk"), std::string::npos) << log_;
    EXPECT_NE(log_.find("slow: written again"), std::string::npos) << log_;
}

TEST_F(FileWriterTest, LeavesAFileAloneThatIsAsItShouldBe) {
    folder_.write("a", "as it was");
    folder_.write("b", "as it was, and more");
    {
        app::FileWriter files(io_.get_executor(), [this](Severity, const std::string& text) { log_ += text; });
        for (const char* name : {"a", "b"}) files.write(folder_.file(name), "as it was");
    }
    EXPECT_EQ(test::content(folder_.file("b")), "as it was");
    EXPECT_EQ(replaced(), 1) << "only b";
    EXPECT_EQ(log_, "");
}

TEST_F(FileWriterTest, WritesAFileAgainAfterItWasWritten) {
    for (const char* content : {"one", "two"}) {
        app::FileWriter files(io_.get_executor(), [this](Severity, const std::string& text) { log_ += text; });
        files.write(folder_.file("a"), content);
        while (test::content(folder_.file("a")) != content) ::usleep(1000);
        files.write(folder_.file("a"), "three");
        while (test::content(folder_.file("a")) != "three") ::usleep(1000);
    }
    EXPECT_EQ(log_, "");
}

TEST_F(FileWriterTest, TriesWhatFailedAgainWithTheNextWriteOfAnyFile) {
    app::FileWriter files(io_.get_executor(), report());
    refuse("a");
    files.write(folder_.file("a"), "one");
    run_until_logged(1);
    files.write(folder_.file("a"), "two");
    files.write(folder_.file("b"), "one");
    while (test::content(folder_.file("b")) != "one") ::usleep(1000);
    EXPECT_FALSE(std::filesystem::exists(folder_.file("a")));
    mend("a");
    files.write(folder_.file("b"), "two");
    run_until_logged(2);
    EXPECT_EQ(test::content(folder_.file("a")), "two") << "the newest of it";
    EXPECT_EQ(log_.substr(log_.find('\n') + 1), folder_.file("a") + ": written again\n");
}

TEST_F(FileWriterTest, TriesWhatFailedAgainAfterAPauseAndIsQuietOtherwise) {
    app::FileWriter files(io_.get_executor(), report(), std::chrono::milliseconds{50});
    refuse("a");
    files.write(folder_.file("a"), "one");
    run_until_logged(1);
    for (int i = 0; i < 200; ++i) step();
    EXPECT_EQ(lines(), 1) << "it is said once: " << log_;
    mend("a");
    run_until_logged(2);
    EXPECT_EQ(test::content(folder_.file("a")), "one");
    EXPECT_FALSE(step()) << "nothing is left to wake up for";
    EXPECT_EQ(lines(), 2) << log_;
}

TEST_F(FileWriterTest, TriesWhatFailedOnceMoreAtTheEnd) {
    refuse("a");
    {
        app::FileWriter files(io_.get_executor(), report());
        files.write(folder_.file("a"), "one");
        run_until_logged(1);
        mend("a");
    }
    EXPECT_EQ(test::content(folder_.file("a")), "one");
    EXPECT_EQ(lines(), 2) << log_;
}

TEST_F(FileWriterTest, SaysWhyAFolderCannotBeMade) {
    folder_.write("file", "");
    {
        app::FileWriter files(io_.get_executor(), report());
        files.write(folder_.file("file/below/a"), "one");
    }
    EXPECT_EQ(log_, folder_.file("file/below/a") + ": its folder cannot be made: Not a directory\n");
}
