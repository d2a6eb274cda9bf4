#include "app/last_good.hpp"

#include <gtest/gtest.h>

#include "folder.hpp"
#include "problems.hpp"
#include "replace_at_once.hpp"

using namespace bmsd;
using namespace bmsd::test;
using Kind = app::Problem::Kind;

namespace {

constexpr const char* good = "\xEF\xBB\xBF[DEFAULT]\r\nMAX_BATTERY_CHARGE_CURRENT = 20\n";
constexpr const char* bad = "[DEFAULT]\nMAX_BATTERY_CHARGE_CURRENT = 2O\nPOLL_INTERVAL = 5\n";

}  // namespace

TEST(LastGood, IsUsedInsteadOfOneWithAnUnsafeError) {
    TemporaryFolder folder;
    const app::LastGood kept(folder.path(), "/etc/config.ini");
    kept.keep(app::parse_config(good), at_once);
    const auto used = kept.instead_of(app::parse_config(bad));
    EXPECT_EQ(used.config.control.charge.max_a, 20);
    EXPECT_FALSE(used.config.defaults.poll_interval_s) << "all of it, not a mixture";
    EXPECT_TRUE(complains(used, Kind::error, 2, "'2O' is not a number")) << all(used);
    EXPECT_TRUE(mentions(used, "the last good configuration is used instead, kept in " + folder.path()));
    EXPECT_FALSE(used.has(Kind::safety)) << "the batteries may be charged";
    EXPECT_EQ(worst_error(used, "config.ini"),
              to_string(used.problems.front(), "config.ini") + "; the last good configuration is used instead");
}

TEST(LastGood, IsUsedWhenNothingSensibleCouldBeAsked) {
    TemporaryFolder folder;
    const app::LastGood kept(folder.path(), "/etc/config.ini");
    kept.keep(app::parse_config(good), at_once);
    const auto used = kept.instead_of(app::parse_config("[DEFAULT]\nBMS_TYPE = Jkbms_bp\n"));
    EXPECT_FALSE(used.has(Kind::fatal));
    EXPECT_EQ(used.config.control.charge.max_a, 20);
}

TEST(LastGood, IsNotNeededForHarmlessErrors) {
    TemporaryFolder folder;
    const app::LastGood kept(folder.path(), "/etc/config.ini");
    kept.keep(app::parse_config(good), at_once);
    const auto used = kept.instead_of(app::parse_config("[DEFAULT]\nPOLL_INTERVAL = x\n"));
    EXPECT_EQ(used.config.control.charge.max_a, 50);
}

TEST(LastGood, NothingWithErrorsIsKept) {
    TemporaryFolder folder;
    const app::LastGood kept(folder.path(), "/etc/config.ini");
    kept.keep(app::parse_config("[DEFAULT]\nPOLL_INTERVAL = x\n"), at_once);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_TRUE(kept.instead_of(app::parse_config(bad)).has(Kind::safety)) << "none is kept: 0 A";
}

TEST(LastGood, WhatReplacedABadOneIsNotTakenForTheFile) {
    TemporaryFolder folder;
    const app::LastGood kept(folder.path(), "/etc/config.ini");
    kept.keep(app::parse_config(good), at_once);
    kept.keep(kept.instead_of(app::parse_config(bad)), at_once);
    EXPECT_EQ(kept.instead_of(app::parse_config(bad)).config.control.charge.max_a, 20);
}

TEST(LastGood, TheCopyOfAnotherFileIsNotTaken) {
    TemporaryFolder folder;
    app::LastGood(folder.path(), "/etc/other.ini").keep(app::parse_config(good), at_once);
    EXPECT_TRUE(app::LastGood(folder.path(), "/etc/config.ini").instead_of(app::parse_config(bad)).has(Kind::safety));
}

TEST(LastGood, ATornCopyIsNotTaken) {
    TemporaryFolder folder;
    const app::LastGood kept(folder.path(), "/etc/config.ini");
    kept.keep(app::parse_config("[DEFAULT]\nPOLL_INTERVAL = 2\nMAX_BATTERY_CHARGE_CURRENT = 20\n"), at_once);
    const std::string file = folder.file("last-good.ini");
    const std::string whole = content(file);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        folder.write("last-good.ini", whole.substr(0, size));
        EXPECT_TRUE(kept.instead_of(app::parse_config(bad)).has(Kind::safety)) << size;
    }
    folder.write("last-good.ini", whole);
    EXPECT_EQ(kept.instead_of(app::parse_config(bad)).config.control.charge.max_a, 20);
}

TEST(LastGood, AChangedCopyIsNotTakenAndNamed) {
    TemporaryFolder folder;
    const app::LastGood kept(folder.path(), "/etc/config.ini");
    kept.keep(app::parse_config("[DEFAULT]\nMAX_BATTERY_CHARGE_CURRENT = 20\n"), at_once);
    const std::string whole = content(folder.file("last-good.ini"));
    for (std::size_t i = 0; i < 8 * whole.size(); ++i) {
        std::string changed = whole;
        changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
        folder.write("last-good.ini", changed);
        const auto used = kept.instead_of(app::parse_config(bad));
        EXPECT_TRUE(used.has(Kind::safety)) << changed;
        EXPECT_TRUE(complains(used, Kind::warning, 0, folder.file("last-good.ini") + " is damaged")) << all(used);
    }
}

TEST(LastGood, ACopyThatCannotBeReadIsNamedAndReplaced) {
    TemporaryFolder folder;
    const app::LastGood kept(folder.path(), "/etc/config.ini");
    std::filesystem::create_symlink(unreadable, folder.file("last-good.ini"));
    const auto used = kept.instead_of(app::parse_config(bad));
    EXPECT_TRUE(used.has(Kind::safety));
    EXPECT_TRUE(complains(used, Kind::warning, 0, "last-good.ini cannot be read (Input/output error)")) << all(used);
    kept.keep(app::parse_config(good), at_once);
    EXPECT_FALSE(kept.instead_of(app::parse_config(bad)).has(Kind::safety));
}

TEST(LastGood, AFolderInItsPlaceIsNamed) {
    TemporaryFolder folder;
    const app::LastGood kept(folder.path(), "/etc/config.ini");
    std::filesystem::create_directory(folder.file("last-good.ini"));
    EXPECT_TRUE(mentions(kept.instead_of(app::parse_config(bad)), "last-good.ini cannot be read (Is a directory)"));
}

TEST(LastGood, WithoutAStateDirectoryNothingIsKept) {
    const app::LastGood kept("", "/etc/config.ini");
    kept.keep(app::parse_config(good), at_once);
    EXPECT_TRUE(kept.instead_of(app::parse_config(bad)).has(Kind::safety));
}

TEST(LastGood, ADamagedCopyIsNotTaken) {
    TemporaryFolder folder;
    const app::LastGood kept(folder.path(), folder.file("config.ini"));
    kept.keep(app::parse_config(good), at_once);
    ASSERT_FALSE(kept.instead_of(app::parse_config(bad)).has(Kind::safety));
    folder.write("last-good.ini", "; last good copy of " + folder.file("config.ini") + "\n[DEFAULT]\nMAX_BATTERY_CH");
    EXPECT_TRUE(kept.instead_of(app::parse_config(bad)).has(Kind::safety));
}

TEST(LastGood, AFileThatCannotBeReadIsNotReplaced) {
    TemporaryFolder folder;
    const app::LastGood kept(folder.path(), "/nonexistent/config.ini");
    kept.keep(app::parse_config(good), at_once);
    EXPECT_TRUE(kept.instead_of(app::read_config("/nonexistent/config.ini")).has(Kind::fatal));
}
