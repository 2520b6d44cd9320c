#!/usr/bin/python3
"""mdevctl for a made-up machine: "start" and "stop" make and remove the device as the kernel would,
all else is Debian's mdevctl. Called "mdevctl" in a folder of PATH; MADE_UP_SYS is the machine."""

import json
import os
import shutil
import sys
import uuid

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import made_up_sysfs  # noqa: E402

REAL = '/usr/bin/mdevctl'


def option(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None


def start(sysfs):
    chosen = option('--uuid') or str(uuid.uuid4())
    if option('--jsonfile'):
        kind = json.load(sys.stdin)['mdev_type']
    else:
        with open(f'/etc/mdevctl.d/{option("--parent")}/{chosen}', encoding='ascii') as config:
            kind = json.load(config)['mdev_type']
    if not (sysfs.root / f'devices/pci0000:00/{option("--parent")}/mdev_supported_types/'
            / kind).exists():
        sys.exit(f'Error: Parent {option("--parent")} does not support mdev type {kind}')
    made_up_sysfs.add_mdev(sysfs, chosen, kind)
    if not option('--uuid'):
        print(chosen)


def stop(sysfs):
    device = sysfs.root / f'bus/mdev/devices/{option("--uuid")}'
    shutil.rmtree(device.resolve())
    device.unlink()


def main():
    sysfs = made_up_sysfs.Sysfs(os.environ['MADE_UP_SYS'])
    command = {'start': start, 'stop': stop}.get(sys.argv[1])
    if command:
        command(sysfs)
    else:
        os.execv(REAL, ['mdevctl', *sys.argv[1:]])


main()
