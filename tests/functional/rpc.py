"""A client that speaks the protocol itself: what no library would send can be sent, and what
comes back is seen as it is.

    with rpc.Client(path) as client:
        client.auth_list()
        client.open('qemu:///system', rpc.READ_ONLY)
        client.call('NODE_GET_INFO')['cpus']
        client.call('DOMAIN_LOOKUP_BY_NAME', name='nobody')       # raises rpc.Error

Frames are rpc.Frame; everything below call() works on bytes.
"""

import array
import os
import socket
import struct
import time

import xdr

TYPES = xdr.Schema()

CALL, REPLY, MESSAGE, STREAM, CALL_WITH_FDS, REPLY_WITH_FDS, STREAM_HOLE, OK, ERROR, CONTINUE = (
    TYPES.constant('VIR_NET_' + name)
    for name in ('CALL', 'REPLY', 'MESSAGE', 'STREAM', 'CALL_WITH_FDS', 'REPLY_WITH_FDS',
                 'STREAM_HOLE', 'OK', 'ERROR', 'CONTINUE'))
READ_ONLY = TYPES.constant('VIR_CONNECT_RO')
PING, PONG = (TYPES.constant('KEEPALIVE_PROC_' + name) for name in ('PING', 'PONG'))

PREFIXES = {'REMOTE': 'remote', 'QEMU': 'qemu', 'ADMIN': 'admin',
            'VIR_LOG_MANAGER_PROTOCOL': 'virLogManagerProtocol',
            'VIR_LOCK_SPACE_PROTOCOL': 'virLockSpaceProtocol', 'KEEPALIVE': 'keepalive'}
_STRUCTS = {name.lower(): name for name in TYPES.structs}


def program_number(program):
    return TYPES.constant(program + '_PROGRAM')


def struct_name(program, procedure, part):
    """The type of a procedure's 'args', 'ret' or 'msg'; None when there is none."""
    prefix = PREFIXES[program]
    if prefix.startswith('vir'):
        return _STRUCTS.get(prefix.lower() + procedure.replace('_', '').lower() + part)
    return _STRUCTS.get(f'{prefix}_{procedure}_{part}'.lower())


class Error(Exception):
    """An error reply: its fields are those of virNetMessageError."""

    def __init__(self, fields):
        super().__init__('%d: %s' % (fields['code'], fields['message']))
        self.__dict__.update(fields)
        self.fields = fields


class Closed(Exception):
    """The daemon has closed the connection."""


class Frame:
    def __init__(self, program, version, procedure, kind, serial, status, payload=b'', fds=()):
        self.program, self.version, self.procedure = program, version, procedure
        self.kind, self.serial, self.status = kind, serial, status
        self.payload, self.fds = payload, list(fds)

    def encode(self):
        payload = self.payload
        if self.kind in (CALL_WITH_FDS, REPLY_WITH_FDS):
            payload = struct.pack('>I', len(self.fds)) + payload
        return struct.pack('>IIIiIII', 28 + len(payload), self.program, self.version,
                           self.procedure, self.kind, self.serial, self.status) + payload


class Client:
    """A connection to a path, or over a connected socket, which is taken over. answers_pings:
    a keepalive PING is answered and not shown."""

    def __init__(self, path, timeout_s=20, answers_pings=True):
        is_connected = isinstance(path, socket.socket)
        self.socket = path if is_connected else socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        if not is_connected:
            self.socket.connect(str(path))
        self.timeout_s, self.answers_pings = timeout_s, answers_pings
        self.serial = 0
        self.others = []  # frames that came while a reply was awaited: events, stream data

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.socket.close()

    # Frames

    def send(self, frame):
        self.socket.sendall(frame.encode())
        for fd in frame.fds:
            self.socket.sendmsg([b'\0'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                           array.array('i', [fd]))])

    def send_bytes(self, data):
        self.socket.sendall(data)

    def _receive_exactly(self, length):
        data = b''
        while len(data) < length:
            part = self.socket.recv(min(length - len(data), 1 << 20))
            if not part:
                raise Closed('after %d of %d bytes' % (len(data), length))
            data += part
        return data

    def _receive_fd(self):
        byte, ancillary, _, _ = self.socket.recvmsg(1, socket.CMSG_SPACE(4))
        if not byte or not ancillary:
            raise Closed('a descriptor was announced and did not come')
        return array.array('i', ancillary[0][2])[0]

    def receive(self):
        """The next frame of any kind."""
        length = struct.unpack('>I', self._receive_exactly(4))[0]
        head = struct.unpack('>IIiIII', self._receive_exactly(24))
        frame = Frame(*head, payload=self._receive_exactly(length - 28))
        if frame.kind in (CALL_WITH_FDS, REPLY_WITH_FDS):
            count = struct.unpack('>I', frame.payload[:4])[0]
            frame.payload = frame.payload[4:]
            frame.fds = [self._receive_fd() for _ in range(count)]
        return frame

    def receive_matching(self, is_wanted):
        """The next frame that is_wanted; others are kept in self.others."""
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            frame = self.receive()
            if frame.program == program_number('KEEPALIVE') and self.answers_pings:
                if frame.procedure == PING:
                    self.send_keepalive(PONG)
            elif is_wanted(frame):
                return frame
            else:
                self.others.append(frame)
        raise TimeoutError('no such frame within %d s' % self.timeout_s)

    def send_keepalive(self, procedure):
        self.send(Frame(program_number('KEEPALIVE'), 1, procedure, MESSAGE, 0, OK))

    # Calls

    def send_call(self, program, procedure, payload=b'', fds=()):
        """Sends a call and returns its serial; program and procedure by name or number."""
        if isinstance(procedure, str):
            procedure = TYPES.procedures(program)[procedure]
        if isinstance(program, str):
            program = program_number(program)
        serial, self.serial = self.serial, self.serial + 1
        kind = CALL_WITH_FDS if fds else CALL
        self.send(Frame(program, 1, procedure, kind, serial, OK, payload, fds))
        return serial

    def reply_to(self, serial):
        return self.receive_matching(lambda frame: frame.serial == serial and
                                     frame.kind in (REPLY, REPLY_WITH_FDS))

    def call_raw(self, program, procedure, payload=b'', fds=()):
        """The reply frame to a call; an error reply is not raised."""
        return self.reply_to(self.send_call(program, procedure, payload, fds))

    def call(self, procedure, program='REMOTE', fds=(), **args):
        """The decoded result of a call; arguments that are not given are empty or 0."""
        return self.end(self.begin(procedure, program, fds, **args))

    def begin(self, procedure, program='REMOTE', fds=(), **args):
        """Sends a call; what it returns is for end(). What comes later on this connection is
        looked at by the daemon later."""
        kind = struct_name(program, procedure, 'args')
        payload = TYPES.pack(kind, {**TYPES.empty(kind), **args}) if kind else b''
        return program, procedure, self.send_call(program, procedure, payload, fds)

    def end(self, begun):
        program, procedure, serial = begun
        return self.result(program, procedure, self.reply_to(serial))

    def result(self, program, procedure, reply):
        if reply.status == ERROR:
            raise Error(TYPES.unpack('virNetMessageError', reply.payload))
        kind = struct_name(program, procedure, 'ret')
        value = TYPES.unpack(kind, reply.payload) if kind else {}
        if reply.fds:
            value['fds'] = reply.fds
        return value

    def next_event(self, program='REMOTE'):
        """The next event as (name, fields)."""
        def is_event(frame):
            return frame.kind == MESSAGE and frame.program == program_number(program)

        kept = [frame for frame in self.others if is_event(frame)]
        if kept:
            self.others.remove(kept[0])
        frame = kept[0] if kept else self.receive_matching(is_event)
        names = {number: name for name, number in TYPES.procedures(program).items()}
        name = names[frame.procedure]
        return name, TYPES.unpack(struct_name(program, name, 'msg'), frame.payload)

    # What every client begins with

    def auth_list(self):
        return self.call('AUTH_LIST')['types']

    def open(self, uri='qemu:///system', flags=0):
        self.call('CONNECT_OPEN', name=uri, flags=flags)
        return self

    def supports(self, feature):
        return bool(self.call('CONNECT_SUPPORTS_FEATURE', feature=feature)['supported'])


def close_all(fds):
    for fd in fds:
        os.close(fd)
