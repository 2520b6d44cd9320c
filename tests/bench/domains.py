"""Measures what virtqemud does with domains beside libvirtd, for run.py: definitions by the
thousand, then guests. Both sides keep their files on tmpfs, run QEMU as root, and are one daemon
each (libvirtd with virtlogd), started and ended as a measure wants it.

Floors are the same work with no daemon: files written and read, the same reply sent by a process
that has it at hand, QEMU executed with the command line that the daemon gave it."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time
import uuid
from pathlib import Path

import rpc

EMULATOR = '/usr/bin/qemu-system-x86_64'
IMAGE_DIR = Path('/run/bench-images')
MANY, FEWER, GUESTS = 5000, 1000, 50
START_PAUSED = 1
SETTLE_S = 0.3
PATIENCE_S = 180
POLL_S = 0.0002

SMALL = '''<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <emulator>{emulator}</emulator>
    {devices}
  </devices>
</domain>
'''
GUEST_DEVICES = '''<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
      <source file='{image}'/><target dev='vda' bus='virtio'/></disk>
    <interface type='user'><model type='virtio'/></interface>
    <serial type='pty'/><graphics type='vnc'/><video><model type='vga'/></video>'''
LARGE_DEVICES = '\n'.join(
    f"""<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/>
      <source file='/images/{letter}.img'/><target dev='vd{letter}' bus='virtio'/>
      <serial>disk-{letter}</serial></disk>
    <interface type='user'><model type='virtio'/></interface>""" for letter in 'abcdefghijkl') + '''
    <serial type='pty'/><graphics type='vnc'/><video><model type='vga'/></video>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <watchdog model='i6300esb' action='reset'/>'''


def domain_xml(name, devices=''):
    return SMALL.format(name=name, uuid=uuid_of(name), emulator=EMULATOR, devices=devices)


def uuid_of(name):
    return uuid.uuid5(uuid.NAMESPACE_DNS, name)


def guest_xml(name, side):
    """The image is the guest's own: QEMU locks it."""
    image = IMAGE_DIR / f'{side}-{name}.qcow2'
    if not image.exists():
        IMAGE_DIR.mkdir(exist_ok=True)
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', image, '16M'], check=True)
    return domain_xml(name, GUEST_DEVICES.format(image=image))


def reap_orphans():
    """Goes on in a child. This process, the first of its namespace, takes in the processes that
    have lost their parents: libvirtd waits until its own orphans are gone altogether."""
    child = os.fork()
    if child == 0:
        return
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xff)


def memory_kib(pid, what='Pss_Anon'):
    """Pss_Anon is without the libraries, which are shared with every QEMU that runs."""
    for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
        if line.startswith(what + ':'):
            return int(line.split()[1])
    raise OSError(f'no {what} of {pid}')


def packed(procedure, **args):
    """The number and the encoded arguments of a call, made before it is timed."""
    kind = rpc.struct_name('REMOTE', procedure, 'args')
    return (rpc.TYPES.procedures('REMOTE')[procedure],
            rpc.TYPES.pack(kind, {**rpc.TYPES.empty(kind), **args}))


def timed(client, call):
    """A packed call: milliseconds, and the payload of the reply, which must be a success."""
    begin = time.perf_counter()
    reply = client.call_raw('REMOTE', *call)
    taken = (time.perf_counter() - begin) * 1000
    client.result('REMOTE', 'CONNECT_CLOSE', reply)
    return taken, reply.payload


def first_word(payload):
    return int.from_bytes(payload[:4], 'big')


LIST_ALL = packed('CONNECT_LIST_ALL_DOMAINS', need_results=1)


class Host:
    """A daemon that has domains."""

    uri = 'qemu:///system'
    list_all = LIST_ALL

    def __init__(self, name, argv, prefix, socket_name, helpers=()):
        """helpers: command lines of the daemons that it needs."""
        self.name, self.argv, self.helpers = name, argv, helpers
        self.etc, self.run = prefix / 'etc/libvirt/qemu', prefix / 'run/libvirt'
        self.socket = self.run / socket_name
        self.log = prefix / 'var/log/libvirt/qemu'
        self.pid = None
        self.helper_processes = []

    def start(self):
        """Returns the first client that the daemon has let in. One that runs is ended first."""
        self.stop()
        if not self.helper_processes:
            self.helper_processes = [subprocess.Popen(helper, stdin=subprocess.DEVNULL,
                                                      stderr=subprocess.DEVNULL)
                                     for helper in self.helpers]
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)
        self.pid = os.posix_spawnp(self.argv[0], self.argv, os.environ, file_actions=[
            (os.POSIX_SPAWN_OPEN, fd, '/dev/null', os.O_RDWR, 0) for fd in range(3)])
        return self.connect()

    def connect(self):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self.socket))
                break
            except OSError:
                connection.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_S)
        client = rpc.Client(connection, timeout_s=PATIENCE_S)
        client.auth_list()
        return client.open(self.uri)

    def stop(self, signum=signal.SIGTERM):
        if self.pid:
            os.kill(self.pid, signum)
            os.waitpid(self.pid, 0)
            self.pid = None

    def end(self):
        self.stop()
        for helper in self.helper_processes:
            helper.terminate()
            helper.wait()
        self.helper_processes = []

    def forget_all(self):
        """Removes every definition while the daemon does not run."""
        for path in self.etc.glob('*.xml'):
            path.unlink()

    def fill(self, count):
        """Ends the daemon and puts count definitions before it, laid out as it does itself."""
        self.stop()
        self.forget_all()
        with self.start() as client:
            client.call('DOMAIN_DEFINE_XML', xml=domain_xml('pattern', LARGE_DEVICES))
        self.stop()
        pattern = self.etc / 'pattern.xml'
        text = pattern.read_text()
        pattern.unlink()
        for name in (f'domain{i}' for i in range(count)):
            path = self.etc / f'{name}.xml'
            path.write_text(text.replace('pattern', name).replace(
                str(uuid_of('pattern')), str(uuid_of(name))))
            path.chmod(0o600)


# ---- Definitions ----

def define_per_second(host, devices, count=200):
    calls = [packed('DOMAIN_DEFINE_XML', xml=domain_xml(f'new{i}', devices)) for i in range(count)]
    with host.start() as client:
        begin = time.perf_counter()
        for call in calls:
            timed(client, call)
        taken = time.perf_counter() - begin
    host.stop()
    host.forget_all()
    return count / taken


def floor_define_per_second(text, count=200):
    """What a definition that survives a power cut takes: write, sync, rename, sync."""
    folder = Path('/run/bench-floor')
    folder.mkdir(exist_ok=True)
    text = text.encode()
    begin = time.perf_counter()
    for i in range(count):
        fd = os.open(folder / 'temporary', os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, text)
        os.fsync(fd)
        os.close(fd)
        os.rename(folder / 'temporary', folder / f'new{i}.xml')
        fd = os.open(folder, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
    taken = time.perf_counter() - begin
    shutil.rmtree(folder)
    return count / taken


def complete_list(client, count, call=LIST_ALL):
    """Milliseconds of a list that must be complete. Its length is the first word."""
    taken, payload = timed(client, call)
    if first_word(payload) != count:
        raise AssertionError(f'a list of {first_word(payload)}, not {count}')
    return taken, payload


def restart_ms(host, count):
    host.stop()
    begin = time.perf_counter()
    with host.start() as client:
        complete_list(client, count, host.list_all)
        return (time.perf_counter() - begin) * 1000


def floor_read_ms(host):
    begin = time.perf_counter()
    for name in os.listdir(host.etc):
        path = f'{host.etc}/{name}'
        if name.endswith('.xml'):
            fd = os.open(path, os.O_RDONLY)
            os.read(fd, 1 << 16)
            os.close(fd)
    return (time.perf_counter() - begin) * 1000


def floor_reply_ms(payload, rounds=10, call=LIST_ALL):
    """The same reply from a process that has it at hand."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    pid = os.fork()
    if pid == 0:
        ours.close()
        reply = rpc.Frame(rpc.program_number('REMOTE'), 1, call[0], rpc.REPLY, 0, rpc.OK,
                          payload).encode()
        with contextlib.suppress(OSError):
            while theirs.recv(4096):
                theirs.sendall(reply)
        os._exit(0)
    theirs.close()
    with rpc.Client(ours) as client:
        values = []
        for _ in range(rounds):
            client.serial = 0
            values.append(timed(client, call)[0])
    os.waitpid(pid, 0)
    return statistics.median(values)


def memory_after_start_kib(host, what, count=0):
    """With count definitions before it, for which the caller has cared."""
    host.stop()
    with host.start() as client:
        complete_list(client, count, host.list_all)
        time.sleep(2)
        return memory_kib(host.pid, what)


# ---- Guests ----

class BareQemu:
    """QEMU with a command line of the daemon's, whose descriptors are listening sockets of our
    own here: the first is the monitor's."""

    def __init__(self, argv, folder):
        self.argv = [EMULATOR, *argv[1:]]
        self.folder = Path(folder)
        self.fds = sorted({int(number) for number in re.findall(r'\bfd=(\d+)', ' '.join(argv))})
        self.pid = self.reader = None

    def start(self):
        """Milliseconds from exec to the first answer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        actions = [(os.POSIX_SPAWN_OPEN, fd, '/dev/null', os.O_RDWR, 0) for fd in range(3)]
        with contextlib.ExitStack() as stack:
            for number in self.fds:
                path = self.folder / f'{number}.sock'
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
                listening = stack.enter_context(socket.socket(socket.AF_UNIX))
                # Above every number that it may be given, and not inherited by itself.
                high = fcntl.fcntl(listening, fcntl.F_DUPFD_CLOEXEC, 100)
                stack.callback(os.close, high)
                listening.bind(str(path))
                listening.listen()
                actions.append((os.POSIX_SPAWN_DUP2, high, number))
            begin = time.perf_counter()
            self.pid = os.posix_spawn(self.argv[0], self.argv, os.environ, file_actions=actions)
            self.monitor = socket.socket(socket.AF_UNIX)
            self.monitor.settimeout(PATIENCE_S)
            self.monitor.connect(str(self.folder / f'{self.fds[0]}.sock'))
        self.reader = self.monitor.makefile()
        self.reader.readline()
        self.ask('qmp_capabilities')
        self.reader.readline()
        return (time.perf_counter() - begin) * 1000

    def ask(self, command):
        self.monitor.sendall(json.dumps({'execute': command}).encode() + b'\n')

    def stop(self):
        """Milliseconds that its own exit takes."""
        begin = time.perf_counter()
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        taken = (time.perf_counter() - begin) * 1000
        self.reader.close()
        self.monitor.close()
        return taken


class Guests:
    """Defined guests of a host, and its client."""

    def __init__(self, host, count):
        self.host = host
        host.stop()
        host.forget_all()
        self.client = host.start()
        self.domains = [self.client.call('DOMAIN_DEFINE_XML', xml=guest_xml(f'guest{i}', host.name))
                        ['dom'] for i in range(count)]
        self.creates = [packed('DOMAIN_CREATE_WITH_FLAGS', dom=dom, flags=START_PAUSED)
                        for dom in self.domains]

    def create(self, index=0):
        return timed(self.client, self.creates[index])[0]

    def destroy(self, index=0):
        return timed(self.client, packed('DOMAIN_DESTROY', dom=self.domains[index]))[0]

    def create_all(self):
        for index in range(len(self.domains)):
            self.create(index)

    def destroy_all(self):
        for index in range(len(self.domains)):
            with contextlib.suppress(rpc.Error):
                self.destroy(index)

    def restart(self):
        """Memory that was used before is not there for what comes now."""
        self.client.close()
        self.client = self.host.start()
        complete_list(self.client, len(self.domains))
        time.sleep(1)

    def bare(self, index=0):
        """The same as a running guest, to be started when that has ended."""
        name = self.domains[index]['name']
        for entry in Path('/proc').glob('[0-9]*/cmdline'):
            with contextlib.suppress(OSError):
                words = entry.read_text().split('\0')[:-1]
                # Others may have the words too: what has not become QEMU yet.
                if len(words) > 2 and words[2].startswith(f'guest={name},'):
                    return BareQemu(words, f'/run/bench-bare/{name}')
        raise AssertionError(f'no QEMU of {name}')

    def end(self):
        self.destroy_all()
        self.client.close()
        self.host.stop()
        self.host.forget_all()


STATS = packed('CONNECT_GET_ALL_DOMAIN_STATS', flags=0)
# What statistics of all groups ask.
QUESTIONS = ('query-named-block-nodes', 'query-blockstats', 'query-balloon', 'query-dirty-rate')


def bare_stats_ms(bares):
    begin = time.perf_counter()
    for bare in bares:
        for question in QUESTIONS:
            bare.ask(question)
    for bare in bares:
        for _ in QUESTIONS:
            bare.reader.readline()
    return (time.perf_counter() - begin) * 1000


def reconnect_ms(guests, size):
    """kill -9, and from the new start to statistics that are as whole as they were before."""
    guests.client.close()
    guests.host.stop(signal.SIGKILL)
    begin = time.perf_counter()
    guests.client = guests.host.start()
    while True:
        payload = timed(guests.client, STATS)[1]
        taken = (time.perf_counter() - begin) * 1000
        if len(payload) >= size:
            return taken
        if taken > PATIENCE_S * 1000:
            raise AssertionError(f'statistics of {len(payload)} bytes, not {size}')
        time.sleep(POLL_S)


# ---- For run.py ----

def settled(end):
    """Guests that are destroyed have run for a while: what goes on beside a start is over."""
    time.sleep(SETTLE_S)
    return end()


class Domains:
    """The measures: each gives the figure of a side, by name, or None where it has none. What
    they need (definitions, guests) is made when it is first asked for, and kept."""

    def __init__(self, hosts):
        self.hosts = {host.name: host for host in hosts}
        self.guests, self.bares, self.filled, self.lists = {}, [], {}, {}
        self.destroys = {}

    def fill(self, count):
        for host in self.hosts.values():
            if self.filled.get(host.name) != count:
                host.fill(count)
                self.filled[host.name] = count

    @property
    def first(self):
        """Whose files and guests the floor takes for a model."""
        return next(iter(self.hosts.values()))

    def idle(self, name):
        if name not in self.hosts:
            return None
        return memory_after_start_kib(self.hosts[name], 'Pss') / 1024

    def define(self, name, devices):
        if name not in self.hosts:
            return floor_define_per_second(domain_xml('new', devices))
        return define_per_second(self.hosts[name], devices)

    def restart(self, name, count):
        self.fill(count)
        if name not in self.hosts:
            return floor_read_ms(self.first)
        return restart_ms(self.hosts[name], count)

    def list(self, name):
        self.fill(MANY)
        if name not in self.hosts:
            return floor_reply_ms(self.payload)
        host = self.hosts[name]
        with host.connect() if host.pid else host.start() as client:
            lists = [complete_list(client, MANY) for _ in range(20)]
        self.payload = lists[0][1]
        return statistics.median(taken for taken, _ in lists)

    def definition_memory(self, name):
        if name not in self.hosts:
            return None
        host = self.hosts[name]
        host.fill(MANY)
        full = memory_after_start_kib(host, 'Pss_Anon', MANY)
        host.stop()
        host.forget_all()
        self.filled = {}
        return (full - memory_after_start_kib(host, 'Pss_Anon')) / MANY

    def guests_of(self, name):
        if name not in self.guests:
            self.guests[name] = guests = Guests(self.hosts[name], GUESTS)
            # Once for everything that is done only once.
            guests.create()
            guests.destroy()
        return self.guests[name]

    def bare(self):
        """QEMUs with the command lines of our guests."""
        if not self.bares:
            guests = self.guests_of(self.first.name)
            guests.create_all()
            self.bares = [guests.bare(index) for index in range(GUESTS)]
            guests.destroy_all()
        return self.bares

    def create(self, name):
        """The median of some; destroy() tells the other half of what is done here."""
        some = range(10)
        if name in self.hosts:
            guests = self.guests_of(name)
            pairs = [(guests.create(index), settled(lambda: guests.destroy(index)))
                     for index in some]
        else:
            bares = self.bare()
            pairs = [(bares[index].start(), settled(bares[index].stop)) for index in some]
        creates, destroys = zip(*pairs)
        self.destroys.setdefault(name, []).append(statistics.median(destroys))
        return statistics.median(creates)

    def destroy(self, name):
        return statistics.median(self.destroys[name]) if name in self.destroys else None

    def run_all(self, name):
        """All guests of one side, and what is measured while they run, as (memory of each,
        statistics, reconnection)."""
        guests = self.guests_of(name)
        guests.restart()
        before = memory_kib(guests.host.pid)
        guests.create_all()
        memory = (memory_kib(guests.host.pid) - before) / GUESTS
        answers = [timed(guests.client, STATS) for _ in range(10)]
        reconnects = [reconnect_ms(guests, len(answers[0][1])) for _ in range(3)]
        guests.destroy_all()
        return (memory, statistics.median(taken for taken, _ in answers),
                statistics.median(reconnects))

    def run_bare(self):
        bares = self.bare()
        for bare in bares:
            bare.start()
        value = statistics.median(bare_stats_ms(bares) for _ in range(10))
        for bare in bares:
            bare.stop()
        return None, value, None

    def running(self, name, part):
        """part 0 is asked first, and does the work for the others."""
        if part == 0:
            self.lists[name] = self.run_all(name) if name in self.hosts else self.run_bare()
        return self.lists[name][part]

    def end(self):
        for guests in self.guests.values():
            guests.end()
        for host in self.hosts.values():
            host.end()
