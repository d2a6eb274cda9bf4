// The buffer of the signal ItemsChanged; what a client reads from it: tree_test.cpp.
#include "venus/items_signal.hpp"

#include <string>

#include <gtest/gtest.h>

namespace bmsd::venus {
namespace {

std::string written(ItemsSignal& signal, std::size_t length) {
    constexpr Format volts{Format::Style::fixed, 2, 2, "V"};
    signal.begin();
    signal.add("/CustomName", Value{std::string(length, 'x')}, {});
    signal.add("/Dc/0/Voltage", Value{52.81}, volts);
    signal.add("/Soc", Value{std::int32_t{57}}, {});
    signal.add("/Settings/Known", Value{true}, {});
    signal.add("/Settings/List", Value{List{std::int32_t{1}, 2.5, std::string{"three"}}}, {});
    signal.add("/TimeToGo", Value{Invalid{}}, {});
    const auto message = signal.finish();
    return {message.begin(), message.end()};
}

/// Wherever the room ends within an item, it becomes larger and nothing is lost.
TEST(ItemsSignal, IsTheSameInABufferThatGrows) {
    for (std::size_t length = 3500; length <= 4200; ++length) {  // told as value and as text
        ItemsSignal fresh, roomy;
        roomy.add("/CustomName", Value{std::string(100'000, 'x')}, {});
        ASSERT_EQ(written(fresh, length), written(roomy, length)) << length;
    }
}

}  // namespace
}  // namespace bmsd::venus
