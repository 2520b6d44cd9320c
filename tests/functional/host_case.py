"""A private system bus with host_manager.py on it, and tests of what virtqemud does by it."""

import importlib.util
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import domain_case
import harness

# What logind hears from a daemon that wants to end guests.
HOLDS = 'INHIBIT shutdown virtqemud delay'
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/></policy></busconfig>
"""
needs_bus = unittest.skipUnless(
    shutil.which('dbus-daemon') and importlib.util.find_spec('dbus') and
    importlib.util.find_spec('gi'), 'needs dbus-daemon, python3-dbus and python3-gi')


class HostBus:
    """The bus of one test, below its root; ends with the test."""

    def __init__(self, test, cgroup_folder='/nowhere'):
        self.test = test
        path = test.root / 'bus'
        self.address = f'unix:path={path}'
        config = test.root / 'bus.conf'
        config.write_text(CONFIG.format(path=path))
        self.start(['dbus-daemon', '--nofork', '--nopidfile', f'--config-file={config}'])
        harness.wait_until(lambda: harness.is_listening(path), 'the bus listens')
        self.said_path = test.root / 'host-manager.said'
        with open(self.said_path, 'w') as said:
            self.manager = self.start(
                [sys.executable, Path(__file__).with_name('host_manager.py'), self.address,
                 str(cgroup_folder)], stdin=subprocess.PIPE, stdout=said, text=True)
        self.wait_for('READY')

    def start(self, argv, **options):
        process = subprocess.Popen(argv, **{'stdin': subprocess.DEVNULL, **options})

        def end():
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()
        self.test.addCleanup(end)
        return process

    def tell(self, command):
        """Gives a command, and waits until it was carried out."""
        count = self.said().count(f'DONE {command}')
        self.manager.stdin.write(f'{command}\n')
        self.manager.stdin.flush()
        self.wait_for(f'DONE {command}', count + 1)

    def said(self):
        return self.said_path.read_text().splitlines()

    def wait_for(self, line, count=1):
        def is_said():
            return sum(each.startswith(line) for each in self.said()) >= count
        harness.wait_until(is_said, f'the host manager says {line!r} {count} times')


class TestCase(domain_case.TestCase):
    def conf(self, **values):
        """Writes qemu.conf."""
        folder = self.root / 'etc/libvirt'
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'qemu.conf').write_text(''.join(
            f'{key} = {value}\n' if isinstance(value, int) else f'{key} = "{value}"\n'
            for key, value in values.items()))

    def start_with(self, cgroup_folder='/nowhere', **values):
        """virtqemud with these settings and a logind, whose lock it holds if it wants to."""
        self.conf(**values)
        self.bus = HostBus(self, cgroup_folder)
        self.start_qemud(env={'DBUS_SYSTEM_BUS_ADDRESS': self.bus.address})
        if {'all', 'persistent', 'transient'} & set(values.values()):
            self.bus.wait_for(HOLDS)
