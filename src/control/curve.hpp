// Curves of the user: straight lines or steps between points.
#pragma once

#include <span>

#include "control/parameters.hpp"

namespace bmsd::control {

/// In step mode, between two points of which one allows nothing: which of them counts (charge-control §5.1).
enum class StepSide { lower_x, upper_x };

/// What `curve` allows at `x`, as a fraction (charge-control §5.1, "ours"). Beyond its ends a curve is flat.
/// A curve without points, or with lists of different length, allows nothing.
[[nodiscard]] double fraction_at(const Curve& curve, CurveShape shape, StepSide zero_side, double x);

/// The line through points with ascending `x`; beyond its ends the offset of the end point goes on
/// (battery-logic §4, "ours"). Lists that do not fit, or are equal, change nothing.
[[nodiscard]] double corrected(std::span<const double> x, std::span<const double> y, double value);

}  // namespace bmsd::control
