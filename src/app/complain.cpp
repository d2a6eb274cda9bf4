#include "app/complain.hpp"

#include <cstdio>

#include <boost/json.hpp>

#include "app/exit_codes.hpp"
#include "app/reading_json.hpp"
#include "venus/utf8.hpp"

namespace bmsd::app {

void print_error_json(const std::string& why) {
    std::printf("%s\n", to_text(boost::json::object{{"error", venus::valid_utf8(why)}}).c_str());
}

int complain(const std::string& command, const std::string& why, bool as_json) {
    std::fprintf(stderr, "%s: %s\n", command.c_str(), why.c_str());
    if (as_json) print_error_json(why);
    return user_must_act;
}

}  // namespace bmsd::app
