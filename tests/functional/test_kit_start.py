"""A daemon whose driver fails to start."""

import signal

import harness
import kit

FAILS = {'KITD_CANNOT_START': '1'}


class FailedStart(kit.TestCase):
    def test_daemon_without_its_driver_ends_with_status_0(self):
        daemon = self.kitd(env=FAILS)
        daemon.stop()
        self.assertIn('kitd was told not to start', daemon.output())

    def test_daemon_without_its_driver_reloads(self):
        daemon = self.kitd(env=FAILS)
        daemon.process.send_signal(signal.SIGHUP)
        self.virt_admin(daemon, 'srv-list')
        self.assertTrue(daemon.is_running())

    def test_daemon_without_its_driver_leaves_on_idle(self):
        daemon = self.kitd(env=FAILS, args=['--timeout', '1'])
        self.assertEqual(daemon.wait(), 0)
