// Someone who is told of batteries, and remembers it.
#pragma once

#include <string>
#include <vector>

#include "model/battery.hpp"

namespace bmsd::test {

class Witness final : public Sink {
public:
    void appeared(const Battery& battery) override { appeared_ids.push_back(battery.identity.id); }
    void updated(const Battery& battery) override {
        ++updates;
        last = battery.reading;
    }
    void removed(const Battery& battery) override { removed_ids.push_back(battery.identity.id); }
    void waiting(const Battery& battery) override { waiting_for = battery.link.trouble; }

    std::vector<std::string> appeared_ids, removed_ids;
    std::string waiting_for;
    int updates = 0;
    Reading last;
};

}  // namespace bmsd::test
