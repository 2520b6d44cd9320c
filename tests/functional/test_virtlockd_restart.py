"""virtlockd is killed, stopped, replaced: its locks are held at every instant, and afterwards it
knows whose they are."""

import fcntl
import json
import os
import signal

import descriptors
import harness
import lock_case
import rpc
from lock_case import AUTOCREATE, RESOURCE_BUSY, SHARED

N_ROUNDS = 100 if harness.IS_SOAK else 5
N_LOCKS = 10
SHIM = harness.BUILD / 'tests/functional/libkill_at.so'
# A call makes fewer steps.
STEPS_MAX = 100
STATE = 'run/libvirt/virtlockd-locks.json'


class TestCase(lock_case.TestCase):
    timeout_s = 600 if harness.IS_SOAK else 90

    def kill(self):
        self.lockd.kill()
        self.lockd.start()

    def stop(self):
        self.lockd.restart()

    def execute_anew(self):
        """SIGUSR1: the same process."""
        n_ready = self.lockd.notify.collect().count('READY=1')
        pid = self.lockd.pid
        self.lockd.process.send_signal(signal.SIGUSR1)
        harness.wait_until(lambda: self.lockd.notify.collect(0.05).count('READY=1') > n_ready,
                           'virtlockd is there anew')
        self.assertEqual(self.lockd.pid, pid)

    def hold_through(self, begin_anew):
        """Rounds during which a program tries to get what an owner has locked."""
        disks = [self.file(f'disk{i}') for i in range(N_LOCKS)]
        client = self.client()
        process = client.process
        for i, disk in enumerate(disks):
            client.acquire(disk, SHARED if i % 2 else 0)
        taker = lock_case.Taker(disks)
        for _ in range(N_ROUNDS):
            begin_anew()
            client = self.client('vm', process)
            self.assertIn("'vm'", self.refused(RESOURCE_BUSY, client.acquire, disks[0]))
        tries, taken = taker.finish()
        self.assertEqual(taken, '')
        self.assertGreater(tries, N_ROUNDS)
        for disk in disks:
            client.release(disk)
            self.assertFalse(lock_case.is_locked(disk))
        return disks


class WithHolder(TestCase):
    def setUp(self):
        super().setUp()
        self.start_lockd()

    def test_locks_are_held_through_kills(self):
        self.hold_through(self.kill)
        harness.wait_until(lambda: self.holder.n_held() == 0, 'the holder has let go')

    def test_locks_are_held_through_stops(self):
        self.hold_through(self.stop)

    def test_locks_are_held_through_new_executions(self):
        self.hold_through(self.execute_anew)

    def test_everything_about_locks_is_known_again(self):
        space = str(self.root / 'space')
        disk = self.file()
        one, two = self.client('one'), self.client('two')
        one.do('NEW', path=space)
        one.acquire('own', AUTOCREATE, space)
        for client in (one, two):
            client.acquire(disk, SHARED)
        self.kill()
        one, two = self.client('one', one.process), self.client('two', two.process)
        self.refused(lock_case.INTERNAL_ERROR, one.do, 'NEW', path=space)
        self.assertIn("'one'", self.refused(RESOURCE_BUSY, two.acquire, 'own', AUTOCREATE, space))
        self.assertIn('and 1 other, shared', self.refused(RESOURCE_BUSY, one.acquire, disk))
        self.client('three').acquire(disk, SHARED)
        one.release('own', space)
        self.assertFalse((self.root / 'space/own').exists())
        one.release(disk)
        two.release(disk)
        self.assertTrue(lock_case.is_locked(disk))

    def test_locks_of_who_ends_meanwhile_are_given_back(self):
        disk = self.file()
        client = self.client()
        client.acquire(disk)
        self.lockd.kill()
        self.end_process(client.process)
        self.assertTrue(lock_case.is_locked(disk))
        self.lockd.start()
        self.wait_released(disk)

    def test_locks_of_who_ends_later_are_given_back(self):
        disk = self.file()
        process = self.own_process('vm', disk, 'restrict')
        self.kill()
        self.assertTrue(lock_case.is_locked(disk))
        # The connection that it had is gone, which is not its fault.
        self.assertIsNone(process.poll())
        self.end_process(process)
        self.wait_released(disk)

    def test_state_that_cannot_be_read_loses_no_lock(self):
        for text in ('', '{"version": 1', '{"version": 2}', '[]', None):
            with self.subTest(text):
                disk = self.file()
                client = self.client()
                client.acquire(disk)
                taker = lock_case.Taker([disk])
                self.lockd.kill()
                if text is None:
                    (self.root / STATE).unlink()
                else:
                    (self.root / STATE).write_text(text)
                self.lockd.start()
                other = self.client('other')
                self.assertIn(f'process {client.process.pid}',
                              self.refused(RESOURCE_BUSY, other.acquire, disk))
                self.assertIn(f"a lock on '{disk}' is held for process {client.process.pid}",
                              self.lockd.output())
                self.assertEqual(taker.finish()[1], '')
                self.end_process(client.process)
                self.wait_released(disk)

    def test_state_is_kept_from_others(self):
        self.client().acquire(self.file())
        self.assertEqual((self.root / STATE).stat().st_mode & 0o077, 0)
        self.assertEqual(len(json.loads((self.root / STATE).read_text())['locks']), 1)

    def test_next_holder_gets_what_the_last_one_had(self):
        disks = [self.file(f'disk{i}') for i in range(N_LOCKS)]
        client = self.client()
        for disk in disks:
            client.acquire(disk)
        self.holder.kill()
        self.assertTrue(all(map(lock_case.is_locked, disks)))
        self.holder.start()
        harness.wait_until(lambda: self.holder.n_held() == N_LOCKS, 'the next holder has all')
        taker = lock_case.Taker(disks)
        self.kill()
        self.assertEqual(taker.finish()[1], '')
        client = self.client('vm', client.process)
        for disk in disks:
            client.release(disk)

    def test_record_of_a_lock_that_is_not_held_is_dropped(self):
        disk = self.file()
        client = self.client()
        client.acquire(disk)
        self.lockd.kill()
        self.holder.kill()
        self.holder.start()
        self.lockd.start()
        other = self.client('other')
        other.acquire(disk)
        self.assertIn(f"of 'vm' (process {client.process.pid}) on '{disk}' is not held any more",
                      self.lockd.output())

    def test_descriptor_of_a_lock_that_was_given_back_is_dropped(self):
        """A daemon that dies between unlocking and saying so."""
        disk, other_disk = self.file(), self.file('other')
        client = self.client()
        client.acquire(disk)
        client.acquire(other_disk)
        self.lockd.kill()
        fd = os.open(disk, os.O_RDWR)
        self.addCleanup(os.close, fd)
        self.unlock_held(disk)
        fcntl.fcntl(fd, lock_case.F_OFD_SETLK, lock_case.lock_bytes())
        self.lockd.start()
        client = self.client('vm', client.process)
        harness.wait_until(lambda: f"'{disk}' is not locked for 'vm' any more"
                           in self.lockd.output(), 'the daemon has seen it')
        self.assertIn(f'process {os.getpid()}', self.refused(RESOURCE_BUSY, client.acquire, disk))
        client.release(other_disk)

    def unlock_held(self, path):
        """Unlocks what the holder keeps, through a descriptor of it."""
        asker = descriptors.HolderClient(self.holder.path)
        for index in range(100):
            answer, fd = asker.ask(f'G{index}')
            if fd is None:
                break
            if os.readlink(f'/proc/self/fd/{fd}') == str(path):
                fcntl.fcntl(fd, lock_case.F_OFD_SETLK, lock_case.lock_bytes(fcntl.F_UNLCK))
            os.close(fd)
        asker.close()


class KilledBetweenSteps(TestCase):
    """The daemon is killed between any two steps of a call. What was acknowledged is so; a call
    that was not may have been carried out or not, as whole."""
    timeout_s = 1200 if harness.IS_SOAK else 240

    def setUp(self):
        super().setUp()
        self.trigger = self.root / 'kill-at'
        self.start_lockd(env={
            'LD_PRELOAD': str(SHIM), 'KILL_AT': str(self.trigger), 'FDSTORE': '0',
            'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'})
        self.space = str(self.root / 'space')
        self.disk = self.file()
        self.process_of_owner = self.process()
        self.speaker().do('NEW', path=self.space)

    def speaker(self):
        return self.client('vm', self.process_of_owner)

    def makes(self, step, n_held, call):
        """Whether the call is acknowledged when the daemon is killed after its step. It runs
        again afterwards. is_over says that the call has fewer steps; the last of them is that the
        holder has n_held."""
        self.trigger.write_text(str(step))
        try:
            call()
            is_acknowledged = True
            harness.wait_until(lambda: not self.lockd.is_running() or
                               self.holder.n_held() == n_held, 'the call is over')
        except (rpc.Closed, ConnectionError):
            is_acknowledged = False
        self.trigger.unlink()
        try:
            # What was under way is over with the next answer.
            with lock_case.Client(self.lockd.socket()) as asker:
                asker.register(lock_case.owner('vm', self.process_of_owner.pid))
            self.is_over = True
        except (rpc.Closed, ConnectionError):
            self.lockd.wait()
            self.lockd.start()
        return is_acknowledged

    def holds(self, path):
        """What the daemon says, which must be what the kernel says."""
        other = self.client('other')
        try:
            other.acquire(path)
        except rpc.Error as error:
            self.assertIn("'vm'", error.message)
            return True
        other.release(path)
        return False

    def steps(self):
        """The numbers of steps after which the daemon is killed, until none is left."""
        self.is_over = False
        for step in range(1, STEPS_MAX):
            if self.is_over:
                return
            yield step
        self.fail(f'more than {STEPS_MAX} steps')

    def give_back(self, name, space=''):
        try:
            self.speaker().release(name, space)
        except rpc.Error as error:
            self.assertIn('is not locked', error.message)

    def test_acquiring(self):
        for step in self.steps():
            client = self.speaker()
            is_acknowledged = self.makes(step, 1, lambda: client.acquire(self.disk))
            is_held = lock_case.is_locked(self.disk)
            self.assertEqual(self.holds(self.disk), is_held, f'step {step}')
            self.assertTrue(is_held or not is_acknowledged, f'step {step}')
            self.give_back(self.disk)
            self.assertFalse(lock_case.is_locked(self.disk))

    def test_releasing(self):
        for step in self.steps():
            client = self.speaker()
            client.acquire(self.disk)
            is_acknowledged = self.makes(step, 0, lambda: client.release(self.disk))
            self.assertFalse(is_acknowledged and lock_case.is_locked(self.disk), f'step {step}')
            # One that nobody was told of may have been taken again at the start.
            self.give_back(self.disk)
            self.assertFalse(self.holds(self.disk), f'step {step}')

    def test_file_of_its_own_is_never_left_behind(self):
        path = self.root / 'space/a'
        for step in self.steps():
            client = self.speaker()
            client.acquire('a', AUTOCREATE, self.space)
            self.makes(step, 0, lambda: client.release('a', self.space))
            self.give_back('a', self.space)
            self.assertFalse(path.exists(), f'step {step}')


class WithServiceManager(TestCase):
    def setUp(self):
        super().setUp()
        self.lockd = descriptors.StoredDaemon('virtlockd', self.root)
        self.addCleanup(self.lockd.close)
        self._adopt(self.lockd)
        self.lockd.start()

    def test_locks_are_held_through_kills(self):
        self.hold_through(self.kill)
        harness.wait_until(lambda: not self.lockd.store, 'nothing is stored any more')

    def test_locks_are_held_through_new_executions(self):
        self.hold_through(self.execute_anew)

    def test_state_that_cannot_be_read_loses_no_lock(self):
        disk = self.file()
        client = self.client()
        client.acquire(disk)
        self.lockd.kill()
        (self.root / STATE).write_text('nonsense')
        self.lockd.start()
        self.refused(RESOURCE_BUSY, self.client('other').acquire, disk)

    def test_holder_keeps_what_a_stop_empties_from_the_store(self):
        self.lockd.stop()
        self.start_holder()
        self.lockd.start()
        disk = self.file()
        client = self.client()
        client.acquire(disk)
        self.lockd.stop()
        self.lockd.forget()
        self.assertTrue(lock_case.is_locked(disk))
        self.lockd.start()
        self.client('vm', client.process).release(disk)
