// What the commands return to the shell, where they agree.
#pragma once

namespace bmsd::app {

/// All is as it should be.
inline constexpr int ended_well = 0;
/// What was printed did not arrive.
inline constexpr int output_lost = 1;
/// Nothing was done: the command line, the configuration or the wiring wants a hand first.
inline constexpr int user_must_act = 2;

}  // namespace bmsd::app
