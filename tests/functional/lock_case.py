"""What the tests of virtlockd share: owners, connections that speak for them, files, and programs
that try to get a lock from outside."""

import contextlib
import fcntl
import os
import struct
import subprocess
import sys
import uuid
from pathlib import Path

import descriptors
import harness
import rpc

PROGRAM = 'VIR_LOCK_SPACE_PROTOCOL'
SHARED, AUTOCREATE = 1, 2
# virErrorNumber
INTERNAL_ERROR, INVALID_ARG, OPERATION_FAILED, OPERATION_DENIED, SYSTEM_ERROR = 1, 8, 9, 29, 38
OPERATION_INVALID, RESOURCE_BUSY = 55, 87

# <fcntl.h>
F_OFD_SETLK = 37

# Registers its own process, does what its arguments say, and goes on as something else that has
# inherited the connection, as QEMU does.
_OWNER = '''
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import lock_case
client = lock_case.Client(sys.argv[2])
client.register(lock_case.owner(sys.argv[3], os.getpid()))
for word in sys.argv[4:]:
    if word == 'twice':
        other = lock_case.Client(sys.argv[2])
        other.register(lock_case.owner(sys.argv[3], os.getpid()))
        os.set_inheritable(other.socket.fileno(), True)
    elif word == 'restrict':
        client.do('RESTRICT')
    elif word == 'ignore-term':
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        client.acquire(word)
os.set_inheritable(client.socket.fileno(), True)
os.write(1, b'up')
os.execvp('/usr/bin/python3', ['python3', '-c', """
import os, sys
# A line ends the connection, not the process.
sys.stdin.readline()
os.close(int(sys.argv[1]))
sys.stdin.readline()
""", str(client.socket.fileno())])
'''


def owner(name, pid, number=1):
    return {'uuid': uuid.uuid5(uuid.NAMESPACE_DNS, name).bytes, 'name': name, 'id': number,
            'pid': pid}


def uuid_of(name):
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


class Client(rpc.Client):
    def do(self, procedure, **args):
        return self.call(procedure, program=PROGRAM, **args)

    def register(self, details):
        self.do('REGISTER', owner=details)
        return self

    def acquire(self, name, flags=0, space=''):
        self.do('ACQUIRE_RESOURCE', path=space, name=str(name), flags=flags)

    def release(self, name, space=''):
        self.do('RELEASE_RESOURCE', path=space, name=str(name))


def lock_bytes(kind=fcntl.F_WRLCK, start=0, length=1):
    """A struct flock."""
    return struct.pack('hhqqi4x', kind, os.SEEK_SET, start, length, 0)


def take(path, kind=fcntl.F_WRLCK, start=0, length=1):
    """A descriptor that has the bytes locked. Raises BlockingIOError when somebody else has."""
    fd = os.open(path, os.O_RDWR)
    try:
        fcntl.fcntl(fd, F_OFD_SETLK, lock_bytes(kind, start, length))
    except BaseException:
        os.close(fd)
        raise
    return fd


def is_locked(path, kind=fcntl.F_WRLCK):
    """Whether a lock of that kind would have to wait. Leaves none behind."""
    try:
        os.close(take(path, kind))
    except BlockingIOError:
        return True
    return False


class Taker:
    """A program that tries to lock the files, over and over, until it is asked how it went."""

    def __init__(self, paths):
        self.process = subprocess.Popen(
            [harness.BUILD / 'tests/functional/lock_taker', *map(str, paths)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def finish(self):
        """How often it has tried, and the path that it got, '' for none."""
        output, _ = self.process.communicate('', timeout=harness.PATIENCE_S)
        tries, _, taken = output.strip().partition(' ')
        return int(tries), taken


class TestCase(harness.TestCase):
    def start_lockd(self, holder=True, **options):
        """virtlockd, with somebody who keeps its locks when it is killed."""
        if holder:
            self.start_holder()
        # As a service manager says it that keeps nothing; harness.NotifySocket is one.
        options.setdefault('env', {'FDSTORE': '0'})
        self.lockd = self.daemon('virtlockd', **options)
        return self.lockd

    def start_holder(self):
        self.holder = descriptors.Holder('virtlockd', self.root)
        self.addCleanup(self.holder.kill)
        return self.holder.start()

    def file(self, name='disk', content=''):
        path = self.root / name
        path.write_text(content)
        return path

    def process(self):
        """A process that does nothing."""
        process = subprocess.Popen(['sleep', '10000'], stdin=subprocess.DEVNULL)
        self.addCleanup(self.end_process, process)
        return process

    @staticmethod
    def end_process(process):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()

    def connect(self):
        harness.wait_until(lambda: harness.is_listening(self.lockd.socket()), 'virtlockd listens')
        client = Client(self.lockd.socket(), timeout_s=harness.PATIENCE_S)
        self.addCleanup(client.close)
        return client

    def client(self, name='vm', process=None):
        """A connection that speaks for a process, of its own or given; .process is that."""
        client = self.connect()
        client.process = process or self.process()
        client.register(owner(name, client.process.pid))
        return client

    def own_process(self, name, *words):
        """A process that has connected for itself, locked files, and is up."""
        process = subprocess.Popen(
            [sys.executable, '-c', _OWNER, str(Path(__file__).parent), self.lockd.socket(), name,
             *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(self.end_process, process)
        self.assertEqual(process.stdout.read(2), b'up')
        return process

    @staticmethod
    def lose_connection(process):
        """Of an own_process(): it lives on without its connection."""
        process.stdin.write(b'\n')
        process.stdin.flush()

    def refused(self, code, function, *args, **options):
        """The message of the error that a call must end with."""
        with self.assertRaises(rpc.Error) as caught:
            function(*args, **options)
        self.assertEqual(caught.exception.code, code, caught.exception)
        return caught.exception.message

    def wait_released(self, path):
        harness.wait_until(lambda: not is_locked(path), f'nobody has {path} locked')
