"""A file system that hangs is the trouble of the guests whose disks lie on it: all other calls and
guests go on, a call that needs such a file ends with an error that names it, and so does the
daemon when it is told to."""

import subprocess
import unittest

import domain_case
import guest
import hanging_fs
import harness

# What the daemon gives to the images of one start or end, and what a test waits for it.
IMAGES_S = 60
LONG_S = IMAGES_S + harness.PATIENCE_S

needs_fuse = unittest.skipUnless(harness.IS_PRIVATE and hanging_fs.IS_THERE,
                                 'needs private namespaces (root) and /dev/fuse')


@guest.needs_qemu
@needs_fuse
class HangingFiles(domain_case.TestCase):
    timeout_s = 2 * guest.BOOT_S + LONG_S

    def setUp(self):
        super().setUp()
        self.start_qemud()
        self.fs = self.enterContext(hanging_fs.HangingFs(self.root / 'far'))
        self.define('a', uuid=domain_case.uuid_of(1), devices=self.disk('vda'))
        self.define_and_start('b')

    def disk(self, target):
        return f'''<disk type='file'><driver name='qemu' type='raw'/>
            <source file='{self.fs.disk}'/><target dev='{target}' bus='virtio'/></disk>'''

    def background(self, *words):
        """virsh beside the test, which is seen to wait for the file system. It sends no keepalive:
        one every 5 s would meet the end of the connection after 20 s, and SIGPIPE ends virsh."""
        process = subprocess.Popen(['virsh', '-q', '-k', '0', '-c', self.qemud.uri(), *words],
                                   stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def start_that_waits(self):
        """A start of the guest whose image hangs."""
        process = self.background('start', 'a', '--paused')
        harness.wait_until(lambda: self.state() == 'paused (starting up)', 'a is starting')
        return process

    def check_others(self):
        """All that needs nothing of the file system, of the guest itself and of others."""
        self.assertEqual(self.names(), ['a', 'b'])
        for name in self.names():
            for command in ('dominfo', 'domstats', 'dumpxml', 'domblklist'):
                with self.subTest(f'{command} {name}'):
                    self.sh(command, name)
        self.sh('domstats')
        self.assertIn(str(self.fs.disk), self.sh('dumpxml', 'a', '--inactive'))
        self.sh('resume', 'b')
        self.sh('destroy', 'b')
        self.sh('start', 'b', '--paused')
        self.define('c')
        self.sh('undefine', 'c')

    def test_others_go_on_while_a_start_hangs(self):
        self.fs.hang()
        self.start_that_waits()
        self.check_others()
        self.fs.go_on()

    def test_start_ends_with_an_error_that_names_the_file(self):
        self.fs.hang()
        start = self.start_that_waits()
        output, _ = start.communicate(timeout=LONG_S)
        self.assertIn(f"the file system of '{self.fs.disk}' does not answer", output)
        self.assertEqual(self.state(), 'shut off (failed)')
        self.check_gone()
        self.check_others()

    def test_start_goes_on_with_its_file_system(self):
        self.fs.hang()
        start = self.start_that_waits()
        self.fs.go_on()
        self.assertEqual(start.wait(harness.PATIENCE_S), 0, start.stdout.read())
        self.assertEqual(self.state(), 'paused (user)')

    def test_start_that_hangs_can_be_destroyed(self):
        self.fs.hang()
        start = self.start_that_waits()
        self.sh('destroy', 'a')
        self.assertEqual(self.state(), 'shut off (destroyed)')
        self.check_gone()
        self.fs.go_on()
        output, _ = start.communicate(timeout=harness.PATIENCE_S)
        self.assertIn("domain 'a' was ended while it was starting", output)
        self.sh('start', 'a', '--paused')

    def test_others_go_on_while_the_file_of_a_serial_line_hangs(self):
        self.define('a', uuid=domain_case.uuid_of(1), devices=f'''<serial type='file'>
            <source path='{self.fs.disk}'/></serial>''')
        self.fs.hang()
        start = self.start_that_waits()
        self.check_others()
        self.fs.go_on()
        self.assertEqual(start.wait(harness.PATIENCE_S), 0, start.stdout.read())

    def test_definitions_do_not_look_at_files(self):
        self.fs.hang()
        self.define('a', uuid=domain_case.uuid_of(1), devices=self.disk('vdb'))
        self.assertIn('vdb', self.sh('dumpxml', 'a'))
        self.sh('undefine', 'a')
        self.assertEqual(self.names(), ['b'])

    def test_others_go_on_while_a_disk_of_a_guest_hangs(self):
        self.sh('start', 'a', '--paused')
        self.fs.hang()
        self.check_others()

    def test_destroy_of_a_guest_whose_disk_hangs(self):
        """QEMU itself touches the file only when it ends, which the kernel then makes last."""
        self.sh('start', 'a', '--paused')
        self.fs.hang()
        destroy = self.background('destroy', 'a')
        self.check_others()
        output, _ = destroy.communicate(timeout=2 * LONG_S)
        self.assertIn('Failed to terminate process', output)
        self.fs.go_on()
        harness.wait_until(lambda: self.state().startswith('shut off'), 'it has ended')
        self.check_gone()

    def test_daemon_ends_while_a_start_hangs(self):
        self.fs.hang()
        start = self.start_that_waits()
        # Calls in flight are given 20 s.
        self.qemud.stop(timeout_s=20 + harness.PATIENCE_S)
        output, _ = start.communicate(timeout=harness.PATIENCE_S)
        self.assertIn('error', output)
        self.qemud.start()
        harness.wait_until(lambda: self.names('--state-shutoff') == ['a'], 'the start is undone')
        self.check_others()
