#!/bin/sh
# Records what a running daemon makes of the definitions in this folder:
#
#   ./record.sh            NAME.out.xml or NAME.err for every NAME.in.xml
#   ./record.sh --live     NAME.live.xml for those that have one: the guests are started, paused
#
# Answers depend on QEMU: those here are of libvirtd 9.0 with QEMU 7.2 (Debian 12). Use a
# daemon that has nothing to lose: domains are defined, started, destroyed and undefined.
# Images that guests need are made in /var/lib/libvirt/images where they are missing.
set -u
cd "$(dirname "$0")" || exit 1

define() {
    if virsh -q define "$1.in.xml" >/dev/null 2>"$1.err"; then
        rm -f "$1.err"
        virsh -q dumpxml --inactive --security-info "$1" >"$1.out.xml"
        virsh -q undefine "$1" >/dev/null
    else
        rm -f "$1.out.xml"
        message=$(grep '^error: ' "$1.err" | tail -n 1)
        printf '%s\n' "${message#error: }" >"$1.err"
    fi
}

images_make() {
    sed -n "s/.*file='\(\/var\/lib\/libvirt\/images\/[^']*\)'.*/\1/p" "$1.in.xml" |
    while read -r image; do
        [ -e "$image" ] && continue
        case $image in
        *.qcow2) qemu-img create -q -f qcow2 "$image" 16M ;;
        *) truncate -s 16M "$image" ;;
        esac
    done
}

start() {
    images_make "$1"
    virsh -q create --paused "$1.in.xml" >/dev/null || return
    virsh -q dumpxml "$1" >"$1.live.xml"
    virsh -q destroy "$1" >/dev/null
}

for file in *.in.xml; do
    name=${file%.in.xml}
    if [ "${1:-}" != --live ]; then
        define "$name"
    elif [ -e "$name.live.xml" ]; then
        start "$name"
    fi
done
