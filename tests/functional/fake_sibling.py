"""A sibling that behaves as a test needs it: answers the handshake, and hands every other frame
to the test. For what no real daemon does on demand."""

import os
import queue
import struct
import threading

import rpc

HANDSHAKE = {'AUTH_LIST': b'\0\0\0\1\0\0\0\0', 'CONNECT_OPEN': b'', 'CONNECT_SET_IDENTITY': b'',
             'CONNECT_SUPPORTS_FEATURE': b'\0\0\0\1'}


class Connection(rpc.Client):
    """The sibling's end of a connection; frames that are not answered go to frames."""

    def __init__(self, connected):
        self.socket = connected
        self.timeout_s, self.answers_pings = 20, True
        self.frames = queue.Queue()
        self.handshake = {}
        self.n_pongs = 0

    def serve(self, replies):
        names = {number: name for name, number in rpc.TYPES.procedures('REMOTE').items()}
        try:
            while True:
                frame = self.receive()
                name = names.get(frame.procedure)
                if frame.program == rpc.program_number('KEEPALIVE'):
                    if frame.procedure == rpc.PING:
                        self.send_keepalive(rpc.PONG)
                    else:
                        self.n_pongs += 1
                elif frame.kind == rpc.CALL and name in replies:
                    self.handshake[name] = frame.payload
                    self.reply(frame, replies[name])
                else:
                    self.frames.put((name, frame))
        except (rpc.Closed, OSError):
            self.frames.put((None, None))

    def take(self):
        """The next frame that the router sent, as (procedure name, frame)."""
        return self.frames.get(timeout=20)

    def reply(self, call, payload=b'', status=rpc.OK, fds=()):
        kind = rpc.REPLY_WITH_FDS if fds else rpc.REPLY
        self.send(rpc.Frame(call.program, 1, call.procedure, kind, call.serial, status, payload,
                            fds))

    def reply_error(self, call, code, message):
        self.reply(call, error_payload(code, message), rpc.ERROR)

    def stream(self, call, status, payload=b'', kind=rpc.STREAM):
        self.send(rpc.Frame(call.program, 1, call.procedure, kind, call.serial, status, payload))

    def event(self, name, payload, program='REMOTE'):
        number = rpc.TYPES.procedures(program)[name]
        self.send(rpc.Frame(rpc.program_number(program), 1, number, rpc.MESSAGE, 0, rpc.OK,
                            payload))


class Sibling:
    """Listens as NAME under a root. connections: those that came, as they come."""

    def __init__(self, test, name, kind='', replies=None):
        folder = test.root / 'run/libvirt'
        folder.mkdir(parents=True, exist_ok=True)
        self.path = str(folder / (f'{name}-sock' + (f'-{kind}' if kind else '')))
        self.replies = {**HANDSHAKE, **(replies or {})}
        self.connections = queue.Queue()
        self.live = []
        self.listen()
        test.addCleanup(self.stop)

    def listen(self):
        self.socket = rpc.socket.socket(rpc.socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(64)
        threading.Thread(target=self.run, args=(self.socket,), daemon=True).start()

    def run(self, listener):
        while True:
            try:
                connected = listener.accept()[0]
            except OSError:
                return
            connection = Connection(connected)
            self.live.append(connection)
            self.connections.put(connection)
            threading.Thread(target=connection.serve, args=(self.replies,), daemon=True).start()

    def connection(self):
        return self.connections.get(timeout=20)

    def stop(self):
        """As if the daemon had been killed and its socket removed."""
        if not self.socket:
            return
        os.unlink(self.path)
        # Closing alone does not wake a thread in accept().
        self.socket.shutdown(rpc.socket.SHUT_RDWR)
        self.socket.close()
        self.socket = None
        for connection in self.live:
            try:
                connection.socket.shutdown(rpc.socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
        self.live = []


def error_payload(code, message):
    return rpc.TYPES.pack('virNetMessageError', {**rpc.TYPES.empty('virNetMessageError'),
                                                 'code': code, 'message': message, 'level': 2})


def word(number):
    return struct.pack('>i', number)
