#include "control/curve.hpp"

#include <gtest/gtest.h>

using namespace bmsd::control;

namespace {

const Parameters defaults;

double linear(const Curve& curve, double x) {
    return fraction_at(curve, CurveShape::linear, StepSide::lower_x, x);
}
double step(const Curve& curve, StepSide side, double x) {
    return fraction_at(curve, CurveShape::step, side, x);
}

}  // namespace

TEST(Curve, StraightLinesBetweenPointsAndFlatBeyond) {
    const Curve& cells = defaults.charge.cell_v;  // descending in the file
    EXPECT_DOUBLE_EQ(linear(cells, 3.000), 1);
    EXPECT_DOUBLE_EQ(linear(cells, 3.375), 1);
    EXPECT_DOUBLE_EQ(linear(cells, 3.400), 0.25);
    EXPECT_NEAR(linear(cells, 3.3875), 0.625, 1e-12);
    EXPECT_NEAR(linear(cells, 3.475), 0.0025, 1e-12);
    EXPECT_DOUBLE_EQ(linear(cells, 3.600), 0);
    EXPECT_NEAR(linear(defaults.charge.temperature_c, 7.5), 0.75, 1e-12);
}

TEST(Curve, StepsTakeTheSmallerNeighbour) {
    EXPECT_DOUBLE_EQ(step(defaults.discharge.temperature_c, StepSide::upper_x, 42), 0.5);
    EXPECT_DOUBLE_EQ(step(defaults.discharge.temperature_c, StepSide::upper_x, 7), 0.5);
    EXPECT_DOUBLE_EQ(step(defaults.charge.mosfet_c, StepSide::lower_x, 75), 0.25);
    EXPECT_DOUBLE_EQ(step(defaults.discharge.soc_percent, StepSide::upper_x, 7), 0.1);
    EXPECT_DOUBLE_EQ(step(defaults.charge.soc_percent, StepSide::upper_x, 87), 0.5);
    EXPECT_DOUBLE_EQ(step(defaults.charge.cell_v, StepSide::lower_x, 3.39), 0.25);
}

TEST(Curve, StepsHaveTheirOwnValueAtAPoint) {
    EXPECT_DOUBLE_EQ(step(defaults.charge.cell_v, StepSide::lower_x, 3.400), 0.25);
    EXPECT_DOUBLE_EQ(step(defaults.discharge.temperature_c, StepSide::upper_x, 40), 1);
    EXPECT_DOUBLE_EQ(step(defaults.charge.temperature_c, StepSide::lower_x, 55), 0);
}

TEST(Curve, AStepOfZeroBeginsWhereTheCurveReachesIt) {
    EXPECT_DOUBLE_EQ(step(defaults.charge.cell_v, StepSide::lower_x, 3.46), 0.005) << "absorption goes on";
    EXPECT_DOUBLE_EQ(step(defaults.charge.cell_v, StepSide::lower_x, 3.50), 0);
    EXPECT_DOUBLE_EQ(step(defaults.charge.temperature_c, StepSide::lower_x, 1), 0) << "no charging near freezing";
    EXPECT_DOUBLE_EQ(step(defaults.discharge.temperature_c, StepSide::upper_x, -1), 0.25)
        << "the house keeps its light";
    EXPECT_DOUBLE_EQ(step(defaults.charge.mosfet_c, StepSide::lower_x, 85), 0.25);
}

TEST(Curve, ListsThatDoNotFitAllowNothing) {
    EXPECT_DOUBLE_EQ(linear({{1, 2, 3}, {1, 1}}, 2), 0);
    EXPECT_DOUBLE_EQ(linear({}, 2), 0);
}

TEST(Correction, FollowsTheMapAndGoesOnBeyondItsEnds) {
    const std::vector<double> reported = {-100, 0, 100}, measured = {-110, -1, 105};
    EXPECT_DOUBLE_EQ(corrected(reported, measured, 0), -1);
    EXPECT_DOUBLE_EQ(corrected(reported, measured, 50), 52);
    EXPECT_DOUBLE_EQ(corrected(reported, measured, 120), 125);
    EXPECT_DOUBLE_EQ(corrected(reported, measured, -130), -140);
    EXPECT_DOUBLE_EQ(corrected(reported, reported, 33.3), 33.3);
}
