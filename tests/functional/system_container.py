"""A system of its own for tests: Debian under a real systemd, with the suite as `meson install`
lays it out, booted in a container.

    def setUpModule():
        system_container.boot()

    class Units(system_container.TestCase):
        def test_socket_starts_the_daemon(self):
            self.systemctl('stop', 'virtsecretd.service')
            self.assert_serves('virtsecretd')

All tests of a module share the container: each leaves units as it found them (setUp sees to the
most of it). The files that tests/system/make-base has made lie below it, read-only; what is
written goes to a folder that is thrown away. It needs root, systemd-nspawn and mmdebstrap.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness
import namespaces
import rpc

MAKE_BASE = harness.TOP / 'tests/system/make-base'
GUEST = harness.TOP / 'build/guest'
HAS_TOOLS = all(shutil.which(tool) for tool in ('systemd-nspawn', 'mmdebstrap', 'nsenter'))
BOOT_S = 120
# The exit status of systemd-nspawn when the container has asked for a reboot.
REBOOT = 133
PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

_container = None


class Container:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix='sv-system-', dir=harness.ROOTS))
        self.root = self.folder / 'root'
        self.console = self.folder / 'console.log'
        self.cgroups = []
        self.process = self.leader = None

    def prepare(self):
        result = subprocess.run([MAKE_BASE], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if result.returncode != 0:
            raise AssertionError(f'{MAKE_BASE} failed:\n{result.stdout}{result.stderr}')
        # The upper folder of an overlay cannot lie on another overlay, which /tmp may be.
        space = self.folder / 'space'
        for folder in (space, self.root):
            folder.mkdir()
        self.check(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', space])
        for name in ('upper', 'work'):
            (space / name).mkdir(mode=0o755)
        base = MAKE_BASE.parents[2] / 'build/system/base'
        self.check(['mount', '-t', 'overlay', 'overlay', '-o',
                    f'lowerdir={base},upperdir={space}/upper,workdir={space}/work', self.root])
        self.check(['meson', 'install', '-C', harness.BUILD, '--no-rebuild', '--quiet'],
                   env={**os.environ, 'DESTDIR': str(self.root)})

    @staticmethod
    def check(argv, **options):
        result = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, **options)
        if result.returncode != 0:
            raise AssertionError(f'{argv} ended with {result.returncode}:\n'
                                 f'{result.stdout}{result.stderr}')
        return result.stdout

    def enter_cgroup(self):
        """In the child: systemd takes the cgroup that it finds itself in for its own."""
        for folder in self.cgroups:
            (folder / 'cgroup.procs').write_text(str(os.getpid()))

    def make_cgroups(self):
        with open('/proc/self/mountinfo', encoding='utf-8') as mounts:
            for line in mounts:
                words = line.split()
                kind, options = words[words.index('-') + 1], words[-1]
                if kind == 'cgroup2' or (kind == 'cgroup' and 'name=systemd' in options):
                    folder = Path(words[4]) / f'splitvirt-{self.folder.name}'
                    with contextlib.suppress(OSError):
                        folder.mkdir()
                        self.cgroups.append(folder)

    def start(self):
        with open(self.console, 'ab') as console:
            self.process = subprocess.Popen(
                ['systemd-nspawn', '--quiet', f'--directory={self.root}', '--boot', '--register=no',
                 '--keep-unit', '--private-network', '--link-journal=no', '--machine=virthost',
                 '--console=pipe', f'--bind-ro={GUEST}'],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT,
                preexec_fn=self.enter_cgroup, env={**os.environ, 'SYSTEMD_NSPAWN_LOCK': '0'})
        self.wait_booted()
        # Guests, who are not root, read below it; a tree in /root would be out of their reach.
        self.run(['chmod', 'a+x', *GUEST.parents])

    def wait_booted(self):
        def has_booted():
            if self.process.poll() is not None:
                raise AssertionError(f'the container ended:\n{self.console_text()}')
            children = Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children')
            for pid in children.read_text().split():
                # nspawn has a helper of its own while it sets up; systemd it is at the end.
                with contextlib.suppress(OSError):
                    if Path(f'/proc/{pid}/comm').read_text() == 'systemd\n':
                        self.leader = int(pid)
                        return self.run(['systemctl', 'is-system-running'], status=None)[0].strip() \
                            in ('running', 'degraded')
            return False
        try:
            harness.wait_until(has_booted, 'the container has booted', BOOT_S)
        except AssertionError as error:
            raise AssertionError(f'{error}\n{self.console_text()}') from None

    def console_text(self):
        return self.console.read_text(errors='replace')[-4000:]

    def reboot(self):
        self.run(['systemctl', 'reboot'], status=None)
        status = self.process.wait(BOOT_S)
        if status != REBOOT:
            raise AssertionError(f'no reboot, but status {status}:\n{self.console_text()}')
        self.start()

    def stop(self):
        if self.process and self.process.poll() is None:
            # Its own way down takes longer, and nobody looks. With its first process go all others,
            # which outlive systemd-nspawn.
            os.kill(self.leader or self.process.pid, signal.SIGKILL)
            self.process.wait()
        for folder in self.cgroups:
            self.remove_cgroup(folder)
        for path in (self.root, self.folder / 'space'):
            subprocess.run(['umount', '-l', path], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def remove_cgroup(folder):
        """Whoever is in it has lost its namespace's first process, and is about to end."""
        def is_gone():
            for inner, _, _ in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(inner)
            return not folder.exists()
        with contextlib.suppress(AssertionError):
            harness.wait_until(is_gone, f'{folder} is empty')

    def run(self, argv, status=0, timeout_s=BOOT_S, text=None, user=None):
        """Runs a command inside. Returns its stdout and stderr."""
        command = ['nsenter', '--target', str(self.leader), '--mount', '--uts', '--ipc', '--net',
                   '--pid', '--cgroup', '--wd=/', 'env', '-i', f'PATH={PATH}', 'HOME=/root', 'LC_ALL=C']
        if user:
            command += ['runuser', '-u', user, '--']
        result = subprocess.run(command + [str(word) for word in argv], capture_output=True,
                                text=True, input=text or '', timeout=timeout_s)
        if status is not None and result.returncode != status:
            raise AssertionError(f'{argv} ended with {result.returncode}, not {status}:\n'
                                 f'{result.stdout}{result.stderr}')
        return result.stdout, result.stderr

    def path(self, path):
        """A file inside, seen from here: run time files too."""
        return Path(f'/proc/{self.leader}/root{path}')


def boot():
    """Boots the container of this module; skips the module where that cannot be done."""
    global _container
    if not harness.IS_PRIVATE or not HAS_TOOLS:
        raise unittest.SkipTest('needs root, systemd-nspawn and mmdebstrap')
    if harness.IS_SANITIZED:
        raise unittest.SkipTest('the container has no sanitizers')
    # Mounts of this module go with its process, whatever becomes of it.
    namespaces.separate()
    _container = Container()
    unittest.addModuleCleanup(_container.stop)
    _container.prepare()
    _container.make_cgroups()
    _container.start()
    # What an administrator does after installing.
    _container.run(['systemctl', 'preset', 'splitvirt.target'])
    _container.run(['systemctl', 'start', 'splitvirt.target'])
    return _container


def container():
    return _container


def answers(path, timeout_s=harness.PATIENCE_S):
    """Whether whoever serves a socket answers a first call, with an error or without."""
    name = Path(path).name
    if 'admin' in name:
        program, procedure = 'ADMIN', 'CONNECT_OPEN'
    elif name == 'virtlogd-sock':
        program, procedure = 'VIR_LOG_MANAGER_PROTOCOL', 'DOMAIN_READ_LOG_FILE'
    elif name == 'virtlockd-sock':
        program, procedure = 'VIR_LOCK_SPACE_PROTOCOL', 'REGISTER'
    else:
        program, procedure = 'REMOTE', 'AUTH_LIST'
    with rpc.Client(path, timeout_s=timeout_s) as client:
        return client.call_raw(program, procedure).kind == rpc.REPLY


class TestCase(unittest.TestCase):
    maxDiff = None
    timeout_s = 240
    kinds = {**{name: ('', '-ro', '-admin') for name in harness.DAEMONS},
             'virtlogd': ('', '-admin'), 'virtlockd': ('', '-admin')}

    @property
    def container(self):
        return _container

    def run_inside(self, *argv, **options):
        return _container.run(argv, **options)[0]

    def systemctl(self, *words, **options):
        return _container.run(['systemctl', *words], **options)[0]

    def virsh(self, *words, uri='qemu:///system', **options):
        return _container.run(['virsh', '-q', '-c', uri, *words], **options)[0]

    def journal(self, unit, lines=40):
        return self.run_inside('journalctl', '--no-pager', '-q', '-n', str(lines), '-u', unit)

    def state(self, unit):
        return self.systemctl('show', '--property=ActiveState', '--value', unit).strip()

    def main_pid(self, daemon):
        """As numbered inside."""
        return int(self.systemctl('show', '--property=MainPID', '--value', f'{daemon}.service'))

    def socket(self, daemon, kind=''):
        """The path of a daemon's socket, seen from here."""
        middle, end = ('-admin', '') if kind == '-admin' else ('', kind)
        return _container.path(f'/run/libvirt/{daemon}{middle}-sock{end}')

    def assert_serves(self, daemon, kinds=None):
        for kind in kinds or self.kinds[daemon]:
            path = self.socket(daemon, kind)
            try:
                self.assertTrue(answers(path), path)
            except (OSError, rpc.Closed) as error:
                self.fail(f'{path.name}: {error!r}\n{self.journal(f"{daemon}.service")}')

    def write(self, path, text):
        """A file inside, for the test alone."""
        inside = _container.path(path)
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.write_text(text)
        self.addCleanup(lambda: _container.path(path).unlink(missing_ok=True))
        return path
