// How a command says that it cannot do what it was told.
#pragma once

#include <string>

namespace bmsd::app {

/// {"error": why} on standard output, for programs.
void print_error_json(const std::string& why);

/// On standard error "command: why", and as JSON as well if the user wants that; returns user_must_act.
int complain(const std::string& command, const std::string& why, bool as_json);

}  // namespace bmsd::app
