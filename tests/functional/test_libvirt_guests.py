"""libvirt-guests, which shuts guests down with the host and starts them again."""

import subprocess

import domain_case
import guest
import harness

PROGRAM = harness.BUILD / 'virtqemud/libvirt_guests/libvirt-guests'


class GuestsCase(domain_case.TestCase):
    timeout_s = 3 * guest.BOOT_S

    def setUp(self):
        super().setUp()
        self.start_qemud()

    def settings(self, **values):
        folder = self.root / 'etc/default'
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'libvirt-guests').write_text(
            ''.join(f'{key}={value}\n' for key, value in values.items()))

    def guests(self, command, status=0):
        """Runs it. Returns what it says."""
        done = subprocess.run([PROGRAM, '--root', self.root, command], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
        text = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, text)
        return text

    def record(self):
        return (self.root / 'var/lib/libvirt/libvirt-guests').read_text()


@guest.needs_image
@harness.needs_root
class Boots(GuestsCase):
    """With guests that heed their power button."""

    def boot(self, name, arguments=''):
        self.sh('define', self.write(f'{name}.xml', guest.booting_xml(
            self.serial(name), name, arguments=arguments)))
        self.sh('start', name)
        guest.wait_for_marker(self.serial(name))

    def test_guests_are_shut_down_and_started_again(self):
        self.settings(ON_BOOT='start')
        self.boot('a')
        self.define('off')
        self.assertIn('Shutdown of guest a complete', self.guests('stop'))
        self.assertEqual(self.state(), 'shut off (shutdown)')
        self.guests('start')
        self.assertEqual(self.state(), 'running (booted)')
        self.assertTrue(self.state('off').startswith('shut off'))

    def test_guests_shut_down_at_the_same_time(self):
        self.settings(PARALLEL_SHUTDOWN=2)
        for name in ('a', 'b'):
            self.boot(name)
        lines = self.guests('stop').splitlines()
        self.assertEqual(lines[1:3], [f'Shutdown of guest {name} requested' for name in ('a', 'b')])
        self.assertEqual(self.names('--state-running'), [])

    def test_guest_that_does_not_shut_down_in_time_is_left(self):
        self.settings(SHUTDOWN_TIMEOUT=1)
        self.boot('a', arguments='guest.ignorepower')
        self.boot('b')
        self.assertIn('Guest a has not shut down in 1 second\n', self.guests('stop', status=1))
        self.assertEqual(self.state('a'), 'running (booted)')


@guest.needs_qemu
@harness.needs_root
class Guests(GuestsCase):
    def test_nothing_is_started_by_default(self):
        self.define_and_start()
        self.settings(SHUTDOWN_TIMEOUT=1)
        self.guests('stop', status=1)
        self.assertIn(' a\n', self.record())
        self.sh('destroy', 'a')
        self.guests('start')
        self.assertTrue(self.state().startswith('shut off'))

    def test_guest_that_started_with_the_host_is_no_failure(self):
        self.settings(SHUTDOWN_TIMEOUT=1, ON_BOOT='start')
        self.define_and_start()
        self.guests('stop', status=1)
        self.guests('start')
        self.assertEqual(self.state(), 'paused (user)')

    def test_one_that_cannot_be_started_hinders_no_other(self):
        self.settings(SHUTDOWN_TIMEOUT=1, PARALLEL_SHUTDOWN=9, ON_BOOT='start')
        for name in ('a', 'b'):
            self.define_and_start(name)
        self.guests('stop', status=1)
        for name in ('a', 'b'):
            self.sh('destroy', name)
        self.sh('undefine', 'a')
        self.assertIn('Guest a was not started: Domain not found', self.guests('start', status=1))
        self.assertEqual(self.state('b'), 'running (booted)')

    def test_transient_guests_are_left_alone_when_that_is_wanted(self):
        self.settings(PERSISTENT_ONLY='true')
        self.sh('create', self.xml('t'), '--paused')
        self.assertIn('0 guests', self.guests('stop'))
        self.assertEqual(self.names(), ['t'])

    def test_transient_guests_are_not_recorded(self):
        self.settings(SHUTDOWN_TIMEOUT=1)
        self.sh('create', self.xml('t'), '--paused')
        self.assertIn('1 guest of', self.guests('stop', status=1))
        self.assertEqual(self.record(), '')

    def test_shutdown_by_hand_records_nothing(self):
        self.settings(SHUTDOWN_TIMEOUT=1)
        self.define_and_start()
        self.guests('shutdown', status=1)
        self.assertFalse((self.root / 'var/lib/libvirt/libvirt-guests').exists())

    def test_daemon_without_guests_is_not_bothered(self):
        self.qemud.stop()
        self.assertEqual(self.guests('stop'), '')

    def test_status(self):
        self.assertEqual(self.guests('status', status=3), 'stopped\n')
        self.guests('start')
        self.assertEqual(self.guests('status'), 'started\n')
        self.guests('stop')
        self.assertEqual(self.guests('status', status=3), 'stopped\n')

    def test_gueststatus_lists_running_guests(self):
        self.assertEqual(self.guests('gueststatus'), '* default URI: no running guests\n')
        self.define_and_start()
        self.assertEqual(self.guests('gueststatus'), '* default URI: a\n')

    def test_restart_that_is_conditional_does_nothing_when_stopped(self):
        self.define_and_start()
        self.assertEqual(self.guests('try-restart'), '')
        self.assertEqual(self.state(), 'paused (user)')

    def test_saving_is_refused_before_anything_is_done(self):
        self.settings(ON_SHUTDOWN='suspend')
        self.define_and_start()
        for command in ('start', 'stop'):
            self.assertIn('guests cannot be saved', self.guests(command, status=1))

    def test_other_hypervisors_are_refused_by_name(self):
        self.settings(URIS='xen:///system')
        self.define_and_start()
        self.assertIn('xen:///system', self.guests('stop', status=1))

    def test_daemon_that_does_not_run_is_named(self):
        self.qemud.stop()
        self.assertIn('virtqemud-sock', self.guests('gueststatus', status=1))

    def test_unknown_command_shows_how_it_is_used(self):
        self.assertIn('Usage:', self.guests('suspend', status=2))
