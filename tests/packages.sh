# Sourced by quickstart and run-tests: the Debian packages that the project needs, and a
# function that installs them. Nothing in these lists starts a service of libvirt's on the
# host: libvirt-daemon holds bare programs; the units are in libvirt-daemon-system.

PACKAGES_BUILD="meson ninja-build gcc libc6-dev pkg-config rpcsvc-proto libglib2.0-dev
    libsystemd-dev libcap-ng-dev libyajl-dev libxml2-dev libgnutls28-dev libsanlock-dev
    libudev-dev python3 python3-docutils"

# Clients that show the daemons answering.
PACKAGES_CLIENT="libvirt-clients"

# What runs guests. The guest itself is made of packages that are not installed
# (tests/guest/make-guest).
PACKAGES_GUEST="qemu-system-x86"

# Sanitizers, fuzzing, Debian's build flags; the peers and tools that the tests drive.
# libvirt-daemon is what tests/bench compares with; it runs in private namespaces only.
PACKAGES_TEST="clang libclang-rt-14-dev dpkg-dev libvirt-daemon python3-libvirt
    dbus-daemon polkitd python3-dbus python3-gi gnutls-bin qemu-utils iproute2 procps
    virtinst systemd-container mmdebstrap sanlock pci.ids usb.ids mdevctl gdb"

# packages_missing NAME...: prints those that are not installed.
packages_missing() {
    local name
    for name in "$@"; do
        case $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) in
        installed) ;;
        *) echo "$name" ;;
        esac
    done
}

# packages_require NAME...: as root installs what is missing; an ordinary user is told.
packages_require() {
    local missing
    if ! command -v dpkg-query >/dev/null; then
        echo "not a Debian system: taking for granted that what these packages hold is there:" $* >&2
        return 0
    fi
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "missing packages; as root:" >&2
        echo "    apt-get install --no-install-recommends" $missing >&2
        return 1
    fi
    echo "installing:" $missing
    # Package lists may be absent (a fresh system) or old; a failing update is not the end.
    apt-get -q update >/dev/null || echo "apt-get update failed; trying with the lists at hand" >&2
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 install $missing >/dev/null
}
