"""The disks of guests, locked by way of virtlockd: ours, and Debian's, which speaks the same
protocol."""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import threading
import unittest
from pathlib import Path

import descriptors
import domain_case
import guest
import harness

ROUNDS = 100 if harness.IS_SOAK else 3
DEBIAN_VIRTLOCKD = shutil.which('virtlockd', path='/usr/sbin')
DEBIAN_SOCKET = Path('/run/libvirt/virtlockd-sock')
LOCKED = 'lock_manager = "lockd"\n'


def is_free(path, mode=fcntl.LOCK_EX):
    """Whether somebody else could lock the file, as virtlockd does."""
    with open(path, 'r+b') as file:
        try:
            fcntl.lockf(file, mode | fcntl.LOCK_NB, 1, 0)
        except (BlockingIOError, PermissionError):
            return False
        return True


def disk_xml(path, target='vda', extra=''):
    return (f"<disk type='file'><driver name='qemu' type='raw'/><source file='{path}'/>"
            f"<target dev='{target}' bus='virtio'/>{extra}</disk>")


def write_conf(root, qemu, lockd=None):
    folder = root / 'etc/libvirt'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'qemu.conf').write_text(qemu + 'stdio_handler = "file"\n')
    if lockd is not None:
        (folder / 'qemu-lockd.conf').write_text(lockd)


class LockCase(domain_case.TestCase):
    """A virtqemud that locks disks, and an image."""

    lockd_conf = None

    def setUp(self):
        super().setUp()
        self.image = self.new_image('disk.img')
        self.start_virtlockd()
        write_conf(self.root, LOCKED, self.lockd_conf)
        self.start_qemud()

    def start_virtlockd(self):
        holder = descriptors.Holder('virtlockd', self.root)
        self.addCleanup(holder.kill)
        holder.start()
        self.virtlockd = self.daemon('virtlockd')

    def lock_socket(self):
        return Path(self.virtlockd.socket())

    def new_image(self, name):
        path = self.root / name
        path.write_bytes(bytes(1 << 20))
        return path

    def define_disk(self, name='a', path=None, extra='', extra_top=''):
        self.define(name, devices=disk_xml(path or self.image, extra=extra), extra=extra_top)

    def second_host(self):
        """A virtqemud under a root of its own, with the same virtlockd."""
        root = self.root / '2'
        (root / 'run/libvirt').mkdir(parents=True)
        (root / 'run/libvirt/virtlockd-sock').symlink_to(self.lock_socket())
        write_conf(root, LOCKED, self.lockd_conf)
        other = harness.Daemon('virtqemud', root)
        return self.adopt(other)

    def hold(self, path):
        """Locks a file for somebody outside, until the test ends or closes the result."""
        file = open(path, 'r+b')
        self.addCleanup(file.close)
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
        return file

    def check_lock_follows(self):
        """The disk of guest a, which runs, is locked as long as it does."""
        self.assertFalse(is_free(self.image))
        self.sh('suspend', 'a')
        self.assertTrue(is_free(self.image))
        self.sh('resume', 'a')
        self.assertFalse(is_free(self.image))
        self.sh('destroy', 'a')
        self.assertTrue(is_free(self.image))


@guest.needs_qemu
class Locking:
    """What happens, whoever holds the locks."""

    def test_guest_has_its_disk_locked_while_it_runs(self):
        self.define_disk()
        self.sh('start', 'a')
        self.check_lock_follows()

    def test_guest_that_starts_paused_takes_its_lock_when_it_goes_on(self):
        self.define_disk()
        self.sh('start', 'a', '--paused')
        self.assertTrue(is_free(self.image))
        self.sh('resume', 'a')
        self.check_lock_follows()

    def test_guest_that_somebody_pauses_by_its_monitor_gives_its_lock_back(self):
        self.define_disk()
        self.sh('start', 'a')
        self.sh('qemu-monitor-command', 'a', '--hmp', 'stop')
        harness.wait_until(lambda: is_free(self.image), 'the lock is given back')
        self.sh('qemu-monitor-command', 'a', '--hmp', 'cont')
        harness.wait_until(lambda: not is_free(self.image), 'the lock is taken again')

    def test_guest_that_dies_has_no_lock(self):
        self.define_disk()
        self.sh('start', 'a')
        self.signal_qemu(signal.SIGKILL)
        harness.wait_until(lambda: is_free(self.image), 'the lock is given back')

    def test_start_is_refused_while_somebody_has_the_disk(self):
        self.define_disk()
        held = self.hold(self.image)
        error = self.fails('start', 'a')
        self.assertIn(f"disk 'vda' ('{self.image}') of domain 'a' cannot be locked in the direct "
                      'lock space', error)
        self.check_gone()
        held.close()
        self.sh('start', 'a')

    def test_qemu_is_not_started_without_its_locks(self):
        self.define_disk()
        self.hold(self.image)
        self.fails('start', 'a')
        self.assertRegex(self.qemu_log().splitlines()[-1], 'shutting down, reason=failed')
        self.assertNotIn('terminating', self.qemu_log())

    def test_resume_is_refused_while_somebody_has_the_disk(self):
        self.define_disk()
        self.sh('start', 'a', '--paused')
        held = self.hold(self.image)
        self.assertIn(str(self.image), self.fails('resume', 'a'))
        self.assertEqual(self.state(), 'paused (user)')
        held.close()
        self.sh('resume', 'a')

    def test_second_disk_that_is_taken_leaves_the_first_free(self):
        second = self.new_image('second.img')
        self.define('a', devices=disk_xml(self.image) + disk_xml(second, 'vdb'))
        self.hold(second)
        self.fails('start', 'a')
        self.assertTrue(is_free(self.image))

    def test_shareable_disks_are_locked_together(self):
        for name in ('a', 'b'):
            self.define_disk(name, extra='<shareable/>')
            self.sh('start', name)
        self.assertFalse(is_free(self.image))
        self.assertTrue(is_free(self.image, fcntl.LOCK_SH))

    def test_readonly_disk_is_not_locked(self):
        self.define_disk(extra='<readonly/>')
        self.sh('start', 'a')
        self.assertTrue(is_free(self.image))

    def test_two_daemons_do_not_run_the_same_disk(self):
        other = self.second_host()
        self.define_disk()
        self.sh('start', 'a')
        self.virsh(other, 'define', self.write('b.xml', guest.paused_xml(
            'b', devices=disk_xml(self.image))))
        error = self.virsh(other, 'start', 'b', status=1)
        self.assertIn("disk 'vda'", error)
        self.assertIn('locked', error)
        self.sh('suspend', 'a')
        # QEMU, which has the image open, does the rest on one host.
        self.assertIn('Failed to get "write" lock', self.virsh(other, 'start', 'b', status=1))
        self.sh('destroy', 'a')
        self.virsh(other, 'start', 'b')
        self.assertFalse(is_free(self.image))
        self.virsh(other, 'destroy', 'b')

    def test_locks_outlive_the_daemon(self):
        self.define_disk()
        self.sh('start', 'a')
        self.qemud.kill()
        self.assertFalse(is_free(self.image))
        self.qemud.start()
        self.assertFalse(is_free(self.image))
        self.wait_state('running (booted)')
        self.check_lock_follows()

    def test_guest_that_ends_without_its_daemon_has_no_lock(self):
        self.define_disk()
        self.sh('start', 'a')
        pid = self.qemu_pid()
        self.qemud.kill()
        os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: is_free(self.image), 'the lock is given back')
        self.qemud.start()
        self.check_gone()
        self.sh('start', 'a')

    def test_guest_that_was_paused_without_its_daemon_gives_its_lock_back(self):
        self.define_disk()
        self.sh('start', 'a')
        monitor = self.root / 'var/lib/libvirt/qemu/domain-1-a/monitor.sock'
        self.qemud.kill()
        qmp = guest.Qmp(monitor)
        qmp.command('stop')
        qmp.close()
        self.qemud.start()
        harness.wait_until(lambda: is_free(self.image), 'the lock is given back')

    def run_unlocked(self, action=None):
        """A guest that somebody lets run by its monitor while somebody else has its disk."""
        self.define_disk(extra_top=f'<on_lockfailure>{action}</on_lockfailure>' if action else '')
        self.sh('start', 'a', '--paused')
        held = self.hold(self.image)
        self.sh('qemu-monitor-command', 'a', '--hmp', 'cont')
        return held

    def test_guest_without_its_lock_is_paused(self):
        self.run_unlocked()
        harness.wait_until(lambda: 'runs without its locks' in self.qemud.output(), 'it is noticed')
        harness.wait_until(lambda: self.state().startswith('paused'), 'it is paused')

    def test_guest_without_its_lock_is_ended_if_that_is_wanted(self):
        self.run_unlocked('poweroff')
        self.wait_state('shut off (failed)')

    def test_guest_without_its_lock_runs_if_that_is_wanted(self):
        self.run_unlocked('ignore')
        harness.wait_until(lambda: 'runs on without its locks' in self.qemud.output(),
                           'it is noticed')
        self.assertTrue(self.state().startswith('running'))

    def test_guest_without_its_lock_is_restarted_if_that_is_wanted(self):
        held = self.run_unlocked('restart')
        harness.wait_until(lambda: self.qemu_log().count('starting up') == 2, 'it is started again')
        self.wait_state('shut off (failed)')
        held.close()
        self.sh('start', 'a')

    def test_lease_is_locked_with_its_file(self):
        folder = self.root / 'leases/area'
        folder.mkdir(parents=True)
        lease = (f"<lease><lockspace>area</lockspace><key>k</key>"
                 f"<target path='{folder.parent}'/></lease>")
        self.define('a', devices=lease)
        self.define('b', devices=lease)
        self.sh('start', 'a')
        self.assertFalse(is_free(folder / 'k'))
        self.assertIn("lease 'k' of domain 'b' cannot be locked in lock space "
                      f'{folder}', self.fails('start', 'b'))
        self.sh('destroy', 'a')
        self.sh('start', 'b')

    def test_lease_without_its_folder_is_refused(self):
        self.define('a', devices="<lease><lockspace>area</lockspace><key>k</key>"
                                 f"<target path='{self.root}/nowhere'/></lease>")
        self.assertIn(f'{self.root}/nowhere/area', self.fails('start', 'a'))
        self.assertFalse((self.root / 'nowhere').exists())

    def test_lease_with_an_offset_is_refused(self):
        self.define('a', devices="<lease><lockspace>area</lockspace><key>k</key>"
                                 "<target path='/x' offset='512'/></lease>")
        self.assertIn("Offset must be zero for this lock manager", self.fails('start', 'a'))

    def test_stopped_virtlockd_holds_up_only_who_needs_it(self):
        self.define_disk()
        self.define_and_start('b')
        os.kill(self.virtlockd_pid(), signal.SIGSTOP)
        try:
            starting = subprocess.Popen(
                ['virsh', '-q', '-c', self.qemud.uri(), 'start', 'a'],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True)
            self.sh('resume', 'b')
            self.sh('dominfo', 'a')
            self.assertIsNone(starting.poll())
            self.assertIn('virtlockd, which owns the locks of guests, does not answer',
                          starting.communicate(timeout=3 * harness.PATIENCE_S)[0])
        finally:
            os.kill(self.virtlockd_pid(), signal.SIGCONT)
        self.sh('start', 'a')

    def test_locks_that_could_not_be_given_back_do_not_stand_in_the_way(self):
        self.define_disk()
        self.sh('start', 'a')
        os.kill(self.virtlockd_pid(), signal.SIGSTOP)
        try:
            self.sh('suspend', 'a', timeout_s=3 * harness.PATIENCE_S)
        finally:
            os.kill(self.virtlockd_pid(), signal.SIGCONT)
        self.sh('resume', 'a')
        self.assertFalse(is_free(self.image))
        self.sh('suspend', 'a')
        self.assertTrue(is_free(self.image))

    def test_guest_that_goes_on_while_its_lock_is_given_back_takes_it_again(self):
        self.define_disk()
        self.sh('start', 'a')
        os.kill(self.virtlockd_pid(), signal.SIGSTOP)
        try:
            for command in ('stop', 'cont'):
                self.sh('qemu-monitor-command', 'a', '--hmp', command)
            self.wait_state('running (unpaused)')
            before = self.status_time()
        finally:
            os.kill(self.virtlockd_pid(), signal.SIGCONT)
        # It is given back, and whoever has it then has it to stay.
        harness.wait_until(lambda: self.status_time() != before and "held='yes'" in self.status(),
                           'it is to be taken again')
        harness.wait_until(lambda: not is_free(self.image), 'it is taken again')

    def status_time(self):
        return os.stat(self.run_folder() / 'a.xml').st_mtime_ns

    def status(self):
        return (self.run_folder() / 'a.xml').read_text()


class Indirect:
    """Locks in a folder beside the disks."""

    def lock_folder(self):
        return self.root / 'locks'

    @property
    def lockd_conf(self):
        return f'file_lockspace_dir = "{self.lock_folder()}"\n'

    def test_disk_is_locked_by_the_name_of_its_path(self):
        self.define_disk()
        self.sh('start', 'a')
        name = hashlib.sha256(str(self.image).encode()).hexdigest()
        self.assertFalse(is_free(self.lock_folder() / name))
        self.assertTrue(is_free(self.image))
        self.sh('destroy', 'a')
        self.assertTrue(not (self.lock_folder() / name).exists()
                        or is_free(self.lock_folder() / name))

    def test_conflict_names_disk_and_lock_space(self):
        self.define_disk()
        self.sh('start', 'a')
        self.define('b', devices=disk_xml(self.image))
        self.assertIn(f"disk 'vda' ('{self.image}') of domain 'b' cannot be locked in lock space "
                      f'{self.lock_folder()}', self.fails('start', 'b'))


class LeasesOnly:
    lockd_conf = 'auto_disk_leases = 0\n'

    def test_guest_without_a_lease_is_refused(self):
        self.define_disk()
        self.assertIn('Read/write, exclusive access, disks were present, but no leases specified',
                      self.fails('start', 'a'))

    def test_guest_with_a_lease_has_its_disk_not_locked(self):
        (self.root / 'area').mkdir()
        self.define('a', devices=disk_xml(self.image) +
                    f"<lease><lockspace>area</lockspace><key>k</key><target path='{self.root}'/>"
                    "</lease>")
        self.sh('start', 'a')
        self.assertTrue(is_free(self.image))
        self.assertFalse(is_free(self.root / 'area/k'))


class Ours(LockCase):
    def virtlockd_pid(self):
        return self.virtlockd.pid


@unittest.skipUnless(DEBIAN_VIRTLOCKD and harness.IS_PRIVATE,
                     'needs virtlockd, private namespaces')
class Debians(LockCase):
    def start_virtlockd(self):
        os.makedirs('/run/libvirt', exist_ok=True)
        os.makedirs('/var/lib/libvirt/lockd', exist_ok=True)
        os.makedirs('/var/log/libvirt', exist_ok=True)
        self.process = subprocess.Popen([DEBIAN_VIRTLOCKD], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end_virtlockd)
        harness.wait_until(lambda: harness.is_listening(DEBIAN_SOCKET), 'virtlockd listens')
        folder = self.root / 'run/libvirt'
        folder.mkdir(parents=True)
        (folder / 'virtlockd-sock').symlink_to(DEBIAN_SOCKET)

    def lock_socket(self):
        return DEBIAN_SOCKET

    def end_virtlockd(self):
        self.process.kill()
        self.process.wait()

    def virtlockd_pid(self):
        return self.process.pid


class LockingByDebians(Locking, Debians):
    pass


class IndirectByDebians(Indirect, Debians):
    pass


class Thief(threading.Thread):
    """Tries to lock a file all the time."""

    def __init__(self, path):
        super().__init__()
        self.path, self.n_tries, self.n_stolen, self.is_over = path, 0, 0, False

    def run(self):
        while not self.is_over:
            self.n_stolen += is_free(self.path)
            self.n_tries += 1

    def finish(self):
        self.is_over = True
        self.join()


class LeasesOnlyByDebians(LeasesOnly, Debians):
    pass


class LockingByOurs(Locking, Ours):
    timeout_s = Ours.timeout_s + (20 * ROUNDS if harness.IS_SOAK else 0)

    def test_absent_virtlockd_is_named_with_its_socket_and_unit(self):
        self.define_disk()
        self.virtlockd.stop()
        error = self.fails('start', 'a')
        self.assertIn(self.virtlockd.socket(), error)
        self.assertIn('virtlockd.socket', error)
        self.virtlockd.start()
        self.sh('start', 'a')

    def test_conflict_names_the_guest_that_has_the_lock(self):
        other = self.second_host()
        self.define_disk()
        self.sh('start', 'a')
        self.virsh(other, 'define', self.write('b.xml', guest.paused_xml(
            'b', devices=disk_xml(self.image))))
        self.assertRegex(self.virsh(other, 'start', 'b', status=1),
                         rf"is locked in the direct lock space by .*'?a'?.*{self.qemu_pid()}")

    def check_rounds(self, restart):
        """Nobody ever gets the lock of a guest that runs."""
        self.define_disk()
        self.sh('start', 'a')
        thief = Thief(self.image)
        thief.start()
        self.addCleanup(thief.finish)
        for _ in range(ROUNDS):
            tries = thief.n_tries
            restart()
            harness.wait_until(lambda: thief.n_tries > tries + 1, 'somebody tries to get the lock')
        thief.finish()
        self.assertEqual(thief.n_stolen, 0)
        self.check_lock_follows()

    def test_locks_are_held_through_kills_of_virtlockd(self):
        def restart():
            self.virtlockd.kill()
            self.virtlockd.start()
        self.check_rounds(restart)

    def test_locks_are_held_through_restarts_of_virtlockd(self):
        self.check_rounds(self.virtlockd.restart)

    def test_locks_are_held_through_reexecutions_of_virtlockd(self):
        def restart():
            self.virtlockd.notify.collect()
            os.kill(self.virtlockd.pid, signal.SIGUSR1)
        self.check_rounds(restart)

    def test_locks_are_held_through_kills_of_both_daemons(self):
        def restart():
            self.virtlockd.kill()
            self.qemud.kill()
            self.virtlockd.start()
            self.qemud.start()
        self.check_rounds(restart)


class IndirectByOurs(Indirect, Ours):
    pass


class LeasesOnlyByOurs(LeasesOnly, Ours):
    pass


@guest.needs_qemu
class Configuration(domain_case.TestCase):
    def check(self, status):
        daemon = harness.Daemon('virtqemud', self.root)
        return self.run_command([daemon.program, *daemon.place(), '--check-config'], status=status)

    def test_wrong_value_in_the_second_file_is_named(self):
        write_conf(self.root, LOCKED, 'auto_disk_leases = "x"\n')
        self.assertRegex(self.check(1), r'qemu-lockd\.conf:1: auto_disk_leases: expected')

    def test_second_file_is_not_read_without_need(self):
        write_conf(self.root, '', 'auto_disk_leases = "x"\n')
        self.check(0)

    def test_without_a_lock_manager_nothing_is_locked_and_nobody_asked(self):
        image = self.root / 'disk.img'
        image.write_bytes(bytes(1 << 20))
        self.start_qemud()
        self.define('a', devices=disk_xml(image) +
                    "<lease><lockspace>a</lockspace><key>k</key><target path='/x'/></lease>")
        self.sh('start', 'a')
        self.assertTrue(is_free(image))
