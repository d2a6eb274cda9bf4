# The daemon with a bus and simulated batteries in the machine. The first process reads this file behind machine.sh.
bus=unix:path=/run/bus
environment= # of the daemon: NAME=VALUE...
daemon=
simulators=

begin_bus() { dbus-daemon --config-file=/etc/bus.conf --fork; }

show_log() { [ ! -f /tmp/log ] || tail -n 25 /tmp/log; }
logged() { grep -q "$1" /tmp/log; }
start() { # CONFIG PORT...
    echo "$1" | tr ';' '\n' >/tmp/config.ini
    shift
    # shellcheck disable=SC2086  # several words or none
    env $environment bmsd run --config /tmp/config.ini --bus $bus --state-dir /tmp/state --stats /tmp/stats "$@" \
        >/tmp/log 2>&1 &
    daemon=$!
}
stop() {
    [ -z "$daemon" ] || { kill $daemon && wait $daemon; }
    daemon=
    rm -rf /tmp/state
}
simulate() {
    bmsd simulate "$@" >/tmp/simulator.log 2>&1 &
    simulators="$simulators $!"
}
stop_simulators() {
    for one in $simulators; do kill $one; wait $one; done
    simulators=
}
services() {
    dbus-send --bus=$bus --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames |
        sed -n 's/.*"\(com.victronenergy.battery[^"]*\)".*/\1/p'
}
count_is() { [ "$(services | wc -l)" = "$1" ]; }
value() { # SERVICE PATH
    dbus-send --bus=$bus --print-reply --dest="$1" "$2" com.victronenergy.BusItem.GetValue 2>/dev/null | variant
}
between() { value "$3" "$4" | is_between "$1" "$2"; } # LOW HIGH SERVICE PATH
