#include "model/decimals.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "model/python_text.hpp"

namespace bmsd {
namespace {

std::string fixed(double number, int decimals) {
    std::array<char, fixed_room> buffer;
    return {buffer.data(), write_fixed(buffer.data(), number, decimals)};
}

std::string printed(double number, int decimals) {
    std::array<char, fixed_room> buffer;
    std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, number);
    return buffer.data();
}

/// Numbers from a millionth to a billion, every second one rounded to 0..4 decimals: those meet the ties.
template <class Check>
void for_many_numbers(Check check) {
    std::mt19937_64 random(20261126);
    std::uniform_real_distribution<double> exponent(-6, 12), share(-1, 1);
    for (int i = 0; i < 20000; ++i) {
        const double number = share(random) * std::pow(10, exponent(random)), power = std::pow(10, i % 5);
        check(i % 2 == 0 ? std::nearbyint(number * power) / power : number);
    }
}

TEST(Decimals, AreThoseOfPrintf) {
    for_many_numbers([](double number) {
        for (int decimals = 0; decimals <= 15; ++decimals)
            ASSERT_EQ(fixed(number, decimals), printed(number, decimals)) << decimals;
    });
    for (const double number : {0.0, -0.0, -0.001, 0.5, 2.5, 1.005, 2.675, 999999999.4, 1e9, 1e300, -1e300})
        for (int decimals = 0; decimals <= 15; ++decimals)
            EXPECT_EQ(fixed(number, decimals), printed(number, decimals)) << decimals;
    EXPECT_EQ(fixed(-std::numeric_limits<double>::infinity(), 2), "-inf");
    EXPECT_EQ(fixed(std::numeric_limits<double>::quiet_NaN(), 2), "nan");
}

std::string fast_python_text(double number, int decimals) {
    std::array<char, fixed_room> buffer;
    return {buffer.data(), write_python_text(buffer.data(), number, decimals)};
}

TEST(Decimals, PythonsTextIsTheSameFoundFast) {
    for_many_numbers([](double number) {
        for (int decimals = 0; decimals <= 15; ++decimals)
            ASSERT_EQ(fast_python_text(number, decimals), python_text(number)) << decimals;
    });
    EXPECT_EQ(fast_python_text(57.0, 0), "57.0");
    EXPECT_EQ(fast_python_text(-0.0, 2), "-0.0");
    EXPECT_EQ(fast_python_text(52.8, 3), "52.8");
    EXPECT_EQ(fast_python_text(0.00001, 5), "1e-05");
    EXPECT_EQ(fast_python_text(100.0, 1), "100.0");
}

TEST(Decimals, AreRoundedFromTheExactNumber) {
    EXPECT_EQ(in_last_decimals(52.808, 2), 5281U);
    EXPECT_EQ(in_last_decimals(-3.3, 3), 3300U);
    EXPECT_EQ(in_last_decimals(2.675, 2), 267U) << "the double is a little less than it looks";
    EXPECT_EQ(in_last_decimals(8.345, 2), 835U) << "and this one a little more";
    EXPECT_EQ(in_last_decimals(0.5, 0), 0U) << "ties go to the even one";
    EXPECT_EQ(in_last_decimals(1.5, 0), 2U);
    EXPECT_EQ(in_last_decimals(2e9, 0), std::nullopt);
    EXPECT_EQ(in_last_decimals(std::numeric_limits<double>::quiet_NaN(), 0), std::nullopt);
}

TEST(Round, IsThatOfTheExactBinaryValue) {
    EXPECT_EQ(round_to(2.675, 2), 2.67) << "the double is a little less than 2.675";
    EXPECT_EQ(round_to(1.005, 2), 1.0);
    EXPECT_EQ(round_to(0.125, 2), 0.12) << "an exact tie goes to the even digit";
    EXPECT_EQ(round_to(0.375, 2), 0.38);
    EXPECT_EQ(round_to(2.5, 0), 2);
    EXPECT_EQ(round_to(3.5, 0), 4);
    EXPECT_EQ(round_to(-2.5, 0), -2);
    EXPECT_EQ(round_to(52.808, 2), 52.81);
    EXPECT_EQ(round_to(-651.65072, 2), -651.65);
    EXPECT_EQ(round_to(0.1 + 0.2, 3), 0.3);
    EXPECT_EQ(round_to(123456789012.345, 2), 123456789012.35) << "the double is a little more than .345";
    EXPECT_EQ(round_to(1e300, 3), 1e300);
}

TEST(Round, NeverGivesMinusZero) {
    EXPECT_FALSE(std::signbit(round_to(-0.001, 2)));
    EXPECT_FALSE(std::signbit(round_to(-0.0, 2)));
}

}  // namespace
}  // namespace bmsd
