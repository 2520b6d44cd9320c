"""Debian's libvirtd locks the disks of its guests with our virtlockd: a daemon of another make,
which knows nothing of restarts."""

import fcntl
import os
import signal
from pathlib import Path

import descriptors
import guest
import harness
import libvirtd
import lock_case
import namespaces

URI = f'qemu+unix:///system?socket={libvirtd.SOCKET}'

GUEST = '''<domain type='qemu'><name>{name}</name><memory>65536</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os>
<devices><emulator>{emulator}</emulator>
{disks}
</devices></domain>'''
DISK = '''<disk type='file' device='disk'><driver name='qemu' type='raw'/>
<source file='{path}'/><target dev='{target}'/>{kind}</disk>'''


@guest.needs_qemu
@libvirtd.needs_libvirtd
class Libvirtd(lock_case.TestCase):
    timeout_s = 240

    def start(self, lockd_config=''):
        """Empty system folders, of this process alone; virtlockd, its holder, and libvirtd."""
        namespaces.separate()
        os.makedirs('/etc/libvirt', exist_ok=True)
        Path('/etc/libvirt/qemu-lockd.conf').write_text(lockd_config)
        os.makedirs('/run/libvirt', exist_ok=True)
        holder = descriptors.Holder('virtlockd', Path('/'))
        self.addCleanup(holder.kill)
        holder.start()
        self.lockd = harness.SystemDaemon('virtlockd', self.root, env={'FDSTORE': '0'})
        self.adopt(self.lockd)
        self.libvirtd = libvirtd.Libvirtd(self.root, qemu_config='lock_manager = "lockd"\n')
        self.addCleanup(self.libvirtd.stop)
        self.libvirtd.start()

    def virsh9(self, *words, status=0):
        return self.run_command(['virsh', '-q', '-c', URI, *words], status=status,
                                timeout_s=3 * harness.PATIENCE_S)

    def create(self, name, *disks, status=0):
        """A guest that runs, of (path, '<shareable/>') pairs."""
        text = ''.join(DISK.format(path=path, target=f'vd{chr(ord("a") + i)}', kind=kind)
                       for i, (path, kind) in enumerate(disks))
        xml = self.file(f'{name}.xml', GUEST.format(name=name, emulator=guest.EMULATOR,
                                                    disks=text))
        self.addCleanup(self.virsh9, 'destroy', name, status=None)
        return self.virsh9('create', xml, status=status)

    def image(self, name):
        path = self.root / name
        path.write_bytes(bytes(1 << 20))
        return path

    def execute_anew(self):
        n_ready = self.lockd.notify.collect().count('READY=1')
        self.lockd.process.send_signal(signal.SIGUSR1)
        harness.wait_until(lambda: self.lockd.notify.collect(0.05).count('READY=1') > n_ready,
                           'virtlockd is there anew')

    def kill(self):
        self.lockd.kill()
        self.lockd.start()

    def test_guests_lock_their_disks(self):
        self.start()
        mine, shared, fixed = self.image('mine'), self.image('shared'), self.image('fixed')
        self.create('one', (mine, ''), (shared, '<shareable/>'), (fixed, '<readonly/>'))
        self.assertTrue(lock_case.is_locked(mine, fcntl.F_RDLCK))
        self.assertTrue(lock_case.is_locked(shared))
        self.assertFalse(lock_case.is_locked(shared, fcntl.F_RDLCK))
        self.assertFalse(lock_case.is_locked(fixed))
        # The disk of another is refused, in our words.
        other, taken = self.client('other'), self.image('taken')
        other.acquire(taken)
        self.assertIn(f"Lockspace resource '{taken}' is locked in the direct lock space by 'other'",
                      self.create('two', (taken, ''), status=1))
        other.release(taken)
        self.create('two', (taken, ''))
        self.assertIn("by 'two'", self.refused(lock_case.RESOURCE_BUSY, other.acquire, taken))
        self.create('three', (shared, '<shareable/>'))
        # Paused guests have none, and get them again.
        self.virsh9('suspend', 'one')
        self.assertFalse(lock_case.is_locked(mine))
        self.virsh9('resume', 'one')
        self.assertTrue(lock_case.is_locked(mine))
        # What libvirtd and its guests know nothing of:
        for begin_anew in (self.kill, self.execute_anew, self.lockd.restart):
            begin_anew()
            self.assertTrue(lock_case.is_locked(mine))
            self.assertIn("by 'one'", self.refused(lock_case.RESOURCE_BUSY,
                                                   self.client('other').acquire, mine))
            self.virsh9('suspend', 'one')
            self.assertFalse(lock_case.is_locked(mine))
            self.virsh9('resume', 'one')
        self.assertIn('running', self.virsh9('domstate', 'one'))
        self.virsh9('destroy', 'one')
        self.wait_released(mine)
        self.assertTrue(lock_case.is_locked(shared))
        self.virsh9('destroy', 'three')
        self.wait_released(shared)

    def test_guests_lock_files_in_a_folder(self):
        folder = self.root / 'locks'
        self.start(f'file_lockspace_dir = "{folder}"\n')
        disk = self.image('disk')
        self.create('one', (disk, ''))
        self.assertFalse(lock_case.is_locked(disk))
        self.assertEqual(len(list(folder.iterdir())), 1)
        self.assertIn(f"in lock space '{folder}' by 'one'", self.refused_in(folder))
        self.virsh9('destroy', 'one')
        harness.wait_until(lambda: not list(folder.iterdir()), 'the file is gone')
        # The lock space is there already for the next libvirtd, and for ours.
        self.libvirtd.stop()
        self.kill()
        self.libvirtd.start()
        self.create('one', (disk, ''))
        self.assertIn(f"in lock space '{folder}' by 'one'", self.refused_in(folder))

    def refused_in(self, folder):
        """What another owner is told who wants the one lock in the folder."""
        name = next(folder.iterdir()).name
        return self.refused(lock_case.RESOURCE_BUSY, self.client('other').acquire, name,
                            lock_case.AUTOCREATE, str(folder))
