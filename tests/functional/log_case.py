"""What tests of virtlogd share: a client of its four calls, guests that write lines, and a look
at what has become of each line."""

import glob
import json
import os
import re
import subprocess
from pathlib import Path

import descriptors
import harness
import rpc

PROGRAM = 'VIR_LOG_MANAGER_PROTOCOL'
UUID = bytes(range(16))
TRUNCATE = rpc.TYPES.constant('VIR_LOG_MANAGER_PROTOCOL_DOMAIN_OPEN_LOG_FILE_TRUNCATE')

# Writes numbered lines of changing length to its standard output, as fast as that takes them,
# until its standard input ends or there were so many; says on stderr how many there were.
WRITER = '''
import os, select, sys
limit, pause_s = int(sys.argv[1]), float(sys.argv[2])
number = 0
while number < limit and not select.select([0], [], [], pause_s)[0]:
    block = b''.join(b'%08d %s\\n' % (n, b'x' * (n % 97)) for n in range(number, number + 50))
    number += 50
    while block:
        block = block[os.write(1, block):]
sys.stderr.write(str(number))
'''


def line(number):
    return b'%08d %s\n' % (number, b'x' * (number % 97))


def lines(count):
    return b''.join(line(number) for number in range(count))


class LogClient(rpc.Client):
    def open_log(self, path, domain='guest', uuid=UUID, flags=0):
        """Returns the position and the guest's end of the pipe."""
        result = self.call('DOMAIN_OPEN_LOG_FILE', program=PROGRAM, driver='qemu', path=str(path),
                           dom={'name': domain, 'uuid': uuid}, flags=flags)
        return result['pos'], result['fds'][0]

    def append(self, path, message, flags=0):
        return self.call('DOMAIN_APPEND_LOG_FILE', program=PROGRAM, driver='qemu', path=str(path),
                         dom={'name': 'guest', 'uuid': UUID}, message=message, flags=flags)

    def position(self, path, flags=0):
        return self.call('DOMAIN_GET_LOG_FILE_POSITION', program=PROGRAM, path=str(path),
                         flags=flags)['pos']

    def read(self, path, pos, maxlen=1 << 20, flags=0):
        return self.call('DOMAIN_READ_LOG_FILE', program=PROGRAM, path=str(path), pos=pos,
                         maxlen=maxlen, flags=flags)['data']


class Guest:
    """A process that writes lines to the pipe of a log."""

    def __init__(self, write_fd, limit=1 << 40, pause_s=0):
        self.process = subprocess.Popen(['/usr/bin/python3', '-c', WRITER, str(limit),
                                         str(pause_s)], stdin=subprocess.PIPE, stdout=write_fd,
                                        stderr=subprocess.PIPE)
        os.close(write_fd)
        self.n_lines = None

    def finish(self):
        """Ends it between two lines. Returns how many it has written."""
        if self.n_lines is None:
            self.process.stdin.close()
            self.n_lines = int(self.process.stderr.read())
            self.process.stderr.close()
            self.process.wait()
        return self.n_lines

    def finish_by_itself(self):
        """Waits until it has written all of its lines. Returns how many."""
        self.n_lines = int(self.process.stderr.read())
        self.process.stdin.close()
        self.process.stderr.close()
        self.process.wait()
        return self.n_lines

    def kill(self):
        if self.n_lines is None:
            self.process.kill()
            self.process.stdin.close()
            self.process.stderr.close()
            self.process.wait()


class TestCase(harness.TestCase):
    def virtlogd(self, start=True, **options):
        """Its log root is under the test's root."""
        self.folder = self.root / 'var/log/libvirt/qemu'
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.daemon('virtlogd', start=start, **options)

    def stored_virtlogd(self, **options):
        """Under a service manager with a descriptor store."""
        self.folder = self.root / 'var/log/libvirt/qemu'
        self.folder.mkdir(parents=True, exist_ok=True)
        daemon = descriptors.StoredDaemon('virtlogd', self.root, **options)
        self.addCleanup(daemon.close)
        return self.adopt(daemon)

    def holder(self):
        holder = descriptors.Holder('virtlogd', self.root)
        self.addCleanup(holder.kill)
        return holder.start()

    def client(self, daemon, **options):
        client = LogClient(daemon.socket(), **options)
        self.addCleanup(client.close)
        return client

    def open(self, daemon, name, **options):
        """A log that the test itself writes to: its path and the end of its pipe, a file."""
        path = self.folder / name
        with LogClient(daemon.socket()) as client:
            fd = client.open_log(path, **options)[1]
        pipe = os.fdopen(fd, 'wb', buffering=0)
        self.addCleanup(pipe.close)
        return path, pipe

    def guest(self, daemon, name, **options):
        path = self.folder / name
        with LogClient(daemon.socket()) as client:
            guest = Guest(client.open_log(path, domain=name)[1], **options)
        self.addCleanup(guest.kill)
        return path, guest

    def state(self):
        return json.loads((self.root / 'run/libvirt/virtlogd-state.json').read_text())['logs']

    def wait_ended(self, path):
        """Until nobody has the log open any more."""
        harness.wait_until(lambda: str(path) not in [log['path'] for log in self.state()],
                           f'{path} has ended')

    def wait_content(self, path, content):
        path = Path(path)
        harness.wait_until(lambda: path.exists() and path.read_bytes() == content,
                           f'{path} has {content[:60]!r}')

    def assert_has_lines(self, path, count):
        """All lines in order, over all files of the log, each of which has whole lines."""
        next_number = 0
        for part in files(path):
            content = part.read_bytes()
            self.assertTrue(content.endswith(b'\n') or not content, part)
            for text in content.splitlines(keepends=True):
                if text != line(next_number):
                    self.fail(f'{part}: {text[:120]!r} where line {next_number} should be')
                next_number += 1
        self.assertEqual(next_number, count)


def files(path):
    """The files of a log, oldest first."""
    numbers = [int(match.group(1)) for name in glob.glob(f'{path}.*')
               if (match := re.fullmatch(re.escape(str(path)) + r'\.(\d+)', name))]
    return [Path(f'{path}.{number}') for number in sorted(numbers, reverse=True)] + [Path(path)]
