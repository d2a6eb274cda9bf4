# What bench/instructions and bench/poll_order share, who read this file first: bmsd under callgrind, with a simulated
# battery whose values all move. BMSD=PROGRAM measures another one than build/bmsd. Needs valgrind and dbus-daemon.
program=$(realpath "${BMSD:-$(dirname "$0")/../build/bmsd}")
cd "$(dirname "$0")/.."
[ -x "$program" ] || { echo "$(basename "$0"): there is no $program: build it first" >&2; exit 1; }
dir=$(mktemp -d)
bus='' sim='' daemon=''
trap 'kill $bus $sim $daemon 2>/dev/null || :; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# Starts a bus and the battery. What callgrind writes will be in $dir/out.
begin() { # FAMILY BMS_TYPE RATE
    dbus-daemon --session --nofork --address="unix:path=$dir/bus" 2>/dev/null & bus=$!
    "$program" simulate "$1" --baud "$3" --link pty --path "$dir/port" --turnaround 10 --baud-pacing --jitter \
        >"$dir/simulate" 2>&1 & sim=$!
    while [ ! -e "$dir/port" ] || [ ! -S "$dir/bus" ]; do
        sleep 0.1
        kill -0 $sim && kill -0 $bus
    done
    printf '[DEFAULT]\nBMS_TYPE = %s\nBAUD_RATE = %s\nPOLL_INTERVAL = 0.5\n' "$2" "$3" >"$dir/config.ini"
}
start_daemon() { # [OPTION OF CALLGRIND...]
    valgrind --quiet --tool=callgrind --callgrind-out-file="$dir/out" "$@" "$program" run --config "$dir/config.ini" \
        --bus "unix:path=$dir/bus" --state-dir "$dir/state" --stats "$dir/stats" "$dir/port" 2>"$dir/log" & daemon=$!
}
stop_daemon() {
    kill $daemon
    wait $daemon || true
    daemon=''
}
end() {
    kill $sim $bus
    sim='' bus=''
    rm -f "$dir/bus" "$dir/port"
}
