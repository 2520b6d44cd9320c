"""The disks of guests, locked by way of sanlock, whose daemon runs without a watchdog."""

import hashlib
import os
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

import domain_case
import guest
import harness

SANLOCK = shutil.which('sanlock', path='/usr/sbin')
HELPER = harness.BUILD / 'virtqemud/sanlock/splitvirt_sanlock'
PRELOAD = harness.BUILD / 'tests/functional/libsanlock_preload.so'
QEMU_CONF = 'lock_manager = "sanlock"\nstdio_handler = "file"\nuser = "root"\ngroup = "root"\n'
SPACE = '__LIBVIRT__DISKS__'


def disk_xml(path, target='vda', extra=''):
    return (f"<disk type='file'><driver name='qemu' type='raw'/><source file='{path}'/>"
            f"<target dev='{target}' bus='virtio'/>{extra}</disk>")


@unittest.skipUnless(SANLOCK and HELPER.exists() and harness.IS_PRIVATE,
                     'needs sanlock, a build with it, and private namespaces')
@guest.needs_qemu
class Sanlock(domain_case.TestCase):
    # Joining a lock space takes twenty times io_timeout.
    timeout_s = 4 * guest.BOOT_S

    def setUp(self):
        super().setUp()
        self.leases = self.root / 'leases'
        self.leases.mkdir()
        self.image = self.new_image('disk.img')
        self.start_sanlock()

    def start_sanlock(self):
        os.makedirs('/run/sanlock', exist_ok=True)
        with open(self.root / 'sanlock.output', 'ab') as output:
            process = subprocess.Popen(
                [SANLOCK, 'daemon', '-D', '-w', '0', '-U', 'root', '-G', 'root'],
                env={**os.environ, 'LD_PRELOAD': str(PRELOAD)}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        harness.wait_until(lambda: harness.is_listening('/run/sanlock/sanlock.sock'),
                           'sanlock listens')

    def new_image(self, name):
        path = self.root / name
        path.write_bytes(bytes(1 << 20))
        return path

    def configure(self, sanlock):
        folder = self.root / 'etc/libvirt'
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'qemu.conf').write_text(QEMU_CONF)
        (folder / 'qemu-sanlock.conf').write_text(sanlock)

    def start_locking(self):
        self.configure(f'auto_disk_leases = 1\nhost_id = 1\nio_timeout = 1\n'
                       f'disk_lease_dir = "{self.leases}"\n')
        self.start_qemud()

    def start_slowly(self, name):
        """The first start joins the lock space."""
        self.sh('start', name, timeout_s=2 * guest.BOOT_S)

    def held_by(self):
        """The processes that have the lease of the image, as sanlock tells."""
        text = self.run_command([SANLOCK, 'client', 'status'])
        name = hashlib.md5(str(self.image).encode()).hexdigest()
        return [int(line.rsplit('p ', 1)[-1].split()[0]) for line in text.splitlines()
                if line.startswith('r ') and name in line]

    def test_life_of_a_lock(self):
        self.start_locking()
        self.define('a', devices=disk_xml(self.image))
        self.define('b', devices=disk_xml(self.image))
        self.start_slowly('a')
        self.assertTrue((self.leases / SPACE).exists())
        self.assertEqual(self.held_by(), [self.qemu_pid()])
        self.assertIn(f"disk 'vda' ('{self.image}') of domain 'b' cannot be locked in sanlock's "
                      f'lock space {SPACE}', self.fails('start', 'b'))
        self.sh('suspend', 'a')
        self.assertEqual(self.held_by(), [])
        self.sh('resume', 'a')
        self.assertEqual(self.held_by(), [self.qemu_pid()])
        self.crash_qemud()
        self.wait_state('running (unpaused)')
        self.assertEqual(self.held_by(), [self.qemu_pid()])
        self.signal_qemu(signal.SIGKILL)
        harness.wait_until(lambda: not self.held_by(), 'the lock is given back')
        self.sh('start', 'b')
        self.sh('destroy', 'b')
        self.assertEqual(self.held_by(), [])

    def test_host_id_is_demanded(self):
        self.configure('auto_disk_leases = 1\n')
        daemon = harness.Daemon('virtqemud', self.root)
        self.assertIn('qemu-sanlock.conf:1: auto_disk_leases: host_id must be set',
                      self.run_command([daemon.program, *daemon.place(), '--check-config'],
                                       status=1))

    def test_guest_without_a_lease_is_refused(self):
        self.configure('')
        self.start_qemud()
        self.define('a', devices=disk_xml(self.image))
        self.assertIn('no leases specified', self.fails('start', 'a'))

    def test_action_that_sanlock_does_not_take_is_refused(self):
        self.start_locking()
        self.define('a', devices=disk_xml(self.image),
                    extra='<on_lockfailure>pause</on_lockfailure>')
        self.assertIn('Failure action pause is not supported by sanlock', self.fails('start', 'a'))


@unittest.skipUnless(HELPER.exists() and harness.IS_PRIVATE, 'needs a build with sanlock')
@guest.needs_qemu
class Absent(domain_case.TestCase):
    def test_absent_sanlock_is_named(self):
        folder = self.root / 'etc/libvirt'
        folder.mkdir(parents=True)
        (folder / 'qemu.conf').write_text(QEMU_CONF)
        (folder / 'qemu-sanlock.conf').write_text('')
        Path('/run/sanlock').mkdir(exist_ok=True)
        self.start_qemud()
        self.define('a', devices="<lease><lockspace>s</lockspace><key>k</key>"
                                 "<target path='/x'/></lease>")
        self.assertIn('sanlock is not running (start sanlock.service)', self.fails('start', 'a'))
        self.check_gone()
