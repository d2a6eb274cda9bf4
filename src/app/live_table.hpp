// The live table of `bmsd run --live`: all batteries in the terminal, refreshed in place.
#pragma once

#include <functional>
#include <map>

#include <boost/asio/io_context.hpp>

#include "loop/loop.hpp"
#include "model/battery.hpp"

namespace bmsd::app {

/// Draws at most twice a second, and only when something changed. In a terminal the table is refreshed in
/// place; elsewhere one line per battery is printed every ten seconds.
class LiveTable final : public Sink {
public:
    /// `lost` is called when the table can no longer be shown.
    LiveTable(boost::asio::io_context& io, std::function<void()> lost);
    ~LiveTable() override;

    void appeared(const Battery& battery) override { changed(battery); }
    void updated(const Battery& battery) override { changed(battery); }
    void waiting(const Battery& battery) override { changed(battery); }
    void removed(const Battery& battery) override;

    /// It was in a terminal, which is no longer there.
    [[nodiscard]] bool is_hung_up() const;

private:
    void changed(const Battery& battery);
    void draw();

    Timer timer_;
    std::map<std::string, const Battery*> batteries_;  ///< by place, so that the order is steady
    std::function<void()> lost_;
    bool terminal_;
    bool pending_ = false;
    std::size_t drawn_lines_ = 0;  ///< to go back up for the next picture
    Clock::time_point last_{};
};

/// The table as text: a head line and one line per battery; `coloured` marks trouble.
[[nodiscard]] std::string table_text(const std::map<std::string, const Battery*>& batteries, bool coloured);

}  // namespace bmsd::app
