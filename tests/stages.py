"""The stages of ./run-tests: each runs a command, keeps its output in build/logs/, and is
counted. A stage that speaks TAP counts its tests; any other is one test."""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tap  # noqa: E402

TOP = Path(__file__).resolve().parent.parent
LOGS = TOP / 'build' / 'logs'
PYTHON = '/usr/bin/python3'
FUZZ_SECONDS = 5
MAX_FAILURES, MAX_LINES = 30, 80
STAGE_TIMEOUT_S = 4 * 3600 if '--soak' in sys.argv else 1800

SANITIZER_ENV = {
    'ASAN_OPTIONS': 'detect_leaks=1:abort_on_error=0:exitcode=99',
    'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1:exitcode=99',
}


def excerpt(lines):
    """What of a log explains its failures: the diagnostics behind the first ones in TAP, the end
    of anything else."""
    chosen, is_failure = [], False
    for line in lines:
        is_failure = line.startswith('not ok') or (is_failure and line.startswith('#'))
        if is_failure:
            chosen.append(line)
    return chosen[:MAX_LINES] or lines[-MAX_LINES:]


class Run:
    """One run of ./run-tests: the totals, and the output of what failed."""

    def __init__(self, options):
        self.options = options
        self.total = tap.Counts()
        self.failed_logs = []
        self.lock = threading.Lock()
        LOGS.mkdir(parents=True, exist_ok=True)

    def report(self, name, counts, log, seconds):
        with self.lock:
            self.total.add(counts)
            if counts.failed:
                self.failed_logs.append((name, counts, log))
            for skip in counts.skips:
                print(f'    skipped: {skip}')
            print(f'{"FAIL" if counts.failed else "ok":4} {name}: {counts.passed} passed, '
                  f'{counts.failed} failed, {counts.skipped} skipped ({seconds:.1f} s)', flush=True)

    def command(self, name, argv, env=None, is_tap=False, timeout=STAGE_TIMEOUT_S):
        """Runs argv as a stage. Returns whether it succeeded."""
        log = LOGS / (name.replace(' ', '-').replace('/', '-') + '.log')
        begin = time.monotonic()
        with open(log, 'wb') as out:
            try:
                status = subprocess.run(argv, cwd=TOP, stdin=subprocess.DEVNULL, stdout=out,
                                        stderr=subprocess.STDOUT, timeout=timeout,
                                        env={**os.environ, **(env or {})}).returncode
            except subprocess.TimeoutExpired:
                status = f'none within {timeout} s'
            except FileNotFoundError as error:
                status = error
        counts = tap.count(log.read_text(errors='replace')) if is_tap else tap.Counts()
        if status != 0 and not counts.failed:
            counts.fail(f'{name}: exit status {status}')
        elif not counts.total:
            counts.passed += 1
        self.report(name, counts, log, time.monotonic() - begin)
        return status == 0

    def skip(self, name, reason):
        self.report(name, tap.Counts(skipped=1, skips=[f'{name}: {reason}']), None, 0)

    def build(self, directory, *options, env=None):
        """Configures (once) and builds a directory."""
        options = list(options)
        if os.environ.get('CI') == 'true':
            options.append('-Dwerror=true')
        configured = (TOP / directory / 'build.ninja').exists()
        if configured:
            setup = ['meson', 'configure', directory, *options] if options else None
        else:
            setup = ['meson', 'setup', directory, *options]
        if setup and not self.command(f'{directory} setup', setup, env):
            return False
        return self.command(f'{directory} compile', ['ninja', '-C', directory], env)

    def unit(self, directory, env=None):
        """Unit tests through meson, counted one by one from its log."""
        name = f'{directory} unit tests'
        log = TOP / directory / 'meson-logs' / 'testlog.json'
        log.unlink(missing_ok=True)
        begin = time.monotonic()
        output = LOGS / (name.replace(' ', '-') + '.log')
        argv = ['meson', 'test', '-C', directory, '--no-rebuild', '--print-errorlogs']
        if env:
            argv += ['--timeout-multiplier', '4']
        with open(output, 'wb') as out:
            status = subprocess.run(argv, cwd=TOP, stdin=subprocess.DEVNULL, stdout=out,
                                    stderr=subprocess.STDOUT,
                                    env={**os.environ, **(env or {})}).returncode
        counts = tap.Counts()
        for line in log.read_text().splitlines() if log.exists() else ():
            test = json.loads(line)
            of_test = tap.count(test.get('stdout') or '')
            if test['result'] == 'SKIP' and not of_test.total:
                of_test = tap.Counts(skipped=1, skips=[test['name']])
            elif test['result'] not in ('OK', 'SKIP') and not of_test.failed:
                of_test.fail(f'{test["name"]}: {test["result"]}')
            elif not of_test.total:
                of_test.passed = 1
            counts.add(of_test)
        if status != 0 and not counts.failed:
            counts.fail(f'meson test: exit status {status}')
        self.report(name, counts, output, time.monotonic() - begin)

    def functional(self, directory, env=None):
        argv = [PYTHON, 'tests/functional/run.py', '--build', directory]
        if env:
            argv.append('--sanitized')
        self.command(f'{directory} functional tests', argv, env, is_tap=True)

    def checks(self):
        for path in sorted((TOP / 'tests').glob('check_*.py')):
            self.command(path.stem, [PYTHON, str(path)], is_tap=True)

    def fuzz(self):
        # The libraries too: what is not instrumented is neither explored nor watched.
        if not self.build('build-fuzz', '-Dfuzz=true', '-Db_lundef=false',
                          '-Db_sanitize=address,undefined', '-Dc_args=-fsanitize=fuzzer-no-link',
                          env={'CC': 'clang'}):
            return
        targets = sorted(p for p in (TOP / 'build-fuzz/tests/fuzz').glob('fuzz_*')
                         if p.is_file() and os.access(p, os.X_OK))
        if not targets:
            self.skip('fuzz', 'no targets are built')
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.fuzz_target, targets))

    def fuzz_target(self, target):
        seconds = FUZZ_SECONDS * (12 if self.options.soak else 1)
        noun = target.name.removeprefix('fuzz_')
        # New inputs go to the first folder; the seeds of the tree are only read.
        work = TOP / 'build-fuzz' / 'corpus' / noun
        work.mkdir(parents=True, exist_ok=True)
        seeds = [d for d in (TOP / 'tests/fuzz/seeds' / noun,) if d.is_dir()]
        self.command(f'fuzz {noun}',
                     [target, f'-max_total_time={seconds}', '-timeout=10', '-rss_limit_mb=2048',
                      f'-artifact_prefix={work}/', work, *seeds],
                     SANITIZER_ENV)

    def debian_build(self):
        """The flags of Debian's packages (hardening, FORTIFY_SOURCE) must work, too."""
        if not shutil.which('dpkg-buildflags'):
            self.skip('build-debian', 'dpkg-buildflags is not installed')
            return
        flags = subprocess.run(['dpkg-buildflags', '--export=cmdline'], text=True,
                               capture_output=True, check=True, env={
                                   **os.environ, 'DEB_BUILD_MAINT_OPTIONS': 'hardening=+all'})
        env = {}
        for word in shlex.split(flags.stdout):
            key, _, value = word.partition('=')
            env[key] = value
        if self.build('build-debian', '--buildtype=plain', env=env):
            self.unit('build-debian')

    def finish(self, seconds):
        for name, counts, log in self.failed_logs:
            print(f'\n==== {name}: {counts.failed} failed')
            for failure in counts.failures[:MAX_FAILURES]:
                print(f'  not ok: {failure}')
            if counts.failed > MAX_FAILURES:
                print(f'  and {counts.failed - MAX_FAILURES} more')
            print(f'---- from {log.relative_to(TOP)}')
            print('\n'.join(excerpt(log.read_text(errors='replace').splitlines())))
        total = self.total
        print(f'\n{seconds:.0f} s; the full output is in {LOGS.relative_to(TOP)}/')
        print(f'{total.passed} passed, {total.failed} failed, {total.skipped} skipped', flush=True)
        return 1 if total.failed else 0


def main():
    parser = argparse.ArgumentParser(prog='run-tests', description='Runs all tests.')
    parser.add_argument('--quick', action='store_true', help='no sanitizers, no fuzzing')
    parser.add_argument('--soak', action='store_true', help='full counts (SPLITVIRT_SOAK=1)')
    options = parser.parse_args()
    if options.soak:
        os.environ['SPLITVIRT_SOAK'] = '1'
    begin = time.monotonic()
    run = Run(options)
    run.checks()
    if run.build('build'):
        run.unit('build')
        run.functional('build')
    # Sanitizers see every behaviour; the many rounds are the ordinary build's.
    os.environ.pop('SPLITVIRT_SOAK', None)
    if not options.quick:
        if run.build('build-asan', '-Db_sanitize=address,undefined', '-Db_lundef=false'):
            run.unit('build-asan', SANITIZER_ENV)
            run.functional('build-asan', SANITIZER_ENV)
        run.fuzz()
        run.debian_build()
    return run.finish(time.monotonic() - begin)


if __name__ == '__main__':
    sys.exit(main())
