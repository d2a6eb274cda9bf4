# What the first processes of the machines have in common: they read this file first.
/bin/busybox --install -s /bin 2>/dev/null
export PATH=/usr/bin:/bin

# Call once: file systems, CAN, the loopback interface.
begin() {
    mount -t proc proc /proc
    mount -t sysfs sys /sys
    mount -t devtmpfs dev /dev
    mkdir -p /dev/pts
    mount -t devpts devpts /dev/pts
    for module in can can-raw can-dev vcan; do insmod /lib/modules/$module.ko* 2>/dev/null; done
    ip link set lo up
    echo # the console may have been in the middle of a line
}
vcan() { # NAME...: makes the interfaces and brings them up
    for interface in "$@"; do
        ip link add name "$interface" type vcan
        ip link set "$interface" up
    done
}

pass() { echo "PASS $1"; }
fail() { # shows what the machine's show_log prints, too
    echo "FAIL $1"
    show_log | sed 's/^/     log: /'
}
check() { # NAME COMMAND...
    name=$1
    shift
    if "$@"; then pass "$name"; else fail "$name"; fi
}
# Waits up to SECONDS until the command holds.
within() { # SECONDS COMMAND...
    left=$(($1 * 5))
    shift
    while ! "$@"; do
        left=$((left - 1))
        [ $left -gt 0 ] || return 1
        sleep 0.2
    done
}
# The value in what dbus-send prints of GetValue.
variant() { sed -n 's/.*variant *[a-z0-9]* *//p' | head -n 1; }
is_between() { # LOW HIGH: what comes on the standard input
    awk -v low="$1" -v high="$2" '{ found = 1; ok = $1 >= low && $1 <= high } END { exit !(found && ok) }'
}
