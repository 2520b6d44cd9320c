"""A system bus of a test's own, for those who stand in for services of the host."""

import importlib.util
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import harness

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/></policy></busconfig>
"""
IS_THERE = (shutil.which('dbus-daemon') and importlib.util.find_spec('dbus') and
            importlib.util.find_spec('gi'))

needs_bus = unittest.skipUnless(IS_THERE, 'needs dbus-daemon, python3-dbus and python3-gi')


class PrivateBus:
    """Ends with the test."""

    def __init__(self, test):
        self.test = test
        self.path = test.root / 'bus'
        self.address = f'unix:path={self.path}'

    def run(self, argv, **options):
        process = subprocess.Popen([str(word) for word in argv],
                                   **{'stdin': subprocess.DEVNULL, **options})

        def end():
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()
        self.test.addCleanup(end)
        return process

    def start(self):
        config = self.test.root / 'bus.conf'
        config.write_text(CONFIG.format(path=self.path))
        process = self.run(['dbus-daemon', f'--config-file={config}', '--nofork', '--nopidfile'])
        harness.wait_until(lambda: harness.is_listening(self.path), 'the bus listens')
        return process

    def start_service(self, name, output_path, *words, **options):
        """Runs the program name of this folder, which prints READY when it is on the bus."""
        with open(output_path, 'a') as output:
            process = self.run([sys.executable, Path(__file__).with_name(name), self.address,
                                *words], stdout=output, **options)
        harness.wait_until(lambda: 'READY' in Path(output_path).read_text(),
                           f'{name} is on the bus')
        return process
