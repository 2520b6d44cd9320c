"""What happens to a domain while its definition is being written to a disk that takes its time."""

import contextlib
import os
import subprocess

import domain_case
import guest
import harness

SHIM = harness.BUILD / 'tests/functional/libhold_fsync.so'


@guest.needs_qemu
class SlowDisk(domain_case.TestCase):
    def setUp(self):
        super().setUp()
        self.gate = self.root / 'hold-fsync'
        self.start_qemud(env={
            'LD_PRELOAD': str(SHIM), 'HOLD_FSYNC': str(self.gate),
            'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'})
        self.addCleanup(lambda: self.gate.unlink(missing_ok=True))

    @contextlib.contextmanager
    def define_slowly(self, name='a'):
        """A definition that is being written for as long as the block lasts, and then succeeds."""
        path = self.xml(name, uuid=domain_case.uuid_of(1))
        before = set(os.listdir(self.config_folder()))
        self.gate.write_text('')
        with subprocess.Popen(['virsh', '-q', '-c', self.qemud.uri(), 'define', path],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as define:
            try:
                harness.wait_until(lambda: set(os.listdir(self.config_folder())) - before,
                                   'it is being written')
                yield
            finally:
                self.gate.unlink()
            output, _ = define.communicate(timeout=harness.PATIENCE_S)
            self.assertEqual(define.returncode, 0, output)

    def test_definition_of_a_guest_that_ends_meanwhile_is_there(self):
        self.sh('create', self.xml(uuid=domain_case.uuid_of(1)), '--paused')
        with self.define_slowly():
            self.sh('destroy', 'a')
        self.assertEqual(self.names(), ['a'])
        self.assertEqual(self.names('--all', '--persistent'), ['a'])
        self.sh('start', 'a', '--paused')
        self.sh('destroy', 'a')
        self.qemud.restart()
        self.assertEqual(self.names(), ['a'])
