"""A client of python3-libvirt in a process of its own, for tests that wait for callbacks.

Run as a program it has one thread, which runs libvirt's event loop and, between its rounds, what
it reads from stdin: JSON lines [connection, method, arguments], each answered by one line
["reply", value] or ["error", text]. What callbacks tell goes out as it comes: ["end", connection,
reason] and ["event", connection, event].

One thread, because the client library of 9.0 stops for ever when a connection is closed by one
thread while another is just returning from its close callback; and a process, because a loop that
stops takes all tests behind it along.

    client = python_client.Client(self)
    connection = client.open(uri)
    connection.watch_end()
    connection.setKeepAlive(1, 2)
    connection.ends.get(timeout=harness.PATIENCE_S)
"""

import json
import os
import queue
import subprocess
import sys
import threading

PATIENCE_S = 60


class Error(Exception):
    """What libvirt.libvirtError says."""


class Connection:
    """The test's end of one connection. ends: reasons of the close callback, and events: what
    the watched events were, both as queues. Any other attribute is a method of virConnect, with
    plain arguments and, when it can be written down, its result."""

    def __init__(self, client, number):
        self.client, self.number = client, number
        self.ends, self.events = queue.Queue(), queue.Queue()

    def __getattr__(self, method):
        return lambda *arguments: self.client.call(self.number, method, *arguments)


class Client:
    """The test's end of the process, which ends with the test."""

    def __init__(self, test):
        self.connections, self.replies = [], queue.Queue()
        self.process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()
        test.addCleanup(self.stop)

    def read(self):
        with self.process.stdout as lines:
            for line in lines:
                kind, *rest = json.loads(line)
                if kind == 'end':
                    self.connections[rest[0]].ends.put(rest[1])
                elif kind == 'event':
                    self.connections[rest[0]].events.put(rest[1])
                else:
                    self.replies.put((kind, *rest))
        self.replies.put(('error', 'the client has ended'))

    def call(self, *words):
        print(json.dumps(words), file=self.process.stdin, flush=True)
        kind, value = self.replies.get(timeout=PATIENCE_S)
        if kind == 'error':
            raise Error(value)
        return value

    def open(self, uri):
        connection = Connection(self, len(self.connections))
        self.connections.append(connection)
        self.call(connection.number, 'open', uri)
        return connection

    def stop(self):
        """Without a word to the daemons: a client that has died."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


class Program:
    """What runs in the process."""

    def __init__(self, libvirt):
        self.libvirt = libvirt
        self.connections = []
        self.unread = b''

    def run(self):
        self.libvirt.registerErrorHandler(lambda *unused: None, None)
        self.libvirt.virEventRegisterDefaultImpl()
        self.libvirt.virEventAddHandle(0, self.libvirt.VIR_EVENT_HANDLE_READABLE,
                                       lambda *unused: self.take(), None)
        while True:
            self.libvirt.virEventRunDefaultImpl()

    @staticmethod
    def say(*words):
        print(json.dumps(words), flush=True)

    def take(self):
        data = os.read(0, 65536)
        if not data:
            os._exit(0)
        *lines, self.unread = (self.unread + data).split(b'\n')
        for line in lines:
            try:
                self.answer(*json.loads(line))
            except self.libvirt.libvirtError as error:
                self.say('error', str(error))

    def answer(self, number, method, *arguments):
        if method == 'open':
            self.connections.append(self.libvirt.open(*arguments))
            value = None
        elif method.startswith('watch_'):
            value = getattr(self, method)(number)
        else:
            value = getattr(self.connections[number], method)(*arguments)
        self.say('reply', value if isinstance(value, (int, str)) else None)

    def watch_end(self, number):
        self.connections[number].registerCloseCallback(
            lambda _, reason, __: self.say('end', number, reason), None)

    def watch_secrets(self, number):
        self.connections[number].secretEventRegisterAny(
            None, self.libvirt.VIR_SECRET_EVENT_ID_LIFECYCLE,
            lambda _, secret, event, detail, __: self.say('event', number, event), None)

    def watch_networks(self, number):
        self.connections[number].networkEventRegisterAny(
            None, self.libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE,
            lambda _, network, event, detail, __: self.say('event', number,
                                                           [network.name(), event]), None)


if __name__ == '__main__':
    import libvirt as library
    Program(library).run()
