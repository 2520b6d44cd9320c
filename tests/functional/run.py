#!/usr/bin/python3
"""Runs the functional tests and prints TAP.

    tests/functional/run.py [--build DIR] [--sanitized] [PATTERN...]

Each test_*.py runs in a process of its own, two at a time. A test that exceeds its time
(timeout_s of its class, more under sanitizers) is killed with all that it started and counts
as failed; the rest of its file goes on. PATTERNs choose tests by part of their names
(FILE.CLASS.TEST). As root everything runs in private namespaces.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = ['.', str(HERE), str(HERE.parent)]
import namespaces  # noqa: E402

OUTPUT_TAIL_LINES = 40
# What a file may take to load, and to clean up after a test.
LOAD_SECONDS = 240
# A test that takes longer is told with its time.
SLOW_SECONDS = 4


class Reporter(unittest.TestResult):
    """In the child: tells the parent what happens, one JSON object per line."""

    def __init__(self, stream):
        super().__init__()
        self.stream = stream

    def say(self, event, test, text=''):
        print(json.dumps([event, test.id(), text]), file=self.stream, flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.is_over = False
        self.say('start', test, getattr(test, 'timeout_s', 60))

    def end(self, event, test, text=''):
        # A test may fail and its clean-up, too: one test is one result.
        if not getattr(self, 'is_over', False):
            self.say(event, test, text)
        self.is_over = True

    def addSuccess(self, test):
        self.end('ok', test)

    def addSkip(self, test, reason):
        self.end('skip', test, reason)

    def addError(self, test, err):
        text = self._exc_info_to_string(err, test)
        for daemon in getattr(test, 'daemons', ()):
            tail = daemon.output().splitlines()[-OUTPUT_TAIL_LINES:]
            text += f'\n--- output of {daemon.name}\n' + '\n'.join(tail)
        self.end('fail', test, text)

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.addError(test, err)

    def addExpectedFailure(self, test, err):
        self.end('ok', test)

    def addUnexpectedSuccess(self, test):
        self.end('fail', test, 'expected to fail')


def flatten(suite):
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from flatten(entry)
        else:
            yield entry


def run_child(module, descriptor, patterns, done):
    """Runs the tests of module that match the patterns and are not done yet."""
    tests = [test for test in flatten(unittest.defaultTestLoader.loadTestsFromName(module))
             if test.id() not in done
             and (not patterns or any(pattern in test.id() for pattern in patterns))]
    with os.fdopen(descriptor, 'w') as stream:
        print(json.dumps(['plan', '', len(tests)]), file=stream, flush=True)
        unittest.TestSuite(tests).run(Reporter(stream))
        print(json.dumps(['end', '', '']), file=stream, flush=True)


class Runner:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.number = self.failed = 0

    def report(self, is_ok, name, directive='', text=''):
        with self.lock:
            self.number += 1
            self.failed += not is_ok
            print(f'{"ok" if is_ok else "not ok"} {self.number} - {name}{directive}')
            for line in text.splitlines():
                print(f'#   {line}')
            sys.stdout.flush()

    def run_file(self, module):
        """Runs one file, in as many children as time-outs and crashes make necessary."""
        done = []
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix='sv-', ignore_cleanup_errors=True) as \
                roots, tempfile.TemporaryFile('w+', errors='replace') as output:
            while self.run_once(module, roots, output, done):
                pass
        if done:
            print(f'# {module}: {time.monotonic() - begin:.1f} s', flush=True)

    def run_once(self, module, roots, output, done):
        """Returns whether the file must be started once more, for the tests not yet done."""
        reader, writer = os.pipe()
        output.truncate(0)
        work = json.dumps([module, writer, self.options.patterns, done])
        child = subprocess.Popen([sys.executable, __file__, '--child', work],
                                 cwd=self.options.folder,
                                 stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, pass_fds=[writer],
                                 start_new_session=True,
                                 env={**os.environ, 'SPLITVIRT_ROOTS': roots})
        os.close(writer)
        state = {'current': None, 'last': None, 'timed_out': False}
        timer = self.arm(child, LOAD_SECONDS, state)
        with os.fdopen(reader) as stream:
            for line in stream:
                timer.cancel()
                event, name, value = json.loads(line)
                self.take(event, name, value, done, state)
                limit = value if event == 'start' else LOAD_SECONDS
                timer = self.arm(child, limit * (4 if self.options.sanitized else 1), state)
        timer.cancel()
        self.end_child(child)
        if state['last'] == 'end':
            return False
        why = 'timed out' if state['timed_out'] else 'its process died'
        output.seek(0)
        text = f'{why}\n{output.read()}'
        if state['current'] is None:
            self.report(False, module, text=text)
            return False
        done.append(state['current'])
        self.report(False, state['current'], text=text)
        return True

    def take(self, event, name, value, done, state):
        state['last'] = event
        if event == 'start':
            state['current'], state['begin'] = name, time.monotonic()
        elif event in ('ok', 'fail', 'skip'):
            done.append(name)
            state['current'] = None
            directive = f' # SKIP {value}' if event == 'skip' else ''
            self.report(event != 'fail', name, directive, value if event == 'fail' else '')
            # What skips a whole file has not begun.
            seconds = time.monotonic() - state.get('begin', time.monotonic())
            if seconds > SLOW_SECONDS:
                print(f'# {name}: {seconds:.1f} s', flush=True)

    @staticmethod
    def arm(child, seconds, state):
        def expire():
            state['timed_out'] = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        return timer

    @staticmethod
    def end_child(child):
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        # The group also holds what a killed test left behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def make_guest():
    """The guest that tests boot is made of packages, and inside there is no network. A failure
    is repeated, and reported, by the tests that need the guest."""
    result = subprocess.run([HERE.parent / 'guest/make-guest'], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True)
    if result.returncode != 0:
        print(f'# no guest: {result.stdout}{result.stderr}'.rstrip().replace('\n', '\n# '))


def make_system_base(patterns):
    """The same for the system that tests boot in a container, where it may be wanted."""
    can_make = os.geteuid() == 0 and shutil.which('mmdebstrap') and shutil.which('systemd-nspawn')
    if not can_make or (patterns and not any('systemd' in pattern for pattern in patterns)):
        return
    result = subprocess.run([HERE.parent / 'system/make-base'], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True)
    if result.returncode != 0:
        print(f'# no system: {result.stdout}{result.stderr}'.rstrip().replace('\n', '\n# '))


def main():
    if sys.argv[1:2] == ['--child']:
        run_child(*json.loads(sys.argv[2]))
        return 0
    parser = argparse.ArgumentParser(description='Runs the functional tests.')
    parser.add_argument('--build', default='build', help='the build to test')
    parser.add_argument('--sanitized', action='store_true', help='it was built with sanitizers')
    parser.add_argument('--folder', type=Path, default=HERE, help='where test_*.py are')
    parser.add_argument('--jobs', type=int, default=2, help='files that run at once')
    parser.add_argument('patterns', nargs='*', metavar='PATTERN')
    options = parser.parse_args()
    os.environ['SPLITVIRT_BUILD'] = str(Path(options.build).resolve())
    if options.folder == HERE and not namespaces.is_inside():
        make_guest()
        if not options.sanitized:
            make_system_base(options.patterns)
    if options.sanitized:
        os.environ['SPLITVIRT_SANITIZED'] = '1'
    if not namespaces.enter():
        print('# no private namespaces here: tests that need them are skipped')
    runner = Runner(options)
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(runner.run_file, sorted(path.stem for path in options.folder.glob('test_*.py'))))
    print(f'1..{runner.number}')
    return 1 if runner.failed else 0


if __name__ == '__main__':
    sys.exit(main())
