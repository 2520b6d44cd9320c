#!/usr/bin/python3
"""Measures splitvirt's daemons, Debian's libvirtd, and the floor under both in one run.

    tests/bench/run.py [--build DIR] [--rounds N] [--only NAME...] [--write FILE] [--peer-only]

Needs root: everything runs in private namespaces. Each measure is taken --rounds times, the
three sides one after the other, and the median counts. Four tables, of connections, of domains
(domains.py), of secrets (secret_bench.py) and of node devices (nodedev_bench.py), go to stdout, and
with --write between the marks of FILE. The floor is the same work with no daemon: a process that
answers, or writes, the same bytes. Pinned means: client and daemons on one CPU.
"""

import argparse
import atexit
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'functional')]
import domains  # noqa: E402
import namespaces  # noqa: E402
import nodedev_bench  # noqa: E402
import secret_bench  # noqa: E402

IDLE_CONNECTIONS = 4000
SUBSCRIBERS = 1000
BUSY_CONNECTIONS = 64
ALL_CPUS = os.sched_getaffinity(0)
ONE_CPU = {min(ALL_CPUS)}
# What a daemon does just after it began to listen is not measured.
SETTLE_S = 2
# The tables of a file, and what each is between.
TABLES = ('bench', 'bench-domains', 'bench-secrets', 'bench-nodedev')
LIMITS = {'max_clients': 20000, 'max_anonymous_clients': 20000}
# 3 times what virtproxyd of 11.3 reached beside its own direct rate (721 of 1948 a second):
# Debian 12's packages hold no virtproxyd to compare with.
PROXIED_OPEN_AIM = 3 * 721 / 1948

LIBVIRTD_CONFIG = '''
unix_sock_group = "root"
auth_unix_rw = "none"
auth_unix_ro = "none"
max_clients = 20000
max_anonymous_clients = 20000
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
'''
QEMU_CONFIG = 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\nnamespaces = []\n'


class Failed(Exception):
    pass


class Side:
    """One of the things compared. ways: how it is reached, name to (socket, uri); pids: its
    processes; command: what the start-up measure executes; idle_mib: see measure_idle()."""

    name = command = idle_mib = None
    ways = {}
    processes = ()

    @property
    def pids(self):
        return [process.pid for process in self.processes]

    def start(self):
        raise NotImplementedError

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        self.processes = ()

    @contextlib.contextmanager
    def events(self):
        """The way to a daemon that reports what becomes of secrets."""
        yield self.ways['direct']

    def pss_mib(self):
        return sum(memory_kib(pid) for pid in self.pids) / 1024

    def measure_idle(self):
        """Memory soon after the start, with no other side there to share pages with."""
        self.start()
        time.sleep(SETTLE_S)
        self.idle_mib = self.pss_mib()
        self.stop()


class Libvirtd(Side):
    """Debian's libvirtd, with virtlogd and virtlockd, on the paths that namespaces.py emptied."""

    name, command = 'libvirtd', ['libvirtd']
    ways = {'direct': ('/run/libvirt/libvirt-sock', 'qemu:///system')}

    def __init__(self):
        namespaces.pretend_libvirt_account()
        Path('/etc/libvirt/libvirtd.conf').write_text(LIBVIRTD_CONFIG)
        Path('/etc/libvirt/qemu.conf').write_text(QEMU_CONFIG)

    def host(self, root):
        return domains.Host(self.name, self.command, Path('/'), 'libvirt-sock', [['virtlogd']])

    def secret_host(self, root):
        return secret_bench.Host(self.name, self.command, Path('/'), 'libvirt-sock', ['virtlogd'])

    def nodedev_host(self, root):
        return nodedev_bench.Host(self.name, self.command, Path('/'), 'libvirt-sock', ['virtlogd'])

    def start(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.ways['direct'][0])
        self.processes = [spawn([program]) for program in ('virtlogd', 'virtlockd', 'libvirtd')]
        deadline = time.monotonic() + 30
        while not os.path.exists(self.ways['direct'][0]) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(SETTLE_S)
        if self.processes[-1].poll() is not None:
            log = Path('/var/log/libvirt/libvirtd.log')
            sys.exit('libvirtd ended:\n' + (log.read_text() if log.exists() else ''))


class Splitvirt(Side):
    """The eight daemons of a build, under a root of their own."""

    name = 'splitvirt'

    def __init__(self, build):
        os.environ['SPLITVIRT_BUILD'] = str(build)
        import harness
        self.root, events_root = (Path(tempfile.mkdtemp(prefix='sv-')) for _ in range(2))
        for root in (self.root, events_root):
            atexit.register(shutil.rmtree, root, ignore_errors=True)
        self.eventd = harness.Daemon('virtsecretd', events_root, config=LIMITS)
        self.eventd.program = build / 'tests/bench/eventd'
        self.suite = harness.Suite(self.root, configs={
            name: LIMITS for name, driver in harness.DAEMONS.items() if driver})
        way = {name: (self.suite[name].socket(), f'{driver}:///system')
               for name, driver in harness.DAEMONS.items()}
        self.ways = {'direct': way['virtqemud'], 'proxied': way['virtproxyd']}
        self.command = [str(self.suite['virtqemud'].program), '--root', str(self.root)]

    def host(self, root):
        """virtqemud with virtlogd, with their files below root."""
        config = root / 'etc/libvirt/qemu.conf'
        config.parent.mkdir(parents=True)
        config.write_text(QEMU_CONFIG)
        virtlogd = [str(self.suite['virtlogd'].program), '--root', str(root)]
        return domains.Host(self.name, [self.command[0], '--root', str(root)], root,
                            'virtqemud-sock', [virtlogd])

    def secret_host(self, root):
        """virtsecretd alone, with its files below root."""
        root.mkdir(parents=True)
        return secret_bench.Host(self.name, [str(self.suite['virtsecretd'].program), '--root',
                                             str(root)], root, 'virtsecretd-sock')

    def nodedev_host(self, root):
        """virtnodedevd alone, with its sockets below root."""
        root.mkdir(parents=True)
        return nodedev_bench.Host(self.name, [str(self.suite['virtnodedevd'].program), '--root',
                                              str(root)], root, 'virtnodedevd-sock')

    def start(self):
        self.suite.start()
        self.processes = [daemon.process for daemon in self.suite]
        time.sleep(SETTLE_S)

    @contextlib.contextmanager
    def events(self):
        self.eventd.start()
        try:
            yield self.eventd.socket(), 'secret:///system'
        finally:
            self.eventd.stop()


class Floor(Side):
    """The echo servers of rpcbench: one with blocking reads for latency, one over epoll."""

    name = 'floor'
    ways = {'pingpong': ('@splitvirt-pingpong', ''), 'direct': ('@splitvirt-echo', '')}

    def __init__(self, program):
        self.program = program

    def measure_idle(self):
        pass

    def start(self):
        self.processes = [spawn([self.program, 'echo', '--blocking', '--socket', self.ways['pingpong'][0]]),
                          spawn([self.program, 'echo', '--socket', self.ways['direct'][0]])]
        time.sleep(0.2)


def spawn(argv):
    return subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def memory_kib(pid):
    for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
        if line.startswith('Pss:'):
            return int(line.split()[1])
    raise Failed(f'no Pss of {pid}')


@contextlib.contextmanager
def pinned(pids):
    """Every thread of the processes on one CPU for a while."""
    def move(cpus):
        for pid in pids:
            for task in os.listdir(f'/proc/{pid}/task'):
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(task), cpus)
    move(ONE_CPU)
    try:
        yield
    finally:
        move(ALL_CPUS)


class Bench:
    """Runs rpcbench, the load generator."""

    def __init__(self, program):
        self.program = str(program)

    def run(self, mode, way=None, *words, cpus=ALL_CPUS, command=()):
        argv = ['taskset', '-c', ','.join(map(str, cpus)), self.program, mode, *map(str, words)]
        if way:
            argv += ['--socket', way[0], '--uri', way[1]]
        if command:
            argv += ['--', *command]
        result = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True, capture_output=True,
                                timeout=300)
        if result.returncode != 0:
            raise Failed(result.stderr.strip())
        return json.loads(result.stdout)

    @contextlib.contextmanager
    def idle(self, way, count):
        """count open connections that do nothing, held by a second process."""
        process = subprocess.Popen([self.program, 'idle', '--socket', way[0], '--uri', way[1],
                                    '--count', str(count)], text=True, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            if not process.stdout.readline():
                raise Failed(process.stderr.read().strip())
            yield
        finally:
            process.stdin.close()
            process.wait()


# What is measured: functions of a side, that give a figure, or None where the side has no
# such thing.

# GET_TYPE: virtproxyd answers GET_LIB_VERSION by itself, this one it forwards.
FORWARDED_CALL = 3


def pinned_call(bench, side, way='direct', count=20000, words=()):
    if side.name == 'floor':
        way = 'pingpong'
    if way not in side.ways:
        return None
    with pinned(side.pids):
        return bench.run('call', side.ways[way], '--count', count, *words,
                         cpus=ONE_CPU)['median_us']


def call_beside_idle(bench, side):
    if side.name == 'floor':
        return pinned_call(bench, side)
    with bench.idle(side.ways['direct'], IDLE_CONNECTIONS):
        return pinned_call(bench, side, count=2000)


def calls_per_second(bench, side):
    return bench.run('load', side.ways['direct'], '--count', BUSY_CONNECTIONS)['per_second']


def opens_per_second(bench, side, way='direct', cpus=ALL_CPUS):
    if side.name == 'floor':
        way = 'direct'
    if way not in side.ways:
        return None
    return bench.run('open', side.ways[way], '--seconds', 2, cpus=cpus)['per_second']


def pinned_opens_per_second(bench, side):
    with pinned(side.pids):
        return opens_per_second(bench, side, cpus=ONE_CPU)


def fanout(bench, side):
    count = ('--count', SUBSCRIBERS, '--rounds', 40)
    if side.name == 'floor':
        return bench.run('fanout-floor', None, *count)['median_us'] / 1000
    with side.events() as way:
        return bench.run('fanout', way, *count)['median_us'] / 1000


def memory_idle(bench, side):
    return side.idle_mib


def memory_kept(bench, side):
    """What a daemon keeps of the memory of connections that have come and gone."""
    if side.name == 'floor':
        return None
    before = side.pss_mib()
    with bench.idle(side.ways['direct'], IDLE_CONNECTIONS):
        pass
    time.sleep(3)
    return max(0, side.pss_mib() - before)


def startup(bench, side, sides):
    """The floor is our own program executed with --version (libvirtd's, when it is alone)."""
    if side.name == 'floor':
        command = sides[0].command
        return bench.run('startup-floor', None, '--rounds', 20, command=command)['median_us'] / 1000
    side.stop()
    return bench.run('startup', side.ways['direct'], '--rounds', 10,
                     command=side.command)['median_us'] / 1000


class Measure:
    def __init__(self, name, title, unit, take, aim='', judge=None, once=False):
        """judge(ours, theirs, floor, others) tells whether the aim is met."""
        self.name, self.title, self.unit, self.take = name, title, unit, take
        self.aim, self.judge, self.once = aim, judge, once


def measures(sides):
    """In the order in which they are taken: memory first, start-up (which stops daemons) last."""
    idle, subscribers, busy = IDLE_CONNECTIONS, SUBSCRIBERS, BUSY_CONNECTIONS
    return [
        Measure('memory', 'idle daemons just started, sum of PSS', 'MiB', memory_idle,
                'at most 14 MiB', lambda o, t, f, r: o <= 14, once=True),
        Measure('call', 'a call, pinned', 'us', pinned_call,
                'at most 1.75 × floor', lambda o, t, f, r: o <= 1.75 * f),
        Measure('idle', f'the same beside {idle} idle connections', 'us', call_beside_idle,
                'at most 1.75 × floor', lambda o, t, f, r: o <= 1.75 * f),
        Measure('proxied', 'a call through virtproxyd, pinned', 'us',
                lambda b, s: pinned_call(b, s, 'proxied', words=('--procedure', FORWARDED_CALL)),
                'at most 3 × floor over a direct call',
                lambda o, t, f, r: o - r['call'] <= 3 * f),
        Measure('busy', f'calls per second, {busy} busy connections', '/s', calls_per_second,
                'at least 3 × libvirtd', lambda o, t, f, r: o >= 3 * t),
        Measure('open', 'connect, open and close', '/s', opens_per_second,
                'at least 3 × libvirtd', lambda o, t, f, r: o >= 3 * t),
        Measure('open-pinned', 'the same, pinned', '/s', pinned_opens_per_second,
                'at least 3 × libvirtd', lambda o, t, f, r: o >= 3 * t),
        Measure('open-proxied', 'the same through virtproxyd', '/s',
                lambda b, s: opens_per_second(b, s, 'proxied'),
                f'at least {PROXIED_OPEN_AIM:.2f} × libvirtd direct',
                lambda o, t, f, r: o >= PROXIED_OPEN_AIM * r['open of libvirtd']),
        Measure('fanout', f'an event to the last of {subscribers} clients', 'ms', fanout,
                'at most 3 × floor', lambda o, t, f, r: o <= 3 * f),
        Measure('kept', f'memory kept after {idle} connections have come and gone', 'MiB',
                memory_kept, 'at most 1 MiB', lambda o, t, f, r: o <= 1, once=True),
        Measure('startup', 'exec to first answer', 'ms', lambda b, s: startup(b, s, sides),
                'under 20 ms', lambda o, t, f, r: o < 20, once=True),
    ]


def domain_measures(of):
    """Of a domains.Domains. Sides are only names here."""
    small, large = '', domains.LARGE_DEVICES
    many, fewer, guests = domains.MANY, domains.FEWER, domains.GUESTS

    def measure(name, title, unit, take, aim='', judge=None, once=False):
        return Measure(name, title, unit, lambda bench, side: take(side.name), aim, judge, once)

    tenth = 'at most 1/10 of libvirtd', lambda o, t, f, r: o <= t / 10
    third = 'at most 1/3 of libvirtd', lambda o, t, f, r: o <= t / 3
    twice = 'at least 2 × libvirtd', lambda o, t, f, r: o >= 2 * t
    return [
        measure('idle-qemu', 'virtqemud just started, PSS', 'MiB', of.idle,
                'at most 5 MiB', lambda o, t, f, r: o <= 5, once=True),
        measure('define', 'define, small XML', '/s', lambda n: of.define(n, small), *twice),
        measure('define-large', 'define, XML with 12 disks and 12 interfaces', '/s',
                lambda n: of.define(n, large), *twice),
        measure('restart', f'exec to a complete list of {fewer} domains', 'ms',
                lambda n: of.restart(n, fewer), *tenth),
        measure('restart-many', f'the same of {many}', 'ms',
                lambda n: of.restart(n, many), *tenth),
        measure('list', f'a list of {many} domains', 'ms', of.list,
                'at most 1/2 of libvirtd', lambda o, t, f, r: o <= t / 2),
        measure('definition', 'memory of an inactive domain', 'KiB', of.definition_memory,
                *third, once=True),
        measure('create', 'create a paused guest', 'ms', of.create,
                'at most 1.3 × floor', lambda o, t, f, r: o <= 1.3 * f),
        measure('destroy', 'destroy it', 'ms', of.destroy,
                'at most 3 ms over floor', lambda o, t, f, r: o <= f + 3, once=True),
        measure('guest', 'memory of a running guest', 'KiB', lambda n: of.running(n, 0),
                *third, once=True),
        measure('stats', f'statistics of {guests} guests', 'ms', lambda n: of.running(n, 1),
                'at most 15/192 of libvirtd', lambda o, t, f, r: o <= t * 15 / 192, once=True),
        measure('reconnect', f'kill -9, exec to whole statistics of {guests} guests', 'ms',
                lambda n: of.running(n, 2), once=True),
    ]


def secret_measures(of):
    """Of a secret_bench.Secrets."""
    many = secret_bench.MANY

    def measure(name, title, unit, take, aim='', judge=None, is_once=False):
        return Measure(name, title, unit, lambda bench, side: take(side.name), aim, judge, is_once)

    once = 'at least libvirtd', lambda o, t, f, r: o >= t
    half = 'at most 1/2 of libvirtd', lambda o, t, f, r: o <= t / 2
    return [
        measure('idle-secretd', 'virtsecretd just started, PSS', 'MiB', of.idle,
                'at most 1.5 MiB', lambda o, t, f, r: o <= 1.5, is_once=True),
        measure('secret-define', 'define a secret', '/s', of.define, *once),
        measure('secret-set', 'set a value', '/s', of.set_value, *once),
        measure('secret-get', 'get a value', '/s', of.get_value),
        measure('secret-list', f'a list of {many} secrets', 'ms', of.list, *half),
        measure('secret-restart', f'exec to a complete list of {many} secrets', 'ms', of.restart,
                *half),
        measure('secret', 'memory of a secret', 'KiB', of.memory, 'at most that of libvirtd',
                lambda o, t, f, r: o <= t, is_once=True),
    ]


def nodedev_measures(of):
    """Of a nodedev_bench.Devices."""
    links, passing = nodedev_bench.LINKS, nodedev_bench.PASSING

    def measure(name, title, unit, take, aim='', judge=None, is_once=False):
        return Measure(name, title, unit, lambda bench, side: take(side.name), aim, judge, is_once)

    half = 'at most 1/2 of libvirtd', lambda o, t, f, r: o <= t / 2
    return [
        measure('idle-nodedevd', 'virtnodedevd just started, PSS', 'MiB', of.idle,
                'at most 2 MiB', lambda o, t, f, r: o <= 2, is_once=True),
        measure('nodedev-passed', f'memory kept after {passing} links have come and gone', 'MiB',
                of.passed, 'at most 1 MiB', lambda o, t, f, r: o <= 1, is_once=True),
        measure('nodedev-list', f'a list of all devices, {links} links among them', 'ms', of.list,
                *half),
        measure('nodedev-links', 'a list of the links alone', 'ms', of.list_links, *half),
        measure('nodedev-xml', 'XML of a link', '/s', of.describe, 'at least libvirtd',
                lambda o, t, f, r: o >= t),
        measure('nodedev-restart', f'exec to a complete list of {links} links', 'ms', of.restart,
                *half),
    ]


def take(measure, bench, sides, rounds, notes):
    """The median of the rounds for each side; None, with a note that says why, for one that
    fails. Sides take turns, so that whatever else the machine does hits all of them."""
    values = {side.name: [] for side in sides}
    for _ in range(1 if measure.once else rounds):
        for side in sides:
            if None in values[side.name]:
                continue
            try:
                values[side.name].append(measure.take(bench, side))
            except (Failed, AssertionError, subprocess.TimeoutExpired, OSError) as error:
                notes.append(f'{measure.title}, {side.name}: {error}')
                values[side.name].append(None)
    return {name: None if None in taken else statistics.median(taken)
            for name, taken in values.items()}


def shown(value):
    if value is None:
        return '-'
    return f'{value:.0f}' if value >= 1000 else f'{value:.3g}'


def ratio(value, other):
    return f'{value / other:.2f}' if value is not None and other else '-'


def table(rows):
    lines = ['| what | splitvirt | libvirtd | floor | to libvirtd | to floor | aim | met |',
             '| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |']
    results = {}
    for measure, values in rows:
        ours, theirs, floor = (values.get(name) for name in ('splitvirt', 'libvirtd', 'floor'))
        results[measure.name], results[measure.name + ' of libvirtd'] = ours, theirs
        try:
            met = 'yes' if measure.judge(ours, theirs, floor, results) else 'no'
        except (TypeError, KeyError):
            met = '-'
        cells = [f'{measure.title} ({measure.unit})', shown(ours), shown(theirs), shown(floor),
                 ratio(ours, theirs), ratio(ours, floor), measure.aim, met]
        lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def write_between_marks(path, name, text):
    begin, end = f'<!-- {name} -->', f'<!-- /{name} -->'
    head, _, rest = path.read_text().partition(begin)
    tail = rest.partition(end)[2]
    if not tail and end not in rest:
        sys.exit(f'{path} has no {begin} … {end}')
    path.write_text(f'{head}{begin}\n{text}\n{end}{tail}')


def main():
    parser = argparse.ArgumentParser(description='Measures the daemons against libvirtd.')
    parser.add_argument('--build', type=Path, default=Path('build'))
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--only', nargs='*', metavar='NAME', help='take these measures alone')
    parser.add_argument('--write', type=Path, metavar='FILE', help='put the table into FILE')
    parser.add_argument('--peer-only', action='store_true', help='leave splitvirt out')
    options = parser.parse_args()
    if not namespaces.enter():
        sys.exit('needs root, and private namespaces')
    domains.reap_orphans()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    build = options.build.resolve()
    program = build / 'tests/bench/rpcbench'
    targets = ['tests/bench/rpcbench'] + ([] if options.peer_only else ['tests/bench/eventd'])
    subprocess.run(['ninja', '-C', build, *targets], check=True, stdout=sys.stderr)
    bench, notes = Bench(program), []
    sides = [] if options.peer_only else [Splitvirt(build)]
    sides += [Libvirtd(), Floor(program)]

    def take_all(wanted):
        rows = []
        for measure in wanted:
            if not options.only or measure.name in options.only:
                values = take(measure, bench, sides, options.rounds, notes)
                print(f'# {measure.title}: {values}', file=sys.stderr, flush=True)
                rows.append((measure, values))
        return rows

    tables = dict.fromkeys(TABLES)
    if not options.only or {measure.name for measure in measures(sides)} & set(options.only):
        for side in sides:
            side.measure_idle()
        for side in sides:
            side.start()
        tables['bench'] = take_all(measures(sides))
        for side in sides:
            side.stop()
    of = domains.Domains([side.host(Path('/run/bench')) for side in sides if side.name != 'floor'])
    tables['bench-domains'] = take_all(domain_measures(of))
    of.end()
    of = secret_bench.Secrets([side.secret_host(Path('/run/bench-secrets')) for side in sides
                               if side.name != 'floor'])
    tables['bench-secrets'] = take_all(secret_measures(of))
    of.end()
    of = nodedev_bench.Devices([side.nodedev_host(Path('/run/bench-devices')) for side in sides
                                if side.name != 'floor'])
    tables['bench-nodedev'] = take_all(nodedev_measures(of))
    of.end()
    for name, rows in tables.items():
        if rows:
            print(table(rows))
            if options.write:
                write_between_marks(options.write, name, table(rows))
    for note in notes:
        print(f'# {note}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
