#!/usr/bin/python3
"""Measures virtlogd beside Debian's in one run: how fast guests can log, and memory.

    tests/bench/logs.py [--build DIR] [--rounds N] [--guests N]

Needs root: everything runs in private namespaces, with logs on tmpfs. Ours has its holder, which
confirms each pipe; its memory counts. Alone on a machine nobody shares a side's libraries: all that
is resident counts, but of the C library and the loader, which every process has. The floor of
throughput is a process that reads the pipe and writes a file, with no limits. Medians count; sides
take turns. --rounds 0 measures memory only.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import beside  # it says where the others are

import namespaces

MIB = 1 << 20
LINE = b'a line of a guest, as long as lines of consoles are, more or less\n'
BLOCK = LINE * (65536 // len(LINE))
FAST_MIB, SLOW_LINES = 128, 5000


class Side(beside.Side):
    """A virtlogd. folder: where its logs are."""

    def __init__(self, name, socket_path, commands, folder):
        super().__init__(name, socket_path, commands)
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def cpu_s(self):
        """Of all its threads; in the middle of work none of them ends."""
        return sum(int(path.read_text().split()[0]) for process in self.processes
                   for path in Path(f'/proc/{process.pid}/task').glob('*/schedstat')) / 1e9

    def open(self, client, name):
        return client.open_log(self.folder / name, domain=name)[1]

    def clean(self):
        for path in self.folder.iterdir():
            path.unlink()


class Floor:
    """cat."""

    name = 'floor'

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)

    def open(self, _client, name):
        read_end, write_end = os.pipe()
        with open(self.folder / name, 'wb') as file:
            self.process = subprocess.Popen(['cat'], stdin=read_end, stdout=file)
        os.close(read_end)
        return write_end

    def clean(self):
        self.process.wait()
        for path in self.folder.iterdir():
            path.unlink()


def last_byte_arrives(side, name, size):
    """Everything has been taken out of the pipe; which files are left is the limits' matter."""
    path = side.folder / name
    while not (path.exists() and path.read_bytes()[-size:].endswith(b'the end\n')):
        time.sleep(0.001)


def throughput(side, client):
    """MiB in a second, one guest that writes blocks."""
    fd = side.open(client, 'fast.log')
    begin = time.monotonic()
    for _ in range(FAST_MIB * MIB // len(BLOCK)):
        os.write(fd, BLOCK)
    os.write(fd, b'the end\n' * 100)
    last_byte_arrives(side, 'fast.log', 100)
    duration = time.monotonic() - begin
    os.close(fd)
    return FAST_MIB / duration


def cost_of_a_line(side, client):
    """Microseconds of the daemon's processor time for a line that comes alone."""
    fd = side.open(client, 'slow.log')
    before = side.cpu_s()
    for number in range(SLOW_LINES):
        os.write(fd, LINE)
        if number % 10 == 0:
            time.sleep(0.0005)
    os.write(fd, b'the end\n' * 100)
    last_byte_arrives(side, 'slow.log', 100)
    os.close(fd)
    return (side.cpu_s() - before) / SLOW_LINES * 1e6


def memory(side, client, guests):
    """KiB of the side with nothing to do, the same counted as if it were alone on the machine, and
    the first again with that many guests that have said something, and what each of these took."""
    idle, alone, own = side.pss_kib(), side.alone_kib(), side.own_kib()
    fds = [side.open(client, f'{number}.log') for number in range(guests)]
    for fd in fds:
        os.write(fd, LINE)
    time.sleep(beside.SETTLE_S)
    full, a_guest = side.pss_kib(), (side.own_kib() - own) / guests
    for fd in fds:
        os.close(fd)
    time.sleep(beside.SETTLE_S)
    return idle, alone, full, a_guest


def row(title, ours, theirs, floor=None):
    def shown(value):
        return '-' if value is None else f'{value:.0f}' if value >= 100 else f'{value:.2f}'
    cells = [title, shown(ours), shown(theirs), shown(floor), f'{ours / theirs:.2f}',
             f'{ours / floor:.2f}' if floor else '-']
    return '| ' + ' | '.join(cells) + ' |'


def measure(sides, floor, rounds, guests):
    import log_case
    clients = {side.name: log_case.LogClient(side.socket_path, timeout_s=60) for side in sides}
    fast, slow, needed = {}, {}, []
    for side in sides:
        needed.append(memory(side, clients[side.name], guests))
        side.clean()
    for _ in range(rounds):
        for side in [*sides, floor]:
            fast.setdefault(side.name, []).append(throughput(side, clients.get(side.name)))
            side.clean()
        for side in sides:
            slow.setdefault(side.name, []).append(cost_of_a_line(side, clients[side.name]))
            side.clean()
    ours, theirs = (side.name for side in sides)
    fast, slow = ({name: statistics.median(values) for name, values in table.items()}
                  for table in (fast, slow))
    print('| what | splitvirt | libvirt | floor | to libvirt | to floor |\n'
          '| --- | ---: | ---: | ---: | ---: | ---: |')
    if rounds:
        print(row('one guest, blocks (MiB/s)', fast[ours], fast[theirs], fast['floor']))
        print(row('a line that comes alone (us of CPU)', slow[ours], slow[theirs]))
    idle, alone, full, a_guest = zip(*needed)
    print(row('idle, PSS (KiB)', *idle))
    print(row('idle, alone on a machine (KiB)', *alone))
    print(row(f'with {guests} guests, PSS (KiB)', *full))
    print(row('a guest (KiB)', *a_guest))


def main():
    parser = argparse.ArgumentParser(description="Measures virtlogd against Debian's.")
    parser.add_argument('--build', type=Path, default=Path('build'))
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--guests', type=int, default=200)
    options = parser.parse_args()
    if not namespaces.enter():
        sys.exit('needs root, and private namespaces')
    build = options.build.resolve()
    os.environ['SPLITVIRT_BUILD'] = str(build)
    root = Path(tempfile.mkdtemp(prefix='sv-', dir='/run'))
    theirs = shutil.which('virtlogd', path='/usr/sbin')
    if not theirs:
        sys.exit("needs Debian's virtlogd")
    os.makedirs('/run/libvirt', exist_ok=True)
    sides = [Side('splitvirt', str(root / 'run/libvirt/virtlogd-sock'),
                  [[build / 'common/holder/splitvirt_holder', 'virtlogd', '--root', root],
                   [build / 'virtlogd/virtlogd', '--root', root]], root / 'log'),
             Side('libvirt', '/run/libvirt/virtlogd-sock', [[theirs]], '/run/theirs')]
    for side in sides:
        side.start()
    try:
        measure(sides, Floor('/run/floor'), options.rounds, options.guests)
    finally:
        for side in sides:
            side.stop()
        shutil.rmtree(root)


if __name__ == '__main__':
    main()
