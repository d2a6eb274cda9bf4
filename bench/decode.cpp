// What one answer costs from the last byte to the finished reading: every request of every family.
#include <algorithm>
#include <string>

#include <benchmark/benchmark.h>

#include "bms/catalog.hpp"
#include "bms/transaction.hpp"

namespace {

using namespace bmsd;

/// A battery that has something to say in every field the families know.
Reading rich_reading() {
    Reading reading;
    reading.voltage_v = 52.8;
    reading.current_a = -34.5;
    reading.power_w = -1821.6;
    reading.soc_percent = 63;
    reading.soh_percent = 98;
    reading.capacity_ah = 280;
    reading.capacity_remaining_ah = 176.4;
    reading.capacity_full_ah = 278;
    reading.cycles = 212;
    reading.total_charge_ah = 59360;
    reading.cell_count = 16;
    reading.mosfet_temperature_c = 31.5;
    reading.max_charge_current_a = 140;
    reading.max_discharge_current_a = 180;
    reading.balance_current_a = -0.8;
    reading.charge_fet = reading.discharge_fet = reading.balance_fet = reading.balancing_active = true;
    reading.model = "BENCH-16S";
    reading.hardware_version = "15A";
    reading.software_version = "15.41";
    reading.serial_number = "2409012345";
    reading.production_date = "2024-09-01";
    for (int cell = 0; cell < 16; ++cell) {
        reading.cell_voltages_v.push_back(3.290 + 0.001 * cell);
        reading.cell_resistances_ohm.push_back(0.050 + 0.001 * cell);
    }
    for (const double celsius : {21.4, 22.0, 20.9, 23.3}) reading.temperatures_c.push_back(celsius);
    reading.alarms.raise(Alarm::high_cell_voltage, Level::alarm);
    reading.alarms.raise(Alarm::low_temperature, Level::warning);
    return reading;
}

void decode_answer(benchmark::State& state, const bms::Family& family, const bms::Request& request) {
    const bms::Asking asking{.address = family.addresses.standard};
    Bytes frame;
    bms::answer(family, request, asking, rich_reading(), frame);

    bms::Transaction transaction;
    Reading reading;
    for (auto _ : state) {
        transaction.start(family, request, asking);
        std::copy(frame.begin(), frame.end(), transaction.room().begin());
        transaction.received(frame.size());
        if (const auto result = transaction.finish(reading); !result) {
            state.SkipWithError(result.error().detail.c_str());
            return;
        }
        benchmark::DoNotOptimize(reading);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(frame.size()));
}

}  // namespace

int main(int argc, char** argv) {
    for (const bms::Family* family : bms::catalog())
        for (const bms::Request& request : family->requests)
            benchmark::RegisterBenchmark(
                (std::string(family->key) + "/" + std::string(request.name)).c_str(),
                [=, &request](benchmark::State& state) { decode_answer(state, *family, request); });
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
