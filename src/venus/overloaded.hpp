// Lambdas as one function object, for std::visit.
#pragma once

namespace bmsd::venus {

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // clang needs to be told

}  // namespace bmsd::venus
