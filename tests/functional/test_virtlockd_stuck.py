"""A file system that does not answer: who needs it waits, and nobody else."""

import json
import os
import signal
import unittest

import hanging_fs
import harness
import lock_case
import rpc

N_STUCK = 40


@unittest.skipUnless(harness.IS_PRIVATE and hanging_fs.IS_THERE,
                     'needs private namespaces (root) and FUSE')
class Stuck(lock_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_lockd(config={'max_workers': 5},
                         args=['--pid-file', str(self.root / 'virtlockd.pid')])
        self.fs = self.enterContext(hanging_fs.HangingFs(self.root / 'far'))
        self.disk = self.file()

    def send_acquire(self, client, path):
        payload = rpc.TYPES.pack('virLockSpaceProtocolAcquireResourceArgs',
                                 {'path': '', 'name': str(path), 'flags': 0})
        return client.send_call(lock_case.PROGRAM, 'ACQUIRE_RESOURCE', payload)

    def works_for_others(self):
        other = self.client('other')
        for _ in range(10):
            other.acquire(self.disk)
            other.release(self.disk)

    def test_files_on_it_are_locked_while_it_answers(self):
        one, two = self.client('one'), self.client('two')
        for _ in range(3):
            one.acquire(self.fs.disk)
            self.assertIn("'one'", self.refused(lock_case.RESOURCE_BUSY, two.acquire, self.fs.disk))
            one.release(self.fs.disk)

    def test_others_do_not_wait(self):
        one = self.client('one')
        self.fs.hang()
        for i in range(N_STUCK):
            self.send_acquire(self.client(f'vm{i}', one.process), self.fs.folder / f'disk{i}')
        self.works_for_others()
        self.assertGreater(len(self.virt_admin(self.lockd, 'client-list', 'virtlockd').splitlines()),
                           N_STUCK)

    def test_two_who_want_the_same_wait_alone(self):
        self.fs.hang()
        for name in ('one', 'two'):
            self.send_acquire(self.client(name), self.fs.disk)
        self.works_for_others()

    def test_file_system_that_hangs_under_a_lock_is_nobody_elses_matter(self):
        self.client('one').acquire(self.fs.disk)
        self.fs.hang()
        for _ in range(5):
            self.works_for_others()

    def test_who_waits_gets_the_lock_when_it_goes_on(self):
        client = self.client('one')
        self.fs.hang()
        serial = self.send_acquire(client, self.fs.disk)
        self.works_for_others()
        self.fs.go_on()
        self.assertEqual(client.reply_to(serial).status, rpc.OK)
        self.refused(lock_case.RESOURCE_BUSY, self.client('two').acquire, self.fs.disk)

    def test_other_locks_of_an_owner_that_ends_are_given_back(self):
        client = self.client('one')
        client.acquire(self.fs.disk)
        client.acquire(self.disk)
        self.fs.hang()
        self.send_acquire(client, self.fs.folder / 'other')
        self.end_process(client.process)
        # It was locked later, but does not wait for the first.
        self.wait_released(self.disk)
        self.fs.go_on()
        self.wait_released(self.fs.disk)

    def test_daemon_that_is_killed_meanwhile_starts_again(self):
        client = self.client('one')
        client.acquire(self.disk)
        self.fs.hang()
        self.send_acquire(client, self.fs.disk)
        self.lockd.kill()
        self.lockd.start()
        self.client('one', client.process).release(self.disk)

    def kill_hanging(self):
        """Its process stays as long as a descriptor of it waits to be closed."""
        old = self.lockd.process
        old.kill()

        def reap():
            self.fs.server.kill()
            old.wait()
        self.addCleanup(reap)
        self.lockd.notify.close()

    def test_daemon_that_is_killed_with_a_lock_on_it_starts_again(self):
        client = self.client('one')
        client.acquire(self.fs.disk)
        client.acquire(self.disk)
        self.fs.hang()
        self.kill_hanging()
        self.lockd.start()
        other, one = self.client('two'), self.client('one', client.process)
        self.refused(lock_case.RESOURCE_BUSY, other.acquire, self.fs.disk)
        self.refused(lock_case.RESOURCE_BUSY, other.acquire, self.disk)
        one.release(self.disk)
        self.works_for_others()
        self.fs.go_on()
        one.release(self.fs.disk)
        other.acquire(self.fs.disk)

    def test_file_system_that_hangs_is_asked_once_about_locks_that_are_found(self):
        clients = [self.client(f'vm{i}') for i in range(4)]
        for client in clients:
            client.acquire(self.fs.disk, lock_case.SHARED)
        space = str(self.root / 'space')
        clients[0].do('CREATE_LOCKSPACE', path=space)
        clients[0].acquire('own', lock_case.AUTOCREATE, space)
        self.fs.hang()
        self.kill_hanging()
        # Whoever looks at the last lock sees that it was given back.
        os.unlink(f'{space}/own')
        self.lockd.start()
        state = self.root / 'run/libvirt/virtlockd-locks.json'
        harness.wait_until(lambda: 'own' not in [lock['resource'] for lock in
                                                 json.loads(state.read_text())['locks']],
                           'all locks were looked at')
        self.assertEqual(self.lockd.output().count('is still locked for'), 1)

    def test_daemon_that_executes_itself_anew_meanwhile_serves_others(self):
        client = self.client('one')
        client.acquire(self.fs.disk)
        self.fs.hang()
        self.lockd.notify.collect()
        self.lockd.notify.lines.clear()
        self.lockd.process.send_signal(signal.SIGUSR1)
        self.lockd.wait_ready()
        self.works_for_others()
        self.fs.go_on()
        self.client('one', client.process).release(self.fs.disk)
