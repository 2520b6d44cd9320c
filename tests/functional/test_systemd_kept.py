"""What virtlogd and virtlockd hold, under a real systemd: it outlives every end of theirs, a stop
included, at which this systemd forgets what is in its descriptor store."""

import fcntl
import os
import struct

import harness
import rpc
import system_container

LOG, LOCK = 'VIR_LOG_MANAGER_PROTOCOL', 'VIR_LOCK_SPACE_PROTOCOL'
F_OFD_SETLK = 37
PATH = '/var/lib/libvirt/images/kept.raw'
ROUNDS = 30 if harness.IS_SOAK else 4


def setUpModule():
    system_container.boot()


class Kept(system_container.TestCase):
    def ends(self, daemon, ask):
        """Ends a daemon in each of the ways there are, one after the other. ask makes a call that
        is answered when the daemon has everything again: only then does it outlive its holder."""
        service = f'{daemon}.service'
        for number in range(ROUNDS):
            self.systemctl('restart', service)
            yield number, 'restart'
            self.systemctl('kill', '-s', 'KILL', service)
            harness.wait_until(lambda: self.state(service) == 'active', 'it is back')
            yield number, 'kill'
            self.systemctl('reload', service)
            yield number, 'reload'
            self.systemctl('stop', service, f'{daemon}.socket')
            self.systemctl('start', f'{daemon}.socket', service)
            yield number, 'stop and start'
            ask()
            self.systemctl('restart', f'{daemon}-holder.service')
            ask()
            yield number, 'restart of the holder'

    def test_no_line_is_lost(self):
        path = '/var/log/libvirt/qemu/kept.log'
        with rpc.Client(self.socket('virtlogd')) as client:
            fd = client.call('DOMAIN_OPEN_LOG_FILE', program=LOG, driver='qemu', path=path, flags=0,
                             dom={'name': 'kept', 'uuid': bytes(16)})['fds'][0]

        def ask():
            with rpc.Client(self.socket('virtlogd')) as client:
                client.call('DOMAIN_GET_LOG_FILE_POSITION', program=LOG, path=path, flags=0)
        expected = ''
        with os.fdopen(fd, 'w', buffering=1) as pipe:
            for end in self.ends('virtlogd', ask):
                line = f'after {end}\n'
                pipe.write(line)
                expected += line
        log = self.container.path(path)
        harness.wait_until(lambda: log.read_text() == expected, f'all lines are in {log}')

    def is_locked(self, path):
        with open(path, 'r+b') as file:
            try:
                fcntl.fcntl(file, F_OFD_SETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, os.SEEK_SET,
                                                           0, 0, 0))
            except BlockingIOError:
                return True
        return False

    def test_no_lock_is_given_up(self):
        image = self.container.path(self.write(PATH, 'a disk'))
        # Who speaks for it is outside, in another pid namespace: nobody asks whether it still runs.
        owner = {'uuid': bytes(16), 'name': 'kept', 'id': 1, 'pid': os.getpid()}

        def ask():
            # Not for the owner, whose locks would go with the last connection.
            other = {'uuid': bytes(15) + b'o', 'name': 'other', 'id': 2, 'pid': os.getpid()}
            with rpc.Client(self.socket('virtlockd')) as client:
                client.call('REGISTER', program=LOCK, owner=other, flags=0)

        with rpc.Client(self.socket('virtlockd')) as client:
            client.call('REGISTER', program=LOCK, owner=owner, flags=0)
            client.call('ACQUIRE_RESOURCE', program=LOCK, path='', name=PATH, flags=0)
            self.assertTrue(self.is_locked(image))
            for end in self.ends('virtlockd', ask):
                self.assertTrue(self.is_locked(image), end)
        # After all that it is still the owner's, who can give it back.
        with rpc.Client(self.socket('virtlockd')) as client:
            client.call('REGISTER', program=LOCK, owner=owner, flags=0)
            client.call('RELEASE_RESOURCE', program=LOCK, path='', name=PATH, flags=0)
        self.assertFalse(self.is_locked(image))
