"""A host whose service manager stops the daemon, without a word from logind."""

import os
import signal
import threading

import domain_case
import guest
import harness
import host_case
import namespaces
import private_bus


@guest.needs_qemu
@private_bus.needs_bus
@harness.needs_private_namespaces
class ServiceManager(host_case.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        namespaces.separate()
        # sd_booted(3)
        os.makedirs('/run/systemd/system')

    def start_guest(self, **values):
        """The scope of a guest is not of interest here: the process stays where it is."""
        (self.root / 'group').mkdir()
        self.start_with(self.root / 'group', **values)
        self.define_and_start()

    def guests(self):
        return guest.guests_below(self.root)

    def test_guests_are_ended_before_the_daemon(self):
        self.start_guest(auto_shutdown_poweroff='all')
        self.bus.tell('state stopping')
        self.qemud.stop()
        self.assertEqual(self.guests(), [])
        self.assertTrue((self.config_folder() / 'autostart/a.xml.once').is_symlink())

    def test_more_time_is_asked_for(self):
        self.start_guest(auto_shutdown_poweroff='all')
        self.bus.tell('state stopping')
        self.qemud.stop()
        self.assertIn('EXTEND_TIMEOUT_USEC=20000000', self.qemud.notify.lines)

    def test_calls_are_answered_while_guests_are_ended(self):
        self.start_guest(auto_shutdown_try_shutdown='all', auto_shutdown_wait=1000)
        self.bus.tell('state stopping')
        self.qemud.process.send_signal(signal.SIGTERM)
        self.bus.wait_for('GET SystemState')
        client = self.client()
        domain = self.domain(client)
        self.assertEqual(client.call('DOMAIN_GET_STATE', dom=domain, flags=0)['state'],
                         domain_case.PAUSED)
        client.call('DOMAIN_DESTROY', dom=domain)
        self.assertEqual(self.qemud.wait(), 0)

    def test_second_signal_does_not_wait(self):
        self.start_guest(auto_shutdown_try_shutdown='all', auto_shutdown_wait=1000)
        self.bus.tell('state stopping')
        self.qemud.process.send_signal(signal.SIGTERM)
        self.bus.wait_for('GET SystemState')
        self.qemud.stop()
        self.assertEqual(len(self.guests()), 1)

    def test_restart_leaves_guests_alone(self):
        self.start_guest(auto_shutdown_poweroff='all')
        self.qemud.restart()
        self.assertEqual(self.state(), 'paused (user)')

    def test_guests_are_left_alone_by_default(self):
        self.start_guest()
        self.bus.tell('state stopping')
        self.qemud.stop()
        self.assertEqual(len(self.guests()), 1)


@guest.needs_qemu
@private_bus.needs_bus
@harness.needs_private_namespaces
class Scopes(host_case.TestCase):
    """Scopes, where systemd does not do as it is asked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        namespaces.separate()
        os.makedirs('/run/systemd/system')

    def setUp(self):
        super().setUp()
        (self.root / 'group').mkdir()
        self.start_with(self.root / 'group')
        self.scope = f'machine-qemu\\x2d1\\x2da\\x2d{guest.instance_of(self.root)}.scope'

    def test_guest_is_put_into_a_scope_of_its_own(self):
        self.define_and_start()
        pid = self.qemu_pid()
        self.assertEqual((self.root / 'group/machine.slice' / self.scope / 'cgroup.procs').read_text(),
                         str(pid))
        self.assertIn(f'SCOPE {self.scope} machine.slice True virt-guest-shutdown.target '
                      'virtqemud.service', self.bus.said())
        self.assertIn('<partition>/machine</partition>', self.sh('dumpxml', 'a'))

    def test_partition_is_a_slice(self):
        self.define('a', extra='<resource><partition>/machine/x-y</partition></resource>')
        self.sh('start', 'a', '--paused')
        self.bus.wait_for(f'SCOPE {self.scope} machine-x\\x2dy.slice')

    def test_refused_scope_is_named(self):
        self.bus.tell('scopes fail')
        self.define()
        self.assertIn(f"cannot put domain 'a' into the scope {self.scope}", self.fails('start', 'a'))
        self.check_gone()

    def is_qemu_up(self):
        """Whether QEMU would say that it is told to end: it has a function for SIGTERM."""
        with open(f'/proc/{self.qemu_pid()}/status', encoding='utf-8') as lines:
            caught = next(line for line in lines if line.startswith('SigCgt:')).split()[1]
        return int(caught, 16) >> (signal.SIGTERM - 1) & 1

    def test_scope_that_fails_late_is_named_whatever_qemu_says(self):
        self.bus.tell('scopes wait')
        self.define()
        errors = []
        start = threading.Thread(target=lambda: errors.append(self.fails('start', 'a')))
        start.start()
        self.bus.wait_for('SCOPE')
        harness.wait_until(self.is_qemu_up, 'QEMU runs')
        self.bus.manager.kill()
        start.join()
        self.assertIn(f"cannot put domain 'a' into the scope {self.scope}", errors[0])
        self.check_gone()

    def test_start_that_waits_for_systemd_can_be_ended(self):
        self.bus.tell('scopes wait')
        self.define()
        start = threading.Thread(target=lambda: self.fails('start', 'a'))
        start.start()
        self.bus.wait_for('SCOPE')
        self.sh('destroy', 'a')
        self.check_gone()
        # Who started it hears of the end of systemd, or of its patience.
        self.bus.manager.kill()
        start.join()

    def test_daemon_that_is_killed_while_it_waits_leaves_no_guest(self):
        self.bus.tell('scopes wait')
        self.define()
        start = threading.Thread(target=lambda: self.fails('start', 'a'))
        start.start()
        self.bus.wait_for('SCOPE')
        self.crash_qemud()
        start.join()
        harness.wait_until(lambda: self.state().startswith('shut off'), 'the start is undone')
        self.check_gone()
