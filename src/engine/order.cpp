#include "engine/order.hpp"

#include <charconv>
#include <cmath>
#include <ctime>

#include "engine/detector.hpp"
#include "model/words.hpp"

namespace bmsd::engine {
namespace {

using namespace std::chrono_literals;

/// A BMS shows what was changed in its next measurement, not at once.
constexpr auto settling = 1500ms;
/// What must be left is left, if need be in several attempts.
constexpr int leaving_attempts = 3;

Error refused(std::string text) {
    return {ErrorClass::refused, std::move(text)};
}

/// One use of a control.
class Errand {
public:
    Errand(Dialogue& dialogue, Patient patient, const bms::Control& control, double value, std::int64_t local_time_s)
        : dialogue_(dialogue),
          patient_(std::move(patient)),
          control_(control),
          value_(value),
          local_time_s_(local_time_s) {}

    Task<Result<Done>> run() {
        Detector detector(dialogue_, patient_.options);
        const auto before = co_await detector.ask(patient_.family, patient_.address, Extent::everything);
        if (!before)
            co_return tl::unexpected(
                Error{ErrorClass::truncated, "the battery does not answer cleanly; nothing was sent"});
        known_ = *before;
        if (control_.forbids)
            if (const std::string_view why = control_.forbids(known_, value_); !why.empty())
                co_return tl::unexpected(refused(std::string(why) + "; nothing was sent"));

        const Result<void> stepped = co_await steps();
        const Result<void> left = co_await leave();
        if (!stepped) co_return tl::unexpected(stepped.error());
        if (!left) co_return tl::unexpected(left.error());

        co_await dialogue_.sleep_until(Clock::now() + settling);
        const auto after = co_await detector.ask(patient_.family, patient_.address, Extent::everything);
        if (!after)
            co_return tl::unexpected(
                Error{ErrorClass::truncated,
                      "the BMS acknowledged, but does not answer any more; look whether it took effect"});
        const Flag seen = control_.shows ? control_.shows(*after, value_) : Flag{};
        co_return Done{seen.value_or(false), *after};
    }

private:
    /// Each is sent once: a write whose acknowledge was lost may have taken effect.
    Task<Result<void>> steps() {
        for (const bms::Request& step : control_.steps) {
            const Result<void> taken = co_await send(step);
            if (!taken)
                co_return tl::unexpected(Error{taken.error().cls, "step \"" + std::string(step.name) +
                                                                      "\": " + taken.error().detail +
                                                                      "; what was sent before it was acknowledged"});
        }
        co_return Result<void>{};
    }

    Task<Result<void>> leave() {
        answered_.clear();
        for (const bms::Request& step : control_.finally) {
            Result<void> taken;
            for (int attempt = 0; attempt < leaving_attempts; ++attempt) {
                taken = co_await send(step);
                if (taken || dialogue_.device_error()) break;
            }
            if (!taken)
                co_return tl::unexpected(
                    Error{taken.error().cls, "the BMS did not leave its service mode: " + taken.error().detail +
                                                 "; switch it off and on again"});
        }
        co_return Result<void>{};
    }

    Task<Result<void>> send(const bms::Request& step) {
        Pace pace;
        Reading reading = known_;
        bms::Asking asking{patient_.address, false, &known_, patient_.options};
        asking.value = value_;
        asking.local_time_s = local_time_s_;
        asking.answered = answered_;
        const Result<void> taken =
            co_await dialogue_.ask(patient_.family, step, asking, pace, {counters_, evidence_}, reading);
        if (taken) {
            const auto payload = dialogue_.last_payload();
            answered_.assign(payload.begin(), payload.end());
            known_ = reading;
        }
        co_return taken;
    }

    Dialogue& dialogue_;
    Patient patient_;
    const bms::Control& control_;
    double value_;
    std::int64_t local_time_s_;
    Reading known_;
    Bytes answered_;
    Counters counters_;
    Evidence evidence_;
};

}  // namespace

Task<Result<Done>> carry_out(Dialogue& dialogue, Patient patient, const bms::Control& control, double value,
                             std::int64_t local_time_s) {
    Errand errand(dialogue, std::move(patient), control, value, local_time_s);
    co_return co_await errand.run();
}

const bms::Control* find_control(const bms::Family& family, std::string_view name) noexcept {
    for (const bms::Control& control : family.controls)
        if (same_word(control.name, name)) return &control;
    return nullptr;
}

std::string_view control_name(Order order) noexcept {
    switch (order) {
        case Order::charging: return "charge";
        case Order::discharging: return "discharge";
        case Order::balancer: return "balance";
        case Order::soc: return "soc";
        case Order::clear_history: break;
    }
    return {};
}

std::int64_t local_time_s() {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    return now + local.tm_gmtoff;
}

Result<double> parse_value(const bms::Control& control, std::string_view text) {
    const auto fail = [&](const char* takes) {
        return tl::unexpected(Error{
            ErrorClass::config, std::string(control.name) + " takes " + takes + ", not '" + std::string(text) + "'"});
    };
    text = trim(text);
    switch (control.setting) {
        case bms::Setting::action: return text.empty() ? Result<double>(0.0) : fail("no value");
        case bms::Setting::on_off:
            if (same_word(text, "on") || text == "1") return 1.0;
            if (same_word(text, "off") || text == "0") return 0.0;
            return fail("on or off");
        case bms::Setting::percent: break;
    }
    if (text.ends_with('%')) text.remove_suffix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= 100))
        return fail("0..100 %");
    return value;
}

}  // namespace bmsd::engine
