#!/usr/bin/python3
"""Measures virtlockd beside Debian's in one run: locks taken and given back in a second, and memory.

    tests/bench/locks.py [--build DIR] [--rounds N] [--owners N]

Needs root: everything runs in private namespaces. Ours has its holder, which confirms each lock.
Alone on a machine nobody shares a side's libraries: all that is resident counts, but of the C library
and the loader, which every process has. The floor opens, locks, unlocks and closes the same file with
no daemon. Medians count; sides take turns. --rounds 0 measures memory only.
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from beside import Side, spawn  # it says where the others are

import namespaces

SECONDS = 2
REPLY_BYTES = 28


@contextlib.contextmanager
def owners(side, folder, count):
    """Guests: each a connection that speaks for a process, with one disk locked."""
    import lock_case
    process = spawn(['sleep', '10000'])
    clients = []
    try:
        for i in range(count):
            disk = folder / f'disk{i}'
            disk.touch()
            client = lock_case.Client(side.socket_path)
            client.register(lock_case.owner(f'vm{i}', process.pid, i + 1))
            client.acquire(disk)
            clients.append(client)
        yield clients
    finally:
        for i, client in enumerate(clients):
            client.release(folder / f'disk{i}')
            client.close()
        process.kill()
        process.wait()


def frames(path):
    """The two calls, as bytes; the answers are not looked at beyond their status."""
    import lock_case
    import rpc
    made = []
    for procedure in ('ACQUIRE_RESOURCE', 'RELEASE_RESOURCE'):
        kind = rpc.struct_name(lock_case.PROGRAM, procedure, 'args')
        number = rpc.TYPES.procedures(lock_case.PROGRAM)[procedure]
        payload = rpc.TYPES.pack(kind, {'path': '', 'name': str(path), 'flags': 0})
        made.append(rpc.Frame(rpc.program_number(lock_case.PROGRAM), 1, number, rpc.CALL, 7,
                              rpc.OK, payload).encode())
    return made


def pairs_per_second(side, folder):
    """One client, one call after the other."""
    import lock_case
    disk = folder / 'busy'
    disk.touch()
    process = spawn(['sleep', '10000'])
    try:
        with lock_case.Client(side.socket_path) as client:
            client.register(lock_case.owner('busy', process.pid))
            calls, count, end = frames(disk), 0, time.monotonic() + SECONDS
            while time.monotonic() < end:
                for call in calls:
                    client.socket.sendall(call)
                    reply = client.socket.recv(4096)
                    if len(reply) != REPLY_BYTES:
                        raise SystemExit(f'{side.name} answered {reply}')
                count += 1
    finally:
        process.kill()
        process.wait()
    return count / SECONDS


def floor_pairs_per_second(folder):
    import lock_case
    disk = folder / 'busy'
    disk.touch()
    count, end = 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        fd = lock_case.take(disk)
        fcntl.fcntl(fd, lock_case.F_OFD_SETLK, lock_case.lock_bytes(fcntl.F_UNLCK))
        os.close(fd)
        count += 1
    return count / SECONDS


def measure_memory(side, folder, count):
    side.start()
    idle, alone = side.pss_kib(), side.alone_kib()
    with owners(side, folder, count):
        busy = side.pss_kib()
    side.stop()
    return idle, alone, busy


def row(title, unit, values):
    ours, theirs, floor = values
    ratio = f'{ours / theirs:.2f}' if theirs else '-'
    print(f'| {title} ({unit}) | {ours:.4g} | {theirs:.4g} | '
          f'{f"{floor:.4g}" if floor else "-"} | {ratio} |')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--build', type=Path, default=Path('build'))
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--owners', type=int, default=200)
    options = parser.parse_args()
    os.environ['SPLITVIRT_BUILD'] = str(options.build.resolve())
    if not namespaces.enter():
        sys.exit('needs root, and private namespaces')
    os.environ['FDSTORE'] = '0'
    root = Path(tempfile.mkdtemp(prefix='sv-', dir='/run'))
    build = options.build.resolve()
    (root / 'run/libvirt').mkdir(parents=True)
    os.makedirs('/run/libvirt', exist_ok=True)
    sides = [Side('splitvirt', str(root / 'run/libvirt/virtlockd-sock'),
                  [[build / 'common/holder/splitvirt_holder', 'virtlockd', '--root', root],
                   [build / 'virtlockd/virtlockd', '--root', root]]),
             Side('libvirt', '/run/libvirt/virtlockd-sock',
                  [[shutil.which('virtlockd', path='/usr/sbin:/usr/bin')]])]
    memory = [measure_memory(side, root, options.owners) for side in sides]
    alone, beside = [], []
    for side in sides:
        side.start()
    for _ in range(options.rounds):
        alone.append([pairs_per_second(side, root) for side in sides] +
                     [floor_pairs_per_second(root)])
    with owners(sides[0], root, options.owners), owners(sides[1], root / 'run', options.owners):
        for _ in range(options.rounds):
            beside.append([pairs_per_second(side, root) for side in sides])
    for side in sides:
        side.stop()
    print('| what | splitvirt | libvirt | floor | to libvirt |\n'
          '| --- | ---: | ---: | ---: | ---: |')
    ours, theirs = memory
    row('virtlockd just started, with its holder, PSS', 'KiB', (ours[0], theirs[0], None))
    row('the same, alone on a machine', 'KiB', (ours[1], theirs[1], None))
    row(f'with {options.owners} guests, PSS', 'KiB', (ours[2], theirs[2], None))
    if options.rounds:
        row('lock and unlock, one client', '/s', [statistics.median(v) for v in zip(*alone)])
        row(f'the same beside {options.owners} guests', '/s',
            [statistics.median(v) for v in zip(*beside)] + [None])
    shutil.rmtree(root)
    return 0


if __name__ == '__main__':
    sys.exit(main())
