"""Debian's libvirtd, as a sibling of ours: a daemon of another make, with working drivers behind
it. It runs in the private namespaces only, where /run and /etc/libvirt are empty."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import harness
import namespaces

PROGRAM = shutil.which('libvirtd', path='/usr/sbin:/usr/bin')
SOCKET = '/run/libvirt/libvirt-sock'

CAN_BE = PROGRAM and harness.IS_PRIVATE and not harness.IS_SANITIZED

needs_libvirtd = unittest.skipUnless(
    CAN_BE, 'needs libvirtd, and private namespaces (root), and no sanitizer')

CONFIG = '''auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_group = "root"
log_outputs = "3:stderr"
'''
QEMU_CONFIG = '''security_driver = "none"
user = "root"
group = "root"
remember_owner = 0
namespaces = []
cgroup_controllers = []
stdio_handler = "%s"
'''


# libvirtd leaves QEMU processes to whoever collects orphans, and waits until they are collected;
# the first process of the namespaces does not do that.
REAPER = '''
import ctypes, os, signal, sys
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
daemon = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
signal.signal(signal.SIGTERM, lambda *unused: os.kill(daemon, signal.SIGTERM))
signal.signal(signal.SIGUSR1, lambda *unused: os.kill(daemon, signal.SIGKILL))
while os.wait()[0] != daemon:
    pass
'''


def start_for_module():
    """One for all tests of a module, from its setUpModule; it ends with the module. None where it
    cannot be, and tests that need it are skipped."""
    if not CAN_BE:
        return None
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    daemon = Libvirtd(folder.name).start()
    unittest.addModuleCleanup(daemon.stop)
    return daemon


class Libvirtd:
    def __init__(self, folder, stdio_handler='file', qemu_config='', wrapper=()):
        """stdio_handler: 'logd' needs a virtlogd in the system's place. qemu_config: lines that
        are added to its qemu.conf. wrapper: a command put in front of it, which must exec."""
        self.wrapper = list(wrapper)
        self.qemu_config = QEMU_CONFIG % stdio_handler + qemu_config
        self.output_path = Path(folder) / 'libvirtd.output'
        self.process = None

    def start(self):
        namespaces.pretend_libvirt_account()
        os.makedirs('/etc/libvirt', exist_ok=True)
        Path('/etc/libvirt/libvirtd.conf').write_text(CONFIG)
        Path('/etc/libvirt/qemu.conf').write_text(self.qemu_config)
        with open(self.output_path, 'ab') as output:
            self.process = subprocess.Popen(
                [*self.wrapper, sys.executable, '-c', REAPER, PROGRAM], stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT)
        harness.wait_until(lambda: self.answers('list'), 'libvirtd answers', 60)
        # Learning what QEMU can do takes it many seconds; tests are not to wait for that.
        self.answers('version')
        return self

    @staticmethod
    def answers(command):
        return os.path.exists(SOCKET) and subprocess.run(
            ['virsh', '-q', '-c', f'qemu+unix:///system?socket={SOCKET}', command],
            stdin=subprocess.DEVNULL, capture_output=True).returncode == 0

    def output(self):
        try:
            return self.output_path.read_text(errors='replace')[-4000:]
        except FileNotFoundError:
            return ''

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def kill(self):
        self.process.send_signal(signal.SIGUSR1)
        self.process.wait(20)

    def stand_in(self, root, names):
        """Gives it the sockets' names of daemons under root."""
        folder = Path(root) / 'run/libvirt'
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            for suffix in ('', '-ro'):
                (folder / f'{name}-sock{suffix}').symlink_to(SOCKET + suffix)
