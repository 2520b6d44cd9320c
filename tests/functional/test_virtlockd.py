"""virtlockd's protocol: who may call what, locks that conflict and locks that do not, and what
callers are told."""

import fcntl
import os
import signal
import stat
import subprocess
import sys

import harness
import lock_case
import rpc
from lock_case import (AUTOCREATE, INTERNAL_ERROR, INVALID_ARG, OPERATION_DENIED,
                       OPERATION_FAILED, OPERATION_INVALID, RESOURCE_BUSY, SHARED, SYSTEM_ERROR)

# Every procedure with arguments that are good, but for the state of the connection.
CALLS = {'NEW': {'path': '/no/such/space'}, 'CREATE_LOCKSPACE': {'path': '/no/such/space'},
         'CREATE_RESOURCE': {'path': '', 'name': '/no/such/file'},
         'DELETE_RESOURCE': {'path': '', 'name': '/no/such/file'},
         'ACQUIRE_RESOURCE': {'path': '', 'name': '/no/such/file'},
         'RELEASE_RESOURCE': {'path': '', 'name': '/no/such/file'}, 'RESTRICT': {}}


class Connections(lock_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_lockd(holder=False)

    def test_connection_without_owner_may_do_next_to_nothing(self):
        client = self.connect()
        for procedure, args in CALLS.items():
            if procedure != 'CREATE_LOCKSPACE':
                self.assertIn('lock owner details have not been registered',
                              self.refused(OPERATION_INVALID, client.do, procedure, **args))

    def test_restricted_connection_may_do_nothing(self):
        client = self.client()
        client.do('RESTRICT')
        for procedure, args in CALLS.items():
            self.assertIn('lock manager connection has been restricted',
                          self.refused(OPERATION_DENIED, client.do, procedure, **args))
        self.refused(OPERATION_DENIED, client.register, lock_case.owner('vm', os.getpid()))

    def test_unknown_flags_are_refused(self):
        client = self.client()
        for procedure, args in CALLS.items():
            if procedure != 'CREATE_LOCKSPACE':
                self.assertIn('unsupported flags (0x10)',
                              self.refused(INVALID_ARG, client.do, procedure, flags=0x10, **args))
        self.refused(INVALID_ARG, client.do, 'REGISTER', flags=1, owner=lock_case.owner('vm', 1))

    def test_connection_can_speak_for_another_owner_later(self):
        disk = self.file()
        client = self.client('first')
        client.acquire(disk)
        client.register(lock_case.owner('second', self.process().pid))
        self.assertIn("'first'", self.refused(RESOURCE_BUSY, client.acquire, disk))

    def test_owner_without_a_process_gets_no_lock(self):
        disk = self.file()
        dead = self.process()
        self.end_process(dead)
        for pid in (0, dead.pid):
            client = self.connect().register(lock_case.owner('vm', pid))
            self.assertIn(f"cannot be locked for 'vm': there is no process {pid}",
                          self.refused(OPERATION_INVALID, client.acquire, disk))

    def test_impossible_process_is_refused(self):
        self.refused(INVALID_ARG, self.connect().register, lock_case.owner('vm', 1 << 31))

    @harness.needs_root
    def test_only_root_may_connect(self):
        mode = stat.S_IMODE(os.stat(self.lockd.socket()).st_mode)
        self.assertEqual(mode & 0o077, 0)


class DirectLocks(lock_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_lockd(holder=False)
        self.disk = self.file()
        self.one, self.two = self.client('one'), self.client('two')

    def test_lock_is_seen_by_others(self):
        self.one.acquire(self.disk)
        self.assertTrue(lock_case.is_locked(self.disk, fcntl.F_RDLCK))
        self.one.release(self.disk)
        self.assertFalse(lock_case.is_locked(self.disk))

    def test_shared_lock_is_seen_as_shared(self):
        self.one.acquire(self.disk, SHARED)
        self.assertTrue(lock_case.is_locked(self.disk))
        self.assertFalse(lock_case.is_locked(self.disk, fcntl.F_RDLCK))

    def test_conflict_names_the_file_and_who_has_it(self):
        self.one.acquire(self.disk)
        text = self.refused(RESOURCE_BUSY, self.two.acquire, self.disk)
        self.assertEqual(text, f"resource busy: Lockspace resource '{self.disk}' is locked in the "
                               f"direct lock space by 'one' (UUID {lock_case.uuid_of('one')}, "
                               f"process {self.one.process.pid})")

    def test_conflict_counts_those_who_share(self):
        for client in (self.one, self.two):
            client.acquire(self.disk, SHARED)
        text = self.refused(RESOURCE_BUSY, self.client('three').acquire, self.disk)
        self.assertIn('and 1 other, shared', text)

    def test_same_owner_does_not_get_it_twice(self):
        self.one.acquire(self.disk)
        self.refused(RESOURCE_BUSY, self.one.acquire, self.disk)

    def test_exclusive_lock_keeps_sharers_away(self):
        self.one.acquire(self.disk)
        self.refused(RESOURCE_BUSY, self.two.acquire, self.disk, SHARED)

    def test_shared_lock_lasts_as_long_as_anybody_has_it(self):
        self.one.acquire(self.disk, SHARED)
        self.two.acquire(self.disk, SHARED)
        self.one.release(self.disk)
        self.assertTrue(lock_case.is_locked(self.disk))
        self.refused(RESOURCE_BUSY, self.one.acquire, self.disk)
        self.two.release(self.disk)
        self.one.acquire(self.disk)

    def test_what_was_shared_twice_is_given_back_twice(self):
        self.one.acquire(self.disk, SHARED)
        self.one.acquire(self.disk, SHARED)
        self.one.release(self.disk)
        self.assertTrue(lock_case.is_locked(self.disk))
        self.one.release(self.disk)
        self.assertFalse(lock_case.is_locked(self.disk))

    def test_release_of_what_is_not_locked_is_refused(self):
        self.assertIn(f"Lockspace resource '{self.disk}' is not locked",
                      self.refused(RESOURCE_BUSY, self.one.release, self.disk))

    def test_release_of_anothers_lock_is_refused(self):
        self.one.acquire(self.disk)
        self.assertIn(f'owner {self.two.process.pid} does not hold the resource lock',
                      self.refused(INTERNAL_ERROR, self.two.release, self.disk))
        self.assertTrue(lock_case.is_locked(self.disk))

    def test_other_name_of_the_file_is_the_same_lock(self):
        other = self.root / 'other'
        other.symlink_to(self.disk)
        self.one.acquire(self.disk)
        text = self.refused(RESOURCE_BUSY, self.two.acquire, other)
        self.assertIn("'one'", text)
        self.assertIn(f"as '{self.disk}'", text)

    def test_process_that_has_it_locked_is_named(self):
        script = ('import fcntl, sys, time; file = open(sys.argv[1], "r+"); '
                  'fcntl.lockf(file, fcntl.LOCK_EX); print("up", flush=True); time.sleep(10000)')
        other = subprocess.Popen([sys.executable, '-c', script, self.disk],
                                 stdout=subprocess.PIPE)
        self.addCleanup(other.stdout.close)
        self.addCleanup(self.end_process, other)
        other.stdout.readline()
        self.assertIn(f'by process {other.pid} (python3',
                      self.refused(RESOURCE_BUSY, self.one.acquire, self.disk))

    def test_process_with_the_same_kind_of_lock_is_named(self):
        self.addCleanup(os.close, lock_case.take(self.disk))
        self.assertIn(f'by process {os.getpid()} (',
                      self.refused(RESOURCE_BUSY, self.one.acquire, self.disk))

    def test_locks_of_qemu_are_not_in_the_way(self):
        # QEMU locks single bytes from the hundredth on.
        self.addCleanup(os.close, lock_case.take(self.disk, fcntl.F_RDLCK, 100, 104))
        self.one.acquire(self.disk)

    def test_missing_file_is_an_error(self):
        text = self.refused(SYSTEM_ERROR, self.one.acquire, self.root / 'none')
        self.assertIn(f'Unable to open resource {self.root}/none: No such file or directory', text)

    def test_only_files_and_block_devices_are_locked(self):
        os.mkfifo(self.root / 'fifo')
        for path in ('/dev/null', self.root / 'fifo'):
            self.assertIn('is neither a file nor a block device',
                          self.refused(INVALID_ARG, self.one.acquire, path))
        self.assertIn('Is a directory', self.refused(SYSTEM_ERROR, self.one.acquire, self.root))

    def test_relative_path_is_refused(self):
        for name in ('disk', ''):
            self.refused(INVALID_ARG, self.one.acquire, name)

    def test_too_long_path_is_refused(self):
        self.refused(SYSTEM_ERROR, self.one.acquire, '/' + 'x' * 5000)

    def test_name_that_is_no_utf8_is_locked(self):
        path = os.fsencode(self.root) + b'/\xff%41'
        with open(path, 'w', encoding='ascii'):
            pass
        payload = rpc.TYPES.pack('virLockSpaceProtocolAcquireResourceArgs',
                                 {'path': '', 'name': path, 'flags': 0})
        self.assertEqual(self.one.call_raw(lock_case.PROGRAM, 'ACQUIRE_RESOURCE', payload).status,
                         rpc.OK)
        self.assertTrue(lock_case.is_locked(path))

    @harness.needs_private_namespaces
    def test_file_that_cannot_be_written_can_be_shared(self):
        folder = self.root / 'ro'
        folder.mkdir()
        self.run_command(['mount', '-t', 'tmpfs', 'tmpfs', folder])
        self.addCleanup(self.run_command, ['umount', '-l', folder])
        (folder / 'disk').write_text('')
        self.run_command(['mount', '-o', 'remount,ro', folder])
        self.assertIn('Read-only file system',
                      self.refused(SYSTEM_ERROR, self.one.acquire, folder / 'disk'))
        self.one.acquire(folder / 'disk', SHARED)
        self.one.release(folder / 'disk')

    def test_lock_lasts_when_the_file_is_removed(self):
        self.one.acquire(self.disk)
        self.disk.unlink()
        self.refused(RESOURCE_BUSY, self.two.acquire, self.disk)
        self.one.release(self.disk)

    def test_resource_is_made_and_removed_by_call(self):
        path = self.root / 'made'
        for _ in range(2):
            self.one.do('CREATE_RESOURCE', path='', name=str(path))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        for _ in range(2):
            self.one.do('DELETE_RESOURCE', path='', name=str(path))
        self.assertFalse(path.exists())

    def test_creating_keeps_what_is_there(self):
        disk = self.file('full', 'content')
        self.one.do('CREATE_RESOURCE', path='', name=str(disk))
        self.assertEqual(disk.read_text(), 'content')

    def test_locked_resource_is_not_removed(self):
        self.one.acquire(self.disk)
        self.assertIn("'one'", self.refused(RESOURCE_BUSY, self.two.do, 'DELETE_RESOURCE',
                                            path='', name=str(self.disk)))
        self.one.release(self.disk)
        self.addCleanup(os.close, lock_case.take(self.disk))
        self.assertIn(f'process {os.getpid()}',
                      self.refused(RESOURCE_BUSY, self.two.do, 'DELETE_RESOURCE', path='',
                                   name=str(self.disk)))
        self.assertTrue(self.disk.exists())


@harness.needs_private_namespaces
class FullDisk(lock_case.TestCase):
    def test_lock_that_cannot_be_recorded_is_not_had(self):
        folder = self.root / 'run/libvirt'
        folder.mkdir(parents=True)
        self.run_command(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder])
        self.addCleanup(self.run_command, ['umount', '-l', folder])
        self.start_lockd()
        disk, other_disk, client = self.file(), self.file('other'), self.client()
        client.acquire(other_disk)
        with self.assertRaises(OSError), open(folder / 'filler', 'wb', buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        self.assertIn('No space left', self.refused(SYSTEM_ERROR, client.acquire, disk))
        self.assertFalse(lock_case.is_locked(disk))
        client.release(other_disk)
        self.assertFalse(lock_case.is_locked(other_disk))
        (folder / 'filler').unlink()
        client.acquire(disk)


class StuckHolder(lock_case.TestCase):
    def test_lock_that_nobody_keeps_is_not_had(self):
        """Though the holder, which does not answer, has its descriptor."""
        self.start_lockd()
        disk, client = self.file(), self.client()
        client.acquire(self.file('other'))
        os.kill(self.holder.process.pid, signal.SIGSTOP)
        self.assertIn('did not answer', self.refused(OPERATION_FAILED, client.acquire, disk))
        self.assertFalse(lock_case.is_locked(disk))
        os.kill(self.holder.process.pid, signal.SIGCONT)
        client.acquire(disk)
        self.assertTrue(lock_case.is_locked(disk))


class TwoDaemons(lock_case.TestCase):
    def test_each_respects_the_locks_of_the_other(self):
        disk = self.file()
        self.start_lockd()
        self.client('one').acquire(disk)
        first = self.lockd
        (self.root / 'second').mkdir()
        self.lockd = harness.Daemon('virtlockd', self.root / 'second', env={'FDSTORE': '0'})
        self.adopt(self.lockd)
        self.assertIn(f'by process {first.pid} (virtlockd)',
                      self.refused(RESOURCE_BUSY, self.client('two').acquire, disk))


class IndirectLocks(lock_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_lockd(holder=False)
        self.one, self.two = self.client('one'), self.client('two')
        self.folder = self.root / 'locks/files'
        self.space = str(self.folder)
        self.one.do('NEW', path=self.space)

    def test_folder_is_made(self):
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)

    def test_folder_that_is_there_is_used(self):
        folder = self.root / 'there'
        folder.mkdir(mode=0o755)
        self.one.do('CREATE_LOCKSPACE', path=str(folder))
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o755)
        self.one.acquire('a', AUTOCREATE, str(folder))

    def test_lock_space_is_there_once(self):
        self.assertIn(f'Lockspace for path {self.space} already exists',
                      self.refused(INTERNAL_ERROR, self.two.do, 'NEW', path=self.space))
        self.refused(OPERATION_INVALID, self.two.do, 'NEW', path='')

    def test_lock_space_can_be_asked_for_again_and_by_anybody(self):
        for _ in range(2):
            for path in (self.space, '', str(self.root / 'other')):
                self.connect().do('CREATE_LOCKSPACE', path=path)
        self.one.acquire('a', AUTOCREATE, str(self.root / 'other'))

    def test_path_that_is_no_folder_is_refused(self):
        disk = self.file()
        for procedure in ('NEW', 'CREATE_LOCKSPACE'):
            for path in (disk, disk / 'below'):
                self.assertIn(f'Lockspace location {path} exists, but is not a directory',
                              self.refused(INTERNAL_ERROR, self.one.do, procedure, path=str(path)))
            self.refused(INVALID_ARG, self.one.do, procedure, path='relative')

    def test_unknown_lock_space_is_an_error(self):
        for procedure, args in CALLS.items():
            if 'name' in args:
                self.assertIn('Lockspace for path /nowhere does not exist',
                              self.refused(INTERNAL_ERROR, self.one.do, procedure,
                                           path='/nowhere', name='a'))

    def test_file_comes_and_goes_with_the_lock(self):
        self.one.acquire('a', AUTOCREATE, self.space)
        self.assertEqual(stat.S_IMODE((self.folder / 'a').stat().st_mode), 0o600)
        self.assertTrue(lock_case.is_locked(self.folder / 'a'))
        self.one.release('a', self.space)
        self.assertFalse((self.folder / 'a').exists())

    def test_file_is_not_made_unasked(self):
        self.assertIn('No such file', self.refused(SYSTEM_ERROR, self.one.acquire, 'a', 0,
                                                   self.space))

    def test_file_that_was_not_made_for_the_lock_stays(self):
        self.one.do('CREATE_RESOURCE', path=self.space, name='a')
        self.one.acquire('a', 0, self.space)
        self.one.release('a', self.space)
        self.assertTrue((self.folder / 'a').exists())

    def test_file_goes_with_the_last_who_shares(self):
        for client in (self.one, self.two):
            client.acquire('a', SHARED | AUTOCREATE, self.space)
        self.one.release('a', self.space)
        self.assertTrue((self.folder / 'a').exists())
        self.two.release('a', self.space)
        self.assertFalse((self.folder / 'a').exists())

    def test_file_that_another_host_shares_stays(self):
        self.one.acquire('a', SHARED | AUTOCREATE, self.space)
        self.addCleanup(os.close, lock_case.take(self.folder / 'a', fcntl.F_RDLCK))
        self.one.release('a', self.space)
        self.assertTrue((self.folder / 'a').exists())

    def test_conflict_names_the_lock_space(self):
        self.one.acquire('a', AUTOCREATE, self.space)
        self.assertIn(f"Lockspace resource 'a' is locked in lock space '{self.space}' by 'one'",
                      self.refused(RESOURCE_BUSY, self.two.acquire, 'a', AUTOCREATE, self.space))

    def test_same_name_in_another_lock_space_is_another_lock(self):
        other = str(self.root / 'other')
        self.two.do('NEW', path=other)
        self.one.acquire('a', AUTOCREATE, self.space)
        self.two.acquire('a', AUTOCREATE, other)

    def test_name_leads_nowhere_else(self):
        for name in ('../a', 'a/b', '.', '..', ''):
            self.refused(INVALID_ARG, self.one.acquire, name, AUTOCREATE, self.space)
            self.refused(INVALID_ARG, self.one.do, 'CREATE_RESOURCE', path=self.space, name=name)

    def test_lock_moves_between_many_clients(self):
        """Everybody wants the same, whose file comes and goes: one has it at any time."""
        clients = [self.client(f'vm{i}') for i in range(8)]
        for _ in range(20):
            serials = []
            for client in clients:
                payload = rpc.TYPES.pack('virLockSpaceProtocolAcquireResourceArgs',
                                         {'path': self.space, 'name': 'a', 'flags': AUTOCREATE})
                serials.append(client.send_call(lock_case.PROGRAM, 'ACQUIRE_RESOURCE', payload))
            replies = [client.reply_to(serial) for client, serial in zip(clients, serials)]
            winners = [client for client, reply in zip(clients, replies) if reply.status == rpc.OK]
            self.assertEqual(len(winners), 1)
            winners[0].release('a', self.space)
        self.assertFalse((self.folder / 'a').exists())


class Administration(lock_case.TestCase):
    def test_clients_are_listed(self):
        self.start_lockd(holder=False)
        self.client()
        self.assertEqual(len(self.virt_admin(self.lockd, 'client-list', 'virtlockd').splitlines()), 1)

    def test_clients_are_limited(self):
        self.start_lockd(holder=False, config={'max_clients': 2})
        socket = self.lockd.socket()
        with lock_case.Client(socket) as one, lock_case.Client(socket) as two:
            for client in (one, two):
                client.register(lock_case.owner('vm', os.getpid()))
            with lock_case.Client(socket) as three, self.assertRaises(rpc.Error) as caught:
                three.register(lock_case.owner('vm', os.getpid()))
        self.assertIn('max_clients', caught.exception.message)

    def test_many_locks_leave_nothing_behind(self):
        self.start_lockd(holder=False)
        disks = [self.file(f'disk{i}') for i in range(10)]
        client = self.client()
        client.acquire(disks[0])
        client.release(disks[0])
        with self.lockd.returns_to_base_line():
            for _ in range(20):
                for disk in disks:
                    client.acquire(disk)
                for disk in disks:
                    client.release(disk)
            for _ in range(20):
                other = self.client('other')
                other.acquire(disks[0])
                self.end_process(other.process)
                other.close()
                self.wait_released(disks[0])

    def test_daemon_with_a_lock_does_not_leave(self):
        self.start_lockd(holder=False, args=['--timeout', '1'])
        disk = self.file()
        client = self.client()
        client.acquire(disk)
        client.close()
        with self.assertRaises(subprocess.TimeoutExpired):
            self.lockd.process.wait(3)
        self.end_process(client.process)
        self.assertEqual(self.lockd.wait(), 0)
