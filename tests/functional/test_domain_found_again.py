"""Guests outlive kill -9 of virtqemud: after a new start each is found again, in the state that it
is in by now, and its events flow."""

import fcntl
import json
import os
import signal

import domain_case
import guest
import harness
import rpc


@guest.needs_qemu
class FoundAgain(domain_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_qemud()

    def kill_qemud(self):
        self.qemud.kill()

    def monitor(self, name='a'):
        """QEMU's monitor, which nobody has while no daemon runs."""
        folder, = (self.root / 'var/lib/libvirt/qemu').glob(f'domain-*-{name}')
        qmp = guest.Qmp(folder / 'monitor.sock')
        self.addCleanup(qmp.close)
        return qmp

    def meanwhile(self, *commands, name='a'):
        """Commands that somebody else gives to QEMU while no daemon runs."""
        self.kill_qemud()
        qmp = self.monitor(name)
        for command in commands:
            qmp.command(command)
        qmp.close()
        self.qemud.start()

    def test_paused_guest_is_paused(self):
        self.define_and_start()
        pid = self.qemu_pid()
        self.crash_qemud()
        self.assertEqual(self.state(), 'paused (user)')
        self.assertEqual(self.qemu_pid(), pid)

    def test_running_guest_is_running(self):
        self.define_and_start()
        self.sh('resume', 'a')
        before = self.state()
        self.crash_qemud()
        self.assertEqual(self.state(), before)

    def test_id_and_xml_stay(self):
        self.define_and_start(devices="<serial type='pty'/><graphics type='vnc' port='-1'/>")
        before = self.sh('domid', 'a'), self.sh('dumpxml', 'a'), self.sh('dumpxml', 'a', '--inactive')
        self.crash_qemud()
        after = self.sh('domid', 'a'), self.sh('dumpxml', 'a'), self.sh('dumpxml', 'a', '--inactive')
        self.assertEqual(before, after)

    def test_ids_are_not_given_twice(self):
        self.define_and_start()
        self.crash_qemud()
        self.define_and_start('b')
        self.assertNotEqual(self.sh('domid', 'a'), self.sh('domid', 'b'))

    def test_ports_are_not_given_twice(self):
        vnc = "<graphics type='vnc' port='-1'/>"
        self.define_and_start(devices=vnc)
        self.crash_qemud()
        self.define_and_start('b', devices=vnc)
        self.assertNotEqual(self.sh('vncdisplay', 'a'), self.sh('vncdisplay', 'b'))

    def test_transient_guest_stays_transient(self):
        self.sh('create', self.xml(), '--paused')
        self.crash_qemud()
        self.assertEqual(self.names('--transient'), ['a'])
        self.sh('destroy', 'a')
        self.assertEqual(self.names(), [])
        self.check_gone()

    def test_persistent_guest_keeps_its_definition(self):
        self.define_and_start()
        self.crash_qemud()
        self.sh('destroy', 'a')
        self.assertEqual(self.state(), 'shut off (destroyed)')
        self.sh('start', 'a', '--paused')

    def test_guest_that_was_resumed_meanwhile_is_running(self):
        self.define_and_start()
        self.meanwhile('cont')
        harness.wait_until(lambda: self.state().startswith('running'), 'it runs')

    def test_guest_that_was_paused_meanwhile_is_paused(self):
        self.define_and_start()
        self.sh('resume', 'a')
        self.meanwhile('stop')
        harness.wait_until(lambda: self.state().startswith('paused'), 'it is paused')

    def test_guest_that_was_reset_meanwhile_runs(self):
        self.define_and_start()
        self.sh('resume', 'a')
        self.meanwhile('system_reset')
        self.assertTrue(self.state().startswith('running'))
        self.sh('suspend', 'a')

    def test_guest_that_quit_meanwhile_is_shut_off(self):
        self.define_and_start()
        pid = self.qemu_pid()
        self.meanwhile('quit')
        harness.wait_until(lambda: self.state().startswith('shut off'), 'it is off')
        self.assertFalse(os.path.exists(f'/proc/{pid}/fd/0'))
        self.check_gone()
        self.sh('start', 'a', '--paused')

    def test_guest_that_was_killed_meanwhile_is_shut_off(self):
        self.define_and_start()
        self.kill_qemud()
        self.signal_qemu(signal.SIGKILL)
        self.qemud.start()
        harness.wait_until(lambda: self.state().startswith('shut off'), 'it is off')
        self.check_gone()

    def test_transient_guest_that_was_killed_meanwhile_is_gone(self):
        self.sh('create', self.xml(), '--paused')
        self.kill_qemud()
        self.signal_qemu(signal.SIGKILL)
        self.qemud.start()
        harness.wait_until(lambda: not self.names(), 'it is gone')
        self.check_gone()

    def test_another_process_with_its_number_is_left_alone(self):
        self.define_and_start()
        self.kill_qemud()
        self.signal_qemu(signal.SIGKILL)
        status = self.run_folder() / 'a.xml'
        text = status.read_text()
        old = self.qemu_pid()
        status.write_text(text.replace(f"pid='{old}'", f"pid='{os.getpid()}'"))
        self.assertNotEqual(status.read_text(), text)
        self.qemud.start()
        harness.wait_until(lambda: self.state().startswith('shut off'), 'it is off')

    def test_events_flow(self):
        self.define_and_start()
        self.crash_qemud()
        client = self.client()
        self.watch(client)
        harness.wait_until(lambda: 'error' not in self.sh('resume', 'a', status=None), 'resumed')
        self.sh('suspend', 'a')
        self.sh('destroy', 'a')
        events = [self.next_lifecycle(client)[0] for _ in range(4)]
        self.assertEqual(events, [domain_case.RESUMED, domain_case.SUSPENDED,
                                  domain_case.SHUTDOWN, domain_case.STOPPED])

    def test_end_by_a_signal_is_told(self):
        self.define_and_start()
        self.crash_qemud()
        client = self.client()
        self.watch(client)
        self.signal_qemu(signal.SIGKILL)
        self.assertEqual(self.next_lifecycle(client), (domain_case.STOPPED, 5))
        self.wait_state('shut off (crashed)')

    def test_ordinary_restart_leaves_the_guest(self):
        self.define_and_start()
        pid = self.qemu_pid()
        self.qemud.restart()
        self.assertEqual(self.state(), 'paused (user)')
        self.assertEqual(self.qemu_pid(), pid)

    def test_many_guests_are_found_again(self):
        names = sorted(f'g{i}' for i in range(50 if harness.IS_SOAK else 8))
        for name in names:
            self.define_and_start(name)
        self.crash_qemud()
        self.assertEqual(self.names('--state-paused'), names)
        for name in names:
            self.sh('destroy', name)
        self.assertEqual(guest.guests_below(self.root), [])

    def test_kill_after_kill_changes_nothing(self):
        self.define_and_start()
        for _ in range(10):
            self.qemud.kill()
            self.qemud.start()
        self.assertEqual(self.state(), 'paused (user)')
        self.assertEqual(json.loads(self.sh('qemu-monitor-command', 'a',
                                            '{"execute":"query-status"}'))['return']['running'],
                         False)

    def test_kill_before_it_is_ready_changes_nothing(self):
        self.define_and_start()
        for _ in range(10):
            self.qemud.kill()
            self.qemud.start(wait=False)
        self.qemud.kill()
        self.qemud.start()
        self.assertEqual(self.state(), 'paused (user)')

    def test_monitor_that_somebody_else_has_is_waited_for(self):
        self.define_and_start()
        self.kill_qemud()
        qmp = self.monitor()
        self.qemud.start()
        self.assertEqual(self.state(), 'paused (user)')
        qmp.close()
        harness.wait_until(lambda: 'return' in self.sh('qemu-monitor-command', 'a',
                                                       '{"execute":"query-version"}', status=None),
                           'it answers')

    @harness.needs_root
    def test_destroy_while_a_file_worker_is_waited_for_ends_it(self):
        """A worker of the daemon before is still at it: it has the journal of files locked."""
        self.define_and_start()
        self.kill_qemud()
        with open(self.run_folder() / 'a.files', encoding='utf-8') as journal:
            fcntl.flock(journal, fcntl.LOCK_SH)
            self.qemud.start()
            self.sh('destroy', 'a')
            self.assertEqual(self.leftovers(), [])

    def test_autodestroy_is_forgotten_with_its_client(self):
        """As the owner's connection is lost with the daemon, the guest ends with it or stays,
        but never is half of both."""
        client = self.client()
        client.call('DOMAIN_CREATE_XML', xml_desc=guest.paused_xml('a'), flags=3)
        self.kill_qemud()
        client.close()
        self.qemud.start()
        if self.names():
            self.sh('destroy', 'a')
        self.check_gone()


@guest.needs_qemu
class AutoDestroy(domain_case.TestCase):
    def setUp(self):
        super().setUp()
        self.start_qemud()
        self.owner = self.client()

    def create(self, flags=3):
        self.owner.call('DOMAIN_CREATE_XML', xml_desc=guest.paused_xml('a'), flags=flags)

    def test_guest_ends_with_its_client(self):
        self.create()
        self.owner.close()
        harness.wait_until(lambda: not self.names(), 'it is gone')
        self.check_gone()

    def test_defined_guest_is_shut_off_with_its_client(self):
        self.define()
        self.owner.call('DOMAIN_CREATE_WITH_FLAGS', dom=self.domain(self.owner), flags=3)
        self.owner.close()
        self.wait_state('shut off (destroyed)')
        self.check_gone()

    def test_guest_without_the_flag_stays(self):
        self.create(flags=1)
        self.owner.close()
        self.assertEqual(self.state(), 'paused (user)')

    def test_stuck_guest_ends_with_its_client(self):
        self.create()
        with self.stopped_qemu():
            self.owner.close()
            harness.wait_until(lambda: not self.names(), 'it is gone')
        self.check_gone()

    def test_other_clients_do_not_matter(self):
        self.create()
        self.client().close()
        self.assertEqual(self.state(), 'paused (user)')
        self.assertRaises(rpc.Error, self.owner.call, 'DOMAIN_LOOKUP_BY_NAME', name='b')

    def test_destroy_by_another_client_frees_the_owner(self):
        self.create()
        self.sh('destroy', 'a')
        self.create()
        self.assertEqual(self.state(), 'paused (user)')
