"""Two daemons of one kind that are measured beside each other, ours and Debian's: what the
programs that do so share. They run in private namespaces, and take turns."""

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'functional')]

SETTLE_S = 2


def spawn(argv, **options):
    return subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL,
                            stdout=options.pop('stdout', subprocess.DEVNULL),
                            stderr=subprocess.DEVNULL, **options)


class Side:
    """A daemon with all that belongs to it. commands: its processes, in the order of their start."""

    def __init__(self, name, socket_path, commands):
        self.name, self.socket_path, self.commands = name, socket_path, commands
        self.processes = []

    def start(self):
        import harness
        for command in self.commands:
            self.processes.append(spawn(command))
            time.sleep(0.3)
        harness.wait_until(lambda: harness.is_listening(self.socket_path), f'{self.name} listens')
        time.sleep(SETTLE_S)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        self.processes = []

    def pids(self):
        """Of its processes and their children."""
        pids = [process.pid for process in self.processes]
        for pid in list(pids):
            with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as children:
                pids += map(int, children.read().split())
        return pids

    def pss_kib(self):
        import harness
        return sum(map(harness.memory_kib, self.pids()))

    def own_kib(self):
        """What is no file's."""
        import harness
        return sum(harness.memory_kib(pid, 'Anonymous') for pid in self.pids())

    def alone_kib(self):
        """What it would be charged for if nobody else used its libraries."""
        import harness
        return harness.memory_alone_kib(*self.pids())
