"""What tests of the daemon kit share: kitd (tests/kitd), a small daemon whose calls do what the
names of their objects say, and clients of it."""

import contextlib
import os
import resource
import socket
import subprocess
import time
from pathlib import Path

import harness
import rpc

UUID = bytes(16)
URIS = {'virtnetworkd': 'network:///system', 'virtstoraged': 'storage:///system',
        'virtqemud': 'qemu:///system'}
PROGRAM = rpc.program_number('REMOTE')
MIB = 1 << 20
NOBODY = 65534


@contextlib.contextmanager
def nobody(folder):
    """Inside, this process is nobody, and stands in folder, which nobody could walk to."""
    before = os.getcwd()
    os.chdir(folder)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.chdir(before)


def network(name):
    return {'name': name, 'uuid': UUID}


def volume(name):
    return {'pool': 'pool', 'name': name, 'key': name}


def pack(procedure, program='REMOTE', **args):
    kind = rpc.struct_name(program, procedure, 'args')
    return rpc.TYPES.pack(kind, {**rpc.TYPES.empty(kind), **args}) if kind else b''


def number_of(procedure, program='REMOTE'):
    return rpc.TYPES.procedures(program)[procedure]


class Kitd(harness.Daemon):
    """kitd in the part of another daemon."""

    def __init__(self, name, root, **options):
        env = {**options.pop('env', {}), 'KITD_AS': name}
        super().__init__(name, root, env=env, **options)
        self.program = harness.BUILD / 'tests/kitd/kitd'


class ActivatedKitd(Kitd):
    """kitd with its main socket made by somebody else, as by a service manager."""

    listener = None

    def listen(self):
        path = self.socket()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)

    def start(self, wait=True):
        if self.listener is None:
            self.listen()
        self.notify = harness.NotifySocket(self.root / f'{self.name}.notify')
        fd = self.listener.fileno()
        script = f'exec 3<&{fd}; LISTEN_PID=$$ exec "$@"' if fd != 3 else 'LISTEN_PID=$$ exec "$@"'
        env = {**os.environ, **self.env, 'NOTIFY_SOCKET': self.notify.path, 'LISTEN_FDS': '1'}
        with open(self.output_path, 'ab') as output:
            self.process = subprocess.Popen(
                ['bash', '-c', script, 'bash', str(self.program), '--root', str(self.root),
                 *self.args], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=env, pass_fds=[fd])
        self.is_accounted_for = False
        if wait:
            self.wait_ready()
        return self


class Stream:
    """The client's end of a stream."""

    def __init__(self, client, procedure, name):
        self.client, self.procedure = client, number_of(procedure)
        self.serial = client.send_call('REMOTE', procedure, pack(procedure, vol=volume(name)))

    def opened(self):
        self.client.result('REMOTE', 'STORAGE_VOL_UPLOAD', self.client.reply_to(self.serial))
        return self

    def send(self, payload=b'', status=rpc.CONTINUE, kind=rpc.STREAM):
        self.client.send(rpc.Frame(PROGRAM, 1, self.procedure, kind, self.serial, status, payload))

    def send_hole(self, length):
        self.send(rpc.TYPES.pack('virNetStreamHole', {'length': length, 'flags': 0}),
                  kind=rpc.STREAM_HOLE)

    def finish(self):
        self.send(status=rpc.OK)
        return self.next()

    def abort(self):
        error = rpc.TYPES.empty('virNetMessageError')
        self.send(rpc.TYPES.pack('virNetMessageError', error), rpc.ERROR)

    def next(self):
        """The next frame of the stream; an error is raised."""
        frame = self.client.receive_matching(lambda frame: frame.serial == self.serial and
                                             frame.kind in (rpc.STREAM, rpc.STREAM_HOLE))
        if frame.status == rpc.ERROR:
            raise rpc.Error(rpc.TYPES.unpack('virNetMessageError', frame.payload))
        return frame

    def read(self):
        """All data (holes as zeros) up to the end, which is confirmed."""
        parts = []
        while True:
            frame = self.next()
            if frame.kind == rpc.STREAM_HOLE:
                parts.append(bytes(rpc.TYPES.unpack('virNetStreamHole', frame.payload)['length']))
            elif frame.status == rpc.OK:
                return b''.join(parts)
            elif frame.payload:
                parts.append(frame.payload)
            else:
                self.send(status=rpc.OK)


class TestCase(harness.TestCase):
    def kitd(self, name='virtnetworkd', start=True, **options):
        daemon = Kitd(name, self.root, **options)
        self._adopt(daemon)
        return daemon.start() if start else daemon

    def connect(self, daemon, kind='', **options):
        client = rpc.Client(daemon.socket(kind), **options)
        self.addCleanup(client.close)
        return client

    def connect_as_nobody(self, daemon, kind=''):
        path = Path(daemon.socket(kind))
        with nobody(path.parent):
            client = rpc.Client(path.name)
        self.addCleanup(client.close)
        return client

    def open(self, daemon, kind='', flags=0, **options):
        """A client with an open connection."""
        client = self.connect(daemon, kind, **options)
        client.auth_list()
        return client.open(URIS[daemon.name], flags)

    def assert_serves(self, daemon):
        """A client that comes now is served."""
        with rpc.Client(daemon.socket()) as client:
            client.auth_list()
            client.open(URIS[daemon.name])
            client.call('CONNECT_GET_TYPE')

    def latencies_ms(self, client, count=50):
        """Sorted durations of calls that need no waiting."""
        times = []
        for _ in range(count):
            begin = time.monotonic()
            client.call('CONNECT_GET_TYPE')
            times.append((time.monotonic() - begin) * 1000)
        return sorted(times)


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
