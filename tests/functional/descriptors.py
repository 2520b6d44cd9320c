"""Who keeps descriptors for daemons that are killed: the holder, and a service manager that the
test plays."""

import array
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import harness


class Holder:
    """splitvirt_holder for a daemon of a root."""

    def __init__(self, name, root):
        self.program = harness.BUILD / 'common/holder/splitvirt_holder'
        self.name, self.root, self.process = name, root, None
        self.path = str(root / f'run/libvirt/{name}-holder-sock')

    def start(self, env=None):
        self.process = subprocess.Popen([self.program, self.name, '--root', str(self.root)],
                                        stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
        harness.wait_until(self.is_served, f'holder serves {self.path}')
        return self

    def is_served(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            try:
                probe.connect(self.path)
            except (FileNotFoundError, ConnectionRefusedError):
                return False
        return True

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def cpu_s(self):
        fields = Path(f'/proc/{self.process.pid}/stat').read_text().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def n_held(self):
        """How many descriptors of pipes and files it has."""
        count = 0
        for number in os.listdir(f'/proc/{self.process.pid}/fd'):
            try:
                target = os.readlink(f'/proc/{self.process.pid}/fd/{number}')
            except FileNotFoundError:
                continue
            count += int(number) > 2 and not target.startswith('socket:')
        return count


class HolderClient:
    """Speaks to a holder as a daemon does."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(harness.PATIENCE_S)
        self.socket.connect(path)

    def ask(self, packet, *fds):
        """Returns the answer and the descriptor that came with it, None for none."""
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
        self.socket.sendmsg([packet.encode()], ancillary)
        answer, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(16))
        fd = array.array('i', ancillary[0][2])[0] if ancillary else None
        return answer.decode(), fd

    def close(self):
        self.socket.close()


class StoreSocket(harness.NotifySocket):
    """A service manager's end of NOTIFY_SOCKET, read all the time. What it stores goes to store,
    a dict of names to lists of descriptors."""

    def __init__(self, path, store):
        super().__init__(path)
        self.store = store
        self.lock = threading.Lock()
        self.socket.settimeout(0.1)
        self.is_closing = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.is_closing:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(64))
            except TimeoutError:
                continue
            fds = array.array('i')
            for _level, _kind, payload in ancillary:
                fds.frombytes(payload)
            with self.lock:
                self._apply(data.decode(), list(fds))

    def _apply(self, text, fds):
        self.lines += text.splitlines()
        fields = dict(line.split('=', 1) for line in text.splitlines())
        name = fields.get('FDNAME', 'stored')
        if fields.get('FDSTORE') == '1' and fields.get('FDPOLL') == '0':
            self.store.setdefault(name, []).extend(fds)
        else:
            fds += self.store.pop(name, []) if fields.get('FDSTOREREMOVE') == '1' else []
            for fd in fds:
                os.close(fd)

    def collect(self, timeout_s=0):
        time.sleep(timeout_s)
        with self.lock:
            return list(self.lines)

    def close(self):
        """Everything that was sent has been read then."""
        self.is_closing = True
        self.thread.join()
        self.socket.close()


# Puts the descriptors named by the first argument to 3, 4, … and becomes the rest.
_LAUNCHER = '''
import os, sys
fds = [os.dup(int(fd)) if int(fd) < 1000 else int(fd) for fd in sys.argv[1].split(',') if fd]
high = [os.dup2(fd, 2000 + i) for i, fd in enumerate(fds)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
os.closerange(3 + len(high), 4096)
os.environ['LISTEN_PID'] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
'''


class StoredDaemon(harness.Daemon):
    """A daemon under a service manager that makes its sockets and keeps its descriptors."""

    def __init__(self, name, root, keeps=True, **options):
        super().__init__(name, root, **options)
        self.keeps, self.store, self.listeners = keeps, {}, []

    def listen(self):
        for kind in ('', 'admin'):
            path = self.socket(kind)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen(64)
            self.listeners.append(listener)

    def start(self, wait=True):
        if not self.listeners:
            self.listen()
        stored = [(name, fd) for name, fds in self.store.items() for fd in fds]
        fds = [listener.fileno() for listener in self.listeners] + [fd for _name, fd in stored]
        names = [f'{self.name}.socket'] * len(self.listeners) + [name for name, _fd in stored]
        self.notify = StoreSocket(self.scratch / f'{self.name}.notify', self.store)
        env = {**os.environ, **self.env, 'NOTIFY_SOCKET': self.notify.path,
               'LISTEN_FDS': str(len(fds)), 'LISTEN_FDNAMES': ':'.join(names)}
        with open(self.output_path, 'ab') as output:
            self.process = subprocess.Popen(
                ['/usr/bin/python3', '-c', _LAUNCHER, ','.join(map(str, fds)), str(self.program),
                 *self.place(), *self.args], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, env=env, pass_fds=fds)
        self.is_accounted_for = False
        if wait:
            self.wait_ready()
        return self

    def forget(self):
        """What a service manager before systemd 254 does when a unit is stopped."""
        for fds in self.store.values():
            for fd in fds:
                os.close(fd)
        self.store.clear()

    def close(self):
        self.forget()
        for listener in self.listeners:
            listener.close()
