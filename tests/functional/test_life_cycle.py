"""Every daemon starts, says so, answers, and goes when told to."""

import os
import subprocess

import harness


class LifeCycle:
    """The tests of one daemon, named by the class made from this."""

    name = None

    def test_daemon_is_ready_and_ends_with_status_0(self):
        self.daemon(self.name).stop()

    def test_daemon_says_that_it_stops(self):
        daemon = self.daemon(self.name)
        daemon.stop()
        self.assertIn('STOPPING=1', daemon.notify.lines)

    def test_sockets_are_there_only_while_the_daemon_runs(self):
        daemon = self.daemon(self.name)
        has_driver = harness.DAEMONS[self.name] is not None
        paths = [daemon.socket(kind) for kind in (('', 'ro', 'admin') if has_driver else ('', 'admin'))]
        self.assertEqual([path for path in paths if not os.path.exists(path)], [])
        daemon.stop()
        self.assertEqual([path for path in paths if os.path.exists(path)], [])

    def test_daemon_starts_again_after_kill(self):
        daemon = self.daemon(self.name)
        daemon.kill()
        daemon.start()
        self.assertIn(self.name, self.virt_admin(daemon, 'srv-list'))

    def test_second_daemon_under_the_same_root_is_refused(self):
        first = self.daemon(self.name)
        second = harness.Daemon(self.name, self.root)
        second.output_path = self.root / 'second.output'
        second.start(wait=False)
        self.assertNotEqual(second.wait(), 0)
        self.assertTrue(first.is_running())

    def test_version_is_what_tools_parse(self):
        words = subprocess.run([harness.BUILD / self.name / self.name, '--version'], text=True,
                               capture_output=True, check=True).stdout.split()
        self.assertEqual((words[0], words[2]), (self.name, '11.3.0'))

    def test_clients_leave_nothing_behind(self):
        daemon = self.daemon(self.name)
        self.virt_admin(daemon, 'srv-list')
        with daemon.returns_to_base_line():
            for _ in range(20):
                self.virt_admin(daemon, 'srv-list')


for _name in harness.DAEMONS:
    globals()[_name.capitalize()] = type(_name.capitalize(), (LifeCycle, harness.TestCase),
                                         {'name': _name, '__module__': __name__})
