"""Guests for functional tests: the tiny one that tests/guest makes, and smaller ones that never
run an instruction.

    class Life(guest.TestCase):
        def test_power_button_ends_the_guest(self):
            qemud = self.daemon('virtqemud')
            self.virsh(qemud, 'define', self.write('a.xml', guest.booting_xml(self.serial('a'))))
            self.virsh(qemud, 'start', 'a')
            guest.wait_for_marker(self.serial('a'))

At the end of a test of this TestCase, after its daemons have ended, every process that still
names the test's root is killed: guests outlive their daemon, but not their test.
"""

import contextlib
import functools
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import unittest
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import harness

MAKE_GUEST = harness.TOP / 'tests/guest/make-guest'
EMULATOR = shutil.which('qemu-system-x86_64')
READY = 'GUEST-READY'
# Emulated, the guest is up in 3 s of processor time: more where others want the processor, too.
BOOT_S = 120
IS_X86_64 = os.uname().machine == 'x86_64'

needs_qemu = unittest.skipUnless(EMULATOR, 'needs qemu-system-x86_64')
needs_image = unittest.skipUnless(EMULATOR and IS_X86_64, 'needs QEMU, and amd64 for its guest')


def _has_kvm():
    """Whether guests run with KVM: some machines have /dev/kvm without the processor for it."""
    with open('/proc/cpuinfo', encoding='utf-8') as lines:
        has_feature = any(line.startswith('flags') and {'vmx', 'svm'} & set(line.split())
                          for line in lines)
    return has_feature and os.access('/dev/kvm', os.R_OK | os.W_OK)


HAS_KVM = _has_kvm()
TYPE = 'kvm' if HAS_KVM else 'qemu'


@dataclass(frozen=True)
class Image:
    """The files of the tiny guest; disk is an empty ext2 file system that no test may write."""
    kernel: Path
    initrd: Path
    disk: Path


@functools.lru_cache(maxsize=None)
def image():
    """Makes the tiny guest, unless that was done before."""
    result = subprocess.run([MAKE_GUEST], stdin=subprocess.DEVNULL, text=True, capture_output=True)
    if result.returncode != 0:
        raise AssertionError(f'{MAKE_GUEST} failed:\n{result.stdout}{result.stderr}')
    folder = harness.TOP / 'build/guest'
    return Image(folder / 'vmlinuz', folder / 'initrd', folder / 'disk.raw')


def disk_copy(path):
    """A raw disk of the test's own with an ext2 file system, at path."""
    subprocess.run(['cp', '--sparse=always', image().disk, path], check=True)
    return Path(path)


def overlay(path, backing=None, backing_format='raw'):
    """A qcow2 image at path on top of another, the empty disk when none is named."""
    subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', backing_format,
                    '-b', Path(backing or image().disk).absolute(), path], check=True)
    return Path(path)


def paused_xml(name='guest', uuid=None, memory_mib=16, machine='pc', devices='', extra=''):
    """A domain without kernel, disk or display: it starts at once when it is started paused, and
    finds nothing to boot when it is resumed. extra goes beside <devices>, devices into it."""
    return f'''<domain type='qemu'>
  <name>{name}</name>
  {f"<uuid>{uuid}</uuid>" if uuid else ""}
  <memory unit='MiB'>{memory_mib}</memory>
  <os><type arch='x86_64' machine='{machine}'>hvm</type></os>
  {extra}
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    {devices}
  </devices>
</domain>
'''


def booting_xml(serial_path, name='guest', uuid=None, arguments='', memory_mib=128, vcpus=1,
                machine='q35', domain_type=TYPE, devices='', extra=''):
    """A domain that boots the tiny guest, whose serial line is written to serial_path (None: is a
    pty). arguments are more words for its kernel (tests/guest/init knows which)."""
    files = image()
    serial = "<serial type='pty'/>" if serial_path is None else \
        f"<serial type='file'><source path={quoteattr(str(serial_path))}/></serial>"
    return f'''<domain type='{domain_type}'>
  <name>{name}</name>
  {f"<uuid>{uuid}</uuid>" if uuid else ""}
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu>{vcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    <kernel>{files.kernel}</kernel>
    <initrd>{files.initrd}</initrd>
    <cmdline>console=ttyS0 quiet {arguments}</cmdline>
  </os>
  <features><acpi/><apic/></features>
  {extra}
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    {serial}
    {devices}
  </devices>
</domain>
'''


def wait_for_marker(path, marker=READY, count=1, timeout_s=BOOT_S):
    """Waits until the file at path holds the marker count times. Returns the file's text."""
    def text_with_marker():
        with contextlib.suppress(FileNotFoundError):
            text = Path(path).read_text(errors='replace')
            return text if text.count(marker) >= count else None
        return None
    try:
        return harness.wait_until(text_with_marker, f'{count} times {marker}', timeout_s)
    except AssertionError as error:
        there = Path(path).read_text(errors='replace') if Path(path).exists() else 'no such file'
        raise AssertionError(f'{error} in {path}:\n{there[-4000:]}') from None


class Console:
    """One end of a guest's serial line or port: a pty's path, or that of a unix socket."""

    def __init__(self, path):
        self.text = ''
        self.socket = None
        if Path(path).is_socket():
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.connect(str(path))
            self.fd = self.socket.fileno()
        else:
            self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        os.set_blocking(self.fd, False)

    def write(self, text):
        os.write(self.fd, text.encode())

    def read(self):
        """Takes in what is there. Returns all that was read since the start."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.fd, 65536):
                self.text += data.decode(errors='replace')
        return self.text

    def wait_for(self, text, timeout_s=BOOT_S):
        try:
            harness.wait_until(lambda: text in self.read(), repr(text), timeout_s)
        except AssertionError as error:
            raise AssertionError(f'{error}; there was:\n{self.text[-4000:]}') from None
        return self.text

    def close(self):
        if self.socket:
            self.socket.close()
        else:
            os.close(self.fd)


class Qmp:
    """QEMU's monitor at a unix socket, for guests that no daemon started."""

    def __init__(self, path, timeout_s=BOOT_S):
        self.events = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout_s)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile('r')
        self.greeting = json.loads(self.lines.readline())
        self.command('qmp_capabilities')

    def command(self, name, **arguments):
        """Returns what the command returns; an error of QEMU's is an AssertionError."""
        message = {'execute': name, 'arguments': arguments}
        self.socket.sendall(json.dumps(message).encode() + b'\n')
        while line := self.lines.readline():
            answer = json.loads(line)
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise AssertionError(f'{name}: {answer["error"]["desc"]}')
            self.events.append(answer['event'])
        raise AssertionError(f'{name}: the monitor was closed')

    def wait_for_event(self, name):
        while name not in self.events:
            line = self.lines.readline()
            if not line:
                raise AssertionError(f'no {name} before the end; there were {self.events}')
            self.events.append(json.loads(line).get('event'))

    def close(self):
        self.lines.close()
        self.socket.close()


def instance_of(root):
    """What names that are no paths end with, for daemons under root."""
    return hashlib.sha256(str(Path(root).resolve()).encode()).hexdigest()[:8]


def _is_in_group_of(pid, instance):
    """Whether the process lives in a control group of a guest. Zombies keep their groups."""
    if f'-{instance}.libvirt-qemu' not in Path(f'/proc/{pid}/cgroup').read_text():
        return False
    return Path(f'/proc/{pid}/stat').read_text(errors='replace').rpartition(')')[2].split()[0] != 'Z'


def _belongs_to(pid, root):
    """Whether the process has root in its command line, holds something open below it, or is
    in a group of its guests'."""
    prefix = f'{root}/'
    with contextlib.suppress(OSError):
        if _is_in_group_of(pid, instance_of(root)):
            return True
        if prefix in Path(f'/proc/{pid}/cmdline').read_text(errors='replace').replace('\0', '/\0'):
            return True
        for number in os.listdir(f'/proc/{pid}/fd'):
            if os.readlink(f'/proc/{pid}/fd/{number}').startswith(prefix):
                return True
    return False


def _ancestors():
    pid, found = os.getpid(), set()
    while pid:
        found.add(pid)
        status = Path(f'/proc/{pid}/stat').read_text(errors='replace')
        pid = int(status.rpartition(')')[2].split()[1])
    return found


def processes_below(root, but=()):
    """The pids of what has to do with root: daemons, guests, helpers. Not this process, those
    that it came from, or those in but."""
    spared = _ancestors() | set(but)
    return sorted(pid for pid in map(int, filter(str.isdigit, os.listdir('/proc')))
                  if pid not in spared and _belongs_to(pid, root))


def guests_below(root):
    """The pids of the emulators of guests under root."""
    def is_emulator(pid):
        with contextlib.suppress(OSError):
            return os.path.basename(os.readlink(f'/proc/{pid}/exe')).startswith('qemu-system-')
        return False
    return [pid for pid in processes_below(root) if is_emulator(pid)]


def end_processes_below(root):
    """Kills what is left of a test, and waits until it is gone."""
    def kill():
        left = processes_below(root)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            # Without effect unless it is a child of this process.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        return not left
    harness.wait_until(kill, f'the processes of {root} are gone')


def cgroup_mounts():
    """Where the controllers of version 1 that guests have groups in are mounted, and 'unified',
    version 2, by name."""
    wanted = ('cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'blkio')
    found = {}
    with open('/proc/self/mountinfo', encoding='utf-8') as lines:
        for line in lines:
            fields, _, rest = line.partition(' - ')
            kind, _, options = rest.split()[:3]
            mount = Path(fields.split()[4])
            if kind == 'cgroup2':
                found.setdefault('unified', mount)
            elif kind == 'cgroup':
                for option in set(options.split(',')) & set(wanted):
                    found.setdefault(option, mount)
    return found


def remove_groups(root):
    """Takes away the control groups of guests whose daemon did not live to do it."""
    pattern = f'machine/qemu-*-{instance_of(root)}.libvirt-qemu'

    def is_done():
        groups = [group for mount in set(cgroup_mounts().values()) for group in mount.glob(pattern)]
        for group in groups:
            for inner in (*group.iterdir(), group):
                if inner.is_dir():
                    # The kernel may see a process in it for a moment after its end.
                    with contextlib.suppress(OSError):
                        inner.rmdir()
        return not groups
    harness.wait_until(is_done, 'the groups are gone')


def traces(root, but=()):
    """What guests leave behind: every file below the run and state folders of root, and a line
    for each process that has to do with root, save those in but (a daemon's pid)."""
    root = Path(root)
    found = [str(path.relative_to(root)) for top in ('run', 'var/run', 'var/lib/libvirt')
             for path in (root / top).rglob('*')]
    for pid in processes_below(root, but):
        with contextlib.suppress(OSError):
            words = Path(f'/proc/{pid}/cmdline').read_text(errors='replace').split('\0')
            found.append(f'process: {" ".join(words)[:200]}')
    return sorted(found)


class TestCase(harness.TestCase):
    """A test that starts guests: nothing that it starts outlives it."""

    timeout_s = 2 * BOOT_S

    def setUp(self):
        super().setUp()
        # The root is first asked for here, the daemons later: clean-up is the other way round,
        # so that daemons end, then guests, then the root.
        self.addCleanup(remove_groups, self.root)
        self.addCleanup(end_processes_below, self.root)

    def write(self, name, text):
        """Writes a file for the test's use. Returns its path."""
        path = self.root / name
        path.write_text(text)
        return path

    def serial(self, name='guest'):
        """Where a guest of booting_xml() writes its serial line."""
        return self.root / f'{name}.serial'

    def daemon_pids(self):
        return [daemon.pid for daemon in self.daemons if daemon.is_running()]

    @contextlib.contextmanager
    def leaves_nothing_behind(self, timeout_s=harness.PATIENCE_S):
        """After the block, files and processes are those from before it."""
        before = traces(self.root, self.daemon_pids())
        yield
        with contextlib.suppress(AssertionError):
            harness.wait_until(lambda: traces(self.root, self.daemon_pids()) == before,
                               'traces', timeout_s)
        self.assertEqual(before, traces(self.root, self.daemon_pids()), 'traces of guests')

    def bare_qemu(self, *words):
        """Starts QEMU itself, with a monitor. Returns its process and its Qmp."""
        path = self.root / f'qmp-{len(os.listdir(self.root))}.sock'
        process = subprocess.Popen(
            [EMULATOR, '-nodefaults', '-no-user-config', '-display', 'none',
             '-qmp', f'unix:{path},server=on,wait=off', *map(str, words)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def connect():
            self.assertIsNone(process.poll(), 'QEMU ended')
            # The socket's file is there before QEMU listens.
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                return Qmp(path)
        qmp = harness.wait_until(connect, 'QEMU listens')
        self.addCleanup(qmp.close)
        return process, qmp
