// Lists whose length a battery decides, and which therefore have an upper bound.
#pragma once

#include <cstddef>
#include <cstdint>

#include <boost/container/static_vector.hpp>

namespace bmsd {

/// A list kept in place: never allocates, never holds more than N elements.
template <class T, std::size_t N>
using Bounded = boost::container::static_vector<T, N>;

/// Largest number of cells in series any known BMS reports.
inline constexpr std::size_t max_cells = 64;
/// Largest number of battery temperature sensors kept.
inline constexpr std::size_t max_temperatures = 16;
/// Longest request or answer of any serial family; also the receive buffer of a port.
inline constexpr std::size_t max_frame = 1024;

/// Bytes of one request or answer.
using Bytes = Bounded<std::uint8_t, max_frame>;

}  // namespace bmsd
