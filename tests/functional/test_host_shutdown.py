"""What becomes of guests when the host shuts down (auto_shutdown_* of qemu.conf), told by a
logind that a test has in its hands."""

import signal

import guest
import harness
import host_case
import private_bus
from host_case import HOLDS

PRESSED = 'GUEST-POWERBUTTON'


@guest.needs_qemu
@private_bus.needs_bus
@harness.needs_root
class HostShutdown(host_case.TestCase):
    def is_off(self, name='a'):
        return self.state(name).startswith('shut off')

    def autostart_once(self, name='a'):
        return (self.config_folder() / f'autostart/{name}.xml.once').is_symlink()

    def boot(self, name='a', arguments=''):
        """A guest that heeds its power button."""
        self.sh('define', self.write(f'{name}.xml', guest.booting_xml(
            self.serial(name), name, arguments=arguments)))
        self.sh('start', name)
        guest.wait_for_marker(self.serial(name))

    @guest.needs_image
    def test_guest_is_shut_down(self):
        self.start_with(auto_shutdown_try_shutdown='all', auto_shutdown_wait=200)
        self.boot()
        self.bus.tell('prepare yes')
        self.wait_state('shut off (shutdown)')
        self.bus.wait_for('RELEASED')
        self.assertTrue(self.autostart_once())

    def test_guest_that_does_not_shut_down_in_time_is_ended(self):
        self.start_with(auto_shutdown_try_shutdown='all', auto_shutdown_poweroff='all',
                        auto_shutdown_wait=1)
        self.define_and_start()
        self.bus.tell('prepare yes')
        self.wait_state('shut off (destroyed)')
        self.bus.wait_for('RELEASED')

    def test_guest_that_hangs_is_ended(self):
        self.start_with(auto_shutdown_try_shutdown='all', auto_shutdown_poweroff='all',
                        auto_shutdown_wait=1)
        self.define_and_start()
        with self.stopped_qemu():
            self.bus.tell('prepare yes')
            harness.wait_until(self.is_off, 'the guest is off', 3 * harness.PATIENCE_S)

    def test_guest_that_is_only_asked_runs_on(self):
        self.start_with(auto_shutdown_try_shutdown='all', auto_shutdown_wait=1)
        self.define_and_start()
        self.bus.tell('prepare yes')
        self.bus.wait_for('RELEASED')
        self.assertEqual(self.state(), 'paused (user)')

    def test_guests_are_ended_without_being_asked_first(self):
        self.start_with(auto_shutdown_poweroff='all', auto_shutdown_wait=1000)
        self.define_and_start()
        self.bus.tell('prepare yes')
        self.wait_state('shut off (destroyed)')

    def test_bus_that_was_away_is_listened_to_again(self):
        self.start_with(auto_shutdown_poweroff='all')
        self.define_and_start()
        for _ in range(2):
            self.bus.restart()
            self.bus.wait_for(HOLDS)
        self.bus.tell('prepare yes')
        self.wait_state('shut off (destroyed)')
        self.bus.wait_for('RELEASED')

    def test_only_guests_of_the_wanted_kind_are_ended(self):
        self.start_with(auto_shutdown_poweroff='transient')
        self.define_and_start('kept')
        self.sh('create', self.xml('gone'), '--paused')
        self.bus.tell('prepare yes')
        self.bus.wait_for('RELEASED')
        self.assertEqual(self.names(), ['kept'])
        self.assertEqual(self.state('kept'), 'paused (user)')

    def test_guests_are_left_alone_by_default(self):
        self.start_with()
        self.define_and_start()
        self.bus.tell('prepare yes')
        self.assertEqual(self.state(), 'paused (user)')
        self.assertNotIn(HOLDS, self.bus.said())

    def test_lock_is_given_back_when_there_is_no_guest(self):
        self.start_with(auto_shutdown_poweroff='all')
        self.bus.tell('prepare yes')
        self.bus.wait_for('RELEASED')

    def test_lock_is_taken_again_when_the_shutdown_was_called_off(self):
        self.start_with(auto_shutdown_poweroff='all')
        self.bus.tell('prepare yes')
        self.bus.wait_for('RELEASED')
        self.bus.tell('prepare no')
        self.bus.wait_for(HOLDS, 2)

    def test_guest_is_spared_when_the_shutdown_was_called_off(self):
        self.start_with(auto_shutdown_try_shutdown='all', auto_shutdown_poweroff='all',
                        auto_shutdown_wait=4)
        self.define_and_start()
        self.bus.tell('prepare yes')
        harness.wait_until(self.autostart_once, 'it is to be started again')
        self.bus.tell('prepare no')
        harness.wait_until(lambda: not self.autostart_once(), 'that is called off, too')
        self.assertEqual(self.state(), 'paused (user)')

    def test_reload_gives_the_lock_back(self):
        self.start_with(auto_shutdown_poweroff='all')
        self.conf(auto_shutdown_poweroff='none')
        self.qemud.process.send_signal(signal.SIGHUP)
        self.bus.wait_for('RELEASED')

    def test_reload_takes_the_lock(self):
        self.start_with()
        self.conf(auto_shutdown_poweroff='all')
        self.qemud.process.send_signal(signal.SIGHUP)
        self.bus.wait_for(HOLDS)

    def test_ended_guests_start_again_with_the_host(self):
        self.start_with(auto_shutdown_poweroff='all')
        self.define_and_start('a')
        self.define('b')
        self.bus.tell('prepare yes')
        self.wait_state('shut off (destroyed)')
        self.qemud.stop()
        for path in self.run_folder().iterdir():
            path.unlink()
        self.qemud.start()
        self.wait_state('running (booted)')
        self.assertTrue(self.is_off('b'))

    def test_ended_guests_stay_off_when_that_is_wanted(self):
        self.start_with(auto_shutdown_poweroff='all', auto_shutdown_restore=0)
        self.define_and_start()
        self.bus.tell('prepare yes')
        self.wait_state('shut off (destroyed)')
        self.assertFalse(self.autostart_once())

    @guest.needs_image
    def test_guests_shut_down_one_after_the_other_when_only_one_may_at_a_time(self):
        self.start_with(auto_shutdown_try_shutdown='all', auto_shutdown_wait=400,
                        auto_shutdown_parallel=1)
        for name in ('a', 'b'):
            self.boot(name, arguments='guest.ignorepower')

        def pressed():
            return [name for name in ('a', 'b')
                    if PRESSED in self.serial(name).read_text(errors='replace')]
        self.bus.tell('prepare yes')
        # The first does not go: the second is not asked before.
        first, = harness.wait_until(pressed, 'one is asked', guest.BOOT_S)
        for name in ('a', 'b'):
            harness.wait_until(lambda: self.autostart_once(name), 'both are about to be ended')
        self.assertEqual(pressed(), [first])
        self.sh('destroy', first)
        harness.wait_until(lambda: len(pressed()) == 2, 'the other is asked', guest.BOOT_S)
        other, = {'a', 'b'} - {first}
        self.sh('destroy', other)

    def test_saving_is_refused(self):
        self.conf(auto_shutdown_try_save='persistent')
        self.start_qemud()
        self.assertIn('this version does not save guests', self.fails('list'))

    def test_without_logind_that_is_said_once_to_whoever_set_a_policy(self):
        self.conf(auto_shutdown_poweroff='all')
        self.start_qemud(env={'DBUS_SYSTEM_BUS_ADDRESS': f'unix:path={self.root}/no-bus'})
        harness.wait_until(lambda: 'logind' in self.qemud.output(), 'it is said')
        self.qemud.process.send_signal(signal.SIGHUP)
        self.define_and_start()
        self.assertEqual(self.qemud.output().count('logind'), 1)

    def test_restart_of_the_daemon_leaves_guests_alone(self):
        self.start_with(auto_shutdown_poweroff='all')
        self.define_and_start()
        self.qemud.restart()
        self.assertEqual(self.state(), 'paused (user)')

