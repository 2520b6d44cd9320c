"""Locks live as long as the process of their owner: what becomes of them, and of it, when
connections and processes end."""

import signal
import subprocess
from pathlib import Path

import harness
import lock_case
import rpc
from lock_case import INTERNAL_ERROR, RESOURCE_BUSY, SHARED


class Owners(lock_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_lockd(holder=False)
        self.disk = self.file()

    def wait_for_end(self, process):
        return process.wait(harness.PATIENCE_S)

    def test_locks_go_with_the_process(self):
        second = self.file('second')
        client = self.client()
        client.acquire(self.disk)
        client.acquire(second, SHARED)
        self.end_process(client.process)
        for path in (self.disk, second):
            self.wait_released(path)
        # Its connection is still there, and of no use.
        self.assertIn('there is no process',
                      self.refused(lock_case.OPERATION_INVALID, client.acquire, self.disk))

    def test_others_get_what_a_dead_owner_had(self):
        client = self.client('one')
        client.acquire(self.disk)
        self.end_process(client.process)
        self.wait_released(self.disk)
        self.client('two').acquire(self.disk)

    def test_sharers_keep_what_a_dead_owner_shared(self):
        one, two = self.client('one'), self.client('two')
        for client in (one, two):
            client.acquire(self.disk, SHARED)
        self.end_process(one.process)
        harness.wait_until(lambda: "by 'two'" in self.refused(RESOURCE_BUSY, two.acquire, self.disk)
                           and 'other' not in self.refused(RESOURCE_BUSY, two.acquire, self.disk),
                           'only the second has it')

    def test_connection_of_somebody_else_ends_without_effect(self):
        client = self.client('one')
        client.acquire(self.disk)
        client.close()
        other = self.client('one', client.process)
        self.assertIn("'one'", self.refused(RESOURCE_BUSY, other.acquire, self.disk))
        self.assertIsNone(client.process.poll())
        other.release(self.disk)

    def test_owner_is_told_apart_from_others_of_its_process(self):
        one = self.client('one')
        one.acquire(self.disk)
        two = self.client('two', one.process)
        self.refused(INTERNAL_ERROR, two.release, self.disk)

    def test_process_that_loses_its_own_connection_is_ended(self):
        process = self.own_process('vm', self.disk)
        self.lose_connection(process)
        self.assertEqual(self.wait_for_end(process), -signal.SIGTERM)
        self.wait_released(self.disk)

    def test_restricted_process_that_loses_its_connection_is_ended(self):
        process = self.own_process('vm', self.disk, 'restrict')
        self.lose_connection(process)
        self.assertEqual(self.wait_for_end(process), -signal.SIGTERM)

    def test_process_that_does_not_end_is_killed_before_its_lock_is_free(self):
        process = self.own_process('vm', 'ignore-term', self.disk)
        taker = lock_case.Taker([self.disk])
        self.lose_connection(process)
        harness.wait_until(lambda: taker.process.poll() is not None, 'the lock is free')
        self.assertEqual(process.poll(), -signal.SIGKILL)
        self.assertEqual(taker.finish()[1], str(self.disk))

    def test_process_without_locks_may_lose_its_connection(self):
        process = self.own_process('vm', 'restrict')
        self.lose_connection(process)
        harness.wait_until(lambda: not self.virt_admin(self.lockd, 'client-list', 'virtlockd'),
                           'the connection is gone')
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(1)

    def test_process_whose_locks_were_given_back_may_lose_its_connection(self):
        process = self.own_process('vm', self.disk, 'restrict')
        self.client('vm', process).release(self.disk)
        self.lose_connection(process)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(1)

    def test_locks_got_through_another_connection_count(self):
        process = self.own_process('vm', 'restrict')
        other = self.client('vm', process)
        other.acquire(self.disk)
        other.close()
        self.lose_connection(process)
        self.assertEqual(self.wait_for_end(process), -signal.SIGTERM)
        self.wait_released(self.disk)

    def test_process_with_another_connection_of_its_own_may_lose_one(self):
        process = self.own_process('vm', 'twice', self.disk)
        self.lose_connection(process)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(1)
        self.assertTrue(lock_case.is_locked(self.disk))

    def test_daemon_that_stops_ends_nobody(self):
        process = self.own_process('vm', self.disk, 'restrict')
        self.lockd.stop()
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(1)

    def test_call_of_a_client_that_has_gone_leaves_no_lock(self):
        client = self.client()
        client.acquire(self.disk)
        client.release(self.disk)
        payload = rpc.TYPES.pack('virLockSpaceProtocolAcquireResourceArgs',
                                 {'path': '', 'name': str(self.disk), 'flags': 0})
        for _ in range(5):
            other = self.client('vm', client.process)
            # The call and the end of the connection are there at the same time.
            self.lockd.process.send_signal(signal.SIGSTOP)
            other.send_call(lock_case.PROGRAM, 'ACQUIRE_RESOURCE', payload)
            other.close()
            self.lockd.process.send_signal(signal.SIGCONT)
            harness.wait_until(lambda: len(self.virt_admin(
                self.lockd, 'client-list', 'virtlockd').splitlines()) == 1, 'it is gone')
            harness.wait_until(lambda: self.can_lock(client), 'nobody has it')

    def can_lock(self, client):
        try:
            client.acquire(self.disk)
        except rpc.Error:
            return False
        client.release(self.disk)
        return True


class LateLocks(lock_case.TestCase):
    """An owner that ends while the file system still thinks about its lock."""

    def setUp(self):
        super().setUp()
        worker = self.root / 'worker'
        worker.write_text(f'#!/bin/sh\nwhile [ ! -e {self.root}/go ]; do sleep 0.01; done\n'
                          f'exec {harness.BUILD}/virtlockd/worker/splitvirt_lock_worker\n')
        worker.chmod(0o755)
        self.start_lockd(env={'SPLITVIRT_LOCK_WORKER': str(worker), 'FDSTORE': '0'})

    def test_lock_that_comes_too_late_leaves_nothing(self):
        folder = self.root / 'space'
        (self.root / 'go').touch()
        client = self.client()
        client.do('CREATE_LOCKSPACE', path=str(folder))
        # The worker that is idle now is not asked again.
        self.lockd.restart()
        (self.root / 'go').unlink()
        client = self.client('vm', client.process)
        payload = rpc.TYPES.pack('virLockSpaceProtocolAcquireResourceArgs', {
            'path': str(folder), 'name': 'a', 'flags': lock_case.AUTOCREATE})
        serial = client.send_call(lock_case.PROGRAM, 'ACQUIRE_RESOURCE', payload)
        self.end_process(client.process)
        other = self.client('vm', client.process)
        harness.wait_until(lambda: 'there is no process' in self.refused(
            lock_case.OPERATION_INVALID, other.acquire, '/no/such/file'), 'the end is known')
        (self.root / 'go').touch()
        with self.assertRaises(rpc.Error) as caught:
            client.result(lock_case.PROGRAM, 'ACQUIRE_RESOURCE', client.reply_to(serial))
        self.assertIn('there is no process', caught.exception.message)
        self.assertEqual(list(folder.iterdir()), [])
        self.assertEqual(self.holder.n_held(), 0)


# Speaks for itself, as the first process of a pid namespace, and locks a file.
STRANGER = '''
import os, sys
sys.path.insert(0, sys.argv[1])
import lock_case
client = lock_case.Client(sys.argv[2]).register(lock_case.owner('stranger', os.getpid()))
for path in sys.argv[3:]:
    client.acquire(path)
print(os.getpid(), flush=True)
sys.stdin.readline()
'''


@harness.needs_root
class UnseenOwners(lock_case.TestCase):
    """Owners in another pid namespace: their numbers are those of others here, and what is left
    to go by are their connections."""

    def setUp(self):
        super().setUp()
        self.start_lockd()
        self.disk = self.file()

    def stranger(self, *paths):
        process = subprocess.Popen(
            ['unshare', '--pid', '--fork', '--kill-child', '/usr/bin/python3', '-c', STRANGER,
             str(Path(__file__).parent), self.lockd.socket(), *map(str, paths)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(self.end_process, process)
        self.assertEqual(process.stdout.readline(), '1\n')
        return process

    def end(self, stranger):
        stranger.stdin.write('\n')
        stranger.stdin.flush()
        stranger.wait()

    def test_lock_goes_with_the_last_connection(self):
        first = self.stranger(self.disk)
        self.assertIn("by 'stranger'",
                      self.refused(RESOURCE_BUSY, self.client('other').acquire, self.disk))
        second = self.stranger()
        self.end(first)
        self.assertTrue(lock_case.is_locked(self.disk))
        self.end(second)
        self.wait_released(self.disk)

    def test_lock_is_held_when_it_cannot_be_known(self):
        stranger = self.stranger(self.disk)
        self.lockd.kill()
        self.end(stranger)
        self.lockd.start()
        self.refused(RESOURCE_BUSY, self.client('other').acquire, self.disk)
        self.end(self.stranger())
        self.wait_released(self.disk)

    def test_it_can_lock_again(self):
        self.end(self.stranger(self.disk))
        self.wait_released(self.disk)
        self.stranger(self.disk)
        self.assertTrue(lock_case.is_locked(self.disk))
