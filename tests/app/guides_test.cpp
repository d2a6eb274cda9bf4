// The pages of docs/guides are what the program says.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "app/list_command.hpp"
#include "bms/catalog.hpp"

using namespace bmsd;

namespace {

const std::filesystem::path folder = std::string(BMSD_TEST_DATA) + "/../../docs/guides";

}  // namespace

TEST(Guides, AreWhatTheProgramPrints) {
    for (const bms::Family* family : bms::catalog()) {
        std::ifstream file(folder / (std::string(family->key) + ".md"), std::ios::binary);
        const std::string page{std::istreambuf_iterator<char>(file), {}};
        EXPECT_EQ(page, app::guide_page(*family)) << family->key << ": run scripts/generate";
    }
}

TEST(Guides, AreThereForEveryFamilyAndNoOther) {
    std::size_t pages = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) pages += entry.path().extension() == ".md";
    EXPECT_EQ(pages, bms::catalog().size());
}
