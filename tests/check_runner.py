#!/usr/bin/python3
"""The runner of functional tests must see every way in which a test can go wrong, or a broken
suite would look like a good one. Prints TAP."""

import subprocess
import sys
import tempfile
from pathlib import Path

import tap

RUNNER = Path(__file__).resolve().parent / 'functional/run.py'
SAMPLE = '''
import os, subprocess, time, unittest, harness

class Sample(harness.TestCase):
    timeout_s = 2

    def test_passes(self):
        print('ok 1 - output of a test is no result')

    def test_fails(self):
        self.fail('as it should')

    def test_fails_while_cleaning_up(self):
        self.addCleanup(self.fail, 'as it should')

    def test_hangs_with_a_child(self):
        subprocess.Popen(['sleep', '1000'])
        time.sleep(1000)

    def test_kills_its_process(self):
        os.kill(os.getpid(), 9)

    def test_loses_a_daemon(self):
        daemon = self.daemon('virtqemud', start=False)
        daemon.process = subprocess.Popen(['false'])
        daemon.process.wait()

    @unittest.skip('as it should')
    def test_is_skipped(self):
        pass
'''
PASS, SKIP = {'passes'}, {'is_skipped'}
FAIL = {'fails', 'fails_while_cleaning_up', 'hangs_with_a_child', 'kills_its_process', 'loses_a_daemon'}


def names(texts):
    return {text.split()[0].rpartition('.test_')[2] for text in texts}


def main():
    with tempfile.TemporaryDirectory(prefix='sv-') as folder:
        (Path(folder) / 'test_sample.py').write_text(SAMPLE)
        (Path(folder) / 'test_unloadable.py').write_text('import nothing_of_this_name\n')
        result = subprocess.run([sys.executable, RUNNER, '--folder', folder], text=True,
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    counts = tap.count(result.stdout)
    unloadable = {name for name in names(counts.failures) if 'unloadable' in name}
    tests = (('one test passes', counts.passed == len(PASS)),
             ('the skipped one is reported', names(counts.skips) == SKIP),
             ('every kind of failure is one', names(counts.failures) - unloadable == FAIL),
             ('a file that does not load is a failure', len(unloadable) == 1),
             ('the status tells', result.returncode == 1))
    print(f'1..{len(tests)}')
    for number, (text, is_ok) in enumerate(tests, 1):
        print(f'{"ok" if is_ok else "not ok"} {number} - {text}')
    if not all(is_ok for _, is_ok in tests):
        print('\n'.join('# ' + line for line in (result.stdout + result.stderr).splitlines()))
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
