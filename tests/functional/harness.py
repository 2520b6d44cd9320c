"""Real daemons under a fresh root, for tests that see what a user sees.

    class Admin(harness.TestCase):
        def test_server_list_names_the_daemon(self):
            daemon = self.daemon('virtqemud')
            self.assertIn('virtqemud', self.virt_admin(daemon, 'srv-list'))

A daemon is ready when it says so on NOTIFY_SOCKET. At the end of a test each one that still
runs is told to stop, and must do so with status 0 and without a sanitizer's report; one that has
ended unasked fails the test, unless it was killed or its status looked at with wait(). The root
goes with the test.
"""

import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get('SPLITVIRT_BUILD', TOP / 'build')).resolve()
IS_SANITIZED = os.environ.get('SPLITVIRT_SANITIZED') == '1'
IS_SOAK = os.environ.get('SPLITVIRT_SOAK') == '1'
IS_ROOT = os.geteuid() == 0
IS_PRIVATE = os.environ.get('SPLITVIRT_PRIVATE_NAMESPACES') == '1'
# The runner gives a folder that it removes, whatever becomes of the test.
ROOTS = os.environ.get('SPLITVIRT_ROOTS')
# Waiting is bounded, never a measure: sanitizers and busy machines are slow.
PATIENCE_S = 60 if IS_SANITIZED else 20

# The daemons, and the driver whose URI each one answers to.
DAEMONS = {'virtlogd': None, 'virtlockd': None, 'virtsecretd': 'secret', 'virtnetworkd': 'network',
           'virtstoraged': 'storage', 'virtnodedevd': 'nodedev', 'virtqemud': 'qemu',
           'virtproxyd': 'qemu'}
# virtproxyd owns the legacy names of the sockets.
SOCKET_NAMES = {'virtproxyd': 'libvirt'}

# A mapping's line in /proc/PID/smaps; pages of the kernel's own are everybody's, too.
_MAPPING = re.compile(r'[0-9a-f]+-[0-9a-f]+ \S+ (\S+) \S+ \d+ *(.*)')
_OF_EVERY_PROCESS = re.compile(r'/(libc|ld-linux\S*|ld64)\.so\.\d+$|^\[v\w+\]$')

_SANITIZER_REPORT = re.compile(r'(ERROR: \w+Sanitizer|runtime error:)')

needs_root = unittest.skipUnless(IS_ROOT, 'needs root')
needs_private_namespaces = unittest.skipUnless(IS_PRIVATE, 'needs private namespaces (root)')
not_sanitized = unittest.skipIf(IS_SANITIZED, 'measures what sanitizers distort')


def wait_until(condition, text, timeout_s=PATIENCE_S):
    """Polls condition until it gives something true, which is returned."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f'not within {timeout_s} s: {text}')
        time.sleep(0.01)


def is_listening(path):
    """Whether connections to a unix socket are accepted. Its file is there before that."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


class NotifySocket:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = str(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind(self.path)
        self.lines = []

    def collect(self, timeout_s=0):
        """Takes in the datagrams that are there, waiting up to timeout_s for the first."""
        while select.select([self.socket], [], [], timeout_s)[0]:
            self.lines += self.socket.recv(65536).decode(errors='replace').splitlines()
            timeout_s = 0
        return self.lines

    def close(self):
        self.socket.close()


class StuckNotifySocket(NotifySocket):
    """A service manager that does not read until it is asked to; its queue is full."""

    def __init__(self, path):
        super().__init__(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            sender.connect(self.path)
            with contextlib.suppress(BlockingIOError):
                while True:
                    sender.send(b'X_FULL=1')


class Daemon:
    """One daemon: its process, sockets, output, descriptors and memory."""

    def __init__(self, name, root, args=(), config=None, env=None, wrapper=(), scratch=None,
                 uses_virtlogd=False):
        """config: a dict written to the daemon's configuration file, or its text. wrapper: a
        command put in front of the daemon's (it must exec). scratch: where the test keeps what
        is not the daemon's own, the root when not given. uses_virtlogd: virtqemud's guests log
        through virtlogd, which the test starts."""
        self.name, self.root = name, Path(root)
        self.args, self.env, self.wrapper = list(args), dict(env or {}), list(wrapper)
        self.program = BUILD / name / name
        self.scratch = Path(scratch or root)
        self.output_path = self.scratch / f'{name}.output'
        self.process = self.notify = None
        self.is_accounted_for = False  # killed, or its status was looked at
        self.logs_itself = name == 'virtqemud' and not uses_virtlogd
        if config is not None:
            self.configure(config)

    def configure(self, config):
        """Writes ROOT/etc/libvirt/NAME.conf."""
        path = self.root / 'etc/libvirt' / f'{self.name}.conf'
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(config, dict):
            config = ''.join(f'{key} = {_config_value(value)}\n' for key, value in config.items())
        path.write_text(config)

    def _keep_from_virtlogd(self):
        """Adds to qemu.conf that the daemon gets along without virtlogd, if nothing else is said."""
        path = self.root / 'etc/libvirt/qemu.conf'
        text = path.read_text() if path.exists() else ''
        if 'stdio_handler' not in text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + 'stdio_handler = "file"\n')

    def start(self, wait=True):
        if not self.program.exists():
            raise AssertionError(f'{self.program} is not built')
        if self.logs_itself:
            self._keep_from_virtlogd()
        self.notify = NotifySocket(self.scratch / f'{self.name}.notify')
        # This one only listens: it stores no descriptors.
        env = {**os.environ, 'NOTIFY_SOCKET': self.notify.path, 'FDSTORE': '0', **self.env}
        # As under a service manager: nothing but the standard descriptors is inherited.
        with open(self.output_path, 'ab') as output:
            self.process = subprocess.Popen(
                [*self.wrapper, str(self.program), *self.place(), *self.args],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env)
        self.is_accounted_for = False
        if wait:
            self.wait_ready()
        return self

    def place(self):
        """The options that say where the daemon lives."""
        return ['--root', str(self.root)]

    def wait_ready(self, timeout_s=PATIENCE_S):
        def is_ready():
            status = self.process.poll()
            if status is not None:
                raise AssertionError(f'{self.name} ended with {status} before it was ready:\n'
                                     + self.output())
            return 'READY=1' in self.notify.collect(0.05)
        wait_until(is_ready, f'{self.name} says READY=1', timeout_s)

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, signum=signal.SIGTERM, timeout_s=PATIENCE_S):
        """Asks the daemon to end; it must do so with status 0 and a clean output."""
        if self.is_running():
            self.process.send_signal(signum)
        status = self.wait(timeout_s)
        if status != 0:
            raise AssertionError(f'{self.name} ended with status {status}:\n{self.output()}')
        self.check_output()

    def wait(self, timeout_s=PATIENCE_S):
        """Waits for the end of the process. Returns its status."""
        try:
            status = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f'{self.name} did not end within {timeout_s} s') from None
        self.is_accounted_for = True
        self.notify.collect()
        self.notify.close()
        return status

    def ends_within(self, seconds):
        """Whether the process ends by itself in this time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self):
        """kill -9, and reaps it."""
        self.is_accounted_for = True
        if self.is_running():
            self.process.kill()
        self.process.wait()
        self.notify.close()

    def restart(self):
        self.stop()
        return self.start()

    def check_output(self):
        if _SANITIZER_REPORT.search(self.output()):
            raise AssertionError(f'{self.name}: a sanitizer reports:\n{self.output()}')

    def output(self, limit=20000):
        """What it wrote to stdout and stderr, over all starts."""
        try:
            return self.output_path.read_text(errors='replace')[-limit:]
        except FileNotFoundError:
            return ''

    def socket(self, kind=''):
        """Path of a socket: kind is '', 'ro' or 'admin'."""
        name = SOCKET_NAMES.get(self.name, self.name)
        return str(self.root / 'run/libvirt' / (f'{name}-{kind}-sock' if kind == 'admin'
                                               else f'{name}-sock' + (f'-{kind}' if kind else '')))

    def uri(self, kind='', driver=None):
        return f'{driver or DAEMONS[self.name]}+unix:///system?socket={self.socket(kind)}'

    @property
    def admin_uri(self):
        path = self.root / 'run/libvirt' / f'{self.name}-admin-sock'
        return f'{self.name}+unix:///system?socket={path}'

    def fds(self):
        """The open descriptors, number to target."""
        found = {}
        for number in os.listdir(f'/proc/{self.pid}/fd'):
            with contextlib.suppress(FileNotFoundError):
                found[int(number)] = os.readlink(f'/proc/{self.pid}/fd/{number}')
        return found

    def pss_kib(self):
        return memory_kib(self.pid, 'Pss')

    @contextlib.contextmanager
    def returns_to_base_line(self, fds=0, kib=2048, timeout_s=PATIENCE_S):
        """After the block, descriptors and memory come back to what they were before it,
        give or take fds and kib. Memory under a sanitizer says nothing and is not looked at."""
        fds_before, kib_before = len(self.fds()), self.pss_kib()
        yield
        wait_until(lambda: len(self.fds()) <= fds_before + fds, timeout_s=timeout_s,
                   text=f'{self.name} back at {fds_before} descriptors; open: {self.fds()}')
        if not IS_SANITIZED:
            wait_until(lambda: self.pss_kib() <= kib_before + kib, timeout_s=timeout_s,
                       text=f'{self.name} back at {kib_before} + {kib} KiB; now {self.pss_kib()}')


class SystemDaemon(Daemon):
    """A daemon that lives in the system's own folders; only where nobody else's are in reach."""

    def __init__(self, name, scratch, **options):
        super().__init__(name, '/', scratch=scratch, **options)

    def place(self):
        return []


class Suite:
    """Several daemons under one root, started in the order of DAEMONS."""

    def __init__(self, root, names=tuple(DAEMONS), configs=None):
        self.root = Path(root)
        configs = configs or {}
        self.daemons = {name: Daemon(name, root, config=configs.get(name))
                        for name in DAEMONS if name in names}

    def start(self):
        for daemon in self.daemons.values():
            daemon.start(wait=False)
        for daemon in self.daemons.values():
            daemon.wait_ready()
        return self

    def __getitem__(self, name):
        return self.daemons[name]

    def __iter__(self):
        return iter(self.daemons.values())


class TestCase(unittest.TestCase):
    """A test with a root of its own, made when it is first asked for."""

    maxDiff = None
    timeout_s = 60

    def setUp(self):
        self.daemons = []
        self._root = None

    @property
    def root(self):
        if self._root is None:
            # Socket paths have 107 bytes: the root must be short, wherever the tree lies.
            self._root = Path(tempfile.mkdtemp(prefix='sv-', dir=ROOTS))
            self.addCleanup(shutil.rmtree, self._root, ignore_errors=True)
        return self._root

    def daemon(self, name, start=True, **options):
        daemon = Daemon(name, self.root, **options)
        self._adopt(daemon)
        return daemon.start() if start else daemon

    def suite(self, names=tuple(DAEMONS), configs=None):
        suite = Suite(self.root, names, configs)
        for daemon in suite:
            self._adopt(daemon)
        return suite.start()

    def adopt(self, daemon):
        """Starts a daemon of the test's own making, and ends it with the test."""
        self._adopt(daemon)
        return daemon.start()

    def _adopt(self, daemon):
        self.daemons.append(daemon)
        self.addCleanup(self._end, daemon)

    @staticmethod
    def _end(daemon):
        if daemon.is_running():
            daemon.process.send_signal(signal.SIGCONT)
            daemon.stop()
        elif daemon.process is not None and not daemon.is_accounted_for:
            raise AssertionError(f'{daemon.name} ended unasked with status '
                                 f'{daemon.process.returncode}:\n{daemon.output()}')
        daemon.check_output()

    def run_command(self, argv, status=0, timeout_s=PATIENCE_S, **options):
        """Runs a command, which must end with status (None: any). Returns its stdout, or both
        outputs when it was to fail."""
        result = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, text=True,
                                capture_output=True, timeout=timeout_s, **options)
        if status is not None and result.returncode != status:
            self.fail(f'{argv} ended with {result.returncode}, not {status}:\n'
                      f'{result.stdout}{result.stderr}')
        return result.stdout if status == 0 else result.stdout + result.stderr

    def virsh(self, daemon, *words, kind='', driver=None, **options):
        return self.run_command(['virsh', '-q', '-c', daemon.uri(kind, driver), *words], **options)

    def virt_admin(self, daemon, *words, **options):
        return self.run_command(['virt-admin', '-q', '-c', daemon.admin_uri, *words], **options)


def memory_kib(pid, field='Pss'):
    """A field of the process's smaps_rollup."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as lines:
        for line in lines:
            if line.startswith(field + ':'):
                return int(line.split()[1])
    raise KeyError(field)


def memory_alone_kib(*pids):
    """The PSS that the processes would have together if nobody else used their programs and
    libraries: all that they have resident, what several of them have mapped once. Of the C library
    and the loader, which every process of a machine has mapped anyway, only the pages that are
    their own count."""
    own, of_files = 0, {}
    for pid in pids:
        with open(f'/proc/{pid}/smaps', encoding='utf-8') as lines:
            for line in lines:
                if mapping := _MAPPING.match(line):
                    place = mapping.groups()
                elif line.startswith('Rss:'):
                    resident = int(line.split()[1])
                elif line.startswith('Anonymous:'):
                    anonymous = int(line.split()[1])
                    own += anonymous
                    if not _OF_EVERY_PROCESS.search(place[1]):
                        of_files[place] = max(of_files.get(place, 0), resident - anonymous)
    return own + sum(of_files.values())


def _config_value(value):
    if isinstance(value, (list, tuple)):
        return '[ ' + ', '.join(_config_value(item) for item in value) + ' ]'
    return str(int(value)) if isinstance(value, (bool, int)) else f'"{value}"'
